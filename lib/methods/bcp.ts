/**
 * BCP: everything that the network sees is a crop with a box of another one in it. Pre-training mixes labelled crops;
 * then labelled and unlabelled crops are mixed in both directions, with a mean teacher's labels for the latter.
 */
import type { Dataset } from "../data/dataset.ts";
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createVNet } from "../network/segmenter.ts";
import type { RandomStream } from "../random.ts";
import { type Connectivity, largestComponent } from "../volume/components.ts";
import { type Shape3, voxelCount } from "../volume/volume.ts";
import { share } from "./limits.ts";
import type { Method, MethodRun, StepContext, TensorBatch, Terms } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { sum } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { copyWeights, moveAverage, teacherMode } from "./parts/teacher.ts";

/** BCP's own settings. */
export type BcpHyperparameters = {
  /** Weight of voxels with a pseudo-label; those with a true label have 1. */
  readonly unlabelled: number;
  /** Side of the box, as a share of the crop's. */
  readonly box: number;
  /** Factor on the released share of the budget that is pre-training; 0 leaves it out. */
  readonly preTraining: number;
  /** Decay of the teacher's moving average. */
  readonly decay: number;
  /** Keep the largest component of each pseudo-label alone. */
  readonly largestComponent: boolean;
};

/** BCP (Bai et al., CVPR 2023), DeepMed-Lab-ECNU/BCP. */
export const bcp: Method<BcpHyperparameters> = {
  key: "bcp",
  name: "BCP",
  venue: "CVPR 2023",
  source: "Bai et al.; DeepMed-Lab-ECNU/BCP",
  tables: [2],
  unlabelledTerms: ["pseudoDice", "pseudoCrossEntropy"],
  supervisedOnly: ["unlabelled=0"],
  defaults: () => ({ unlabelled: 0.5, box: 2 / 3, preTraining: 1, decay: 0.99, largestComponent: true }),
  limits: { box: { above: 0, below: 1 }, decay: share },
  nativeOptimiser: ({ name }) =>
    name === "pancreas"
      ? { kind: "adam", rule: "constant", learningRate: 1e-3, betas: [0.9, 0.999], weightDecay: 0 }
      : { ...paperSgd, rule: "sixths" },
  refuses: ({ labelledPerBatch }) =>
    labelledPerBatch % 2 === 0
      ? undefined
      : `it mixes one half of a batch with the other, and ${labelledPerBatch} labelled crops have no halves`,
  create(setting) {
    const { hyperparameters: h, dataset, width, seed, dropout } = setting;
    const [student, teacher] = [createVNet({ width, seed, dropout }), createVNet({ width, seed, dropout })];
    const preTraining = Math.round(setting.iterations * Math.min(h.preTraining * releasedShare(dataset), 1));
    const marginOf = (images: tf.Tensor5D, step: StepContext, name: string) => {
      const mode = trainingMode(step, name);
      return student.forward(images, mode)[0].margin;
    };

    /** The teacher's decision on clean crops. */
    function pseudoLabels(images: tf.Tensor5D, step: StepContext, name: string): tf.Tensor4D {
      return untaped(() => {
        const [{ margin }] = teacher.forward(images, teacherMode(step.stream(name)));
        const mask = tf.greaterEqual(margin, 0) as tf.Tensor4D;
        return h.largestComponent ? largestComponents(mask, dataset) : tf.cast(mask, "float32");
      });
    }

    function mixLabelled({ images, labels, labelled }: TensorBatch, step: StepContext): Terms {
      const outside = boxMask(setting.crop, h.box, step.stream("box"));
      const [a, b] = split(tf.slice(images, 0, labelled), 2);
      const [labelsA, labelsB] = split(labels, 2);
      const margin = marginOf(mix(a, b, outside), step, "dropout");
      const { dice, crossEntropy } = regionLoss(margin, mix(labelsA, labelsB, outside), tf.onesLike(outside));
      return { dice: { weight: 0.5, value: dice }, crossEntropy: { weight: 0.5, value: crossEntropy } };
    }

    const loss: MethodRun["loss"] = ({ images, labels }, step) => {
      const outside = boxMask(setting.crop, h.box, step.stream("box"));
      const inside = tf.sub(1, outside);
      const [a, b, unlabelledA, unlabelledB] = split(images, 4);
      const [labelsA, labelsB] = split(labels, 2);
      const pseudoA = pseudoLabels(unlabelledA, step, "teacher a");
      const pseudoB = pseudoLabels(unlabelledB, step, "teacher b");
      // Two passes, each normalised with its own statistics, as released.
      const inward = marginOf(mix(a, unlabelledA, outside), step, "inward");
      const outward = marginOf(mix(unlabelledB, b, outside), step, "outward");
      const known = [regionLoss(inward, labelsA, outside), regionLoss(outward, labelsB, inside)];
      const pseudo = [regionLoss(inward, pseudoA, inside), regionLoss(outward, pseudoB, outside)];
      const term = (weight: number, values: readonly tf.Scalar[]) => ({ weight, value: sum(values) });
      return {
        dice: term(0.5, known.map(({ dice }) => dice)),
        crossEntropy: term(0.5, known.map(({ crossEntropy }) => crossEntropy)),
        pseudoDice: term(0.5 * h.unlabelled, pseudo.map(({ dice }) => dice)),
        pseudoCrossEntropy: term(0.5 * h.unlabelled, pseudo.map(({ crossEntropy }) => crossEntropy)),
      };
    };

    return {
      networks: { student, teacher },
      trained: ["student"],
      phases: preTraining === 0 ? [] : [{
        name: "preTraining",
        steps: preTraining,
        objectives: [{ name: "", trains: ["student"], optimiser: "run", loss: mixLabelled }],
        // Released: the best on the test cases; here, as everywhere in the kit, the last.
        end: () => copyWeights(teacher, student),
      }],
      loss,
      afterStep: () => moveAverage(teacher, student, h.decay),
      predict: (images) => foregroundOf(student, images),
    };
  },
};

/**
 * The released share of pre-training: 60 epochs of 30 steps before 200 of 25 on Pancreas-CT, 2,000 of 17,000 steps on
 * LA, and elsewhere as on LA.
 */
function releasedShare({ name }: Dataset): number {
  return name === "pancreas" ? 1800 / 6800 : 2000 / 17000;
}

/** 0 in a random box and 1 outside of it, [1, x, y, z]. */
export function boxMask(crop: Shape3, share: number, stream: RandomStream): tf.Tensor4D {
  const mask = new Float32Array(voxelCount(crop)).fill(1);
  const sides = crop.map((side) => Math.floor(side * share));
  const [x, y, z] = crop.map((side, axis) => stream.integer(side - sides[axis]));
  for (let i = x; i < x + sides[0]; i++) {
    for (let j = y; j < y + sides[1]; j++) {
      const row = (i * crop[1] + j) * crop[2];
      mask.fill(0, row + z, row + z + sides[2]);
    }
  }
  return tf.tensor4d(mask, [1, ...crop]);
}

/** Equal parts of a batch. */
function split<T extends tf.Tensor>(batch: T, parts: number): T[] {
  return tf.split(batch, parts, 0);
}

/** The first where the mask is 1, the second where it is 0; [n, x, y, z] or with a channel. */
function mix<T extends tf.Tensor>(first: T, second: T, mask: tf.Tensor4D): T {
  return tidy(() => {
    const chosen = tf.reshape(mask, [...mask.shape, ...first.shape.slice(4)]);
    return tf.add(tf.mul(first, chosen), tf.mul(second, tf.sub(1, chosen))) as T;
  });
}

/**
 * Dice and cross-entropy of a region: the mean over items and both classes of 1 − (2Σp·y + ε)/(Σp + Σy + ε),
 * ε = 1e-5, and the mean of the cross-entropy over the region's voxels.
 *
 * @param margin [n, x, y, z]
 * @param labels 0 or 1, [n, x, y, z]
 * @param region 0 or 1, [1, x, y, z]
 */
export function regionLoss(
  margin: tf.Tensor4D,
  labels: tf.Tensor4D,
  region: tf.Tensor,
): { dice: tf.Scalar; crossEntropy: tf.Scalar } {
  return tidy(() => {
    const within = (values: tf.Tensor) => tf.sum(tf.mul(values, region), [1, 2, 3]);
    const dices = [{ logit: margin, truth: labels }, { logit: tf.neg(margin), truth: tf.sub(1, labels) }]
      .map(({ logit, truth }) => {
        const probability = tf.sigmoid(logit);
        const overlap = tf.add(tf.mul(within(tf.mul(probability, truth)), 2), 1e-5);
        return tf.mean(tf.div(overlap, tf.add(within(tf.add(probability, truth)), 1e-5)));
      });
    const entropies = tf.sub(tf.softplus(margin), tf.mul(labels, margin));
    const voxels = tf.add(tf.mul(tf.sum(region), margin.shape[0]), 1e-16);
    return {
      dice: tf.sub(1, tf.mul(tf.add(dices[0], dices[1]), 0.5)) as tf.Scalar,
      crossEntropy: tf.div(tf.sum(tf.mul(entropies, region)), voxels) as tf.Scalar,
    };
  });
}

/** The largest component of each crop, with the released neighbourhoods. */
function largestComponents(mask: tf.Tensor4D, { name }: Dataset): tf.Tensor4D {
  const connectivity: Connectivity = name === "pancreas" ? 18 : 26;
  const [items, x, y, z] = mask.shape;
  const voxels = x * y * z;
  const bytes = Uint8Array.from(mask.dataSync());
  const result = new Float32Array(bytes.length);
  for (let item = 0; item < items; item++) {
    const crop = bytes.subarray(item * voxels, (item + 1) * voxels);
    result.set(largestComponent(crop, [x, y, z], connectivity), item * voxels);
  }
  return tf.tensor4d(result, mask.shape);
}
