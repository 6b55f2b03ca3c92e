/** Sliding-window prediction over a volume of any size (paper 4.2, as the released test code places its windows). */
import { readWindow } from "../volume/crop.ts";
import { InputError } from "../errors.ts";
import { type Shape3, type Triple, voxelCount } from "../volume/volume.ts";

/** How much the voxels of a window count where windows overlap. */
export const blendings = ["uniform", "gaussian"] as const;
export type Blending = typeof blendings[number];

/** Where the windows go. */
export interface SlidingWindowOptions {
  readonly crop: Shape3;
  readonly stride: Shape3;
  /** Windows that are predicted together (default 1). */
  readonly batch?: number | undefined;
  /** "uniform" (default), as released; "gaussian": the middle counts most, σ is an eighth of the side. */
  readonly blending?: Blending | undefined;
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

/** The same for several maps at once, such as the branches of a network. */
export type MapsPredictor = (windows: Float32Array, count: number) => readonly Float32Array[];

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
 * @throws InputError for a stride that is not positive or leaves gaps; the abort reason when the signal fires.
 */
export function slidingWindow(
  image: Float32Array,
  shape: Shape3,
  options: SlidingWindowOptions,
  predict: WindowPredictor,
): { score: Float32Array } {
  const maps = finish(slidingWindowSteps(image, shape, options, (w, count) => [predict(w, count)]));
  return { score: maps[0] };
}

/** Takes all steps of {@link slidingWindowSteps} at once. */
export function finish(steps: Generator<void, Float32Array[]>): Float32Array[] {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** {@link slidingWindow} for several maps, a batch of windows a step, so that the caller can do other things between. */
export function* slidingWindowSteps(
  image: Float32Array,
  shape: Shape3,
  options: SlidingWindowOptions,
  predict: MapsPredictor,
): Generator<void, Float32Array[]> {
  const { crop, stride, batch = 1, signal, onWindow } = options;
  if (stride.some((step) => !(step >= 1))) {
    throw new InputError(`a stride of ${stride.join("×")} does not move; choose at least 1 on each axis`);
  }
  if (stride.some((step, axis) => step > crop[axis] && shape[axis] > crop[axis])) {
    throw new InputError(
      `a stride of ${stride.join("×")} leaves gaps between windows of ${
        crop.join("×")
      }; choose a smaller one`,
    );
  }
  const starts = axisStarts(shape, options);
  const weights = crop.map((side) => windowWeights(side, options.blending));
  const places = allPlaces(starts);
  const voxels = voxelCount(crop);
  const sums: Float32Array[] = [];
  for (let first = 0; first < places.length; first += batch) {
    signal?.throwIfAborted();
    const some = places.slice(first, first + batch);
    const windows = new Float32Array(some.length * voxels);
    some.forEach((start, i) => readWindow(image, shape, start, crop, windows, i * voxels));
    predict(windows, some.length).forEach((map, m) => {
      const sum = sums[m] ??= new Float32Array(voxelCount(shape));
      some.forEach((start, i) => accumulate(map, i * voxels, { start, crop, shape, sum, weights }));
    });
    onWindow?.(first + some.length, places.length);
    yield;
  }
  const totals = starts.map((axis, a) => totalWeights(axis, weights[a], shape[a]));
  for (const sum of sums) divide(sum, shape, totals);
  return sums;
}

/** Where windows start along each axis of the unpadded volume; negative inside the padding. */
function axisStarts(
  shape: Shape3,
  { crop, stride }: Pick<SlidingWindowOptions, "crop" | "stride">,
): readonly number[][] {
  const padding = windowPadding(shape, crop);
  return shape.map((side, axis) => {
    const { low, high } = padding[axis];
    return windowStarts(side + low + high, crop[axis], stride[axis]).map((start) => start - low);
  });
}

function allPlaces([xs, ys, zs]: readonly number[][]): Triple[] {
  return xs.flatMap((x) => ys.flatMap((y) => zs.map((z): Triple => [x, y, z])));
}

/** The weights of a window along one axis; those of a voxel are the product of its three. */
function windowWeights(side: number, blending: Blending = "uniform"): Float64Array {
  const middle = (side - 1) / 2;
  return Float64Array.from(
    { length: side },
    (_, i) => blending === "uniform" ? 1 : Math.exp(-0.5 * ((i - middle) / (side / 8)) ** 2),
  );
}

/** The weights of all windows at every voxel of an axis: windows lie on a grid, so that their sums are products. */
function totalWeights(starts: readonly number[], weights: Float64Array, side: number): Float64Array {
  const total = new Float64Array(side);
  for (const start of starts) {
    const stop = Math.min(start + weights.length, side);
    for (let i = Math.max(start, 0); i < stop; i++) total[i] += weights[i - start];
  }
  return total;
}

interface Accumulation {
  readonly start: Triple;
  readonly crop: Shape3;
  readonly shape: Shape3;
  readonly sum: Float32Array;
  readonly weights: readonly Float64Array[];
}

/** Adds one window's probabilities where it lies inside of the volume. */
function accumulate(
  probabilities: Float32Array,
  offset: number,
  { start, crop, shape, sum, weights: [wx, wy, wz] }: Accumulation,
): void {
  const z0 = Math.max(start[2], 0);
  const z1 = Math.min(start[2] + crop[2], shape[2]);
  for (let x = Math.max(start[0], 0); x < Math.min(start[0] + crop[0], shape[0]); x++) {
    for (let y = Math.max(start[1], 0); y < Math.min(start[1] + crop[1], shape[1]); y++) {
      const row = (x * shape[1] + y) * shape[2];
      const from = offset + ((x - start[0]) * crop[1] + y - start[1]) * crop[2] - start[2];
      const weight = wx[x - start[0]] * wy[y - start[1]];
      for (let z = z0; z < z1; z++) sum[row + z] += probabilities[from + z] * (weight * wz[z - start[2]]);
    }
  }
}

function divide(sum: Float32Array, [nx, ny, nz]: Shape3, [tx, ty, tz]: readonly Float64Array[]): void {
  for (let x = 0, i = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      const total = tx[x] * ty[y];
      for (let z = 0; z < nz; z++, i++) sum[i] /= total * tz[z];
    }
  }
}

/** Foreground where the probability exceeds one half. */
export function threshold(score: Float32Array): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(score.length);
  for (let i = 0; i < mask.length; i++) mask[i] = score[i] > 0.5 ? 1 : 0;
  return mask;
}
