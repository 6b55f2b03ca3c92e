/** What MRNet computes of the raters' masks and maps. */
import { tf, tidy } from "../../engine/tensor.ts";
import type { RandomStream } from "../../random.ts";
import { raterCount } from "./raters.ts";

/** Equal weights, whole numbers from 1 to 10 in proportion, and one rater alone, each [items, raters]. */
export function drawConditions(items: number, stream: RandomStream): tf.Tensor2D[] {
  const random: number[][] = [];
  const single: number[][] = [];
  for (let item = 0; item < items; item++) {
    const parts = Array.from({ length: raterCount }, () => 1 + stream.integer(10));
    const sum = parts.reduce((total, part) => total + part, 0);
    random.push(parts.map((part) => part / sum));
    const chosen = stream.integer(raterCount);
    single.push(parts.map((_, rater) => rater === chosen ? 1 : 0));
  }
  return [uniform(items), tf.tensor2d(random), tf.tensor2d(single)];
}

/** Equal weights of all raters. */
export function uniform(items: number): tf.Tensor2D {
  return tf.fill([items, raterCount], 1 / raterCount);
}

/** Σ of the raters' masks with the condition's weights, [n, x, y, z]. */
export function weighted(masks: tf.Tensor5D, condition: tf.Tensor2D): tf.Tensor4D {
  return tidy(() => tf.sum(tf.mul(masks, tf.reshape(condition, [-1, 1, 1, 1, raterCount])), 4));
}

/** An image with a second channel. */
export function withMap(images: tf.Tensor5D, map: tf.Tensor4D): tf.Tensor5D {
  return tf.concat([images, tf.expandDims(map, 4)], 4) as tf.Tensor5D;
}

/** The unbiased standard deviation over the last axis, as PyTorch's. */
export function deviation(probabilities: tf.Tensor): tf.Tensor4D {
  return tidy(() => {
    const count = probabilities.shape[probabilities.rank - 1];
    return tf.sqrt(tf.mul(tf.moments(probabilities, probabilities.rank - 1).variance, count / (count - 1)));
  });
}

/** The mean of −y·log σ(x) − (1 − y)·log σ(−x), weighted a voxel where weights are given. */
export function binaryCrossEntropy(logits: tf.Tensor, target: tf.Tensor, weights?: tf.Tensor): tf.Scalar {
  return tidy(() => {
    const losses = tf.sub(tf.softplus(logits), tf.mul(target, logits));
    return tf.mean(weights === undefined ? losses : tf.mul(losses, weights)) as tf.Scalar;
  });
}
