/** V-Net on the labelled cases alone: the lower bound, and with all cases labelled the upper bound. */
import { tf, tidy } from "../engine/tensor.ts";
import { createVNet } from "../network/sasnet.ts";
import { evaluationMode } from "../network/unit.ts";
import { crossEntropy } from "../sasnet/losses.ts";
import type { Method } from "./method.ts";

/** V-Net's own settings. */
export type VNetHyperparameters = {
  /** Weight of the sum of cross-entropy and Dice. */
  readonly supervised: number;
};

/** V-Net (Milletari et al., 3DV 2016), in the form and with the loss of yulequan/UA-MT's supervised script. */
export const vnet: Method<VNetHyperparameters> = {
  key: "vnet",
  name: "V-Net",
  source: "Milletari et al., 3DV 2016; yulequan/UA-MT",
  tables: [1, 2, 3, 11],
  usesUnlabelled: false,
  augmentation: (dataset) => dataset.baselineAugmentation,
  defaults: () => ({ supervised: 0.5 }),
  create({ hyperparameters: { supervised }, width, seed, dropout }) {
    const network = createVNet({ width, seed, dropout });
    return {
      networks: { network },
      trained: ["network"],
      loss({ images, labels, labelled }, step) {
        const input = tf.slice(images, 0, labelled);
        const mode = { training: true, updateStatistics: true, dropout: step.stream("dropout") };
        const [{ margin }] = network.forward(input, mode);
        return {
          crossEntropy: { weight: supervised, value: crossEntropy(margin, labels) },
          dice: { weight: supervised, value: squaredDiceLoss(margin, labels) },
        };
      },
      predict: (images) => tidy(() => tf.sigmoid(network.forward(images, evaluationMode)[0].margin)),
    };
  },
};

/** 1 − (2Σp·y + ε)/(Σp² + Σy² + ε), ε = 1e-5, of the foreground over the labelled mini-batch (yulequan/UA-MT). */
function squaredDiceLoss(margin: tf.Tensor4D, labels: tf.Tensor4D): tf.Scalar {
  return tidy(() => {
    const p = tf.sigmoid(margin);
    const overlap = tf.add(tf.mul(2, tf.sum(tf.mul(p, labels))), 1e-5);
    const sizes = tf.add(tf.add(tf.sum(tf.square(p)), tf.sum(tf.square(labels))), 1e-5);
    return tf.sub(1, tf.div(overlap, sizes)) as tf.Scalar;
  });
}
