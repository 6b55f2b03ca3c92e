/**
 * Resampling onto another grid: linear for images, nearest for label maps. The rules are those of ITK: a point counts
 * as inside up to half a voxel beyond the outermost centres, where it takes the value at the border; further away it
 * takes the value for the outside.
 */
import { InputError } from "../errors.ts";
import { type Affine, voxelMap } from "./geometry.ts";
import { isParallel, resampleParallel, rounded } from "./resample_parallel.ts";
import {
  type Geometry,
  type Shape3,
  type Triple,
  type Volume,
  type VoxelArray,
  voxelCount,
} from "./volume.ts";

/** How values between voxels come about, and what lies outside. */
export interface ResampleOptions {
  readonly interpolation: "linear" | "nearest";
  /** Value of points outside of the volume (default 0); "border": that of the nearest point inside. */
  readonly outside?: number | "border";
}

/** A grid of another spacing over the same box in the patient; sides are rounded to whole voxels, at least one. */
export function gridWithSpacing({ shape, spacing, direction, origin }: Geometry, wanted: Triple): Geometry {
  if (!wanted.every((step) => Number.isFinite(step) && step > 0)) {
    throw new InputError(
      `a spacing of ${wanted.join(", ")} mm cannot be resampled to; expected three positive numbers`,
    );
  }
  const sides = shape.map((side, a) => Math.max(1, Math.round(side * spacing[a] / wanted[a])));
  // Both grids share the centre of the box.
  const shifts = shape.map((side, a) => ((side - 1) * spacing[a] - (sides[a] - 1) * wanted[a]) / 2);
  const at = (c: 0 | 1 | 2) => origin[c] + direction.reduce((sum, axis, a) => sum + axis[c] * shifts[a], 0);
  return { shape: sides as unknown as Shape3, spacing: wanted, direction, origin: [at(0), at(1), at(2)] };
}

/** The volume on another grid, in the type of its array. Linear values of integer types are rounded. */
export function resample<T extends VoxelArray>(
  volume: Volume<T>,
  grid: Geometry,
  options: ResampleOptions,
): Volume<T> {
  const data = new (volume.data.constructor as new (length: number) => T)(voxelCount(grid.shape));
  const { shape, spacing, direction, origin } = grid;
  resamplePlanes(volume, grid, { ...options, first: 0, data });
  return { shape, spacing, direction, origin, data };
}

/** Some planes of a grid along i, for volumes that do not fit in memory twice. */
export interface PlaneOptions<T extends VoxelArray> extends ResampleOptions {
  /** The first plane. */
  readonly first: number;
  /** Where the planes go, in C order; as many as fill it. */
  readonly data: T;
}

/** Resamples the planes `first`, `first + 1`, … of a grid into `data`, as many as it holds. */
export function resamplePlanes<T extends VoxelArray>(
  volume: Volume<T>,
  grid: Geometry,
  { interpolation, outside = 0, first, data }: PlaneOptions<T>,
): void {
  const map = voxelMap(grid, volume);
  const [, ny, nz] = grid.shape;
  const planes = data.length / (ny * nz);
  if (!Number.isInteger(planes) || first < 0 || first + planes > grid.shape[0]) {
    throw new RangeError(
      `an array of ${data.length} voxels from plane ${first} on does not fit ${grid.shape.join("×")}`,
    );
  }
  const { reach, beyond } = limitsOf(outside);
  if (interpolation === "linear" && isParallel(map)) {
    resampleParallel(volume, { map, first, size: [planes, ny, nz], data, reach, beyond });
    return;
  }
  const fill = interpolation === "linear" ? linearLine : nearestLine;
  for (let x = 0; x < planes; x++) {
    for (let y = 0; y < ny; y++) {
      const line = { map, x: first + x, y, start: (x * ny + y) * nz, length: nz, reach, beyond };
      fill(volume, data, line);
    }
  }
}

/** A row of voxels along k of the new grid. */
interface Line {
  /** Voxels of the new grid to voxels of the old one. */
  readonly map: Affine;
  readonly x: number;
  readonly y: number;
  /** Where the row goes. */
  readonly start: number;
  readonly length: number;
  /** How far beyond the outermost voxels is inside, and the value further away. */
  readonly reach: number;
  readonly beyond: number;
}

/** ITK's tolerance for points on the outermost border. */
const edge = 0.5 + 1e-6;

function limitsOf(outside: number | "border"): Pick<Line, "reach" | "beyond"> {
  return outside === "border" ? { reach: Infinity, beyond: 0 } : { reach: edge, beyond: outside };
}

function nearestLine<T extends VoxelArray>({ data: source, shape }: Volume<T>, data: T, line: Line) {
  const { map: [mx, my, mz], x, y, start, length, reach, beyond } = line;
  const [nx, ny, nz] = shape;
  const [x0, y0, z0] = [mx, my, mz].map((row) => row[0] * x + row[1] * y + row[3]);
  for (let z = 0; z < length; z++) {
    const u = x0 + mx[2] * z;
    const v = y0 + my[2] * z;
    const w = z0 + mz[2] * z;
    if (
      u < -reach || v < -reach || w < -reach || u > nx - 1 + reach || v > ny - 1 + reach || w > nz - 1 + reach
    ) {
      data[start + z] = beyond;
      continue;
    }
    // Rounding errors must not decide where a point lies half-way between two voxels.
    const i = Math.min(Math.max(Math.floor(u + 0.5 + 1e-9), 0), nx - 1);
    const j = Math.min(Math.max(Math.floor(v + 0.5 + 1e-9), 0), ny - 1);
    const k = Math.min(Math.max(Math.floor(w + 0.5 + 1e-9), 0), nz - 1);
    data[start + z] = source[(i * ny + j) * nz + k];
  }
}

function linearLine<T extends VoxelArray>({ data: source, shape }: Volume<T>, data: T, line: Line) {
  const { map: [mx, my, mz], x, y, start, length, reach, beyond } = line;
  const [nx, ny, nz] = shape;
  const [x0, y0, z0] = [mx, my, mz].map((row) => row[0] * x + row[1] * y + row[3]);
  const isWhole = !(data instanceof Float32Array);
  for (let z = 0; z < length; z++) {
    const u = x0 + mx[2] * z;
    const v = y0 + my[2] * z;
    const w = z0 + mz[2] * z;
    if (
      u < -reach || v < -reach || w < -reach || u > nx - 1 + reach || v > ny - 1 + reach || w > nz - 1 + reach
    ) {
      data[start + z] = beyond;
      continue;
    }
    const cu = u < 0 ? 0 : u > nx - 1 ? nx - 1 : u;
    const cv = v < 0 ? 0 : v > ny - 1 ? ny - 1 : v;
    const cw = w < 0 ? 0 : w > nz - 1 ? nz - 1 : w;
    const i = Math.floor(cu);
    const j = Math.floor(cv);
    const k = Math.floor(cw);
    const [fu, fv, fw] = [cu - i, cv - j, cw - k];
    const base = (i * ny + j) * nz + k;
    // At the last voxel of an axis there is no next one, and its weight is zero.
    const dx = i + 1 < nx ? ny * nz : 0;
    const dy = j + 1 < ny ? nz : 0;
    const dz = k + 1 < nz ? 1 : 0;
    const low = mix(
      mix(source[base], source[base + dz], fw),
      mix(source[base + dy], source[base + dy + dz], fw),
      fv,
    );
    const next = base + dx;
    const high = mix(
      mix(source[next], source[next + dz], fw),
      mix(source[next + dy], source[next + dy + dz], fw),
      fv,
    );
    const value = mix(low, high, fu);
    data[start + z] = isWhole ? rounded(value) : value;
  }
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}
