/** SASSNet: a discriminator asks that signed distance maps of unlabelled images look like those of labelled ones. */
import { untaped } from "../engine/tape.ts";
import { tf } from "../engine/tensor.ts";
import { createDiscriminator, type Discriminator } from "../network/discriminator.ts";
import { evaluationMode } from "../network/unit.ts";
import type { RandomStream } from "../random.ts";
import { ticks } from "./limits.ts";
import type { Method, MethodSetting } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { createDualTaskVNet, dualTaskTerms } from "./parts/dual_task.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";

/** SASSNet's own settings. */
export type SassNetHyperparameters = {
  /** Weight of the squared error of the signed distance. */
  readonly distance: number;
  /** Final weight of the adversarial loss, as released for 16 labelled cases of LA. */
  readonly adversarial: number;
  /** Its factor in the setting with the fewest labels: the release has 0.015 for 8 cases. */
  readonly fewLabels: number;
  /** Ticks of the ramp-up. */
  readonly rampUp: number;
  /** Learning rate of the discriminator. */
  readonly discriminatorRate: number;
};

/** SASSNet (Li, Zhang & He, MICCAI 2020), kleinzcy/SASSnet. */
export const sassnet: Method<SassNetHyperparameters> = {
  key: "sassnet",
  name: "SASSNet",
  venue: "MICCAI 2020",
  source: "Li, Zhang & He; kleinzcy/SASSnet",
  tables: [1, 2, 11],
  unlabelledTerms: ["adversarial"],
  nativeOperation: "the strided 4³ convolutions of its critic",
  supervisedOnly: ["adversarial=0"],
  defaults: () => ({
    distance: 0.3,
    adversarial: 0.01,
    fewLabels: 1.5,
    rampUp: 40,
    discriminatorRate: 1e-4,
  }),
  limits: { rampUp: ticks },
  nativeOptimiser: () => ({ ...paperSgd, rule: "step" }),
  create(setting) {
    const { hyperparameters: h, width, seed, dropout } = setting;
    const network = createDualTaskVNet({ width, seed, dropout });
    const discriminator = createDiscriminator({ width, seed });
    const maximum = h.adversarial * (isFewest(setting) ? h.fewLabels : 1);
    return {
      networks: { network, discriminator },
      trained: ["network"],
      loss(batch, step) {
        const { images, labelled } = batch;
        const mode = trainingMode(step);
        const [output] = network.forward(images, mode);
        // No dropout in the discriminator here: the release has it in evaluation mode for this loss.
        const ofUnlabelled = discriminator.margin(
          tf.slice(output.distance!, labelled),
          tf.slice(images, labelled) as tf.Tensor5D,
        );
        return {
          ...dualTaskTerms(output, batch, h.distance),
          adversarial: {
            weight: rampUp(step, { share: 1, ticks: h.rampUp, maximum }),
            value: tf.mean(tf.softplus(tf.neg(ofUnlabelled))) as tf.Scalar,
          },
        };
      },
      further: [{
        name: "discriminator",
        trains: ["discriminator"],
        optimiser: {
          kind: "adam",
          rule: "constant",
          learningRate: h.discriminatorRate,
          betas: [0.9, 0.99],
          weightDecay: 0,
        },
        loss({ images, labelled }, step) {
          // The release has the segmenter in evaluation mode here: running statistics, no dropout, no gradient.
          const distance = untaped(() => network.forward(images, evaluationMode)[0].distance!);
          const stream = dropout ? step.stream("discriminator") : undefined;
          const value = discriminatorLoss(discriminator, { distance, images, labelled }, stream);
          return { crossEntropy: { weight: 1, value } };
        },
      }],
      predictor: network,
      predict: (images) => foregroundOf(network, images),
    };
  },
};

/** True in the data set's setting with the fewest labelled cases (10 % in the tables), or with fewer. */
function isFewest({ dataset, labelledCases }: MethodSetting<SassNetHyperparameters>): boolean {
  return labelledCases <= Math.min(...dataset.labelled.map(({ cases }) => cases));
}

/** Cross-entropy of the discriminator: the first `labelled` pairs are of labelled images, the others are not. */
function discriminatorLoss(
  discriminator: Discriminator,
  { distance, images, labelled }: { distance: tf.Tensor4D; images: tf.Tensor5D; labelled: number },
  dropout: RandomStream | undefined,
): tf.Scalar {
  const margin = discriminator.margin(distance, images, dropout);
  const signs = Float32Array.from({ length: margin.size }, (_, item) => item < labelled ? -1 : 1);
  return tf.mean(tf.softplus(tf.mul(margin, tf.tensor1d(signs)))) as tf.Scalar;
}
