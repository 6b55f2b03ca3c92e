/** The soft attention of MRNet: a map, widened by a trainable Gaussian that is separable here. */
import { tf, tidy } from "../engine/tensor.ts";

/** Half the width of the released Gaussian, in its standard deviations before the root is taken. */
const reach = 4;

/**
 * The released Gaussian along one axis: the root of a normal distribution's share of each of `side` equal parts of
 * ±(4 + half a part) standard deviations, summing to 1.
 */
export function gaussian(side: number): tf.Tensor1D {
  const interval = (2 * reach + 1) / side;
  const edges = Array.from(
    { length: side + 1 },
    (_, i) => (i / side * 2 - 1) * (reach + interval / 2),
  );
  const roots = edges.slice(1).map((edge, i) => Math.sqrt(normalShare(edges[i], edge)));
  const sum = roots.reduce((total, root) => total + root, 0);
  return tf.tensor1d(roots.map((root) => root / sum));
}

/**
 * The larger of a map and its softened form, which is stretched to [0, 1] in each item; a map of one value is not
 * widened.
 *
 * @param map [n, x, y, z]
 * @param kernels the Gaussian along x, y, z.
 */
export function attention(map: tf.Tensor4D, kernels: readonly tf.Tensor1D[]): tf.Tensor4D {
  return tidy(() => {
    const soft = softened(map, kernels);
    const [low, high] = [tf.min(soft, [1, 2, 3], true), tf.max(soft, [1, 2, 3], true)];
    const stretched = tf.div(tf.sub(soft, low), tf.add(tf.sub(high, low), 1e-8));
    return tf.maximum(stretched, map) as tf.Tensor4D;
  });
}

/** The map convolved along each axis, zero outside. */
export function softened(map: tf.Tensor4D, kernels: readonly tf.Tensor1D[]): tf.Tensor4D {
  return tidy(() => {
    let result: tf.Tensor = map;
    for (const kernel of kernels) {
      // Each turn brings the next axis to the end; three turns bring the map back.
      result = tf.transpose(result, [0, 2, 3, 1]);
      const { shape } = result;
      const side = shape[3]!;
      const rows = tf.reshape(result, [result.size / side, side]);
      result = tf.reshape(tf.matMul(rows, banded(kernel, side) as tf.Tensor2D), shape);
    }
    return result as tf.Tensor4D;
  });
}

/** The matrix [from, to] of a convolution along an axis of `side` voxels. */
function banded(kernel: tf.Tensor1D, side: number): tf.Tensor {
  const { size } = kernel;
  const indices = new Int32Array(side * side);
  for (let from = 0; from < side; from++) {
    for (let to = 0; to < side; to++) {
      const place = from - to + (size - 1) / 2;
      indices[from * side + to] = place >= 0 && place < size ? place : size;
    }
  }
  const padded = tf.concat([kernel, tf.zeros([1])]);
  return tf.reshape(tf.gather(padded, tf.tensor1d(indices, "int32")), [side, side]);
}

/** The share of a standard normal distribution in [from, to], by Simpson's rule, to nine digits on such parts. */
function normalShare(from: number, to: number): number {
  const parts = 64;
  const step = (to - from) / parts;
  let sum = 0;
  for (let i = 0; i <= parts; i++) {
    const weight = i === 0 || i === parts ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((from + i * step) ** 2) / 2);
  }
  return sum * step / 3 / Math.sqrt(2 * Math.PI);
}
