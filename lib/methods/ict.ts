/** ICT: the prediction of a blend of two unlabelled crops should be the blend of the teacher's predictions. */
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createVNet } from "../network/segmenter.ts";
import type { RandomStream } from "../random.ts";
import { share, ticks } from "./limits.ts";
import type { Method, StepContext } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { crossEntropy, meanSquare, squaredDiceOfBoth } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";
import { moveAverage, teacherMode, warmedDecay } from "./parts/teacher.ts";

/** ICT's own settings. */
export type IctHyperparameters = {
  /** Weight of the sum of cross-entropy and Dice. */
  readonly supervised: number;
  /** Final weight of the consistency. */
  readonly consistency: number;
  /** Ticks of the ramp-up, which fills the run: SSL4MIS has 200, the schedule of LA's methods 40. */
  readonly rampUp: number;
  /** The share of the second crop is drawn from Beta(alpha, alpha); in (0, 1]. */
  readonly alpha: number;
  /** What of the teacher is blended; SSL4MIS blends probabilities, the original code logits. */
  readonly blend: "probabilities" | "logits";
  /** Decay of the teacher's moving average. */
  readonly decay: number;
};

/** ICT (Verma et al., Neural Networks 2022) as HiLab-git/SSL4MIS has it for volumes. */
export const ict: Method<IctHyperparameters> = {
  key: "ict",
  name: "ICT",
  venue: "Neural Networks 2022",
  source: "Verma et al.; HiLab-git/SSL4MIS, vikasverma1077/ICT",
  tables: [1],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  defaults: () => ({
    supervised: 0.5,
    consistency: 0.1,
    rampUp: 40,
    alpha: 0.2,
    blend: "probabilities",
    decay: 0.99,
  }),
  choices: { blend: ["probabilities", "logits"] },
  limits: { rampUp: ticks, alpha: { above: 0, most: 1 }, decay: share },
  nativeOptimiser: () => ({ ...paperSgd, rule: "poly" }),
  create({ hyperparameters: h, width, seed, dropout }) {
    const [student, teacher] = [createVNet({ width, seed, dropout }), createVNet({ width, seed, dropout })];

    /** The teacher's margin, each half of the unlabelled crops in a pass of its own, as released. */
    function ask(images: tf.Tensor5D, step: StepContext, half: string): tf.Tensor4D {
      return teacher.forward(images, teacherMode(step.stream(`teacher ${half}`)))[0].margin;
    }

    return {
      networks: { student, teacher },
      trained: ["student"],
      loss({ images, labels, labelled, items }, step) {
        const pairs = Math.floor((items.length - labelled) / 2);
        const share = betaDeviate(h.alpha, step.stream("blend"));
        const { input, target } = untaped(() => {
          const halves = [0, 1].map((half) => tf.slice(images, labelled + half * pairs, pairs));
          const margins = halves.map((half, i) => ask(half, step, `${i}`));
          const mixed = blended(halves[0], halves[1], share);
          return {
            input: tf.concat([tf.slice(images, 0, labelled), mixed]) as tf.Tensor5D,
            target: blendedPrediction(margins[0], margins[1], share, h.blend),
          };
        });
        const mode = trainingMode(step);
        const [{ margin }] = student.forward(input, mode);
        const ofLabelled = tf.slice(margin, 0, labelled);
        return {
          crossEntropy: { weight: h.supervised, value: crossEntropy(ofLabelled, labels) },
          dice: { weight: h.supervised, value: squaredDiceOfBoth(ofLabelled, labels) },
          consistency: {
            weight: rampUp(step, { share: 1, ticks: h.rampUp, maximum: h.consistency }),
            value: meanSquare(tf.sigmoid(tf.slice(margin, labelled)), target),
          },
        };
      },
      afterStep: ({ iteration }) => moveAverage(teacher, student, warmedDecay(iteration, h.decay)),
      predict: (images) => foregroundOf(student, images),
    };
  },
};

/** (1 − share)·a + share·b */
function blended<T extends tf.Tensor>(a: T, b: T, share: number): T {
  return tidy(() => tf.add(tf.mul(a, 1 - share), tf.mul(b, share)) as T);
}

/**
 * The teacher's foreground probability of the blend, from its margins of the two crops. The softmax of blended
 * logits is the sigmoid of the blended margins.
 */
export function blendedPrediction(
  first: tf.Tensor,
  second: tf.Tensor,
  share: number,
  blend: IctHyperparameters["blend"],
): tf.Tensor {
  return tidy(() =>
    blend === "logits"
      ? tf.sigmoid(blended(first, second, share))
      : blended(tf.sigmoid(first), tf.sigmoid(second), share)
  );
}

/** A number from Beta(alpha, alpha), alpha in (0, 1], by Jöhnk's rejection. */
export function betaDeviate(alpha: number, stream: RandomStream): number {
  for (;;) {
    const a = stream.uniform() ** (1 / alpha);
    const b = stream.uniform() ** (1 / alpha);
    if (a + b > 0 && a + b <= 1) return a / (a + b);
  }
}
