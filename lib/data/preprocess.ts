/** How raw volumes become training volumes (paper 4.1; public left-atrium preparation). */
import { boundingBox, type Box, crop } from "../volume/crop.ts";
import type { Shape3, Triple, Volume } from "../volume/volume.ts";

/** First and end (exclusive) index along each axis. */
export type Range3 = readonly [
  readonly [number, number],
  readonly [number, number],
  readonly [number, number],
];

/** The settings of {@link atriumBox}. */
export interface AtriumBoxOptions {
  /** First and last foreground index along each axis. */
  readonly foreground: Range3;
  /** Voxels added before and after, x before, x after, y …; 10–19, 10–19 and 5–9 are drawn. */
  readonly margins: readonly number[];
  /** The crop that has to fit. */
  readonly crop: Triple;
  readonly shape: Triple;
}

/**
 * The left-atrium box of the public preparation: the foreground's range is widened by half of what it lacks to the
 * crop and by the margins, within the volume. The last foreground index itself counts as the end before the margin.
 */
export function atriumBox({ foreground, margins, crop, shape }: AtriumBoxOptions): Range3 {
  return [0, 1, 2].map((axis) => {
    const [first, last] = foreground[axis];
    const lack = Math.max(crop[axis] - (last - first), 0) >> 1;
    return [
      Math.max(first - margins[2 * axis] - lack, 0),
      Math.min(last + margins[2 * axis + 1] + lack, shape[axis]),
    ];
  }) as unknown as Range3;
}

/** The foreground's range with its last voxel, widened by fixed margins, within the volume (Pancreas-CT). */
export function marginBox(foreground: Range3, margins: Triple, shape: Triple): Range3 {
  return [0, 1, 2].map((axis) => [
    Math.max(foreground[axis][0] - margins[axis], 0),
    Math.min(foreground[axis][1] + 1 + margins[axis], shape[axis]),
  ]) as unknown as Range3;
}

/** Zero mean and unit population deviation, in place; a constant image becomes zero. */
export function normaliseIntensities<T extends Float32Array | Float64Array>(image: T): T {
  const { mean, deviation } = intensityMoments(image);
  const divisor = deviation || 1;
  for (let i = 0; i < image.length; i++) image[i] = (image[i] - mean) / divisor;
  return image;
}

/** A linear map of intensities, after an optional window: `(value − offset) / divisor`. */
export interface IntensityScaling {
  /** Values beyond are set to its ends first. */
  readonly window?: readonly [number, number];
  readonly offset: number;
  readonly divisor: number;
}

/** The data sets whose raw intensities have a rule. */
export type ScaledDataset = "la" | "pancreas" | "brats";

/**
 * How the raw intensities of a data set become what its networks see. It depends on the image alone, never on the
 * label, so that an unseen image is treated alike: left atria by mean and deviation of the whole image, CT by the
 * paper's window, FLAIR by mean and deviation of the brain, which is what differs from the value of all corners.
 *
 * @param image true intensities of the whole raw image.
 * @param brain of this image, where it is known already.
 */
export function intensityScaling(
  dataset: ScaledDataset,
  image: Pick<Volume, "data" | "shape">,
  brain = dataset === "brats" ? brainOf(image) : undefined,
): IntensityScaling {
  if (dataset === "pancreas") {
    const [low, high] = pancreasWindow;
    return { window: pancreasWindow, offset: low, divisor: high - low };
  }
  const { data, shape } = image;
  // Most of the volume is background, and need not be looked at twice.
  const { mean, deviation } = brain === undefined
    ? intensityMoments(data)
    : intensityMoments(crop(data, shape, brain.box), brain.outside);
  return { offset: mean, divisor: deviation || 1 };
}

/** The intensities under a scaling, in place. */
export function scaleIntensities(image: Float32Array, scaling: IntensityScaling): Float32Array {
  const { window: [low, high] = [-Infinity, Infinity], offset, divisor } = scaling;
  for (let i = 0; i < image.length; i++) {
    const value = image[i];
    image[i] = ((value < low ? low : value > high ? high : value) - offset) / divisor;
  }
  return image;
}

/** The value that all eight corners of an image share, as around a stripped brain; undefined where they differ. */
function cornerValue(data: Float32Array, [nx, ny, nz]: Shape3): number | undefined {
  const corners = [0, nx - 1].flatMap((x) =>
    [0, ny - 1].flatMap((y) => [0, nz - 1].map((z) => data[(x * ny + y) * nz + z]))
  );
  return corners.every((value) => value === corners[0]) ? corners[0] : undefined;
}

/** A stripped brain: the value around it, and the box of what has another one. */
export interface Brain {
  readonly outside: number;
  readonly box: Box;
}

/** The brain of an image whose eight corners have one value; undefined where they differ, or nothing else does. */
export function brainOf({ data, shape }: Pick<Volume, "data" | "shape">): Brain | undefined {
  const outside = cornerValue(data, shape);
  const box = outside === undefined ? undefined : boundingBox(data, shape, outside);
  return outside === undefined || box === undefined ? undefined : { outside, box };
}

/** Mean and population deviation of the voxels that do not have the value `without`; 0 where there is none. */
export function intensityMoments(
  data: Float32Array | Float64Array,
  without = NaN,
): { mean: number; deviation: number } {
  let first = 0;
  while (first < data.length && data[first] === without) first++;
  if (first === data.length) return { mean: 0, deviation: 0 };
  // Sums of what the voxels differ from one of them lose no digits where all are far from zero.
  const centre = data[first];
  const sums: Sums = { centre, count: 0, sum: 0, squares: 0 };
  // A loop that is entered often is compiled sooner than one that is run through once.
  for (let from = first; from < data.length; from += block) {
    addTo(sums, data.subarray(from, from + block), without);
  }
  const mean = sums.sum / sums.count;
  return { mean: centre + mean, deviation: Math.sqrt(Math.max(0, sums.squares / sums.count - mean * mean)) };
}

const block = 2 ** 16;

/** Of the differences from the centre. */
interface Sums {
  readonly centre: number;
  count: number;
  sum: number;
  squares: number;
}

function addTo(sums: Sums, values: Float32Array | Float64Array, without: number) {
  let { count, sum, squares } = sums;
  const { centre } = sums;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === without) continue;
    const difference = value - centre;
    count++;
    sum += difference;
    squares += difference * difference;
  }
  sums.count = count;
  sums.sum = sum;
  sums.squares = squares;
}

/** The paper's Hounsfield window of Pancreas-CT. */
export const pancreasWindow = [-125, 275] as const;

/** Intensities clipped to a window and scaled to [0, 1]. */
export function windowIntensities(image: Float32Array, [low, high]: readonly [number, number]): Float32Array {
  return scaleIntensities(image.slice(), { window: [low, high], offset: low, divisor: high - low });
}
