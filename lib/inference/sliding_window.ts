/** Sliding-window prediction over a volume of any size (paper 4.2, as the released test code places its windows). */
import { readWindow } from "../volume/crop.ts";
import { InputError } from "../errors.ts";
import { type Shape3, type Triple, voxelCount } from "../volume/volume.ts";

/** Where the windows go. */
export interface SlidingWindowOptions {
  readonly crop: Shape3;
  readonly stride: Shape3;
  /** Windows that are predicted together (default 1). */
  readonly batch?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWindow?: ((done: number, total: number) => void) | undefined;
}

/**
 * Foreground probabilities of windows.
 *
 * @param windows [count, x, y, z] intensities.
 * @returns [count, x, y, z] probabilities.
 */
export type WindowPredictor = (windows: Float32Array, count: number) => Float32Array;

/** First voxels of the windows along one axis: every `stride`, and the last one at the end. */
export function windowStarts(side: number, crop: number, stride: number): number[] {
  const count = Math.ceil((side - crop) / stride) + 1;
  return Array.from({ length: count }, (_, i) => Math.min(i * stride, side - crop));
}

/** Zero voxels before and after each axis, so that the volume is no smaller than the crop. */
export function windowPadding(shape: Shape3, crop: Shape3): readonly { low: number; high: number }[] {
  return shape.map((side, axis) => {
    const total = Math.max(crop[axis] - side, 0);
    return { low: total >> 1, high: total - (total >> 1) };
  });
}

/**
 * Predicts every window and averages the probabilities where windows overlap.
 *
 * @param image [x, y, z] in C order.
 * @returns foreground probability of every voxel of the volume.
 * @throws InputError for a stride that is not positive; the abort reason when the signal fires.
 */
export function slidingWindow(
  image: Float32Array,
  shape: Shape3,
  options: SlidingWindowOptions,
  predict: WindowPredictor,
): { score: Float32Array } {
  const { crop, stride, batch = 1, signal, onWindow } = options;
  if (stride.some((step) => !(step >= 1))) {
    throw new InputError(`a stride of ${stride.join("×")} does not move; choose at least 1 on each axis`);
  }
  const starts = windowPlaces(shape, options);
  const sum = new Float32Array(voxelCount(shape));
  const visits = new Uint32Array(sum.length);
  const voxels = voxelCount(crop);
  for (let first = 0; first < starts.length; first += batch) {
    signal?.throwIfAborted();
    const places = starts.slice(first, first + batch);
    const windows = new Float32Array(places.length * voxels);
    places.forEach((start, i) => readWindow(image, shape, start, crop, windows, i * voxels));
    const probabilities = predict(windows, places.length);
    places.forEach((start, i) => accumulate(probabilities, i * voxels, { start, crop, shape, sum, visits }));
    onWindow?.(first + places.length, starts.length);
  }
  for (let i = 0; i < sum.length; i++) sum[i] /= visits[i];
  return { score: sum };
}

/** Where the windows start in the unpadded volume; negative inside the padding. */
function windowPlaces(shape: Shape3, { crop, stride }: SlidingWindowOptions): Triple[] {
  const padding = windowPadding(shape, crop);
  const [xs, ys, zs] = shape.map((side, axis) => {
    const { low, high } = padding[axis];
    return windowStarts(side + low + high, crop[axis], stride[axis]).map((start) => start - low);
  });
  return xs.flatMap((x) => ys.flatMap((y) => zs.map((z): Triple => [x, y, z])));
}

interface Accumulation {
  readonly start: Triple;
  readonly crop: Shape3;
  readonly shape: Shape3;
  readonly sum: Float32Array;
  readonly visits: Uint32Array;
}

/** Adds one window's probabilities where it lies inside of the volume. */
function accumulate(
  probabilities: Float32Array,
  offset: number,
  { start, crop, shape, sum, visits }: Accumulation,
): void {
  const z0 = Math.max(start[2], 0);
  const z1 = Math.min(start[2] + crop[2], shape[2]);
  for (let x = Math.max(start[0], 0); x < Math.min(start[0] + crop[0], shape[0]); x++) {
    for (let y = Math.max(start[1], 0); y < Math.min(start[1] + crop[1], shape[1]); y++) {
      const row = (x * shape[1] + y) * shape[2];
      const from = offset + ((x - start[0]) * crop[1] + y - start[1]) * crop[2] - start[2];
      for (let z = z0; z < z1; z++) {
        sum[row + z] += probabilities[from + z];
        visits[row + z]++;
      }
    }
  }
}

/** Foreground where the probability exceeds one half. */
export function threshold(score: Float32Array): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(score.length);
  for (let i = 0; i < mask.length; i++) mask[i] = score[i] > 0.5 ? 1 : 0;
  return mask;
}
