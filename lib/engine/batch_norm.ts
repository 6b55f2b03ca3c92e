/**
 * Batch normalisation followed by ReLU, on [n, x, y, z, channel], off the tape: statistics, forward pass, gradient.
 * On libtensorflow it is the fused operation on a [1, n·x·y·z, 1, channel] view; elsewhere it is composed. Both
 * normalise with the biased variance, as PyTorch does; `unbiased()` turns it into the one that PyTorch stores.
 */
import { hasNative, nativeOperation } from "./native.ts";
import { tf } from "./tensor.ts";

/** PyTorch's default, used by every network of the kit. */
const epsilon = 1e-5;

/** Per-channel mean and biased variance. */
export interface Moments {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

/** Per-channel factor and offset after the normalisation. */
export interface Affine {
  readonly scale: tf.Tensor1D;
  readonly offset: tf.Tensor1D;
}

/** Mean and variance of each channel over the batch and the grid. */
export function batchMoments(x: tf.Tensor5D): Moments {
  if (!hasNative()) {
    const { mean, variance } = tf.moments(flat(x), [0, 1, 2]);
    return { mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D };
  }
  const channels = x.shape[4];
  const outputs = fusedForward(x, { scale: tf.ones([channels]), offset: tf.zeros([channels]) }, undefined);
  return { mean: outputs[3] as tf.Tensor1D, variance: outputs[4] as tf.Tensor1D };
}

/** relu(batchNorm(x)) with given moments. */
export function normalisedRelu(x: tf.Tensor5D, moments: Moments, affine: Affine): tf.Tensor5D {
  if (hasNative()) return tf.reshape(tf.relu(fusedForward(x, affine, moments)[0]), x.shape);
  const factor = tf.mul(affine.scale, tf.rsqrt(tf.add(moments.variance, epsilon)));
  const offset = tf.sub(affine.offset, tf.mul(moments.mean, factor));
  return tf.relu(tf.add(tf.mul(x, factor), offset));
}

/** The gradients of x, scale and offset. */
export interface NormGradients {
  readonly x: tf.Tensor5D;
  readonly scale: tf.Tensor1D;
  readonly offset: tf.Tensor1D;
}

/**
 * The gradient of batch normalisation without the ReLU.
 *
 * @param dy gradient of the normalised values.
 * @param fromBatch true when `moments` are those of x, so that the gradient flows through them as well; false for
 *   fixed (running) moments.
 */
export function normGradient(
  dy: tf.Tensor5D,
  x: tf.Tensor5D,
  moments: Moments,
  affine: Affine,
  fromBatch: boolean,
): NormGradients {
  if (hasNative()) {
    const [dx, scale, offset] = nativeOperation(
      "FusedBatchNormGradV3",
      [flat(dy), flat(x), affine.scale, moments.mean, moments.variance, tf.tensor1d([])],
      { U: "float32", epsilon: { float: epsilon }, data_format: "NHWC", is_training: fromBatch },
      5,
    );
    return { x: tf.reshape(dx, x.shape), scale: scale as tf.Tensor1D, offset: offset as tf.Tensor1D };
  }
  const inverse = tf.rsqrt(tf.add(moments.variance, epsilon));
  const normalised = tf.mul(tf.sub(x, moments.mean), inverse);
  const axes = [0, 1, 2, 3];
  const offset = tf.sum(dy, axes) as tf.Tensor1D;
  const scale = tf.sum(tf.mul(dy, normalised), axes) as tf.Tensor1D;
  const factor = tf.mul(affine.scale, inverse);
  if (!fromBatch) return { x: tf.mul(dy, factor), scale, offset };
  const count = x.size / x.shape[4];
  const centred = tf.sub(
    tf.sub(dy, tf.div(offset, count)),
    tf.mul(normalised, tf.div(scale, count)),
  );
  return { x: tf.mul(centred, factor), scale, offset };
}

/** The gradient of ReLU: dy where the output is positive. */
export function reluGradient(dy: tf.Tensor5D, output: tf.Tensor5D): tf.Tensor5D {
  if (hasNative()) return nativeOperation("ReluGrad", [dy, output])[0] as tf.Tensor5D;
  return tf.mul(dy, tf.step(output));
}

/** The variance that PyTorch stores, from the biased one over `count` values. */
export function unbiased(variance: tf.Tensor1D, count: number): tf.Tensor1D {
  return tf.mul(variance, count / Math.max(count - 1, 1));
}

function fusedForward(x: tf.Tensor5D, affine: Affine, moments: Moments | undefined): tf.Tensor[] {
  const training = moments === undefined;
  const none = tf.tensor1d([]);
  return nativeOperation(
    "FusedBatchNormV3",
    [flat(x), affine.scale, affine.offset, moments?.mean ?? none, moments?.variance ?? none],
    {
      U: "float32",
      epsilon: { float: epsilon },
      exponential_avg_factor: { float: 1 },
      data_format: "NHWC",
      is_training: training,
    },
    6,
  );
}

function flat(x: tf.Tensor5D): tf.Tensor4D {
  const channels = x.shape[4];
  return tf.reshape(x, [1, x.size / channels, 1, channels]);
}
