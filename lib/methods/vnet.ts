/** V-Net on the labelled cases alone: the lower bound, and with all cases labelled the upper bound. */
import { tf } from "../engine/tensor.ts";
import { createVNet } from "../network/segmenter.ts";
import type { Method } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { crossEntropy, squaredDice } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";

/** V-Net's own settings. */
export type VNetHyperparameters = {
  /** Weight of the sum of cross-entropy and Dice. */
  readonly supervised: number;
};

/** V-Net (Milletari et al., 3DV 2016), in the form and with the loss of yulequan/UA-MT's supervised script. */
export const vnet: Method<VNetHyperparameters> = {
  key: "vnet",
  name: "V-Net",
  venue: "3DV 2016",
  source: "Milletari et al.; yulequan/UA-MT",
  tables: [1, 2, 3, 11],
  unlabelledTerms: [],
  supervisedOnly: [],
  defaults: () => ({ supervised: 0.5 }),
  nativeOptimiser: ({ name }) => ({ ...paperSgd, rule: name === "brats" ? "poly" : "step" }),
  create({ hyperparameters: { supervised }, width, seed, dropout }) {
    const network = createVNet({ width, seed, dropout });
    return {
      networks: { network },
      trained: ["network"],
      loss({ images, labels, labelled }, step) {
        const input = tf.slice(images, 0, labelled);
        const mode = trainingMode(step);
        const [{ margin }] = network.forward(input, mode);
        return {
          crossEntropy: { weight: supervised, value: crossEntropy(margin, labels) },
          dice: { weight: supervised, value: squaredDice(tf.sigmoid(margin), labels) },
        };
      },
      predict: (images) => foregroundOf(network, images),
    };
  },
};
