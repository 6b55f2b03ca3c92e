/**
 * What SAR remembers (paper 3.2, eq. 4–5): for each labelled case and each branch, how confident the branch was
 * in the true class at every voxel of the case's padded volume, never permuted to a view.
 *
 * A confidence is kept as a whole number of 8 or 16 bits or as float32; code 0 means "never visited", so a new
 * memory is zeros.
 */
import type { Permutation } from "../data/dataset.ts";
import { InputError } from "../errors.ts";
import { type Shape3, type Triple, voxelCount } from "../volume/volume.ts";

/** The branches in the order of all arrays: 0 = high-level decoder, 1 = low-level decoder. */
const branches = ["high", "low"] as const;
export type BranchIndex = 0 | 1;

/** How a memory keeps confidences. */
export interface MemoryOptions {
  /**
   * "two" (paper): the mean of the last two visits, of which the first fills both; "running" (released code):
   * the first visit's value, then (old + new)/2.
   */
  readonly rule: "two" | "running";
  /** Confidence of a voxel that was never visited: 0.5 (released code) or 0 (then P′ = P). */
  readonly initial: number;
  /**
   * Largest error of one stored confidence: 1/131068 with "uint16", 1/508 with "uint8", float32 rounding with
   * "float32". The "running" rule rounds at each visit, which at most doubles it.
   */
  readonly precision: "uint8" | "uint16" | "float32";
}

/** One labelled crop of a training step. */
export interface Visit {
  readonly case: string;
  /** Shape of the case's whole volume with the zero padding of the random crop. */
  readonly shape: Shape3;
  /** First voxel of the crop in the padded, unpermuted volume. */
  readonly location: Triple;
  /** The view of the crop: axis j of the crop is axis `permutation[j]` of the volume. */
  readonly permutation: Permutation;
}

/** The memory of all cases that were visited. */
export interface ConfidenceMemory {
  readonly options: MemoryOptions;
  readonly cases: Map<string, CaseMemory>;
}

type Codes = Uint8Array | Uint16Array | Float32Array;

interface CaseMemory {
  readonly shape: Shape3;
  /** One a branch. `before` is the visit before the last one ("two"), and `last` itself for "running". */
  readonly branches: readonly { readonly last: Codes; readonly before: Codes }[];
}

/** A stored array with its shape, for a checkpoint. */
export interface MemoryTensor {
  readonly shape: readonly number[];
  readonly data: Codes;
}

/** code = ⌊confidence·gain + bias⌋ (no rounding for float32); confidence = (code − zero)/gain. */
const coding = {
  uint8: { array: Uint8Array, gain: 254, bias: 1.5, zero: 1 },
  uint16: { array: Uint16Array, gain: 65534, bias: 1.5, zero: 1 },
  // The smallest normal float32 tells a confidence of 0 from a voxel that was never visited.
  float32: { array: Float32Array, gain: 1, bias: 2 ** -126, zero: 0 },
} as const;

/** An empty memory. */
export function createConfidenceMemory(options: MemoryOptions): ConfidenceMemory {
  return { options, cases: new Map() };
}

/**
 * The confidences that weight this visit (C₍i−1₎ and C₍i−2₎ combined), in the crop's view.
 *
 * @param patch shape of the crop in its view.
 * @param out filled from `offset` on.
 */
export function readConfidence(
  memory: ConfidenceMemory,
  visit: Visit,
  branch: BranchIndex,
  { patch, out, offset = 0 }: { patch: Shape3; out: Float32Array; offset?: number },
): void {
  const { last, before } = caseMemory(memory, visit).branches[branch];
  const { initial, precision } = memory.options;
  const { gain, zero } = coding[precision];
  const half = 0.5 / gain;
  const twoZeros = 2 * zero;
  const { base, steps } = windowOf(visit, patch);
  for (let x = 0, to = offset; x < patch[0]; x++) {
    for (let y = 0; y < patch[1]; y++) {
      let from = base + x * steps[0] + y * steps[1];
      for (let z = 0; z < patch[2]; z++, from += steps[2], to++) {
        const code = last[from];
        out[to] = code === 0 ? initial : (code + before[from] - twoZeros) * half;
      }
    }
  }
}

/**
 * Remembers the confidences of this visit.
 *
 * @param patch shape of the crop in its view.
 * @param values confidences in [0, 1] in the crop's view, read from `offset` on.
 */
export function writeConfidence(
  memory: ConfidenceMemory,
  visit: Visit,
  branch: BranchIndex,
  { patch, values, offset = 0 }: { patch: Shape3; values: Float32Array; offset?: number },
): void {
  const { last, before } = caseMemory(memory, visit).branches[branch];
  const { gain, bias, zero } = coding[memory.options.precision];
  const running = memory.options.rule === "running";
  const { base, steps } = windowOf(visit, patch);
  for (let x = 0, from = offset; x < patch[0]; x++) {
    for (let y = 0; y < patch[1]; y++) {
      let to = base + x * steps[0] + y * steps[1];
      for (let z = 0; z < patch[2]; z++, to += steps[2], from++) {
        const old = last[to];
        const scaled = values[from] * gain;
        if (running) {
          last[to] = (old === 0 ? scaled : (scaled + old - zero) / 2) + bias;
        } else {
          last[to] = scaled + bias;
          before[to] = old === 0 ? scaled + bias : old;
        }
      }
    }
  }
}

/**
 * The confidence of a whole padded volume, as the next visit would use it, for figures.
 *
 * @throws InputError for a case that was never visited.
 */
export function confidenceOf(memory: ConfidenceMemory, caseName: string, branch: BranchIndex): Float32Array {
  const { shape } = knownCase(memory, caseName);
  const out = new Float32Array(voxelCount(shape));
  const visit: Visit = { case: caseName, shape, location: [0, 0, 0], permutation: [0, 1, 2] };
  readConfidence(memory, visit, branch, { patch: shape, out });
  return out;
}

/**
 * What is remembered of a case's last visit and of the one before, over its padded volume, for figures; a voxel that
 * was never visited has the initial confidence in both.
 *
 * @throws InputError for a case that was never visited.
 */
export function visitsOf(
  memory: ConfidenceMemory,
  caseName: string,
  branch: BranchIndex,
): { shape: Shape3; last: Float32Array; before: Float32Array; visited: Uint8Array } {
  const { shape, branches } = knownCase(memory, caseName);
  const { initial, precision } = memory.options;
  const { gain, zero } = coding[precision];
  const { last, before } = branches[branch];
  const decode = (codes: Codes) =>
    Float32Array.from(codes, (code) => code === 0 ? initial : (code - zero) / gain);
  return {
    shape,
    last: decode(last),
    before: decode(before),
    visited: Uint8Array.from(last, (code) => code === 0 ? 0 : 1),
  };
}

function knownCase(memory: ConfidenceMemory, caseName: string): CaseMemory {
  const known = memory.cases.get(caseName);
  if (known !== undefined) return known;
  const names = [...memory.cases.keys()].join(", ") || "none";
  throw new InputError(`SAR has no memory of case "${caseName}"; visited cases: ${names}`);
}

/** The memory as named arrays, for a checkpoint. The arrays are the memory's own, not copies. */
export function memoryTensors(memory: ConfidenceMemory): Map<string, MemoryTensor> {
  const tensors = new Map<string, MemoryTensor>();
  for (const [name, { shape, branches: stored }] of memory.cases) {
    stored.forEach(({ last, before }, branch) => {
      tensors.set(`confidence.${name}.${branches[branch]}.last`, { shape, data: last });
      if (before !== last) {
        tensors.set(`confidence.${name}.${branches[branch]}.before`, { shape, data: before });
      }
    });
  }
  return tensors;
}

/**
 * The memory of a checkpoint, equal bit for bit to the one that `memoryTensors` was given. The arrays are taken
 * over, not copied. Tensors whose name does not begin with "confidence." are passed over.
 *
 * @throws InputError where an array is missing or is not of the options' precision.
 */
export function restoreMemory(
  options: MemoryOptions,
  tensors: Iterable<readonly [string, { readonly shape: readonly number[]; readonly data: ArrayBufferView }]>,
): ConfidenceMemory {
  const memory = createConfidenceMemory(options);
  const stored = new Map(tensors);
  for (const name of stored.keys()) {
    const match = /^confidence\.(.+)\.high\.last$/.exec(name);
    if (match === null) continue;
    const shape = stored.get(name)!.shape as unknown as Shape3;
    const take = (branch: string, visit: string): Codes => {
      const key = `confidence.${match[1]}.${branch}.${visit}`;
      const data = stored.get(key)?.data;
      if (!(data instanceof coding[options.precision].array) || data.length !== voxelCount(shape)) {
        throw new InputError(
          `the checkpoint's array "${key}" is missing or is not ${options.precision} of ${
            shape.join("×")
          }; ` +
            `continue with the settings that wrote the checkpoint`,
        );
      }
      return data;
    };
    const restored = branches.map((branch) => {
      const last = take(branch, "last");
      return { last, before: options.rule === "two" ? take(branch, "before") : last };
    });
    memory.cases.set(match[1], { shape, branches: restored });
  }
  return memory;
}

function caseMemory(memory: ConfidenceMemory, { case: name, shape }: Visit): CaseMemory {
  const known = memory.cases.get(name);
  if (known !== undefined) {
    if (known.shape.join() === shape.join()) return known;
    throw new InputError(
      `case "${name}" was remembered as a padded volume of ${known.shape.join("×")}, now it is ` +
        `${shape.join("×")}; continue with the data and crop that the run began with`,
    );
  }
  const { rule, precision } = memory.options;
  const length = voxelCount(shape);
  const created = branches.map(() => {
    const last = new coding[precision].array(length);
    return { last, before: rule === "two" ? new coding[precision].array(length) : last };
  });
  const added = { shape, branches: created };
  memory.cases.set(name, added);
  return added;
}

/** Where the voxels of a crop lie in the padded volume: index of its first voxel and steps along its axes. */
function windowOf({ shape, location, permutation, case: name }: Visit, patch: Shape3) {
  const strides = [shape[1] * shape[2], shape[2], 1];
  permutation.forEach((axis, j) => {
    if (location[axis] < 0 || location[axis] + patch[j] > shape[axis]) {
      throw new RangeError(
        `the crop of "${name}" at ${location.join(", ")} leaves its padded volume of ${shape.join("×")}`,
      );
    }
  });
  return {
    base: location[0] * strides[0] + location[1] * strides[1] + location[2],
    steps: permutation.map((axis) => strides[axis]),
  };
}
