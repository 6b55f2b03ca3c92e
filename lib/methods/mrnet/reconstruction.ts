/** The reconstruction loss of MRNet. */
import { materialise } from "../../engine/activation.ts";
import { untaped } from "../../engine/tape.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import type { ConditionedVNet } from "../../network/conditioned_vnet.ts";

/**
 * How far apart the rater network's features of a prediction and of its target are: over the levels of its encoder,
 * the sum of the mean squared distance along the last axis, over 1,000 (jiwei0921/MRNet, losses.py). The target's
 * features are constants.
 *
 * @param predicted image and prediction, [n, x, y, z, 2].
 * @param target image and target, the same shape.
 */
export function reconstructionLoss(
  rater: Pick<ConditionedVNet, "encode">,
  predicted: tf.Tensor5D,
  target: tf.Tensor5D,
): tf.Scalar {
  const features = (input: tf.Tensor5D) =>
    rater.encode(input, { training: true, updateStatistics: false }).map((feature) =>
      materialise({ terms: [feature] })
    );
  return tidy(() => {
    const truths = untaped(() => features(target));
    const levels = features(predicted).map((feature, i) =>
      tf.mul(tf.mean(tf.squaredDifference(feature, truths[i])), feature.shape[3])
    );
    return tf.div(tf.addN(levels), 1000) as tf.Scalar;
  });
}
