/**
 * PLGCL: a mean teacher whose confident patches, by class, teach the encoder with a Gaussian contrastive loss. The
 * released code cannot run and is written for photographs; this is a re-implementation in 3-D, in which a patch is a
 * cell of a grid over the crop and its embedding the average of the deepest features over the cell's part that
 * belongs to the class.
 */
import { materialise, type Normalised } from "../engine/activation.ts";
import { untaped } from "../engine/tape.ts";
import { tf } from "../engine/tensor.ts";
import { createProjector } from "../network/projector.ts";
import { createVNet } from "../network/segmenter.ts";
import { depth } from "../network/vnet.ts";
import type { RandomStream } from "../random.ts";
import { count, positive, share, ticks } from "./limits.ts";
import type { Method, MethodRun, MethodSetting, StepContext, TensorBatch, Terms } from "./method.ts";
import { crossEntropy, meanSquare } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";
import { moveAverage, teacherMode, warmedDecay, withNoise } from "./parts/teacher.ts";
import { gaussianContrast } from "./plgcl/contrast.ts";
import { choosePatches, type FieldMaps } from "./plgcl/patches.ts";
import { createQueues } from "./plgcl/queues.ts";

/** PLGCL's own settings. */
export type PlgclHyperparameters = {
  /** Weight of the contrastive loss. */
  readonly contrast: number;
  /** Weight of the squared difference of student and teacher. */
  readonly consistency: number;
  /** True: that weight grows over the second stage; 0.1 is then usual. */
  readonly ramped: boolean;
  /** Share of the run that contrasts labelled crops alone: 100 of the released 300 epochs. */
  readonly warmUp: number;
  /** Of the teacher's moving average. */
  readonly decay: number;
  /** Cells of a crop along each axis. */
  readonly grid: number;
  /** The part of a cell that a class must fill for the cell to be its patch. */
  readonly backgroundShare: number;
  readonly foregroundShare: number;
  /** The released filter, inverted: it takes the cells out in which a class fills its part. */
  readonly invertedFilter: boolean;
  /** The part of each class's patches that is kept, those with the least entropy of the teacher. */
  readonly kept: number;
  /** Embeddings of each class that are remembered. */
  readonly queue: number;
  /** τ, λ and ψ of the contrastive loss. */
  readonly temperature: number;
  readonly lambda: number;
  readonly psi: number;
  /** Hard negatives that describe the other class; 0: the other class's queue does. */
  readonly hardNegatives: number;
  /** Largest relative change of contrast, and change of brightness in standard deviations, of the teacher's view. */
  readonly jitter: number;
};

/** PLGCL (Basak & Yin, CVPR 2023). */
export const plgcl: Method<PlgclHyperparameters> = {
  key: "plgcl",
  name: "PLGCL",
  venue: "CVPR 2023",
  source: "Basak & Yin; hritam-98/PatchCL-MedSeg (incomplete)",
  tables: [1, 2],
  unlabelledTerms: ["contrast", "consistency"],
  supervisedOnly: ["contrast=0", "consistency=0"],
  defaults: (variant) => ({
    contrast: 0.5,
    consistency: 4,
    ramped: false,
    warmUp: 1 / 3,
    decay: 0.999,
    grid: 4,
    backgroundShare: 0.5,
    foregroundShare: 0.1,
    invertedFilter: variant === "official",
    kept: 0.5,
    queue: 4096,
    // The released second stage asks for 1 and 10, its first for these; ψ is 4096 there, which with two classes
    // leaves nothing of the positive term.
    temperature: 0.2,
    lambda: 4,
    psi: 1,
    hardNegatives: 0,
    jitter: 0.1,
  }),
  limits: {
    warmUp: share,
    decay: share,
    grid: count,
    backgroundShare: share,
    foregroundShare: share,
    kept: { above: 0, most: 1 },
    queue: count,
    temperature: positive,
    hardNegatives: ticks,
  },
  // Released: power 2 down to 1e-4, and Adam in the first stage.
  nativeOptimiser: () => ({ kind: "sgd", rule: "poly", learningRate: 0.007, momentum: 0, weightDecay: 0 }),
  create: createPlgclRun,
};

function createPlgclRun(setting: MethodSetting<PlgclHyperparameters>): MethodRun {
  const { hyperparameters: h, width, seed, dropout, iterations } = setting;
  const network = () => createVNet({ width, seed, dropout });
  const [student, teacher] = [network(), network()];
  const dimension = 8 * width;
  const head = () => createProjector({ inChannels: 16 * width, outChannels: dimension, seed });
  const [projector, teacherProjector] = [head(), head()];
  const warmUp = Math.round(h.warmUp * iterations);
  const queues = createQueues({ dimension, capacity: h.queue, hardNegatives: h.hardNegatives });

  /** What the teacher says of a perturbed view. */
  function guideOf(images: tf.Tensor5D, labels: tf.Tensor4D, step: StepContext) {
    return untaped(() => {
      const view = jittered(withNoise(images, step.stream("noise")), h.jitter, step.stream("jitter"));
      const { encoder, outputs: [{ margin }] } = teacher.trace(view, teacherMode(step.stream("teacher")));
      const pseudo = tf.step(tf.slice(margin, labels.shape[0]));
      const masks = pseudo.shape[0] === 0 ? labels : tf.concat([labels, pseudo as tf.Tensor4D], 0);
      return {
        probability: tf.sigmoid(margin),
        features: rowsOf(encoder[depth]),
        ...h.contrast > 0 && { maps: fieldMaps(margin, masks) },
      };
    });
  }

  /** Embeds the chosen patches of both networks, remembers the teacher's, and contrasts the student's. */
  function contrastOf(
    feature: Normalised,
    guide: { features: tf.Tensor2D; maps: FieldMaps },
    step: StepContext,
  ) {
    const { counts, weights } = choosePatches(guide.maps, {
      grid: h.grid,
      shares: [h.backgroundShare, h.foregroundShare],
      inverted: h.invertedFilter,
      kept: h.kept,
    });
    const patches = counts[0] + counts[1];
    // One row has no statistics to be normalised with.
    if (patches < 2) return tf.scalar(0);
    const pooling = tf.tensor2d(weights, [patches, weights.length / patches]);
    untaped(() => queues.push(teacherProjector.embed(tf.matMul(pooling, guide.features)), counts));
    const anchors = projector.embed(tf.matMul(pooling, rowsOf(feature)));
    const gaussians = untaped(() => queues.gaussians(anchors, counts, step.stream("hard negatives")));
    return gaussianContrast(anchors, counts, gaussians, h);
  }

  /** @param guided whether anything needs the teacher. */
  function sharedTerms(images: tf.Tensor5D, labels: tf.Tensor4D, step: StepContext, guided: boolean) {
    const mode = trainingMode(step);
    const { encoder, outputs: [{ margin }] } = student.trace(images, mode);
    const ofLabelled = tf.slice(margin, 0, labels.shape[0]);
    const guide = guided ? guideOf(images, labels, step) : undefined;
    const terms: Terms = {
      crossEntropy: { weight: 1, value: crossEntropy(ofLabelled, labels) },
      ...guide?.maps && {
        contrast: {
          weight: h.contrast,
          value: contrastOf(encoder[depth], { ...guide, maps: guide.maps }, step),
        },
      },
    };
    return { margin, guide, terms };
  }

  /** Stage 1: labelled crops alone. */
  function warmUpLoss({ images, labels, labelled }: TensorBatch, step: StepContext): Terms {
    return sharedTerms(tf.slice(images, 0, labelled), labels, step, h.contrast > 0).terms;
  }

  /** Stage 2: pseudo-masks of the teacher, and consistency with it. */
  function loss({ images, labels }: TensorBatch, step: StepContext): Terms {
    const guided = h.contrast > 0 || h.consistency > 0;
    const { margin, guide, terms } = sharedTerms(images, labels, step, guided);
    if (guide === undefined || h.consistency === 0) return terms;
    const weight = h.ramped ? rampUp(step, { share: 1, ticks: 40, maximum: h.consistency }) : h.consistency;
    // The mean over both classes is the foreground's: the differences are equal and opposite.
    return { ...terms, consistency: { weight, value: meanSquare(tf.sigmoid(margin), guide.probability) } };
  }

  /** @param done steps of all phases. */
  function follow(done: number): void {
    // Released: 0.999 from the start, which a short run never forgets its initial weights with.
    const decay = warmedDecay(done, h.decay);
    moveAverage(teacher, student, decay);
    moveAverage(teacherProjector, projector, decay);
  }

  return {
    networks: { student, teacher, projector, teacherProjector },
    trained: ["student", "projector"],
    predictor: student,
    phases: warmUp === 0 ? [] : [{
      name: "warm-up",
      steps: warmUp,
      objectives: [{ name: "", trains: ["student", "projector"], optimiser: "run", loss: warmUpLoss }],
      afterStep: ({ iteration }) => follow(iteration),
    }],
    loss,
    afterStep: ({ iteration }) => follow(warmUp + iteration),
    predict: (images) => foregroundOf(student, images),
    saveState: queues.save,
    loadState: queues.load,
  };
}

/** The deepest features as rows [item · x · y · z, channel], on the tape. */
function rowsOf(feature: Normalised): tf.Tensor2D {
  const channels = feature.raw.shape[4];
  return tf.reshape(materialise({ terms: [feature] }), [feature.raw.size / channels, channels]);
}

/** Averages over the 2^depth-sided field of each voxel of the deepest stage. */
function fieldMaps(margin: tf.Tensor4D, masks: tf.Tensor4D): FieldMaps {
  // −p·log p − (1 − p)·log(1 − p) of p = sigmoid(margin), in nats
  const entropy = tf.sub(tf.softplus(margin), tf.mul(margin, tf.sigmoid(margin)));
  const side = 2 ** depth;
  const means = tf.avgPool3d(
    tf.stack([masks, entropy, tf.mul(masks, entropy)], 4) as tf.Tensor5D,
    side,
    side,
    "valid",
  );
  const [foreground, all, ofForeground] = tf.unstack(means, 4);
  return {
    shape: foreground.shape as [number, number, number, number],
    foreground: foreground.dataSync<"float32">(),
    entropy: all.dataSync<"float32">(),
    foregroundEntropy: ofForeground.dataSync<"float32">(),
  };
}

/** Each item's contrast times 1 ± jitter, and its brightness ± jitter. */
function jittered(images: tf.Tensor5D, jitter: number, stream: RandomStream): tf.Tensor5D {
  const [items] = images.shape;
  const draws = Float32Array.from({ length: 2 * items }, () => jitter * (2 * stream.uniform() - 1));
  const [contrast, brightness] = [draws.subarray(0, items), draws.subarray(items)].map((values) =>
    tf.tensor5d(values, [items, 1, 1, 1, 1])
  );
  return tf.add(tf.mul(images, tf.add(contrast, 1)), brightness);
}
