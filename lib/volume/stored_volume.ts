/** What every reader returns: the numbers as the file holds them, their scaling and their grid. */
import { InputError } from "../errors.ts";
import { permuteAxes } from "./crop.ts";
import { requireRoom } from "./room.ts";
import type { ScalarName, StoredArray } from "./scalars.ts";
import { type Geometry, type Shape3, type Volume, voxelCount } from "./volume.ts";

/** A volume as its file holds it. The true intensity of a stored number is `slope * number + intercept`. */
export interface StoredVolume extends Geometry {
  /** Name of the file's format, such as "NIfTI-1". */
  readonly format: string;
  /** Number type in the file. */
  readonly dtype: ScalarName;
  readonly stored: StoredArray;
  /** The axis along which neighbours lie side by side in `stored`: i in most formats, k in the kit's C order. */
  readonly fastest: "i" | "k";
  readonly slope: number;
  readonly intercept: number;
}

/** The most voxels that a volume may have: 2²⁹, as 512×512×2048. */
export const mostVoxels = 2 ** 29;

/** Of a voxel while it is read: as stored, in two orders of the axes at the same time, then as float32. */
const leastBytes = 8;

/**
 * Checks the shape that a header claims before anything of that size is allocated.
 *
 * @throws InputError where a side is no positive whole number, the volume has more than 2²⁹ voxels, or more than fit
 * into the memory that is free.
 */
export function requireReadableShape(shape: readonly number[], path: string): Shape3 {
  const text = shape.join("×");
  if (shape.length !== 3 || !shape.every((side) => Number.isSafeInteger(side) && side > 0)) {
    throw new InputError(
      `${path}: its header states a volume of ${text} voxels; expected three positive sides`,
    );
  }
  const count = shape.reduce((product, side) => product * side, 1);
  if (count > mostVoxels) {
    throw new InputError(
      `${path}: its header states a volume of ${text} voxels; up to ${mostVoxels} (512×512×2048) are read`,
    );
  }
  requireRoom(leastBytes * count, `${path}: its ${text} voxels`);
  return shape as unknown as Shape3;
}

/** The image: true intensities in float32, C order. */
export function imageOf(volume: StoredVolume): Volume {
  const { slope, intercept } = volume;
  const isPlain = slope === 1 && intercept === 0;
  // Put in order before they are made larger: there are fewer bytes to move.
  const stored = inOrder(volume.stored, volume);
  if (isPlain && stored instanceof Float32Array) return { ...gridOf(volume), data: stored };
  const data = new Float32Array(stored.length);
  if (isPlain) data.set(stored);
  else for (let i = 0; i < stored.length; i++) data[i] = stored[i] * slope + intercept;
  return { ...gridOf(volume), data };
}

/**
 * The label map: whole numbers from 0 to 255, C order.
 *
 * @param path the file, for the message.
 * @throws InputError where a voxel holds anything else.
 */
export function labelOf(volume: StoredVolume, path: string): Volume<Uint8Array> {
  const { stored, slope, intercept } = volume;
  const data = new Uint8Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const value = stored[i] * slope + intercept;
    data[i] = value;
    if (data[i] !== value) {
      throw new InputError(
        `${path}: voxel value ${value} is no label; a label map holds whole numbers from 0 to 255`,
      );
    }
  }
  return { ...gridOf(volume), data: inOrder(data, volume) };
}

/**
 * The foreground: 1 where the voxel is not 0, or where it is `label`; else 0.
 *
 * @param path the file, for the message.
 * @throws InputError where a voxel is no whole number from 0 on, as in a map of probabilities.
 */
export function maskOf(volume: StoredVolume, path: string, label?: number): Volume<Uint8Array> {
  const { stored, slope, intercept } = volume;
  const data = new Uint8Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const value = stored[i] * slope + intercept;
    if (!(value >= 0 && Math.floor(value) === value && value < Infinity)) {
      throw new InputError(`${path}: voxel value ${value} is no label; a mask holds whole numbers from 0 on`);
    }
    if (label === undefined ? value !== 0 : value === label) data[i] = 1;
  }
  return { ...gridOf(volume), data: inOrder(data, volume) };
}

/**
 * The foreground of a label map whose values are known: 1 where the voxel has one of them, 0 where it is 0.
 *
 * @param options.values whole numbers from 1 to 255.
 * @param options.path the file, for the message.
 * @throws InputError where a voxel holds anything else.
 */
export function foregroundOf(
  volume: StoredVolume,
  { values, path }: { values: readonly number[]; path: string },
): Volume<Uint8Array> {
  const { stored, shape: [nx, ny, nz], fastest, slope, intercept } = volume;
  const unknown = 2;
  const meaning = new Uint8Array(256).fill(unknown);
  meaning[0] = 0;
  for (const value of values) meaning[value] = 1;
  const meaningOf = (number: number) => {
    const value = number * slope + intercept;
    const isByte = value >= 0 && value <= 255 && value === Math.floor(value);
    const found = isByte ? meaning[value] : unknown;
    if (found !== unknown) return found;
    throw new InputError(
      `${path}: the label has the value ${value}; 0 and ${
        values.join(", ")
      } are known, so this is another label`,
    );
  };
  const data = new Uint8Array(stored.length);
  // Most voxels are background, and only the others are moved to their places in C order.
  const [planes, rows, length] = fastest === "k" ? [nx, ny, nz] : [nz, ny, nx];
  const [planeStep, step] = fastest === "k" ? [ny * nz, 1] : [1, ny * nz];
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0; row < rows; row++) {
      const from = (plane * rows + row) * length;
      markRow(stored, data, { from, length, to: plane * planeStep + row * nz, step }, meaningOf);
    }
  }
  return { ...gridOf(volume), data };
}

/** A row of voxels as the file holds them, and where it goes. */
interface Row {
  readonly from: number;
  readonly length: number;
  readonly to: number;
  readonly step: number;
}

/** Writes what the row's numbers mean, where that is not 0. */
function markRow(
  stored: StoredArray,
  data: Uint8Array,
  { from, length, to, step }: Row,
  meaningOf: (stored: number) => number,
) {
  let [last, found] = [NaN, 0];
  for (let i = 0; i < length; i++) {
    const number = stored[from + i];
    // Neighbours are mostly alike.
    if (number !== last) {
      last = number;
      found = meaningOf(number);
    }
    if (found !== 0) data[to + i * step] = found;
  }
}

function gridOf({ shape, spacing, direction, origin }: StoredVolume): Geometry {
  return { shape, spacing, direction, origin };
}

/** The numbers in C order, k fastest. */
function inOrder<T extends StoredArray>(data: T, { fastest, shape }: StoredVolume): T {
  if (fastest === "k") return data;
  return permuteAxes(data, [shape[2], shape[1], shape[0]], [2, 1, 0]).data;
}

/** Numbers of a volume, at a glance. */
export interface Summary {
  /** Of the true intensities that are finite; null where none is. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Voxels that are NaN or infinite. */
  readonly notFinite: number;
  /** The distinct values, ascending, where there are few and all are whole numbers, as in a label map; else null. */
  readonly labels: readonly number[] | null;
}

/** More distinct values than this are intensities, not labels. */
const mostLabels = 128;

/** Extremes and mean of the true intensities, computed in double precision. */
export function summarise({ stored, slope, intercept, shape }: StoredVolume): Summary {
  let [min, max, sum, finite] = [Infinity, -Infinity, 0, 0];
  let last = NaN;
  let distinct: Set<number> | undefined = new Set();
  for (let i = 0; i < stored.length; i++) {
    const value = stored[i] * slope + intercept;
    if (value - value !== 0) {
      distinct = undefined;
      continue;
    }
    finite++;
    sum += value;
    // Neighbours are mostly alike, and what equals its neighbour is neither an extreme nor a new label.
    if (value === last) continue;
    last = value;
    if (value < min) min = value;
    if (value > max) max = value;
    if (distinct === undefined) continue;
    distinct.add(value === 0 ? 0 : value);
    if (distinct.size > mostLabels || !Number.isInteger(value)) distinct = undefined;
  }
  const labels = distinct === undefined ? null : [...distinct].sort((a, b) => a - b);
  const notFinite = voxelCount(shape) - finite;
  if (finite === 0) return { min: null, max: null, mean: null, notFinite, labels: null };
  return { min, max, mean: sum / finite, notFinite, labels };
}
