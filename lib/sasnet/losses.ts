/**
 * The three losses of SASNet (paper §3.4, eq. 12–16). They take margins (logit of the foreground minus logit of the
 * background), because with two classes P¹ = sigmoid(margin) and everything else follows from it:
 * sharpening p^(1/T)/(p^(1/T) + (1−p)^(1/T)) is sigmoid(margin/T), and the cross-entropy is a softplus.
 */
import { differentiable } from "../engine/differentiable.ts";
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";

/** Guards the Dice loss of an empty crop, as in the released code. */
const diceEpsilon = 1e-8;

/**
 * Eq. 13 as released: 1 − (2Σp·y + ε)/(Σp + Σy + ε) of the foreground over the whole labelled mini-batch.
 *
 * @param margin [n, x, y, z]
 * @param labels 0 or 1, [n, x, y, z], float32
 */
export function diceLoss(margin: tf.Tensor4D, labels: tf.Tensor4D): tf.Scalar {
  return tidy(() => {
    const p = tf.sigmoid(margin);
    const overlap = tf.add(tf.mul(2, tf.sum(tf.mul(p, labels))), diceEpsilon);
    const sizes = tf.add(tf.add(tf.sum(p), tf.sum(labels)), diceEpsilon);
    return tf.sub(1, tf.div(overlap, sizes)) as tf.Scalar;
  });
}

/** Eq. 14: mean over the voxels of −log of the true class's probability. */
export function crossEntropy(margin: tf.Tensor4D, labels: tf.Tensor4D): tf.Scalar {
  return tidy(() => tf.mean(tf.sub(tf.softplus(margin), tf.mul(labels, margin))) as tf.Scalar);
}

/**
 * How the branches supervise each other: "sharpened" lets the gradient flow into the sharpened target, as the
 * released code does; "detached" stops it there; "plain" is eq. 15 to the letter, without sharpening.
 */
export const pseudoLabelRules = ["sharpened", "detached", "plain"] as const;
export type PseudoLabelRule = typeof pseudoLabelRules[number];

/** Eq. 15 and its released form: squared difference of each branch and the other's (sharpened) prediction. */
export function pseudoLabelLoss(
  high: tf.Tensor4D,
  low: tf.Tensor4D,
  rule: PseudoLabelRule,
  temperature: number,
): tf.Scalar {
  return tidy(() => {
    const [pHigh, pLow] = [tf.sigmoid(high), tf.sigmoid(low)];
    if (rule === "plain") return meanSquare(pLow, pHigh);
    const sharpen = (margin: tf.Tensor4D) => tf.sigmoid(tf.mul(margin, 1 / temperature));
    const [sharpHigh, sharpLow] = rule === "sharpened"
      ? [sharpen(high), sharpen(low)]
      : [constant(sharpen(high)), constant(sharpen(low))];
    return tf.add(meanSquare(pHigh, sharpLow), meanSquare(pLow, sharpHigh));
  });
}

/** One branch's part of eq. 16: squared difference of the signed distance map and the regression. */
export function regressionLoss(distance: tf.Tensor4D, sdm: tf.Tensor4D): tf.Scalar {
  return meanSquare(distance, sdm);
}

/** Mean of (a − b)², of two tensors of the same shape. */
export function meanSquare(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  tf.util.assertShapesMatch(a.shape, b.shape, "meanSquare(): ");
  return tidy(() => {
    const difference = untaped(() => tf.sub(a, b));
    return differentiable([a, b], {
      forward: () => tf.mean(tf.square(difference)) as tf.Scalar,
      saved: [difference],
      backward(dy, [difference]) {
        const slope = (sign: number) => tf.mul(difference, tf.mul(dy, 2 * sign / difference.size));
        return [() => slope(1), () => slope(-1)];
      },
    });
  });
}

/** The same values, through which no gradient flows. */
function constant(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x) => ({ value: tf.clone(x as tf.Tensor), gradFunc: (dy) => tf.zerosLike(dy) }))(x);
}
