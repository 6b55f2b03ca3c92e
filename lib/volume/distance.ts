/**
 * Exact Euclidean distance transform in linear time, one axis after the other: the first by two scans (Meijster
 * et al. 2000), the others by lower envelopes (envelope.ts).
 *
 * Both distances of a mask, background to foreground and foreground to background, are computed in one transform:
 * a voxel only ever needs the distance to the other class, so one signed array holds both. The first two passes
 * leave out the lines beside the foreground's bounding box: they hold nothing to measure to.
 */
import type { Shape3, Triple } from "./volume.ts";
import { voxelCount } from "./volume.ts";
import type { Box } from "./crop.ts";
import { boundingBox } from "./crop.ts";
import { makeEnvelope, transformLine } from "./envelope.ts";
import { InputError } from "../errors.ts";

/** Options of the distance functions. */
export interface DistanceOptions {
  /** Distance of voxel centres along x, y, z (default 1, 1, 1: distances in voxels, squares are exact integers). */
  spacing?: Triple;
  /** Where the result goes: one number a voxel (default: a new array). */
  out?: Float64Array;
}

/** Squared distances of both classes of a mask in one array, and how far they reach. */
export interface SignedSquaredDistances {
  /**
   * One number a voxel: in the background the squared distance to the nearest foreground voxel, in the
   * foreground minus the squared distance to the nearest background voxel. ±Infinity where the other class
   * does not occur. The outside of the volume belongs to neither class.
   */
  readonly squared: Float64Array;
  /** The largest squared distance in the background, 0 where there is no background. */
  readonly largestOutside: number;
  /** The largest squared distance in the foreground, 0 where there is no foreground. */
  readonly largestInside: number;
}

/**
 * Signed squared Euclidean distances of a mask; non-zero voxels are foreground.
 *
 * @param mask one byte a voxel, C order.
 * @throws InputError where the mask, the shape, the spacing or `out` do not fit together.
 */
export function signedSquaredDistances(
  mask: Uint8Array,
  shape: Shape3,
  options: DistanceOptions = {},
): SignedSquaredDistances {
  const { spacing = [1, 1, 1], out: squared = new Float64Array(mask.length) } = options;
  requireFit(mask, shape, spacing);
  if (squared.length !== mask.length) {
    throw new InputError(`the array for distances holds ${squared.length} numbers, expected ${mask.length}`);
  }
  const box = boundingBox(mask, shape);
  if (box === undefined) {
    squared.fill(Infinity);
    return { squared, largestOutside: mask.length > 0 ? Infinity : 0, largestInside: 0 };
  }
  alongX(mask, squared, shape, { box, weight: spacing[0] ** 2 });
  alongY(squared, shape, { box, weight: spacing[1] ** 2 });
  return { squared, ...alongZ(squared, shape, { box, weight: spacing[2] ** 2 }) };
}

/**
 * Squared Euclidean distances to the nearest foreground voxel, only at some voxels. After the first pass each voxel
 * searches its own y-z plane outwards. Where the distances turn out so large that the searches cost more than a pass,
 * the second pass is made and the remaining voxels search along z alone, so that the time stays linear.
 *
 * @param voxels linear indices of the voxels asked for.
 * @param options.spacing distance of voxel centres along x, y, z (default 1, 1, 1).
 * @returns one number for each of `voxels`, in their order; Infinity where the mask is empty.
 */
export function squaredDistancesAt(
  voxels: Int32Array,
  mask: Uint8Array,
  shape: Shape3,
  options: { spacing?: Triple } = {},
): Float64Array {
  const { spacing = [1, 1, 1] } = options;
  requireFit(mask, shape, spacing);
  const result = new Float64Array(voxels.length);
  const box = boundingBox(mask, shape);
  if (box === undefined) return result.fill(Infinity);
  const squared = borrowDistances(mask.length);
  alongX(mask, squared, shape, { box, weight: spacing[0] ** 2 });
  const [, ny, nz] = shape;
  const weightY = spacing[1] ** 2;
  const [, firstY] = box.start;
  const lastY = firstY + box.size[1] - 1;
  const search = {
    squared,
    first: box.start[2],
    last: box.start[2] + box.size[2] - 1,
    weight: spacing[2] ** 2,
  };
  let allowance = mask.length;
  let i = 0;
  for (; i < voxels.length && allowance > 0; i++) {
    const z = voxels[i] % nz;
    const line = voxels[i] - z;
    const y = (line / nz) % ny;
    const farthest = Math.max(y - firstY, lastY - y);
    let best = Infinity;
    for (let k = Math.max(firstY - y, y - lastY, 0); k <= farthest && k * k * weightY < best; k++) {
      const step = k * k * weightY;
      if (y - k >= firstY) best = searchLine(search, line - k * nz, z, step, best);
      if (y + k <= lastY && k > 0) best = searchLine(search, line + k * nz, z, step, best);
    }
    result[i] = best;
    allowance -= 1 + 4 * best / (spacing[1] * spacing[2]);
  }
  if (i < voxels.length) alongY(squared, shape, { box, weight: weightY });
  for (; i < voxels.length; i++) {
    const z = voxels[i] % nz;
    result[i] = searchLine(search, voxels[i] - z, z, 0, Infinity);
  }
  return result;
}

/** A box's z range after the passes along other axes. */
interface LineSearch {
  readonly squared: Float64Array;
  readonly first: number;
  readonly last: number;
  readonly weight: number;
}

/** The smaller of `best` and the minimum over a line along z of value + `step` + weight · (distance from `z`)². */
function searchLine(search: LineSearch, line: number, z: number, step: number, best: number): number {
  const { squared, first, last, weight } = search;
  if (z >= first && z <= last) best = Math.min(best, Math.max(squared[line + z], 0) + step);
  const farthest = Math.max(z - first, last - z);
  for (let k = Math.max(first - z, z - last, 1); k <= farthest; k++) {
    const reach = step + k * k * weight;
    if (reach >= best) break;
    if (z - k >= first) best = Math.min(best, Math.max(squared[line + z - k], 0) + reach);
    if (z + k <= last) best = Math.min(best, Math.max(squared[line + z + k], 0) + reach);
  }
  return best;
}

let scratch = new Float64Array(0);

/**
 * Memory for distances that do not outlive the caller: the next caller gets the same memory with the old contents.
 * Fresh memory would cost page faults, about as much time as one pass.
 */
export function borrowDistances(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(length);
  return scratch.subarray(0, length);
}

/** What a pass works on: the foreground's box, and the squared voxel distance along its axis. */
interface Pass {
  readonly box: Box;
  readonly weight: number;
}

// Longer than any line, small enough that adding a line's length stays an int32.
const unreached = 1 << 28;

/** First pass: signed squared distances within the lines along x, for the lines that meet the box. */
function alongX(mask: Uint8Array, squared: Float64Array, shape: Shape3, { box, weight }: Pass) {
  const [nx, ny, nz] = shape;
  const plane = ny * nz;
  const width = box.size[2];
  const runs = new Int32Array(nx * width);
  const next = new Int32Array(width);
  for (let y = box.start[1]; y < box.start[1] + box.size[1]; y++) {
    const row = y * nz + box.start[2];
    runs.fill(unreached, 0, width);
    for (let x = 1; x < nx; x++) {
      const at = x * plane + row;
      const count = x * width;
      for (let k = 0; k < width; k++) {
        // −1 where the voxel and its predecessor are of different classes, else 0. Arithmetic instead of
        // branches, here and below, because a processor cannot foresee the class of the next voxel.
        const changes = (-mask[at + k] ^ -mask[at - plane + k]) >> 31;
        runs[count + k] = 1 + (runs[count - width + k] & ~changes);
      }
    }
    next.fill(unreached);
    for (let x = nx - 1; x >= 0; x--) {
      const at = x * plane + row;
      const count = x * width;
      for (let k = 0; k < width; k++) {
        const inside = -mask[at + k] >> 31;
        if (x < nx - 1) {
          const changes = inside ^ (-mask[at + plane + k] >> 31);
          next[k] = 1 + (next[k] & ~changes);
        }
        const nearest = Math.min(runs[count + k], next[k]);
        const value = nearest < unreached ? nearest * nearest * weight : Infinity;
        squared[at + k] = (1 + 2 * inside) * value;
      }
    }
  }
}

/** Second pass: lines along y, for the z range of the box. */
function alongY(squared: Float64Array, shape: Shape3, { box, weight }: Pass) {
  const [nx, ny, nz] = shape;
  const low = box.start[1];
  const line = { squared, first: 0, stride: nz, length: ny, low, high: low + box.size[1] };
  const envelope = makeEnvelope(ny, weight);
  for (let x = 0; x < nx; x++) {
    for (let z = box.start[2]; z < box.start[2] + box.size[2]; z++) {
      line.first = x * ny * nz + z;
      transformLine(line, envelope);
    }
  }
}

/** Last pass: all lines along z. */
function alongZ(squared: Float64Array, shape: Shape3, { box, weight }: Pass) {
  const [nx, ny, nz] = shape;
  const low = box.start[2];
  const line = { squared, first: 0, stride: 1, length: nz, low, high: low + box.size[2] };
  const envelope = makeEnvelope(nz, weight);
  for (let row = 0; row < nx * ny; row++) {
    line.first = row * nz;
    transformLine(line, envelope);
  }
  return { largestOutside: envelope.largest[0], largestInside: envelope.largest[1] };
}

function requireFit(mask: Uint8Array, shape: Shape3, spacing: Triple) {
  if (mask.length !== voxelCount(shape)) {
    throw new InputError(`a mask of ${mask.length} voxels does not fit the shape ${shape.join("×")}`);
  }
  if (!spacing.every((step) => step > 0 && step < Infinity)) {
    throw new InputError(`voxel spacing [${spacing}] must be three positive numbers`);
  }
}
