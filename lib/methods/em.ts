/** EM: predictions should be certain, so their entropy is part of the loss. */
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createVNet } from "../network/segmenter.ts";
import { createPlainUNet } from "../network/unet.ts";
import type { Method } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { crossEntropy, entropy, squaredDiceOfBoth } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";

/** EM's own settings. */
export type EmHyperparameters = {
  /** Weight of the sum of cross-entropy and Dice. */
  readonly supervised: number;
  /** Final weight of the entropy. */
  readonly entropy: number;
  /** The crops whose entropy counts; SSL4MIS takes all, the publication unlabelled ones. */
  readonly entropyOn: "all" | "unlabelled";
  /** "vnet": the backbone of all compared methods; "unet": SSL4MIS's 3-D U-Net. */
  readonly network: "vnet" | "unet";
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
  defaults: () => ({ supervised: 0.5, entropy: 0.1, entropyOn: "all", network: "vnet" }),
  choices: { entropyOn: ["all", "unlabelled"], network: ["vnet", "unet"] },
  nativeOptimiser: () => ({ ...paperSgd, rule: "poly" }),
  create({ hyperparameters: h, width, seed, dropout }) {
    const network = { vnet: createVNet, unet: createPlainUNet }[h.network]({ width, seed, dropout });
    return {
      networks: { network },
      trained: ["network"],
      loss({ images, labels, labelled }, step) {
        const mode = trainingMode(step);
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
          // Only logged: the entropy is also least where nothing is foreground.
          foreground: { weight: 0, value: untaped(() => tf.mean(tf.sigmoid(margin)) as tf.Scalar) },
        };
      },
      predict: (images) => foregroundOf(network, images),
    };
  },
};

/** Mean of the voxels' entropy as a share of the greatest, ln 2. */
export function meanEntropy(margin: tf.Tensor): tf.Scalar {
  return tidy(() => tf.div(tf.mean(entropy(tf.sigmoid(margin))), Math.LN2) as tf.Scalar);
}
