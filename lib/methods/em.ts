/** EM: predictions should be certain, so their entropy is part of the loss. */
import { tf, tidy } from "../engine/tensor.ts";
import { createVNet } from "../network/segmenter.ts";
import { evaluationMode } from "../network/unit.ts";
import type { Method } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { crossEntropy, entropy, squaredDiceOfBoth } from "./parts/losses.ts";
import { rampUp } from "./parts/ramp.ts";

/** EM's own settings. */
export type EmHyperparameters = {
  /** Weight of the sum of cross-entropy and Dice. */
  readonly supervised: number;
  /** Final weight of the entropy. */
  readonly entropy: number;
  /** The crops whose entropy counts; SSL4MIS takes all, the publication unlabelled ones. */
  readonly entropyOn: "all" | "unlabelled";
};

/**
 * Entropy minimisation (Vu et al., CVPR 2019; the paper's table prints ECCV) as HiLab-git/SSL4MIS has it for volumes.
 */
export const em: Method<EmHyperparameters> = {
  key: "em",
  name: "EM",
  venue: "CVPR 2019",
  source: "Vu et al.; HiLab-git/SSL4MIS, valeoai/ADVENT",
  tables: [3],
  unlabelledTerms: ["entropy"],
  supervisedOnly: ["entropy=0"],
  augmentation: (dataset) => dataset.baselineAugmentation,
  defaults: () => ({ supervised: 0.5, entropy: 0.1, entropyOn: "all" }),
  choices: { entropyOn: ["all", "unlabelled"] },
  nativeOptimiser: () => ({ ...paperSgd, rule: "poly" }),
  create({ hyperparameters: h, width, seed, dropout }) {
    const network = createVNet({ width, seed, dropout });
    return {
      networks: { network },
      trained: ["network"],
      loss({ images, labels, labelled }, step) {
        const mode = { training: true, updateStatistics: true, dropout: step.stream("dropout") };
        const [{ margin }] = network.forward(images, mode);
        const ofLabelled = tf.slice(margin, 0, labelled);
        return {
          crossEntropy: { weight: h.supervised, value: crossEntropy(ofLabelled, labels) },
          dice: { weight: h.supervised, value: squaredDiceOfBoth(ofLabelled, labels) },
          entropy: {
            // 200 ticks of 150 steps are SSL4MIS's whole run.
            weight: rampUp(step, { share: 1, ticks: 200, maximum: h.entropy }),
            value: meanEntropy(h.entropyOn === "all" ? margin : tf.slice(margin, labelled)),
          },
        };
      },
      predict: (images) => tidy(() => tf.sigmoid(network.forward(images, evaluationMode)[0].margin)),
    };
  },
};

/** Mean of the voxels' entropy as a share of the greatest, ln 2. */
export function meanEntropy(margin: tf.Tensor): tf.Scalar {
  return tidy(() => tf.div(tf.mean(entropy(tf.sigmoid(margin))), Math.LN2) as tf.Scalar);
}
