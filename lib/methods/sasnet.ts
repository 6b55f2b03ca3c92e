/** SASNet, the paper's own method: the parts of lib/sasnet put together in the order of its section 3. */
import type { BatchItem } from "../data/batch.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { branches, createSasNet, type SasNet } from "../network/sasnet.ts";
import { evaluationMode } from "../network/unit.ts";
import type { HeadOutput } from "../network/head.ts";
import {
  type ConfidenceMemory,
  createConfidenceMemory,
  memoryTensors,
  restoreMemory,
  type Visit,
} from "../sasnet/confidence_memory.ts";
import {
  crossEntropy,
  diceLoss,
  pseudoLabelLoss,
  type PseudoLabelRule,
  pseudoLabelRules,
  regressionLoss,
} from "../sasnet/losses.ts";
import { meanConfidence, meanOfBranches, reweight, sarVariants } from "../sasnet/sar.ts";
import { gammaRamp, stepsPerTick } from "../sasnet/schedule.ts";
import { signedDistanceMap } from "../sasnet/sdm.ts";
import type { Shape3 } from "../volume/volume.ts";
import { positive, share, ticks } from "./limits.ts";
import type { Method, MethodRun, Terms, Variant } from "./method.ts";

/** SASNet's own settings; every switch of tables 4–10 is one of them. */
export type SasNetHyperparameters = {
  /** Weight of the supervised loss (paper 3.4). */
  readonly beta: number;
  /** Final weight of the two unsupervised losses. */
  readonly gamma: number;
  /** Ticks of the ramp-up until γ is full. */
  readonly rampUp: number;
  readonly clock: "iterations" | "epochs";
  /** T of the sharpening. */
  readonly temperature: number;
  /** Eq. 12 has the cross-entropy beside Dice; the released code has Dice alone. */
  readonly crossEntropy: boolean;
  readonly pseudoLabels: PseudoLabelRule;
  /** L_plc and L_src of eq. 15 and 16. */
  readonly pseudoLabelLoss: boolean;
  readonly regressionLoss: boolean;
  /** Without it, the ensemble of labelled crops is the branches' mean, as for unlabelled ones. */
  readonly sar: boolean;
  /** α of eq. 4. */
  readonly alpha: number;
  readonly sarIndex: "branch" | "item";
  readonly sarMemory: "two" | "running";
  /** Confidence of a voxel before its first visit. */
  readonly sarInitial: number;
  readonly sarPrecision: "uint8" | "uint16" | "float32";
  /** Without it, the ensemble's mask itself, as ±1, is what the regression learns. */
  readonly sdm: boolean;
  readonly viewVariance: boolean;
  readonly branches: "both" | "high" | "low";
  /** Layers of the low-level decoder, 4 or 3 (table 9). */
  readonly lowLayers: number;
  /** Keep the layer that the released code declares and never runs, so that its checkpoints fit. */
  readonly keepUnused: boolean;
};

/** Public members that figures and comparisons with recorded numbers use. */
export interface SasNetRun extends MethodRun {
  readonly networks: { readonly network: SasNet };
  readonly memory: () => ConfidenceMemory;
  /** The ensemble's foreground probabilities [item, x, y, z] of the last step. */
  readonly lastEnsemble: () => Float32Array | undefined;
}

/** SASNet (Li et al.), HUANGLIZI/SASNet. */
export const sasnet: Method<SasNetHyperparameters> = {
  key: "sasnet",
  name: "SASNet",
  venue: "the paper",
  source: "Li et al.; HUANGLIZI/SASNet",
  tables: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  unlabelledTerms: ["pseudoLabel", "regression"],
  supervisedOnly: ["gamma=0"],
  augmentation: (_dataset, { viewVariance }) => viewVariance ? "view" : "none",
  defaults: sasNetHyperparameters,
  choices: {
    clock: ["iterations", "epochs"],
    pseudoLabels: pseudoLabelRules,
    sarIndex: ["branch", "item"],
    sarMemory: ["two", "running"],
    sarPrecision: ["uint8", "uint16", "float32"],
    branches: ["both", "high", "low"],
  },
  limits: {
    rampUp: ticks,
    temperature: positive,
    sarInitial: share,
    lowLayers: { least: 3, most: 4, whole: "any" },
  },
  create: createSasNetRun,
};

/** The settings of a variant. */
export function sasNetHyperparameters(variant: Variant): SasNetHyperparameters {
  const sar = sarVariants[variant];
  return {
    beta: 0.5,
    gamma: 1,
    rampUp: 40,
    clock: "iterations",
    temperature: 0.1,
    crossEntropy: variant === "paper",
    pseudoLabels: "sharpened",
    pseudoLabelLoss: true,
    regressionLoss: true,
    sar: true,
    alpha: sar.alpha,
    sarIndex: sar.index,
    sarMemory: sar.rule,
    sarInitial: sar.initial,
    sarPrecision: sar.precision,
    sdm: true,
    viewVariance: true,
    branches: "both",
    lowLayers: 4,
    keepUnused: variant === "official",
  };
}

/** SASNet in a run. */
export function createSasNetRun(setting: Parameters<typeof sasnet.create>[0]): SasNetRun {
  const { hyperparameters: h, width, seed, dropout } = setting;
  const network = createSasNet({
    width,
    seed,
    dropout,
    branches: h.branches,
    lowLayers: h.lowLayers === 3 ? 3 : 4,
    keepUnused: h.keepUnused,
  });
  const memoryOptions = { rule: h.sarMemory, initial: h.sarInitial, precision: h.sarPrecision };
  let memory = createConfidenceMemory(memoryOptions);
  let lastEnsemble: Float32Array | undefined;
  /** Mean confidence in the true class at the last step, by branch and class. */
  let confidence: Record<string, number> = {};
  const tick = stepsPerTick({
    clock: h.clock,
    iterations: setting.iterations,
    stepsPerEpoch: Math.floor(setting.labelledCases / setting.labelledPerBatch),
  });

  /** Eq. 4–8 for the labelled crops, the branches' mean for the others. */
  function ensembleOf(
    outputs: readonly HeadOutput[],
    labels: Uint8Array,
    items: readonly BatchItem[],
  ): Float32Array {
    const probabilities = outputs.map((output) =>
      tidy(() => tf.sigmoid(output.margin).dataSync<"float32">())
    );
    if (probabilities.length === 1) return probabilities[0];
    const [high, low] = probabilities;
    const ensemble = meanOfBranches(high, low);
    if (!h.sar) return ensemble;
    const visits = items.filter((item) => item.labelled).map(visitOf);
    const patch = outputs[0].margin.shape.slice(1) as unknown as Shape3;
    const length = labels.length;
    const [ofHigh, ofLow] = [high.subarray(0, length), low.subarray(0, length)];
    confidence = readingsOf({ high: meanConfidence(ofHigh, labels), low: meanConfidence(ofLow, labels) });
    const { foreground } = reweight(memory, visits, {
      high: ofHigh,
      low: ofLow,
      labels,
      patch,
      alpha: h.alpha,
      index: h.sarIndex,
    });
    ensemble.set(foreground);
    return ensemble;
  }

  /** What the regression learns: the signed distance map of the ensemble's mask (paper 3.4.3). */
  function regressionTarget(ensemble: Float32Array, shape: [number, number, number, number]): tf.Tensor4D {
    const crop: Shape3 = [shape[1], shape[2], shape[3]];
    const voxels = ensemble.length / shape[0];
    const mask = new Uint8Array(voxels);
    const target = new Float32Array(ensemble.length);
    for (let item = 0; item < shape[0]; item++) {
      const offset = item * voxels;
      // 1 above one half: without a branch, which in noise a processor cannot foresee.
      for (let i = 0; i < voxels; i++) mask[i] = Math.ceil(ensemble[offset + i] - 0.5);
      const out = target.subarray(offset, offset + voxels);
      if (h.sdm) signedDistanceMap(mask, crop, out);
      else for (let i = 0; i < voxels; i++) out[i] = 1 - 2 * mask[i];
    }
    return tf.tensor4d(target, shape);
  }

  function loss(...[batch, step]: Parameters<MethodRun["loss"]>): Terms {
    const { images, labels, labelBytes, items, labelled } = batch;
    const outputs = network.forward(images, {
      training: true,
      updateStatistics: true,
      dropout: dropout ? step.stream("dropout") : undefined,
    });
    const gamma = gammaRamp(step.iteration, { stepsPerTick: tick, length: h.rampUp, maximum: h.gamma });
    const terms: Record<string, { weight: number; value: tf.Scalar }> = {};
    const ofLabelled = outputs.map(({ margin }) => tf.slice(margin, 0, labelled));
    terms.dice = { weight: h.beta, value: sum(ofLabelled.map((margin) => diceLoss(margin, labels))) };
    if (h.crossEntropy) {
      terms.crossEntropy = {
        weight: h.beta,
        value: sum(ofLabelled.map((margin) => crossEntropy(margin, labels))),
      };
    }
    if (h.pseudoLabelLoss && outputs.length === 2) {
      const [high, low] = outputs.map(({ margin }) => margin);
      const value = pseudoLabelLoss(high, low, h.pseudoLabels, h.temperature);
      terms.pseudoLabel = { weight: gamma, value };
    }
    if (h.regressionLoss) {
      lastEnsemble = ensembleOf(outputs, labelBytes, items);
      const target = regressionTarget(lastEnsemble, outputs[0].margin.shape);
      terms.regression = {
        weight: gamma,
        value: sum(outputs.map(({ distance }) => regressionLoss(distance!, target))),
      };
    }
    return terms;
  }

  return {
    networks: { network },
    trained: ["network"],
    loss,
    predict: (images) =>
      tidy(() => {
        const outputs = network.forward(images, evaluationMode);
        const total = sum(outputs.map(({ margin }) => tf.sigmoid(margin)));
        return tf.div(total, outputs.length) as tf.Tensor4D;
      }),
    branchNames: h.branches === "both" ? ["high", "low"] : [h.branches],
    combination: "mean",
    predictBranches: (images) =>
      tidy(() =>
        network.forward(images, evaluationMode).map(({ margin }, i) => ({
          name: branchName(h.branches, i),
          probability: tf.sigmoid(margin),
        }))
      ),
    readings: () => confidence,
    saveState: () => memoryTensors(memory),
    loadState: (state) => {
      memory = restoreMemory(memoryOptions, state);
    },
    memory: () => memory,
    lastEnsemble: () => lastEnsemble,
  };
}

/** "confidence.BRANCH.CLASS" of each class that the labelled crops hold. */
function readingsOf(
  means: Readonly<Record<string, ReturnType<typeof meanConfidence>>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(means).flatMap(([branch, classes]) =>
      Object.entries(classes).filter(([, mean]) => Number.isFinite(mean)).map((
        [name, mean],
      ) => [`confidence.${branch}.${name}`, Number(mean.toPrecision(5))])
    ),
  );
}

function visitOf(item: BatchItem): Visit {
  const { case: name, paddedShape: shape, location, permutation } = item;
  return { case: name, shape, location, permutation };
}

function branchName(which: "both" | "high" | "low", index: number): "high" | "low" {
  if (which !== "both") return which;
  return index === branches.high ? "high" : "low";
}

function sum<T extends tf.Tensor>(values: readonly T[]): T {
  return values.length === 1 ? values[0] : tf.addN([...values]) as T;
}
