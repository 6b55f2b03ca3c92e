/** A scan from its own grid to the network's and back: probabilities and masks in the geometry that the file has. */
import type { Dataset } from "../data/dataset.ts";
import { type Preparation, prepareScan } from "../data/preparation.ts";
import type { MethodRun } from "../methods/method.ts";
import { resamplePlanes } from "../volume/resample.ts";
import { type Geometry, type Triple, type Volume, voxelCount } from "../volume/volume.ts";
import { type MapsWanted, windowMaps } from "./predict.ts";
import { type SlidingWindowOptions, slidingWindowSteps } from "./sliding_window.ts";

/** How a scan is predicted. */
export interface ScanOptions extends SlidingWindowOptions, MapsWanted {
  readonly dataset: Dataset;
  readonly preparation: Preparation;
  /** Of the training cases, in millimetres. */
  readonly spacing: Triple;
  /** The file, for messages. */
  readonly path: string;
  /** The voxels are those of the prepared grid now, and the first window is next. */
  readonly onPrepared?: (() => void) | undefined;
}

/** Foreground probabilities of a scan on the network's grid, between 0 and 1. */
export interface ScanMaps {
  readonly probability: Volume;
  /** The largest difference of two branches' probabilities at each voxel, where that was asked for. */
  readonly disagreement?: Volume;
}

/**
 * Prepares a scan as the training cases were and predicts it window by window. Between the windows the event loop gets
 * a turn, so that signals come through.
 *
 * @param scan true intensities on the file's own grid.
 * @throws InputError as {@link prepareScan} and for a stride that is not positive; the abort reason when the signal fires.
 */
export async function predictScan(run: MethodRun, scan: Volume, options: ScanOptions): Promise<ScanMaps> {
  const { data, ...grid } = prepareScan(scan, options.dataset, options);
  options.onPrepared?.();
  const predict = windowMaps(run, options.crop, options);
  const steps = slidingWindowSteps(data, grid.shape, options, predict);
  for (;;) {
    const { done, value } = steps.next();
    if (!done) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      continue;
    }
    const [probability, ...branches] = value;
    const maps: ScanMaps = { probability: { ...grid, data: probability } };
    return branches.length === 0 ? maps : { ...maps, disagreement: { ...grid, data: spread(branches) } };
  }
}

/** Largest minus smallest of several maps, in the first one's place. */
function spread([first, ...others]: readonly Float32Array[]): Float32Array {
  for (let i = 0; i < first.length; i++) {
    let [low, high] = [first[i], first[i]];
    for (const { [i]: value } of others) {
      if (value < low) low = value;
      else if (value > high) high = value;
    }
    first[i] = high - low;
  }
  return first;
}

/** Planes that are resampled together: enough for speed, and little memory. */
const planesAtOnce = 16;

/** 1 where the probability, resampled linearly onto the scan's own grid, exceeds one half. */
export function maskOn(geometry: Geometry, probability: Volume): Uint8Array {
  const mask = new Uint8Array(voxelCount(geometry.shape));
  for (const { first, values } of planesOn(geometry, probability)) {
    for (let i = 0; i < values.length; i++) if (values[i] > 0.5) mask[first + i] = 1;
  }
  return mask;
}

/** A map resampled linearly onto the scan's own grid. */
export function mapOn(geometry: Geometry, map: Volume): Float32Array {
  if (isOneGrid(geometry, map)) return map.data;
  const result = new Float32Array(voxelCount(geometry.shape));
  for (const { first, values } of planesOn(geometry, map)) result.set(values, first);
  return result;
}

/** Some planes of the map on another grid, and the index of their first voxel there. */
function* planesOn(geometry: Geometry, map: Volume): Generator<{ first: number; values: Float32Array }> {
  if (isOneGrid(geometry, map)) {
    yield { first: 0, values: map.data };
    return;
  }
  const [nx, ny, nz] = geometry.shape;
  const buffer = new Float32Array(planesAtOnce * ny * nz);
  for (let x = 0; x < nx; x += planesAtOnce) {
    const values = buffer.subarray(0, Math.min(planesAtOnce, nx - x) * ny * nz);
    resamplePlanes(map, geometry, { interpolation: "linear", outside: "border", first: x, data: values });
    yield { first: x * ny * nz, values };
  }
}

function isOneGrid(a: Geometry, b: Geometry): boolean {
  const numbers = (g: Geometry) => [...g.shape, ...g.spacing, ...g.origin, ...g.direction.flat()];
  const [left, right] = [numbers(a), numbers(b)];
  return left.every((value, i) => value === right[i]);
}
