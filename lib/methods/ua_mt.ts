/** UA-MT: a mean teacher whose consistency counts only where the teacher is certain. */
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import type { Dataset } from "../data/dataset.ts";
import { createVNet } from "../network/segmenter.ts";
import { share } from "./limits.ts";
import type { Method, StepContext } from "./method.ts";
import { type OptimiserSettings, paperSgd } from "./optimiser_settings.ts";
import { crossEntropy, entropy, squaredDice } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";
import { moveAverage, teacherMode, warmedDecay, withNoise } from "./parts/teacher.ts";

/** UA-MT's own settings. */
export type UaMtHyperparameters = {
  /** Weight of the sum of cross-entropy and Dice. */
  readonly supervised: number;
  /** Final weight of the consistency. */
  readonly consistency: number;
  /** The crops whose consistency counts. */
  readonly consistencyOn: "unlabelled" | "all";
  /** Predictions of the teacher whose mean's entropy is the uncertainty; an even number. */
  readonly samples: number;
  /** Standard deviation of the noise on the teacher's inputs; it is clipped at twice that. */
  readonly noise: number;
  /** Decay of the teacher's moving average. */
  readonly decay: number;
};

/** UA-MT (Yu et al., MICCAI 2019), yulequan/UA-MT. */
export const uaMt: Method<UaMtHyperparameters> = {
  key: "ua-mt",
  name: "UA-MT",
  venue: "MICCAI 2019",
  source: "Yu et al.; yulequan/UA-MT",
  tables: [1, 2, 3, 11],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  defaults: () => ({
    supervised: 0.5,
    consistency: 0.1,
    // The released repository has both forms; its instructions run the one for unlabelled crops.
    consistencyOn: "unlabelled",
    samples: 8,
    noise: 0.1,
    decay: 0.99,
  }),
  choices: { consistencyOn: ["unlabelled", "all"] },
  limits: { samples: { least: 2, whole: "even" }, decay: share },
  nativeOptimiser,
  create({ hyperparameters: h, width, seed, dropout }) {
    const [student, teacher] = [createVNet({ width, seed, dropout }), createVNet({ width, seed, dropout })];

    /** The teacher's foreground probability of disturbed crops. */
    function ask(images: tf.Tensor5D, step: StepContext, pass: string): tf.Tensor4D {
      return tidy(() => {
        const disturbed = withNoise(images, step.stream(`noise ${pass}`), {
          deviation: h.noise,
          limit: 2 * h.noise,
        });
        return tf.sigmoid(teacher.forward(disturbed, teacherMode(step.stream(`teacher ${pass}`)))[0].margin);
      });
    }

    /** Entropy of the mean of the teacher's predictions; the target is not among them. */
    function uncertaintyOf(images: tf.Tensor5D, step: StepContext): tf.Tensor {
      return tidy(() => {
        const doubled = tf.concat([images, images]);
        let sum: tf.Tensor = tf.zeros(images.shape.slice(0, 4));
        for (let pass = 0; pass < h.samples / 2; pass++) {
          const previous = sum;
          sum = tidy(() => tf.addN([previous, ...tf.split(ask(doubled, step, `${pass}`), 2)]));
          previous.dispose();
        }
        return entropy(tf.div(sum, h.samples));
      });
    }

    return {
      networks: { student, teacher },
      trained: ["student"],
      loss({ images, labels, labelled }, step) {
        const mode = trainingMode(step);
        const [{ margin }] = student.forward(images, mode);
        const ofLabelled = tf.slice(margin, 0, labelled);
        const first = h.consistencyOn === "all" ? 0 : labelled;
        const { target, certain } = untaped(() => {
          const crops = tf.slice(images, first);
          const target = ask(crops, step, "target");
          return { target, certain: tf.less(uncertaintyOf(crops, step), gateOf(step)) };
        });
        return {
          crossEntropy: { weight: h.supervised, value: crossEntropy(ofLabelled, labels) },
          dice: { weight: h.supervised, value: squaredDice(tf.sigmoid(ofLabelled), labels) },
          consistency: {
            weight: rampUp(step, { share: 1, ticks: 40, maximum: h.consistency }),
            value: certainSquare(tf.sigmoid(tf.slice(margin, first)), target, certain),
          },
        };
      },
      afterStep: ({ iteration }) => moveAverage(teacher, student, warmedDecay(iteration, h.decay)),
      predict: (images) => foregroundOf(student, images),
    };
  },
};

/** The entropy in nats below which a voxel is certain: from 3/4 of the greatest to the greatest. */
export function gateOf(step: Pick<StepContext, "iteration" | "iterations">): number {
  const opened = rampUp(step, { share: 1, ticks: step.iterations, maximum: 1 });
  return (0.75 + 0.25 * opened) * Math.LN2;
}

/**
 * Σ (p − q)² / (number of voxels) over the certain voxels. The released code sums over both channels, where the
 * squared differences are equal, and divides by twice the number.
 *
 * @param student p, the student's foreground probability, through which the gradient flows.
 * @param target q, the teacher's.
 * @param certain true where a voxel counts.
 */
export function certainSquare(student: tf.Tensor, target: tf.Tensor, certain: tf.Tensor): tf.Scalar {
  return tidy(() => {
    const mask = tf.cast(certain, "float32");
    const total = tf.sum(tf.mul(mask, tf.squaredDifference(student, target)));
    return tf.div(total, tf.add(tf.sum(mask), 1e-16)) as tf.Scalar;
  });
}

/** LA as released; BraTS as in HiLab-git/SSL4MIS; Pancreas-CT as in koncle/CoraNet's UA-MT. */
function nativeOptimiser({ name }: Dataset): OptimiserSettings {
  if (name === "pancreas") {
    return { kind: "adam", rule: "constant", learningRate: 1e-3, betas: [0.5, 0.999], weightDecay: 0 };
  }
  return { ...paperSgd, rule: name === "brats" ? "poly" : "step" };
}
