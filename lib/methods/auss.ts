/**
 * AUSS: a mean teacher whose consistency counts where its segmentation is plausible as a shape. An auto-encoder that
 * has learned to mend corrupted label maps reconstructs the teacher's segmentation; where the reconstruction departs
 * from the teacher's prediction, the prediction is uncertain.
 */
import { corruptLabels, scaleLabels } from "../data/label_corruption.ts";
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createVNet } from "../network/segmenter.ts";
import { createShapeAutoencoder, type InitialWeights, initialWeights } from "../network/shape_autoencoder.ts";
import { evaluationMode } from "../network/unit.ts";
import { voxelCount } from "../volume/volume.ts";
import { count, share } from "./limits.ts";
import type { Method, MethodRun, StepContext, TensorBatch, Terms } from "./method.ts";
import type { OptimiserSettings } from "./optimiser_settings.ts";
import { crossEntropy, squaredDice } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";
import { moveAverage, teacherMode, warmedDecay, withNoise } from "./parts/teacher.ts";

/** AUSS's own settings. */
export type AussHyperparameters = {
  /** Weight of the sum of cross-entropy and Dice. */
  readonly supervised: number;
  /** Final weight of the consistency. */
  readonly consistency: number;
  /** γ of the certainty exp(−γU). */
  readonly gamma: number;
  /** Standard deviation of the noise on the teacher's inputs and on label maps; clipped at twice that. */
  readonly noise: number;
  /** Decay of the teacher's moving average. */
  readonly decay: number;
  /** Steps of the auto-encoder for each step of the segmenter. */
  readonly autoencoderSteps: number;
  /** Corrupted copies of each labelled crop in a batch of the auto-encoder. */
  readonly copies: number;
  /** Probability of each corruption, per axial plane. */
  readonly corruption: number;
  /** Numbers of the auto-encoder's code. */
  readonly bottleneck: number;
  /** Initial weights of the auto-encoder. */
  readonly initial: InitialWeights;
  /** Standard deviation of the noise on the code while the segmenter is trained; clipped at twice that. */
  readonly bottleneckNoise: number;
};

/** The optimiser of both networks in the publication's code; the auto-encoder always has it. */
const publishedOptimiser: OptimiserSettings = {
  kind: "sgd",
  // Released: a cosine that ends 2,000 steps after the last one.
  rule: "cosine",
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 1e-4,
};

/** Label maps of the auto-encoder are scaled by a factor from this range, half of the times. */
const scales = { smallest: 0.8, largest: 1.1 } as const;

/** AUSS (Adiga et al., MedIA 2024), adigasu/Anatomically-aware_Uncertainty_for_Semi-supervised_Segmentation. */
export const auss: Method<AussHyperparameters> = {
  key: "auss",
  name: "AUSS",
  venue: "MedIA 2024",
  source: "Adiga et al.; adigasu/Anatomically-aware_Uncertainty_for_Semi-supervised_Segmentation",
  tables: [1, 2, 3],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  defaults: () => ({
    supervised: 0.5,
    consistency: 0.1,
    gamma: 1,
    noise: 0.1,
    decay: 0.99,
    // The released 50,000 steps at the 40,000 of the paper's size; the released segmenter has 8,000.
    autoencoderSteps: 1.25,
    // The released batch has 4 maps, the kit's 2 labelled crops.
    copies: 2,
    corruption: 0.2,
    bottleneck: 512,
    initial: "released",
    bottleneckNoise: 0.1,
  }),
  choices: { initial: initialWeights },
  limits: { decay: share, copies: count, corruption: share, bottleneck: count },
  nativeOptimiser: () => publishedOptimiser,
  create: createAussRun,
};

/** AUSS in a run. */
function createAussRun(setting: Parameters<typeof auss.create>[0]): MethodRun {
  const { hyperparameters: h, width, seed, dropout, crop, iterations } = setting;
  const [student, teacher] = [createVNet({ width, seed, dropout }), createVNet({ width, seed, dropout })];
  const autoencoder = createShapeAutoencoder({ ...h, width, crop, seed });
  const voxels = voxelCount(crop);
  const noise = { deviation: h.noise, limit: 2 * h.noise };
  const codeNoise = { deviation: h.bottleneckNoise, limit: 2 * h.bottleneckNoise };

  /** Clean and corrupted label maps, each 0 or 1, [copies of all labelled crops, x, y, z]. */
  function drawMaps({ labelBytes, labelled }: TensorBatch, step: StepContext) {
    const stream = step.stream("corruption");
    const options = { exchange: h.corruption, deform: h.corruption, stream };
    const clean = new Float32Array(h.copies * labelBytes.length);
    const corrupted = new Float32Array(clean.length);
    for (let i = 0; i < h.copies * labelled; i++) {
      const item = (i % labelled) * voxels;
      const factor = stream.uniform() < 0.5
        ? scales.smallest + stream.uniform() * (scales.largest - scales.smallest)
        : 1;
      const map = scaleLabels(labelBytes.subarray(item, item + voxels), crop, factor);
      clean.set(map, i * voxels);
      corrupted.set(corruptLabels(map, crop, options), i * voxels);
    }
    return { clean, corrupted, count: h.copies * labelled };
  }

  /** What the auto-encoder learns: the clean map from the corrupted one. */
  function autoencoderLoss(batch: TensorBatch, step: StepContext): Terms {
    const { clean, corrupted, count } = drawMaps(batch, step);
    const target = tf.tensor4d(clean, [count, ...crop]);
    const input = withNoise(tf.tensor5d(corrupted, [count, ...crop, 1]), step.stream("noise"), noise);
    const logits = autoencoder.reconstruct(input, { training: true, updateStatistics: true });
    const { square, dice } = reconstructionLosses(logits, target);
    return {
      reconstruction: { weight: 0.5, value: square },
      reconstructionDice: { weight: 0.5, value: dice },
    };
  }

  /** The teacher's prediction and how certain it is. */
  function askTeacher(images: tf.Tensor5D, step: StepContext) {
    return untaped(() => {
      const disturbed = withNoise(images, step.stream("noise"), noise);
      const [{ margin }] = teacher.forward(disturbed, teacherMode(step.stream("teacher")));
      const segmentation = tf.expandDims(tf.cast(tf.greater(margin, 0), "float32"), 4) as tf.Tensor5D;
      const logits = autoencoder.reconstruct(
        segmentation,
        evaluationMode,
        (code) => withNoise(code, step.stream("code"), codeNoise),
      );
      const target = tf.sigmoid(margin);
      return { target, certainty: certaintyOf(logits, target, h.gamma) };
    });
  }

  return {
    networks: { student, teacher, autoencoder },
    trained: ["student"],
    phases: [{
      name: "autoencoder",
      steps: Math.round(h.autoencoderSteps * iterations),
      extra: true,
      objectives: [{
        name: "",
        trains: ["autoencoder"],
        optimiser: publishedOptimiser,
        loss: autoencoderLoss,
      }],
    }],
    loss({ images, labels, labelled }, step) {
      const mode = trainingMode(step);
      const [{ margin }] = student.forward(images, mode);
      const ofLabelled = tf.slice(margin, 0, labelled);
      const { target, certainty } = askTeacher(images, step);
      return {
        crossEntropy: { weight: h.supervised, value: crossEntropy(ofLabelled, labels) },
        dice: { weight: h.supervised, value: squaredDice(tf.sigmoid(ofLabelled), labels) },
        consistency: {
          // 40 ticks of 200 steps are the released run.
          weight: rampUp(step, { share: 1, ticks: 40, maximum: h.consistency }),
          value: certainSquare(tf.sigmoid(margin), target, certainty),
        },
      };
    },
    afterStep: ({ iteration }) => moveAverage(teacher, student, warmedDecay(iteration, h.decay)),
    predict: (images) => foregroundOf(student, images),
  };
}

/**
 * Mean squared difference of the sigmoids of both classes' logits [n, x, y, z, 2] to the label map, and the
 * foreground's Dice loss.
 */
export function reconstructionLosses(
  logits: tf.Tensor5D,
  labels: tf.Tensor4D,
): { readonly square: tf.Scalar; readonly dice: tf.Scalar } {
  return tidy(() => {
    const [background, foreground] = tf.unstack(tf.sigmoid(logits), 4);
    const differences = tf.add(
      tf.squaredDifference(background, tf.sub(1, labels)),
      tf.squaredDifference(foreground, labels),
    );
    return {
      square: tf.mul(tf.mean(differences), 0.5) as tf.Scalar,
      dice: squaredDice(foreground, labels),
    };
  });
}

/**
 * Σ_c exp(−γ·(σ(reconstruction)_c − teacher_c)²) over background and foreground, [n, x, y, z].
 *
 * @param logits the auto-encoder's, [n, x, y, z, 2].
 * @param teacher its foreground probability, [n, x, y, z].
 */
export function certaintyOf(logits: tf.Tensor5D, teacher: tf.Tensor, gamma: number): tf.Tensor {
  return tidy(() => {
    const [background, foreground] = tf.unstack(tf.sigmoid(logits), 4);
    const certainty = (a: tf.Tensor, b: tf.Tensor) => tf.exp(tf.mul(tf.squaredDifference(a, b), -gamma));
    return tf.add(certainty(background, tf.sub(1, teacher)), certainty(foreground, teacher));
  });
}

/**
 * Σ C·(p − q)² / (2·Σ C) over voxels and both classes, whose squared differences are equal. The 2 is the released
 * code's: it counts the classes a second time, because C has a value for each.
 *
 * @param student p, the student's foreground probability, through which the gradient flows.
 * @param teacher q, the teacher's.
 * @param certainty the sum of C over both classes, for each voxel.
 */
export function certainSquare(student: tf.Tensor, teacher: tf.Tensor, certainty: tf.Tensor): tf.Scalar {
  return tidy(() => {
    const total = tf.sum(tf.mul(certainty, tf.squaredDifference(student, teacher)));
    return tf.div(total, tf.add(tf.mul(2, tf.sum(certainty)), 1e-16)) as tf.Scalar;
  });
}
