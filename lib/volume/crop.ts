/** Cutting windows out of volumes and putting them back, zero padding, axis permutations, bounding boxes. */
import type { StoredArray } from "./scalars.ts";
import type { Shape3, Triple, VoxelArray } from "./volume.ts";
import { voxelCount } from "./volume.ts";
import { InputError } from "../errors.ts";

/** A box of voxels: its first corner and its sides. */
export interface Box {
  readonly start: Triple;
  readonly size: Shape3;
}

/**
 * Copies the window `[start, start + size)` of `source` to `destination`, packed in C order from `offset` on.
 * The window may lie partly or wholly outside of the volume: voxels outside are zero. So a crop of a padded
 * volume is read without making the padded volume.
 *
 * @param shape voxels of `source`.
 * @param start first voxel of the window, negative or beyond the end where it lies outside.
 * @param size voxels of the window.
 * @throws RangeError where `source` does not fill the shape or `destination` has no room for the window at `offset`.
 */
export function readWindow<T extends VoxelArray>(
  source: T,
  shape: Shape3,
  start: Triple,
  size: Shape3,
  destination: T,
  offset = 0,
): T {
  requireGrid(source, shape);
  requireRoom(destination, offset, size);
  const { from, to, whole } = overlap(shape, start, size);
  if (!whole) destination.fill(0, offset, offset + voxelCount(size));
  const length = to[2] - from[2];
  if (length <= 0) return destination;
  for (let x = from[0]; x < to[0]; x++) {
    for (let y = from[1]; y < to[1]; y++) {
      const read = ((start[0] + x) * shape[1] + start[1] + y) * shape[2] + start[2] + from[2];
      const write = offset + (x * size[1] + y) * size[2] + from[2];
      destination.set(source.subarray(read, read + length), write);
    }
  }
  return destination;
}

/** The window `box` of a volume as an array of its own; zero outside of the volume. */
export function crop<T extends VoxelArray>(source: T, shape: Shape3, box: Box): T {
  const result = emptyLike(source, voxelCount(box.size));
  return readWindow(source, shape, box.start, box.size, result);
}

/**
 * Zero voxels that a random crop adds on each side of a volume (the released `RandomCrop`): where any side is
 * not larger than the patch, every axis gets max(⌊(patch − side) / 2⌋ + 3, 0), else none.
 */
export function randomCropPadding(shape: Shape3, patch: Shape3): Triple {
  if (shape.every((side, axis) => side > patch[axis])) return [0, 0, 0];
  const pad = (axis: number) => Math.max(Math.floor((patch[axis] - shape[axis]) / 2) + 3, 0);
  return [pad(0), pad(1), pad(2)];
}

/**
 * Permutes the axes of a volume: axis `j` of the result is axis `permutation[j]` of the source, as NumPy's
 * `transpose`.
 *
 * @param shape voxels of `source`.
 * @param options.destination where the result goes (default: a new array), `options.offset` from where on.
 * @returns the array and the permuted shape.
 */
export function permuteAxes<T extends StoredArray>(
  source: T,
  shape: Shape3,
  permutation: Triple,
  options: { destination?: T; offset?: number } = {},
): { data: T; shape: Shape3 } {
  if ([...permutation].sort().join() !== "0,1,2") {
    throw new InputError(`axis permutation [${permutation}] must hold 0, 1 and 2 once each`);
  }
  const size: Shape3 = [shape[permutation[0]], shape[permutation[1]], shape[permutation[2]]];
  const { offset = 0, destination = emptyLike(source, voxelCount(size)) } = options;
  requireGrid(source, shape);
  requireRoom(destination, offset, size);
  const strides = [shape[1] * shape[2], shape[2], 1];
  const [step0, step1, step2] = permutation.map((axis) => strides[axis]);
  const stride0 = size[1] * size[2];
  if (permutation[2] === 2) {
    for (let i = 0; i < size[0]; i++) {
      for (let j = 0; j < size[1]; j++) {
        const read = i * step0 + j * step1;
        destination.set(source.subarray(read, read + size[2]), offset + i * stride0 + j * size[2]);
      }
    }
  } else if (step1 === 1) {
    const plane = { rows: size[1], columns: size[2], rowStep: step1, columnStep: step2, rowStride: size[2] };
    for (let i = 0; i < size[0]; i++) {
      transposePlane(source, i * step0, destination, offset + i * stride0, plane);
    }
  } else {
    const plane = { rows: size[0], columns: size[2], rowStep: step0, columnStep: step2, rowStride: stride0 };
    for (let j = 0; j < size[1]; j++) {
      transposePlane(source, j * step1, destination, offset + j * size[2], plane);
    }
  }
  return { data: destination, shape: size };
}

/** The smallest box that holds every voxel of another value than `background`, or `undefined` where there is none. */
export function boundingBox(
  mask: Uint8Array | Float32Array,
  shape: Shape3,
  background = 0,
): Box | undefined {
  const [nx, ny, nz] = shape;
  const plane = ny * nz;
  let first = 0;
  while (first < mask.length && mask[first] === background) first++;
  if (first === mask.length) return undefined;
  let last = mask.length - 1;
  while (mask[last] === background) last--;
  const x0 = Math.floor(first / plane);
  const x1 = Math.min(Math.floor(last / plane), nx - 1);
  let y0 = ny, y1 = -1, z0 = nz, z1 = -1;
  for (let x = x0; x <= x1; x++) {
    for (let y = 0; y < ny; y++) {
      const row = x * plane + y * nz;
      const known = y >= y0 && y <= y1;
      let low = 0;
      // In a row of the box so far only voxels beyond its z range can enlarge it.
      const lowEnd = known ? z0 : nz;
      while (low < lowEnd && mask[row + low] === background) low++;
      if (low < lowEnd) {
        if (low < z0) z0 = low;
        if (y < y0) y0 = y;
        if (y > y1) y1 = y;
      } else if (!known) {
        continue;
      }
      let high = nz - 1;
      while (high > z1 && mask[row + high] === background) high--;
      if (high > z1) z1 = high;
    }
  }
  return { start: [x0, y0, z0], size: [x1 - x0 + 1, y1 - y0 + 1, z1 - z0 + 1] };
}

interface Plane {
  rows: number;
  columns: number;
  rowStep: number;
  columnStep: number;
  rowStride: number;
}

const tile = 16;

/** Transposes one plane tile by tile, so that both sides stay in the cache. The columns are contiguous in the result. */
function transposePlane(
  source: StoredArray,
  read: number,
  destination: StoredArray,
  write: number,
  plane: Plane,
) {
  const { rows, columns, rowStep, columnStep, rowStride } = plane;
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(r0 + tile, rows);
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const c1 = Math.min(c0 + tile, columns);
      for (let r = r0; r < r1; r++) {
        let from = read + r * rowStep + c0 * columnStep;
        const row = write + r * rowStride;
        for (let c = c0; c < c1; c++, from += columnStep) destination[row + c] = source[from];
      }
    }
  }
}

/** The part of a window, in the window's own voxels, that lies in the volume. */
function overlap(
  shape: Shape3,
  start: Triple,
  size: Shape3,
): { from: number[]; to: number[]; whole: boolean } {
  const from = start.map((first) => Math.max(0, -first));
  const to = size.map((side, axis) => Math.min(side, shape[axis] - start[axis]));
  const whole = from.every((first) => first === 0) && to.every((end, axis) => end === size[axis]);
  return { from, to, whole };
}

function requireGrid(array: StoredArray, shape: Shape3) {
  if (array.length !== voxelCount(shape)) {
    throw new RangeError(`an array of ${array.length} voxels does not fill a grid of ${shape.join("×")}`);
  }
}

function requireRoom(array: StoredArray, offset: number, size: Shape3) {
  if (offset < 0 || offset + voxelCount(size) > array.length) {
    throw new RangeError(
      `a window of ${size.join("×")} voxels at offset ${offset} does not fit in an array of ${array.length}`,
    );
  }
}

function emptyLike<T extends StoredArray>(source: T, length: number): T {
  return new (source.constructor as new (length: number) => T)(length);
}
