/** The Gaussian contrastive loss of PLGCL. */
import { tf, tidy } from "../../engine/tensor.ts";

/** A Gaussian of embeddings. */
export interface Gaussian {
  /** [dimension] */
  readonly mean: tf.Tensor1D;
  /** [dimension, dimension], biased. */
  readonly covariance: tf.Tensor2D;
}

/** Constants of the loss. */
export interface ContrastOptions {
  /** τ */
  readonly temperature: number;
  /** λ, the weight of the covariances. */
  readonly lambda: number;
  /** ψ, the weight of the other classes. */
  readonly psi: number;
}

/** Mean and biased covariance of rows [n, dimension]. */
export function gaussianOf(rows: tf.Tensor2D): Gaussian {
  return tidy(() => {
    const mean = tf.mean(rows, 0) as tf.Tensor1D;
    const centred = tf.sub(rows, mean) as tf.Tensor2D;
    const covariance = tf.div(tf.matMul(centred, centred, true, false), rows.shape[0]) as tf.Tensor2D;
    return { mean, covariance };
  });
}

/**
 * (1/N) Σ over anchors t of class c of −t·μ_c/τ + log[e^{s(c)} + (ψ/K) Σ_{j≠c} e^{s(j)}] with
 * s(j) = t·μ_j/τ + λ/(2τ²)·tᵀΣ_j t (hritam-98/PatchCL-MedSeg, utils/plg_loss.py). The Gaussians are constants.
 *
 * @param anchors embeddings [N, dimension], class after class.
 * @param counts anchors of each class.
 * @param gaussians `gaussians[c][j]`: class j as class c's anchors see it; undefined for a class without embeddings.
 *   K is the number of the others.
 */
export function gaussianContrast(
  anchors: tf.Tensor2D,
  counts: readonly number[],
  gaussians: readonly (readonly (Gaussian | undefined)[])[],
  { temperature, lambda, psi }: ContrastOptions,
): tf.Scalar {
  return tidy(() => {
    let first = 0;
    const sums: tf.Tensor[] = [];
    counts.forEach((count, own) => {
      if (count === 0) return;
      const t = tf.slice(anchors, first, count);
      first += count;
      const known = gaussians[own].filter((gaussian) => gaussian !== undefined).length;
      const towards = (mean: tf.Tensor1D) => tf.div(tf.sum(tf.mul(t, mean), 1), temperature);
      const scores = gaussians[own].flatMap((gaussian, other) => {
        if (gaussian === undefined) return [];
        const spread = tf.sum(tf.mul(tf.matMul(t, gaussian.covariance), t), 1);
        const score = tf.add(towards(gaussian.mean), tf.mul(spread, lambda / (2 * temperature ** 2)));
        return [other === own ? score : tf.add(score, Math.log(psi / known))];
      });
      const positive = towards(gaussians[own][own]!.mean);
      sums.push(tf.sum(tf.sub(tf.logSumExp(tf.stack(scores, 1), 1), positive)));
    });
    return tf.div(tf.addN(sums), anchors.shape[0]) as tf.Scalar;
  });
}
