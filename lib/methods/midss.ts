/**
 * MiDSS: copies and pastes between labelled and unlabelled crops in both directions (UCP), teaches the unlabelled
 * crops as they are from the teacher's predictions on those mixtures (SymGD), and gives the labelled ones more and
 * more of the unlabelled amplitude spectrum (TP-RAM).
 *
 * It is made for slices from several domains. In 3-D the boxes are cuboids, spectrum and blur have three axes, and
 * the low frequencies reach at least one step; with one domain, TP-RAM mixes spectra within it.
 */
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createVNet } from "../network/segmenter.ts";
import { share } from "./limits.ts";
import type { Method, StepContext, TensorBatch } from "./method.ts";
import { cuboids, fitsCuboids, mixAmplitudes, strongly } from "./midss/perturbations.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";
import { moveAverage, teacherMode, warmedDecay } from "./parts/teacher.ts";

/** MiDSS's own settings. */
export type MidssHyperparameters = {
  /** λ at the end of its ramp-up; the symmetric term has λ². */
  readonly consistency: number;
  /** Confidence τ above which a pseudo-label counts. */
  readonly threshold: number;
  /** Largest decay of the teacher's moving average. */
  readonly decay: number;
  /** Half-width of the mixed low frequencies as a share of a side. */
  readonly window: number;
  /** Least and most factor of brightness and contrast; released 0.1 to 2 for MR and 0.5 to 1.5 for photographs. */
  readonly leastFactor: number;
  readonly mostFactor: number;
  /** Mask the background's Dice as the foreground's; the released code leaves it unmasked. */
  readonly maskBackground: boolean;
  /** Dropout in both networks; the released network has none. */
  readonly dropout: boolean;
};

/** Hard labels, and 1 where they are to be trusted, each [n, x, y, z]. */
interface Taught {
  readonly label: tf.Tensor4D;
  readonly sure: tf.Tensor4D;
}

/** MiDSS (Ma et al., CVPR 2024), MQinghe/MiDSS. */
export const midss: Method<MidssHyperparameters> = {
  key: "midss",
  name: "MiDSS",
  venue: "CVPR 2024",
  source: "Ma et al.; MQinghe/MiDSS",
  tables: [1, 2, 3],
  unlabelledTerms: ["intoUnlabelled", "intoLabelled", "symmetric"],
  supervisedOnly: ["consistency=0"],
  defaults: (variant) => ({
    consistency: 1,
    threshold: 0.95,
    decay: 0.99,
    window: 0.01,
    leastFactor: 0.1,
    mostFactor: 2,
    maskBackground: variant === "paper",
    dropout: false,
  }),
  limits: { threshold: { least: 0.5, below: 1 }, decay: share, window: { most: 0.5 } },
  nativeOptimiser: () => ({ ...paperSgd, rule: "poly", learningRate: 0.03 }),
  refuses: ({ crop }) =>
    fitsCuboids(crop)
      ? undefined
      : `its boxes of two fifths of a crop are too thick for one of ${
        crop.join("×")
      }; choose a less flat one`,
  create(setting) {
    const { hyperparameters: h, width, seed, crop } = setting;
    const dropout = setting.dropout && h.dropout;
    const [student, teacher] = [createVNet({ width, seed, dropout }), createVNet({ width, seed, dropout })];
    const confident = Math.log(h.threshold / (1 - h.threshold));

    /** The teacher's labels of [n, x, y, z], and 1 where it is confident of them. */
    function taught(crops: tf.Tensor4D, step: StepContext, name: string): Taught {
      const [{ margin }] = teacher.forward(tf.expandDims(crops, 4), teacherMode(step.stream(name)));
      const sure = tf.cast(tf.greater(tf.abs(margin), confident), "float32") as tf.Tensor4D;
      return { label: tf.step(margin), sure };
    }

    /** The student's inputs with what they are taught, without gradient. */
    function samplesOf({ images, labels, labelled }: TensorBatch, step: StepContext) {
      const [known, weak] = tf.split(tf.squeeze(images, [4]), 2, 0) as tf.Tensor4D[];
      const box = cuboids(labelled, crop, step.stream("box"));
      const degree = (step.iteration - 1) / step.iterations;
      const amplitudes = step.stream("amplitude");
      const ratios = Array.from({ length: labelled }, () => degree * amplitudes.uniform());
      const moved = mixAmplitudes(known, weak, { window: h.window, ratios });
      const strong = strongly(weak, [h.leastFactor, h.mostFactor], step.stream("strong"));
      const plain = taught(weak, step, "teacher");
      const into = taught(pasted(weak, known, box), step, "teacher into unlabelled");
      const onto = taught(pasted(known, weak, box), step, "teacher into labelled");
      // The unlabelled parts of both mixtures, put together again.
      const symmetric = pasted(into.label, onto.label, box);
      const agreed = tf.mul(tf.cast(tf.equal(symmetric, plain.label), "float32"), plain.sure);
      const everywhere = tf.onesLike(box);
      return {
        known,
        intoUnlabelled: {
          image: pasted(strong, moved, box),
          label: pasted(plain.label, labels, box),
          mask: pasted(plain.sure, everywhere, box),
        },
        intoLabelled: {
          image: pasted(moved, strong, box),
          label: pasted(labels, plain.label, box),
          mask: pasted(everywhere, plain.sure, box),
        },
        symmetric: {
          image: strong,
          label: symmetric,
          mask: tf.mul(pasted(into.sure, onto.sure, box), agreed) as tf.Tensor4D,
        },
      };
    }

    return {
      networks: { student, teacher },
      trained: ["student"],
      loss(batch, step) {
        const samples = untaped(() => samplesOf(batch, step));
        // Four passes, each normalised with its own statistics, as released.
        const marginOf = (crops: tf.Tensor4D, name: string) => {
          const mode = trainingMode(step, name);
          return student.forward(tf.expandDims(crops, 4), mode)[0].margin;
        };
        const supervised = maskedLoss(marginOf(samples.known, "supervised"), batch.labels, undefined);
        const term = (weight: number, name: "intoUnlabelled" | "intoLabelled" | "symmetric") => {
          const { image, label, mask } = samples[name];
          const { crossEntropy, dice } = maskedLoss(marginOf(image, name), label, mask, h.maskBackground);
          return { weight, value: tidy(() => tf.add(crossEntropy, dice) as tf.Scalar) };
        };
        const lambda = rampUp(step, { share: 1, ticks: 200, maximum: h.consistency });
        return {
          crossEntropy: { weight: 1, value: supervised.crossEntropy },
          dice: { weight: 1, value: supervised.dice },
          intoUnlabelled: term(lambda, "intoUnlabelled"),
          intoLabelled: term(lambda, "intoLabelled"),
          symmetric: term(lambda * lambda, "symmetric"),
        };
      },
      afterStep: ({ iteration }) => moveAverage(teacher, student, warmedDecay(iteration, h.decay)),
      predict: (images) => foregroundOf(student, images),
    };
  },
};

/** The second where the box is 1, the first elsewhere. */
function pasted(first: tf.Tensor4D, second: tf.Tensor4D, box: tf.Tensor4D): tf.Tensor4D {
  return tidy(() => tf.add(tf.mul(first, tf.sub(1, box)), tf.mul(second, box)));
}

/**
 * The mean over all voxels (not over those of the mask, as released) of the cross-entropy times the mask, and the
 * mean over both classes of 1 − (2Σp·y·m + ε)/(Σp²·m + Σy²·m + ε), ε = 1e-10, over the mini-batch.
 *
 * @param margin [n, x, y, z]
 * @param labels 0 or 1
 * @param mask 0 or 1; undefined: 1 everywhere.
 * @param maskBackground false: the background's Dice is taken of all voxels, as released.
 */
export function maskedLoss(
  margin: tf.Tensor4D,
  labels: tf.Tensor4D,
  mask: tf.Tensor4D | undefined,
  maskBackground = true,
): { crossEntropy: tf.Scalar; dice: tf.Scalar } {
  return tidy(() => {
    const masked = (values: tf.Tensor, by: tf.Tensor | undefined) =>
      tf.sum(by === undefined ? values : tf.mul(values, by));
    const entropies = tf.sub(tf.softplus(margin), tf.mul(labels, margin));
    const classes = [
      { logit: margin, truth: labels, by: mask },
      { logit: tf.neg(margin), truth: tf.sub(1, labels), by: maskBackground ? mask : undefined },
    ];
    const [foreground, background] = classes.map(({ logit, truth, by }) => {
      const probability = tf.sigmoid(logit);
      const overlap = tf.add(tf.mul(masked(tf.mul(probability, truth), by), 2), 1e-10);
      const sizes = tf.add(masked(tf.add(tf.square(probability), tf.square(truth)), by), 1e-10);
      return tf.sub(1, tf.div(overlap, sizes));
    });
    return {
      crossEntropy: tf.div(masked(entropies, mask), margin.size) as tf.Scalar,
      dice: tf.mul(tf.add(foreground, background), 0.5) as tf.Scalar,
    };
  });
}
