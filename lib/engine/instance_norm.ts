/**
 * Instance normalisation without scale and offset, followed by ReLU, on [n, x, y, z, channel]: each channel of each
 * item has moments of its own. To the batch normalisation, which does the work, an item is a batch of one.
 */
import {
  type Affine,
  batchNormRelu,
  type Moments,
  normalisedRelu,
  normGradient,
  reluGradient,
} from "./batch_norm.ts";
import { differentiable } from "./differentiable.ts";
import { tf, tidy } from "./tensor.ts";

/** Mean and biased variance of each channel of each item, [n, channel]. */
export interface InstanceMoments {
  readonly mean: tf.Tensor2D;
  readonly variance: tf.Tensor2D;
}

/** The moments of x, off the tape. */
export function instanceMoments(x: tf.Tensor5D): InstanceMoments {
  return tidy(() => {
    const moments = itemsOf(x).map((item) => batchNormRelu(item, identity(x.shape[4])).moments);
    return {
      mean: tf.stack(moments.map(({ mean }) => mean)) as tf.Tensor2D,
      variance: tf.stack(moments.map(({ variance }) => variance)) as tf.Tensor2D,
    };
  });
}

/**
 * relu(instanceNorm(x)), on the tape; the gradient flows through the moments as well.
 *
 * @param moments those of x.
 */
export function instanceNormRelu(x: tf.Tensor5D, { mean, variance }: InstanceMoments): tf.Tensor5D {
  return differentiable([x], {
    forward: () => forward(x, mean, variance),
    saved: [x, mean, variance],
    backward: (dy, [x, mean, variance]) => [
      () => backward(dy, x as tf.Tensor5D, mean as tf.Tensor2D, variance as tf.Tensor2D),
    ],
  });
}

function forward(x: tf.Tensor5D, mean: tf.Tensor2D, variance: tf.Tensor2D): tf.Tensor5D {
  return tidy(() => {
    const moments = momentsOf(mean, variance);
    const affine = identity(x.shape[4]);
    return tf.concat(itemsOf(x).map((item, i) => normalisedRelu(item, moments[i], affine)), 0);
  });
}

function backward(dy: tf.Tensor5D, x: tf.Tensor5D, mean: tf.Tensor2D, variance: tf.Tensor2D): tf.Tensor5D {
  return tidy(() => {
    const moments = momentsOf(mean, variance);
    const affine = identity(x.shape[4]);
    const gradients = itemsOf(dy);
    const parts = itemsOf(x).map((item, i) =>
      tidy(() => {
        const output = normalisedRelu(item, moments[i], affine);
        return normGradient(reluGradient(gradients[i], output), item, moments[i], affine, true).x;
      })
    );
    return tf.concat(parts, 0);
  });
}

function itemsOf(x: tf.Tensor5D): tf.Tensor5D[] {
  return x.shape[0] === 1 ? [x] : tf.split(x, x.shape[0], 0);
}

function momentsOf(mean: tf.Tensor2D, variance: tf.Tensor2D): Moments[] {
  const variances = tf.unstack(variance) as tf.Tensor1D[];
  return (tf.unstack(mean) as tf.Tensor1D[]).map((mean, i) => ({ mean, variance: variances[i] }));
}

function identity(channels: number): Affine {
  return { scale: tf.ones([channels]), offset: tf.zeros([channels]) };
}
