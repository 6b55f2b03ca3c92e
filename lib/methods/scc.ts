/** SCC: vectors of the same class are pulled together between labelled and unlabelled crops, others pushed apart. */
import { tf, tidy } from "../engine/tensor.ts";
import { type ClassVectors, createClassVectors } from "../network/class_vector.ts";
import { createSegmenter, type VNet } from "../network/segmenter.ts";
import { evaluationMode } from "../network/unit.ts";
import type { RandomStream } from "../random.ts";
import { positive, ticks } from "./limits.ts";
import type { Method, MethodSetting } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { crossEntropy, squaredDice, sum } from "./parts/losses.ts";
import { trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";

/** SCC's own settings. The published form is secondDecoder=transposed with ramp=false. */
export type SccHyperparameters = {
  /** Weight of cross-entropy and Dice, each summed over the decoders. */
  readonly supervised: number;
  /** Final weight of the contrast. */
  readonly contrast: number;
  /** τ of the contrast. */
  readonly temperature: number;
  /** How the auxiliary decoder doubles the grid: "trilinear" as in the last release, "transposed" as published. */
  readonly secondDecoder: "trilinear" | "transposed";
  /** The weight of the contrast grows, as in the last release; false: it is constant, as published. */
  readonly ramp: boolean;
  /** Ticks of the ramp-up. */
  readonly rampUp: number;
  /** The classifier learns from the contrast; the release gives it to no optimiser: a frozen random projection. */
  readonly trainClassifier: boolean;
};

/** Class vectors of background and foreground, each [row, 2]. */
export interface Vectors {
  readonly background: tf.Tensor2D;
  readonly foreground: tf.Tensor2D;
}

/** SCC (Liu et al., Computerized Medical Imaging and Graphics 2022), PerceptionComputingLab/SCC. */
export const scc: Method<SccHyperparameters> = {
  key: "scc",
  name: "SCC",
  venue: "CMIG 2022",
  source: "Liu et al.; PerceptionComputingLab/SCC",
  tables: [1],
  unlabelledTerms: ["contrast"],
  nativeOperation: "the strided 4³ convolutions of its classifier",
  supervisedOnly: ["contrast=0"],
  defaults: () => ({
    supervised: 0.5,
    contrast: 1,
    temperature: 1,
    secondDecoder: "trilinear",
    ramp: true,
    rampUp: 40,
    trainClassifier: false,
  }),
  choices: { secondDecoder: ["trilinear", "transposed"] },
  limits: { temperature: positive, rampUp: ticks },
  nativeOptimiser: () => ({ ...paperSgd, rule: "step" }),
  create(setting) {
    const { hyperparameters: h, width, seed, dropout } = setting;
    const network = createSccNet(setting);
    const classifier = createClassVectors({ width, seed });
    return {
      networks: { network, classifier },
      trained: h.trainClassifier ? ["network", "classifier"] : ["network"],
      loss({ images, labels, labelled }, step) {
        const mode = trainingMode(step);
        const logits = network.full(images, mode).map(({ logits }) => tf.unstack(logits, 4) as tf.Tensor4D[]);
        const margins = logits.map(([background, foreground]) =>
          tf.slice(tf.sub(foreground, background), 0, labelled) as tf.Tensor4D
        );
        // Frozen or not, the classifier drops channels out: the release leaves it in training mode.
        const stream = dropout ? step.stream("classifier") : undefined;
        const { ofLabelled, ofUnlabelled } = vectorsOf(classifier, logits, labelled, stream);
        return {
          crossEntropy: {
            weight: h.supervised,
            value: sum(margins.map((margin) => crossEntropy(margin, labels))),
          },
          dice: {
            weight: h.supervised,
            value: sum(margins.map((margin) => squaredDice(tf.sigmoid(margin), labels))),
          },
          contrast: {
            weight: h.ramp ? rampUp(step, { share: 1, ticks: h.rampUp, maximum: h.contrast }) : h.contrast,
            value: contrast(ofLabelled, ofUnlabelled, h.temperature),
          },
        };
      },
      predictor: network,
      predict: (images) =>
        tidy(() => {
          const probabilities = network.forward(images, evaluationMode).map(({ margin }) =>
            tf.sigmoid(margin)
          );
          return tf.div(sum(probabilities), probabilities.length) as tf.Tensor4D;
        }),
      branchNames: ["main", "auxiliary"],
      combination: "mean",
      predictBranches: (images) =>
        tidy(() =>
          network.forward(images, evaluationMode).map(({ margin }, i) => ({
            name: ["main", "auxiliary"][i],
            probability: tf.sigmoid(margin),
          }))
        ),
    };
  },
};

function createSccNet({ hyperparameters, width, seed, dropout }: MethodSetting<SccHyperparameters>): VNet {
  const trilinear = { upsampling: { trilinear: "halfPixel" }, convolution: "3 after" } as const;
  const head = { segmentation: "out_conv" };
  return createSegmenter({
    width,
    seed,
    dropout,
    // The dropout after the last stage belongs to the encoder there.
    sharedDropout: true,
    encoder: "encoder.",
    decoders: [
      { prefix: "seg_decoder_1.", from: 5, head },
      {
        prefix: "seg_decoder_2.",
        from: 5,
        head,
        raising: hyperparameters.secondDecoder === "trilinear" ? trilinear : "upsampling",
      },
    ],
  });
}

/** Rows: the first decoder's crops, then the second's. */
function vectorsOf(
  classifier: ClassVectors,
  logits: readonly (readonly tf.Tensor4D[])[],
  labelled: number,
  dropout: RandomStream | undefined,
): { ofLabelled: Vectors; ofUnlabelled: Vectors } {
  const decoders = logits.map((classes) => classes.map((map) => classifier.of(map, dropout)));
  const rows = (channel: number, begin: number, size?: number) =>
    tf.concat(decoders.map((vectors) => tf.slice(vectors[channel], begin, size))) as tf.Tensor2D;
  return {
    ofLabelled: { background: rows(0, 0, labelled), foreground: rows(1, 0, labelled) },
    ofUnlabelled: { background: rows(0, labelled), foreground: rows(1, labelled) },
  };
}

/**
 * Mean over the rows of (−cos of equal classes + cos of different ones)/τ, from −2/τ to 2/τ. The exponentials and
 * logarithms of the published form cancel, because each of its fractions has one term in the denominator.
 */
export function contrast(labelled: Vectors, unlabelled: Vectors, temperature: number): tf.Scalar {
  return tidy(() => {
    const [l, u] = [labelled, unlabelled].map(({ background, foreground }) => ({
      background: normalised(background),
      foreground: normalised(foreground),
    }));
    // cos(l₀, u₀) + cos(l₁, u₁) − cos(l₀, u₁) − cos(l₁, u₀) of unit vectors
    const apart = tf.mul(tf.sub(l.background, l.foreground), tf.sub(u.background, u.foreground));
    return tf.div(tf.mean(tf.sum(apart, 1)), -temperature) as tf.Scalar;
  });
}

/** Rows of unit length; class vectors are probabilities, so that none is short. */
function normalised(vectors: tf.Tensor2D): tf.Tensor2D {
  return tf.div(vectors, tf.sqrt(tf.sum(tf.square(vectors), 1, true)));
}
