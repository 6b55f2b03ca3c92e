/** The three-dimensional discrete Fourier transform of tensors, with gradients. */
import { differentiable } from "./differentiable.ts";
import { tf, tidy } from "./tensor.ts";

/**
 * Forward transform of the last three axes (unnormalised, e^−i), of any length.
 *
 * @param x [n, x, y, z], real.
 * @returns [2, n, x, y, z]: real part, imaginary part. The gradient is the real part of the adjoint.
 */
export function fft3d(x: tf.Tensor4D): tf.Tensor5D {
  return differentiable([x], {
    forward: () => stack(transform(tf.complex(x, tf.zerosLike(x)), false)),
    saved: [],
    // The adjoint of the unnormalised transform is the unnormalised inverse.
    backward: (dy) => [() => tf.mul(tf.real(transform(unstack(dy), true)), voxels(dy))],
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
    forward: () => tidy(() => tf.real(transform(unstack(spectrum), true)) as tf.Tensor4D),
    saved: [],
    backward: (dy) => [
      () => tf.div(stack(transform(tf.complex(dy, tf.zerosLike(dy)), false)), voxels(spectrum)),
    ],
  });
}

/** Transforms each of the last three axes in turn: the library's own transform works on the last axis. */
function transform(x: tf.Tensor, inverse: boolean): tf.Tensor {
  return tidy(() => {
    let result = x;
    for (let axis = 0; axis < 3; axis++) {
      const length = result.shape[3]!;
      const rows = tf.reshape(result, [result.size / length, length]);
      const transformed = inverse ? tf.ifft(rows) : tf.fft(rows);
      result = rotateAxes(tf.reshape(transformed, result.shape));
    }
    return result;
  });
}

/** [n, x, y, z] → [n, z, x, y]; complex tensors are transposed part by part. */
function rotateAxes(x: tf.Tensor): tf.Tensor {
  const order = [0, 3, 1, 2];
  return tf.complex(tf.transpose(tf.real(x), order), tf.transpose(tf.imag(x), order));
}

function stack(x: tf.Tensor): tf.Tensor5D {
  return tf.stack([tf.real(x), tf.imag(x)]) as tf.Tensor5D;
}

function unstack(parts: tf.Tensor): tf.Tensor {
  const [real, imaginary] = tf.unstack(parts);
  return tf.complex(real, imaginary);
}

function voxels(parts: tf.Tensor): number {
  return parts.shape.slice(-3).reduce((product, length) => product * length, 1);
}
