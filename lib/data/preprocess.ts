/** How raw volumes become training volumes (paper 4.1; public left-atrium preparation). */
import type { Triple } from "../volume/volume.ts";

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
  let sum = 0;
  for (let i = 0; i < image.length; i++) sum += image[i];
  const mean = sum / image.length;
  let squares = 0;
  for (let i = 0; i < image.length; i++) squares += (image[i] - mean) ** 2;
  const deviation = Math.sqrt(squares / image.length) || 1;
  for (let i = 0; i < image.length; i++) image[i] = (image[i] - mean) / deviation;
  return image;
}

/** The paper's Hounsfield window of Pancreas-CT. */
export const pancreasWindow = [-125, 275] as const;

/** Intensities clipped to a window and scaled to [0, 1]. */
export function windowIntensities(image: Float32Array, [low, high]: readonly [number, number]): Float32Array {
  const scaled = new Float32Array(image.length);
  for (let i = 0; i < image.length; i++) {
    scaled[i] = (Math.min(Math.max(image[i], low), high) - low) / (high - low);
  }
  return scaled;
}
