/**
 * Losses that several methods share. With two classes everything follows from the margin (logit of the foreground
 * minus logit of the background): P¹ = sigmoid(margin), P⁰ = sigmoid(−margin).
 */
import { tf, tidy } from "../../engine/tensor.ts";

export { crossEntropy, meanSquare } from "../../sasnet/losses.ts";

/** ε of the Dice losses of UA-MT and SSL4MIS. */
const smooth = 1e-5;

/**
 * 1 − (2Σp·y + ε)/(Σp² + Σy² + ε) of the foreground over the whole mini-batch, ε = 1e-5 (yulequan/UA-MT).
 *
 * @param probability of the foreground, any shape.
 * @param labels 0 or 1, or probabilities, the same shape.
 */
export function squaredDice(probability: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  return tidy(() => {
    const overlap = tf.add(tf.mul(2, tf.sum(tf.mul(probability, labels))), smooth);
    const sizes = tf.add(tf.add(tf.sum(tf.square(probability)), tf.sum(tf.square(labels))), smooth);
    return tf.sub(1, tf.div(overlap, sizes)) as tf.Scalar;
  });
}

/** The mean of `squaredDice` over background and foreground (HiLab-git/SSL4MIS). */
export function squaredDiceOfBoth(margin: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  return tidy(() => {
    const foreground = squaredDice(tf.sigmoid(margin), labels);
    const background = squaredDice(tf.sigmoid(tf.neg(margin)), tf.sub(1, labels));
    return tf.mul(tf.add(foreground, background), 0.5) as tf.Scalar;
  });
}

/**
 * Shannon entropy of each voxel in nats, −Σ_c p_c·ln(p_c + 1e-6) over background and foreground (UA-MT, SSL4MIS).
 *
 * @param probability of the foreground, any shape.
 */
export function entropy(probability: tf.Tensor): tf.Tensor {
  return tidy(() => {
    const background = tf.sub(1, probability);
    const part = (p: tf.Tensor) => tf.mul(p, tf.log(tf.add(p, 1e-6)));
    return tf.neg(tf.add(part(probability), part(background)));
  });
}

/** p^(1/T) / (p^(1/T) + (1 − p)^(1/T)) of p = sigmoid(margin), which is sigmoid(margin/T). */
export function sharpened(margin: tf.Tensor, temperature: number): tf.Tensor {
  return tidy(() => tf.sigmoid(tf.mul(margin, 1 / temperature)));
}

/** Sum of scalars or maps. */
export function sum<T extends tf.Tensor>(values: readonly T[]): T {
  return values.length === 1 ? values[0] : tf.addN([...values]) as T;
}
