/**
 * Batch normalisation followed by ReLU, on [n, x, y, z, channel], off the tape: statistics, forward pass, gradient.
 * On libtensorflow it is the fused operation on a [n·x, y, z, channel] view; elsewhere it is composed. Both
 * normalise with the biased variance, as PyTorch does; the running one is unbiased, as there.
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

/** Running mean and variance as PyTorch keeps them: the variance is the unbiased one. */
export interface RunningMoments {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
  /** Weight of a batch's moments in the running ones. */
  readonly momentum: number;
}

/** relu(batchNorm(x)) with the batch's own moments, and the running moments after it has been taken in. */
export interface Batch {
  readonly output: tf.Tensor5D;
  readonly moments: Moments;
  /** Given where running moments were. */
  readonly running?: Moments;
}

/** Normalises a batch with its own moments, over the batch and the grid, and applies ReLU. */
export function batchNormRelu(x: tf.Tensor5D, affine: Affine, running?: RunningMoments): Batch {
  if (hasNative()) {
    const [output, mean, variance, batchMean, batchVariance] = fusedRelu(x, affine, {
      moments: running,
      factor: running?.momentum ?? 1,
      training: true,
    });
    const moments = { mean: batchMean as tf.Tensor1D, variance: batchVariance as tf.Tensor1D };
    if (running === undefined) return { output: tf.reshape(output, x.shape), moments };
    const after = { mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D };
    return { output: tf.reshape(output, x.shape), moments, running: after };
  }
  const { mean, variance } = tf.moments(flat(x), [0, 1, 2]) as Moments;
  const moments = { mean, variance };
  const output = normalisedRelu(x, moments, affine);
  if (running === undefined) return { output, moments };
  const count = x.size / x.shape[4];
  const blend = (old: tf.Tensor1D, value: tf.Tensor1D) =>
    tf.add(tf.mul(old, 1 - running.momentum), tf.mul(value, running.momentum)) as tf.Tensor1D;
  const unbiased = tf.mul(variance, count / Math.max(count - 1, 1)) as tf.Tensor1D;
  return {
    output,
    moments,
    running: { mean: blend(running.mean, mean), variance: blend(running.variance, unbiased) },
  };
}

/** relu(batchNorm(x)) with given moments. */
export function normalisedRelu(x: tf.Tensor5D, moments: Moments, affine: Affine): tf.Tensor5D {
  if (hasNative()) {
    return tf.reshape(fusedRelu(x, affine, { moments, factor: 1, training: false })[0], x.shape);
  }
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
      hasOneDnn() ? "_MklNativeFusedBatchNormGradV3" : "FusedBatchNormGradV3",
      [flat(dy), flat(x), affine.scale, moments.mean, moments.variance, tf.tensor1d([])],
      {
        U: "float32",
        epsilon: { float: epsilon },
        data_format: "NHWC",
        is_training: fromBatch,
        ...(hasOneDnn() ? oneDnnKernel : {}),
      },
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

interface FusedOptions {
  readonly moments: Moments | undefined;
  readonly factor: number;
  readonly training: boolean;
}

/** The six outputs of the fused operation, the first of them after ReLU, on the four-axis view. */
function fusedRelu(x: tf.Tensor5D, affine: Affine, { moments, factor, training }: FusedOptions): tf.Tensor[] {
  const none = tf.tensor1d([]);
  const inputs = [flat(x), affine.scale, affine.offset, moments?.mean ?? none, moments?.variance ?? none];
  const attributes = {
    U: "float32",
    epsilon: { float: epsilon },
    exponential_avg_factor: { float: factor },
    data_format: "NHWC",
    is_training: training,
  };
  if (hasOneDnn()) {
    return nativeOperation(
      "_MklNativeFusedBatchNormEx",
      inputs,
      { ...attributes, activation_mode: "Relu", num_side_inputs: 0, ...oneDnnKernel },
      6,
    );
  }
  const [output, ...others] = nativeOperation("FusedBatchNormV3", inputs, attributes, 6);
  return [tf.relu(output), ...others];
}

/** The label under which libtensorflow registers its oneDNN kernels for direct calls. */
const oneDnnKernel = { _kernel: "MklNameChangeOp" };

let oneDnn: boolean | undefined;

/** True where libtensorflow has oneDNN's normalisation, which fuses ReLU and takes half the time. */
function hasOneDnn(): boolean {
  if (oneDnn !== undefined) return oneDnn;
  oneDnn = true;
  try {
    tf.tidy(() => {
      const x = tf.tensor5d([-1, 1], [1, 2, 1, 1, 1]);
      const affine = { scale: tf.ones([1]) as tf.Tensor1D, offset: tf.zeros([1]) as tf.Tensor1D };
      const [output] = fusedRelu(x, affine, { moments: undefined, factor: 1, training: true });
      const [low, high] = output.dataSync();
      oneDnn = low === 0 && Math.abs(high - 1) < 1e-4;
    });
  } catch {
    oneDnn = false;
  }
  return oneDnn;
}

/** The four axes that the fused operations take: oneDNN sums several images more exactly than one long one. */
function flat(x: tf.Tensor5D): tf.Tensor4D {
  const [n, sideX, sideY, sideZ, channels] = x.shape;
  return tf.reshape(x, [n * sideX, sideY, sideZ, channels]);
}
