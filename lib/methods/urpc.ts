/**
 * URPC: the predictions of four decoder scales are pulled to their mean on unlabelled crops, less where a scale
 * diverges from it.
 */
import { tf, tidy } from "../engine/tensor.ts";
import { createPyramidVNet } from "../network/pyramid_vnet.ts";
import { createUNet } from "../network/unet.ts";
import type { Method } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { crossEntropy, squaredDiceOfBoth, sum } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";

/** Whose divergence from whom. */
const divergences = ["mean from scale", "scale from mean"] as const;

const networks = ["unet", "vnet"] as const;

/** URPC's own settings. */
export type UrpcHyperparameters = {
  /** Weight of the consistency at the end of its ramp-up. */
  readonly consistency: number;
  /** "mean from scale": KL(mean ‖ scale), as released; "scale from mean": KL(scale ‖ mean), as published. */
  readonly divergence: typeof divergences[number];
  /** "unet": the released 3-D U-Net; "vnet": the backbone that the SASNet paper names, with a head at each scale. */
  readonly network: typeof networks[number];
};

/** URPC (Luo et al., MICCAI 2021) with the 3-D U-Net and the loss of HiLab-git/SSL4MIS. */
export const urpc: Method<UrpcHyperparameters> = {
  key: "urpc",
  name: "URPC",
  venue: "MICCAI 2021",
  source: "Luo et al.; HiLab-git/SSL4MIS",
  tables: [1, 2, 3, 11],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  // The same group's later code keeps the released direction of the divergence.
  defaults: () => ({ consistency: 0.1, divergence: "mean from scale", network: "unet" }),
  choices: { divergence: divergences, network: networks },
  nativeOptimiser: () => ({ ...paperSgd, rule: "poly", learningRate: 0.1 }),
  create({ hyperparameters: { consistency, divergence, network: kind }, width, seed, dropout }) {
    const network = { unet: createUNet, vnet: createPyramidVNet }[kind]({ width, dropout, seed });
    return {
      networks: { network },
      trained: ["network"],
      loss({ images, labels, labelled }, step) {
        const mode = trainingMode(step);
        const margins = network.forward(images, mode).map(({ margin }) => margin);
        const ofLabelled = margins.map((margin) => tf.slice(margin, 0, labelled));
        const ofUnlabelled = margins.map((margin) => tf.slice(margin, labelled));
        const weight = rampUp(step, { share: 1, ticks: 400, maximum: consistency });
        return {
          crossEntropy: {
            weight: 0.5,
            value: average(ofLabelled.map((margin) => crossEntropy(margin, labels))),
          },
          dice: {
            weight: 0.5,
            value: average(ofLabelled.map((margin) => squaredDiceOfBoth(margin, labels))),
          },
          consistency: { weight, value: pyramidConsistency(ofUnlabelled, divergence) },
        };
      },
      // Only the full grid's head predicts.
      predict: (images) => foregroundOf(network, images),
    };
  },
};

/**
 * The uncertainty-rectified pyramid consistency: the mean over the scales s of
 * mean((p̄ − p_s)²·w_s) / (mean(w_s) + 1e-8) + mean(K_s), where p̄ is the mean of the scales, K_s the divergence of the
 * two and w_s = exp(−K_s). Nothing is detached. Both channels have the same squared difference, so the mean over them
 * is the foreground's.
 *
 * @param margins of the scales, each [n, x, y, z].
 */
export function pyramidConsistency(
  margins: readonly tf.Tensor4D[],
  divergence: typeof divergences[number],
): tf.Scalar {
  return tidy(() => {
    const probabilities = margins.map((margin) => tf.sigmoid(margin));
    const mean = average(probabilities);
    const center = marginOfMean(margins);
    const parts = margins.map((margin, scale) => {
      const probability = probabilities[scale];
      const diverging = divergence === "mean from scale"
        ? divergenceOf({ p: mean, margin: center }, margin)
        : divergenceOf({ p: probability, margin }, center);
      const certainty = tf.exp(tf.neg(diverging));
      const distance = tf.mean(tf.mul(tf.squaredDifference(mean, probability), certainty));
      return tf.add(tf.div(distance, tf.add(tf.mean(certainty), 1e-8)), tf.mean(diverging)) as tf.Scalar;
    });
    return average(parts);
  });
}

function average<T extends tf.Tensor>(values: readonly T[]): T {
  return tf.div(sum(values), values.length);
}

/** ln(p̄/(1 − p̄)) of the mean p̄ of sigmoids, without ever rounding a probability to 0 or 1. */
function marginOfMean(margins: readonly tf.Tensor4D[]): tf.Tensor4D {
  const background = tf.stack(margins.map((margin) => tf.neg(tf.softplus(margin))));
  const foreground = tf.add(tf.stack([...margins]), background);
  return tf.sub(tf.logSumExp(foreground, 0), tf.logSumExp(background, 0));
}

/**
 * KL(p ‖ q) of each voxel's two classes: with margins a of p and b of q, Σ p·(ln p − ln q) is
 * (softplus(b) − p·b) − (softplus(a) − p·a), the cross-entropy minus the entropy.
 */
function divergenceOf(from: { p: tf.Tensor4D; margin: tf.Tensor4D }, to: tf.Tensor4D): tf.Tensor4D {
  const crossed = tf.sub(tf.softplus(to), tf.mul(from.p, to));
  return tf.sub(crossed, tf.sub(tf.softplus(from.margin), tf.mul(from.p, from.margin)));
}
