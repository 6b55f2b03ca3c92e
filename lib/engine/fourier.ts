/** The three-dimensional discrete Fourier transform of tensors, with gradients. */
import { differentiable } from "./differentiable.ts";
import { hasNative } from "./native.ts";
import { tf, tidy } from "./tensor.ts";

/**
 * Forward transform of the last three axes (unnormalised, e^−i), of any length.
 *
 * @param x [n, x, y, z], real.
 * @returns [2, n, x, y, z]: real part, imaginary part. The gradient is the real part of the adjoint.
 */
export function fft3d(x: tf.Tensor4D): tf.Tensor5D {
  return differentiable([x], {
    forward: () => tidy(() => transform(withoutImaginaryPart(x), false)),
    saved: [],
    // The adjoint of the unnormalised transform is the unnormalised inverse.
    backward: (dy) => [() => tf.mul(realPart(transform(dy, true)), voxels(dy))],
  });
}

/**
 * Inverse transform of the last three axes (normalised), and its real part.
 *
 * @param spectrum [2, n, x, y, z]: real part, imaginary part.
 * @returns [n, x, y, z].
 */
export function realInverseFft3d(spectrum: tf.Tensor5D): tf.Tensor4D {
  return differentiable([spectrum], {
    forward: () => tidy(() => realPart(transform(spectrum, true))),
    saved: [],
    backward: (dy) => [() => tf.div(transform(withoutImaginaryPart(dy), false), voxels(spectrum))],
  });
}

/** Transforms the last three axes of [2, n, x, y, z]; the inverse is normalised. */
function transform(parts: tf.Tensor5D, inverse: boolean): tf.Tensor5D {
  return tidy(() => {
    let result = parts;
    for (let axis = 0; axis < 3; axis++) {
      const rows = hasNative() ? libraryRows(result, inverse) : matrixRows(result, inverse);
      // [2, n, x, y, z] → [2, n, z, x, y]: the next axis is the last one.
      result = tf.transpose(tf.reshape(rows, result.shape), [0, 1, 4, 2, 3]);
    }
    return result;
  });
}

/** The library's own transform of the last axis. */
function libraryRows(parts: tf.Tensor5D, inverse: boolean): tf.Tensor {
  const length = parts.shape[4];
  const [real, imaginary] = tf.unstack(tf.reshape(parts, [2, parts.size / (2 * length), length]));
  const rows = tf.complex(real, imaginary);
  const transformed = inverse ? tf.ifft(rows) : tf.fft(rows);
  return tf.stack([tf.real(transformed), tf.imag(transformed)]);
}

/** The transform of the last axis as products with its matrix, for engines without complex numbers. */
function matrixRows(parts: tf.Tensor5D, inverse: boolean): tf.Tensor {
  const length = parts.shape[4];
  const [real, imaginary] = tf.unstack(tf.reshape(parts, [2, parts.size / (2 * length), length]));
  const [cosine, sine] = [Math.cos, Math.sin].map((wave) => waves(length, wave, inverse ? 1 / length : 1));
  const turned = inverse ? tf.neg(sine) : sine;
  return tf.stack([
    tf.add(tf.matMul(real, cosine), tf.matMul(imaginary, turned)),
    tf.sub(tf.matMul(imaginary, cosine), tf.matMul(real, turned)),
  ]);
}

/** factor · wave(2πjk/length), symmetric in j and k. */
function waves(length: number, wave: (angle: number) => number, factor: number): tf.Tensor2D {
  const circle = Float64Array.from({ length }, (_, i) => factor * wave(2 * Math.PI * i / length));
  const matrix = new Float32Array(length * length);
  for (let j = 0, i = 0; j < length; j++) {
    for (let k = 0; k < length; k++, i++) matrix[i] = circle[(j * k) % length];
  }
  return tf.tensor2d(matrix, [length, length]);
}

function withoutImaginaryPart(x: tf.Tensor): tf.Tensor5D {
  return tf.stack([x, tf.zerosLike(x)]) as tf.Tensor5D;
}

function realPart(parts: tf.Tensor5D): tf.Tensor4D {
  return tf.squeeze(tf.slice(parts, 0, 1), [0]);
}

function voxels(parts: tf.Tensor): number {
  return parts.shape.slice(-3).reduce((product, length) => product * length, 1);
}
