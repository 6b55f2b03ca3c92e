/**
 * Overlap and surface distances of two masks, as medpy 0.5 defines them: Dice, Jaccard, the 95 % Hausdorff distance
 * (95th percentile of both directed lists joined, linear interpolation) and the average surface distance (from the
 * prediction to the reference). The surface is the mask minus its 6-neighbour erosion; outside is background.
 */
import { boundingBox, type Box, crop } from "../volume/crop.ts";
import { squaredDistancesAt } from "../volume/distance.ts";
import { InputError } from "../errors.ts";
import { type Shape3, type Triple, voxelCount } from "../volume/volume.ts";

/** What is measured of a pair; null where it is not defined, and why. */
export interface MaskMetrics {
  /** Null for two empty masks. */
  readonly dice: number | null;
  readonly jaccard: number;
  readonly hd95Voxel: number | null;
  readonly asdVoxel: number | null;
  readonly hd95Mm: number | null;
  readonly asdMm: number | null;
  readonly voxels: { readonly prediction: number; readonly reference: number; readonly both: number };
  /** Why the distances are null. */
  readonly undefinedBecause?: string;
}

/** Surface distances in one unit. */
export interface SurfaceDistances {
  readonly hd95: number;
  /** Prediction to reference. */
  readonly asd: number;
  /** Reference to prediction. */
  readonly asdReverse: number;
}

/**
 * Measures a predicted mask against a reference on the same grid.
 *
 * @param spacing millimetres; without it the distances in mm are those in voxels.
 * @throws InputError where the masks do not fit the shape.
 */
export function compareMasks(
  prediction: Uint8Array,
  reference: Uint8Array,
  shape: Shape3,
  options: { spacing?: Triple } = {},
): MaskMetrics {
  requireSameGrid(prediction, reference, shape);
  const pair = cropToUnion(prediction, reference, shape);
  const voxels = countVoxels(pair);
  const sizes = voxels.prediction + voxels.reference;
  const dice = sizes === 0 ? null : (2 * voxels.both) / sizes;
  const union = sizes - voxels.both;
  const jaccard = union === 0 ? 1 : voxels.both / union;
  if (voxels.prediction === 0 || voxels.reference === 0) {
    const which = sizes === 0
      ? "both masks are"
      : `the ${voxels.prediction === 0 ? "prediction" : "reference"} is`;
    const none = { hd95Voxel: null, asdVoxel: null, hd95Mm: null, asdMm: null };
    return {
      dice,
      jaccard,
      ...none,
      voxels,
      undefinedBecause: `${which} empty: there is no surface to measure`,
    };
  }
  const surfaces = surfacesOf(pair);
  const inVoxels = measureSurfaces(surfaces, [1, 1, 1]);
  const { spacing = [1, 1, 1] } = options;
  const inMm = isIsotropic(spacing)
    ? { hd95: inVoxels.hd95 * spacing[0], asd: inVoxels.asd * spacing[0] }
    : measureSurfaces(surfaces, spacing);
  return {
    dice,
    jaccard,
    hd95Voxel: inVoxels.hd95,
    asdVoxel: inVoxels.asd,
    hd95Mm: inMm.hd95,
    asdMm: inMm.asd,
    voxels,
  };
}

/**
 * What the released evaluation adds up for a case: Dice, Jaccard, HD95, ASD in voxels, and zeros for all four where
 * the prediction is empty. Null where it stops with an error: a prediction without a reference.
 */
export function releasedTuple(metrics: MaskMetrics): readonly [number, number, number, number] | null {
  const { dice, jaccard, hd95Voxel, asdVoxel, voxels } = metrics;
  if (voxels.prediction === 0) return [0, 0, 0, 0];
  return dice === null || hd95Voxel === null || asdVoxel === null
    ? null
    : [dice, jaccard, hd95Voxel, asdVoxel];
}

/** Surface distances of two masks that are not empty, in the unit of the spacing (default: voxels). */
export function surfaceDistances(
  prediction: Uint8Array,
  reference: Uint8Array,
  shape: Shape3,
  spacing: Triple = [1, 1, 1],
): SurfaceDistances {
  requireSameGrid(prediction, reference, shape);
  return measureSurfaces(surfacesOf(cropToUnion(prediction, reference, shape)), spacing);
}

/** Two masks in the box that holds both. */
export interface MaskPair {
  readonly prediction: Uint8Array;
  readonly reference: Uint8Array;
  readonly shape: Shape3;
}

/**
 * Cuts two masks to the box that holds both; to a box of no voxels where both are empty.
 *
 * Every distance is one between surface voxels and what lies outside of the box is background in both masks, as is
 * the outside of the array: so the box holds all that matters.
 */
export function cropToUnion(prediction: Uint8Array, reference: Uint8Array, shape: Shape3): MaskPair {
  const boxes = [boundingBox(prediction, shape), boundingBox(reference, shape)].filter((box) =>
    box !== undefined
  );
  const box = boxes.length === 0 ? { start: [0, 0, 0], size: [0, 0, 0] } as const : boxes.reduce(union);
  return {
    prediction: crop(prediction, shape, box),
    reference: crop(reference, shape, box),
    shape: box.size,
  };
}

/** The surfaces of two masks: linear indices of their voxels, and the voxels as masks. */
interface Surfaces {
  readonly prediction: Int32Array;
  readonly reference: Int32Array;
  readonly predictionMask: Uint8Array;
  readonly referenceMask: Uint8Array;
  readonly shape: Shape3;
}

function surfacesOf(pair: MaskPair): Surfaces {
  const prediction = surfaceVoxels(pair.prediction, pair.shape);
  const reference = surfaceVoxels(pair.reference, pair.shape);
  return {
    prediction,
    reference,
    predictionMask: indicator(prediction, pair.prediction.length),
    referenceMask: indicator(reference, pair.reference.length),
    shape: pair.shape,
  };
}

function measureSurfaces(surfaces: Surfaces, spacing: Triple): SurfaceDistances {
  const { prediction, reference, predictionMask, referenceMask, shape } = surfaces;
  const forward = roots(squaredDistancesAt(prediction, referenceMask, shape, { spacing }));
  const backward = roots(squaredDistancesAt(reference, predictionMask, shape, { spacing }));
  const all = new Float64Array(forward.length + backward.length);
  all.set(forward);
  all.set(backward, forward.length);
  return { hd95: percentile(all, 0.95), asd: mean(forward), asdReverse: mean(backward) };
}

/** Linear indices of the foreground voxels with a face neighbour in the background or outside. */
function surfaceVoxels(mask: Uint8Array, [nx, ny, nz]: Shape3): Int32Array {
  const [sx, sy] = [ny * nz, nz];
  const found = new Int32Array(mask.length);
  let count = 0;
  for (let x = 0, i = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      for (let z = 0; z < nz; z++, i++) {
        if (mask[i] === 0) continue;
        const inside = x > 0 && x < nx - 1 && y > 0 && y < ny - 1 && z > 0 && z < nz - 1 &&
          mask[i - sx] !== 0 && mask[i + sx] !== 0 && mask[i - sy] !== 0 && mask[i + sy] !== 0 &&
          mask[i - 1] !== 0 && mask[i + 1] !== 0;
        if (!inside) found[count++] = i;
      }
    }
  }
  return found.slice(0, count);
}

function countVoxels({ prediction, reference }: MaskPair): MaskMetrics["voxels"] {
  let [p, r, both] = [0, 0, 0];
  for (let i = 0; i < prediction.length; i++) {
    const a = Number(prediction[i] !== 0);
    const b = Number(reference[i] !== 0);
    p += a;
    r += b;
    both += a & b;
  }
  return { prediction: p, reference: r, both };
}

/** @throws InputError where a mask does not fill the shape. */
export function requireSameGrid(prediction: Uint8Array, reference: Uint8Array, shape: Shape3): void {
  const length = voxelCount(shape);
  if (prediction.length !== length || reference.length !== length) {
    throw new InputError(
      `masks of ${prediction.length} and ${reference.length} voxels cannot be compared on a grid of ` +
        `${shape.join("×")}; both must have ${length}`,
    );
  }
}

function union(a: Box, b: Box): Box {
  const start = a.start.map((first, i) => Math.min(first, b.start[i])) as unknown as Triple;
  const size = start.map((first, i) => Math.max(a.start[i] + a.size[i], b.start[i] + b.size[i]) - first);
  return { start, size: size as unknown as Shape3 };
}

function indicator(voxels: Int32Array, length: number): Uint8Array {
  const mask = new Uint8Array(length);
  for (let i = 0; i < voxels.length; i++) mask[voxels[i]] = 1;
  return mask;
}

function roots(squares: Float64Array): Float64Array {
  for (let i = 0; i < squares.length; i++) squares[i] = Math.sqrt(squares[i]);
  return squares;
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Linear interpolation between the sorted values, NumPy's default. */
function percentile(values: Float64Array, share: number): number {
  values.sort();
  const position = share * (values.length - 1);
  const low = Math.floor(position);
  const high = Math.min(low + 1, values.length - 1);
  return values[low] + (position - low) * (values[high] - values[low]);
}

function isIsotropic([x, y, z]: Triple): boolean {
  return x === y && y === z;
}
