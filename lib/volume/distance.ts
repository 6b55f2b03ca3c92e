/**
 * Exact Euclidean distance transform in linear time, one axis after the other: the first by two scans (Meijster
 * et al. 2000), the others by lower envelopes (Felzenszwalb and Huttenlocher 2012).
 *
 * Both distances of a mask, background to foreground and foreground to background, are computed in one transform:
 * a voxel only ever needs the distance to the other class, so one signed array holds both. The first two passes
 * leave out the lines beside the foreground's bounding box: they hold nothing to measure to.
 */
import type { Shape3, Triple } from "./volume.ts";
import { voxelCount } from "./volume.ts";
import { boundingBox } from "./crop.ts";
import { alongX, alongY, passes, type Reach, type Transform } from "./distance_passes.ts";
import { teamFor } from "./distance_team.ts";
import { InputError } from "../errors.ts";

/** Options of the distance functions. */
export interface DistanceOptions {
  /** Distance of voxel centres along x, y, z (default 1, 1, 1: distances in voxels, squares are exact integers). */
  spacing?: Triple;
  /** Where the result goes: one number a voxel (default: a new array). */
  out?: Float64Array;
}

/** Squared distances of both classes of a mask in one array, and the largest of each class, 0 where it has no voxel. */
export interface SignedSquaredDistances extends Reach {
  /**
   * One number a voxel: in the background the squared distance to the nearest foreground voxel, in the
   * foreground minus the squared distance to the nearest background voxel. ±Infinity where the other class
   * does not occur. The outside of the volume belongs to neither class.
   */
  readonly squared: Float64Array;
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
  const weights: Triple = [spacing[0] ** 2, spacing[1] ** 2, spacing[2] ** 2];
  return transform(
    { mask, squared, shape, weights },
    (whole) => passes.map((pass) => pass.run(whole, { from: 0, to: pass.rows(whole) })).at(-1)!,
  );
}

/**
 * The distances of `signedSquaredDistances` in voxels, in memory that does not outlive the caller: the next call writes
 * over it. Large volumes are shared with helping threads once these have started.
 *
 * @param mask one byte a voxel, C order.
 * @throws InputError where the mask and the shape do not fit together.
 */
export function borrowedSquaredDistances(mask: Uint8Array, shape: Shape3): SignedSquaredDistances {
  const team = teamFor(mask.length);
  if (team === undefined) return signedSquaredDistances(mask, shape, { out: borrowDistances(mask.length) });
  requireFit(mask, shape, [1, 1, 1]);
  team.mask.set(mask);
  return transform({ mask: team.mask, squared: team.squared, shape, weights: [1, 1, 1] }, team.run);
}

/** The passes over the foreground's box; without foreground everything is infinitely far. */
function transform(
  volume: Omit<Transform, "box">,
  run: (transform: Transform) => Reach,
): SignedSquaredDistances {
  const { mask, squared, shape } = volume;
  const box = boundingBox(mask, shape);
  if (box !== undefined) return { squared, ...run({ ...volume, box }) };
  squared.fill(Infinity);
  return { squared, largestOutside: mask.length > 0 ? Infinity : 0, largestInside: 0 };
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
  const weightY = spacing[1] ** 2;
  const volume: Transform = {
    mask,
    squared,
    shape,
    box,
    weights: [spacing[0] ** 2, weightY, spacing[2] ** 2],
  };
  alongX(volume, { from: 0, to: box.size[1] });
  const [nx, ny, nz] = shape;
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
  if (i < voxels.length) alongY(volume, { from: 0, to: nx });
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

/** The same memory for every caller: fresh memory would cost page faults, about as much time as one pass. */
function borrowDistances(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(length);
  return scratch.subarray(0, length);
}

function requireFit(mask: Uint8Array, shape: Shape3, spacing: Triple) {
  if (mask.length !== voxelCount(shape)) {
    throw new InputError(`a mask of ${mask.length} voxels does not fit the shape ${shape.join("×")}`);
  }
  if (!spacing.every((step) => step > 0 && step < Infinity)) {
    throw new InputError(`voxel spacing [${spacing}] must be three positive numbers`);
  }
}
