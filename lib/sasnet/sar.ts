/**
 * Sample adaptive reweighting (paper 3.2, eq. 4–8) of two branches and two classes. Everything follows from the
 * foreground probabilities P¹, because P⁰ = 1 − P¹.
 */
import { permuteAxes } from "../volume/crop.ts";
import { type Shape3, voxelCount } from "../volume/volume.ts";
import {
  type BranchIndex,
  type ConfidenceMemory,
  type MemoryOptions,
  readConfidence,
  type Visit,
  writeConfidence,
} from "./confidence_memory.ts";

/** All of SAR's settings. */
export interface SarOptions extends MemoryOptions {
  /** α of eq. 4. */
  readonly alpha: number;
  /**
   * Which confidences weight which branch: "branch", each branch's own (paper), or "item", where the released
   * code takes the branch number as a position in the batch, so that branch k of item b uses what is remembered
   * of item k in branch b. "item" needs two labelled crops in a batch.
   */
  readonly index: "branch" | "item";
}

/** The paper's equations and the released code. They differ in the rule of the memory and in its index. */
export const sarVariants: Readonly<Record<"paper" | "official", SarOptions>> = {
  paper: { alpha: 0.5, index: "branch", rule: "two", initial: 0.5, precision: "uint16" },
  official: { alpha: 0.5, index: "item", rule: "running", initial: 0.5, precision: "uint16" },
};

/** The labelled half of a training step. */
export interface ReweightInput {
  /** Foreground probabilities of the two branches, each [visits, x, y, z] in the crops' views. */
  readonly high: Float32Array;
  readonly low: Float32Array;
  /** Labels 0 or 1, [visits, x, y, z] in the crops' views. */
  readonly labels: Uint8Array;
  /** Shape of a crop. */
  readonly patch: Shape3;
  readonly alpha: number;
  readonly index: "branch" | "item";
  /** Also return the weighted maps P′, for figures. */
  readonly withWeighted?: boolean;
}

/** What SAR makes of a training step. */
export interface Reweighted {
  /** Foreground probability of the ensemble (eq. 6), [visits, x, y, z] in the crops' views. */
  readonly foreground: Float32Array;
  /** P′ of eq. 4 as [branch, visit, class, x, y, z], where it was asked for. */
  readonly weighted?: Float32Array;
}

/**
 * Eq. 4–7 for one training step: weights the labelled probabilities with what is remembered, merges the
 * branches, and remembers the confidences of this visit.
 *
 * @param visits the labelled crops in the order of the arrays.
 * @throws RangeError where an array's length does not fit, or "item" meets another number of crops than two.
 */
export function reweight(
  memory: ConfidenceMemory,
  visits: readonly Visit[],
  input: ReweightInput,
): Reweighted {
  const { high, low, labels, patch, alpha, index, withWeighted = false } = input;
  const voxels = voxelCount(patch);
  for (const array of [high, low, labels]) {
    if (array.length !== visits.length * voxels) {
      throw new RangeError(`SAR got ${array.length} values for ${visits.length} crops of ${patch.join("×")}`);
    }
  }
  const current = [confidences(high, labels), confidences(low, labels)] as const;
  const remembered = index === "branch"
    ? exchangeByBranch(memory, visits, current, patch)
    : exchangeByItem(memory, visits, current, patch);
  const foreground = mergeBranches({ high, low, remembered, alpha });
  return withWeighted
    ? { foreground, weighted: weightedMaps([high, low], remembered, { alpha, voxels }) }
    : { foreground };
}

/** Eq. 8: the ensemble of unlabelled crops is the mean of the branches' foreground probabilities. */
export function meanOfBranches(high: Float32Array, low: Float32Array): Float32Array {
  const mean = new Float32Array(high.length);
  for (let i = 0; i < mean.length; i++) mean[i] = (high[i] + low[i]) / 2;
  return mean;
}

/** P′ of eq. 4 for one probability and the confidence that is remembered. */
export function weigh(probability: number, confidence: number, alpha: number): number {
  return (1 + alpha * confidence) * probability;
}

/** Mean confidence (eq. 7 and 8) in the true class, over the voxels of each class; NaN for a class without any. */
export function meanConfidence(
  probabilities: Float32Array,
  labels: Uint8Array,
): { foreground: number; background: number } {
  let [foreground, background, count] = [0, 0, 0];
  for (let i = 0; i < probabilities.length; i++) {
    if (labels[i] === 0) background += 1 - probabilities[i];
    else {
      foreground += probabilities[i];
      count++;
    }
  }
  return { foreground: foreground / count, background: background / (labels.length - count) };
}

/** C of eq. 5: the probability of the true class. */
function confidences(foreground: Float32Array, labels: Uint8Array): Float32Array {
  const out = new Float32Array(foreground.length);
  for (let i = 0; i < out.length; i++) {
    const p = foreground[i];
    out[i] = labels[i] === 0 ? 1 - p : p;
  }
  return out;
}

type BranchPair = readonly [Float32Array, Float32Array];

/** Reads what weights each branch, then remembers the branch's own confidences. */
function exchangeByBranch(
  memory: ConfidenceMemory,
  visits: readonly Visit[],
  current: BranchPair,
  patch: Shape3,
): BranchPair {
  const remembered = current.map((values, k) => {
    const branch = k as BranchIndex;
    const out = new Float32Array(values.length);
    visits.forEach((visit, b) => {
      const offset = b * voxelCount(patch);
      readConfidence(memory, visit, branch, { patch, out, offset });
      writeConfidence(memory, visit, branch, { patch, values, offset });
    });
    return out;
  });
  return [remembered[0], remembered[1]];
}

/**
 * The released code's exchange, step by step: its slice of the confidences takes the branch number k as a
 * position in the batch. So item b is weighted in branch k with cut[k][b], its new confidence goes there too,
 * and the memory of (b, k) afterwards learns cut[b][k].
 */
function exchangeByItem(
  memory: ConfidenceMemory,
  visits: readonly Visit[],
  current: BranchPair,
  patch: Shape3,
): BranchPair {
  if (visits.length !== 2) throw new RangeError(`SAR by item needs 2 labelled crops, not ${visits.length}`);
  for (const { permutation } of visits) {
    if (permutation.some((axis, j) => patch[axis] !== patch[j] || permutation[axis] !== j)) {
      throw new RangeError(`SAR by item needs views that keep ${patch.join("×")} and undo themselves`);
    }
  }
  const voxels = voxelCount(patch);
  const unpermuted = visits.map((visit): Visit => ({ ...visit, permutation: [0, 1, 2] }));
  const cut = unpermuted.map((visit) =>
    ([0, 1] as const).map((branch) => {
      const out = new Float32Array(voxels);
      readConfidence(memory, visit, branch, { patch, out });
      return out;
    })
  );
  const turn = (b: number, k: number) => {
    cut[b][k] = permuteAxes(cut[b][k], patch, visits[b].permutation).data;
  };
  const remembered = [new Float32Array(2 * voxels), new Float32Array(2 * voxels)] as const;
  for (const k of [0, 1] as const) {
    for (const b of [0, 1]) turn(b, k);
    for (const b of [0, 1]) {
      remembered[k].set(cut[k][b], b * voxels);
      cut[k][b].set(current[k].subarray(b * voxels, (b + 1) * voxels));
    }
    // Turning again turns back: each view is its own inverse.
    for (const b of [0, 1]) turn(b, k);
    for (const b of [0, 1]) writeConfidence(memory, unpermuted[b], k, { patch, values: cut[b][k] });
  }
  return remembered;
}

interface MergeInput {
  readonly high: Float32Array;
  readonly low: Float32Array;
  readonly remembered: BranchPair;
  readonly alpha: number;
}

const sigmoidIntervals = 8192;

/** Eq. 6: the softmax over two channels is the logistic function of their difference. */
function mergeBranches(
  { high, low, remembered: [rememberedHigh, rememberedLow], alpha }: MergeInput,
): Float32Array {
  // The difference lies in ±2(1 + α): a linearly interpolated table errs by less than 1e-7 there (α ≤ 5).
  const range = 2 * (1 + alpha);
  const table = Float64Array.from(
    { length: sigmoidIntervals + 2 },
    (_, i) => sigmoid(range * ((2 * i) / sigmoidIntervals - 1)),
  );
  const scale = sigmoidIntervals / (2 * range);
  const out = new Float32Array(high.length);
  for (let i = 0; i < out.length; i++) {
    const difference = (1 + alpha * rememberedHigh[i]) * (2 * high[i] - 1) +
      (1 + alpha * rememberedLow[i]) * (2 * low[i] - 1);
    const position = Math.min(Math.max((difference + range) * scale, 0), sigmoidIntervals);
    const node = position | 0;
    out[i] = table[node] + (position - node) * (table[node + 1] - table[node]);
  }
  return out;
}

/** The logistic function: the softmax of two channels whose difference is x. */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** P′ of both classes as [branch, visit, class, voxels]. */
function weightedMaps(
  probabilities: BranchPair,
  remembered: BranchPair,
  { alpha, voxels }: { alpha: number; voxels: number },
): Float32Array {
  const count = probabilities[0].length / voxels;
  const out = new Float32Array(4 * probabilities[0].length);
  probabilities.forEach((foreground, k) => {
    for (let b = 0; b < count; b++) {
      const background = (2 * (k * count + b)) * voxels;
      for (let i = 0; i < voxels; i++) {
        const p = foreground[b * voxels + i];
        const confidence = remembered[k][b * voxels + i];
        out[background + i] = weigh(1 - p, confidence, alpha);
        out[background + voxels + i] = weigh(p, confidence, alpha);
      }
    }
  });
  return out;
}
