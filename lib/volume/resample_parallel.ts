/**
 * Linear interpolation between grids whose axes are parallel, as those of most scans are: along one axis after the
 * other, so that what neighbours share is computed once. The result is that of all eight neighbours at once, to the bit.
 */
import type { Affine } from "./geometry.ts";
import type { Shape3, Volume, VoxelArray } from "./volume.ts";

/** Where the points of the new grid lie along one axis of the volume. */
interface AxisPoints {
  /** Those from `first` on and before `end` are inside. */
  readonly first: number;
  readonly end: number;
  /** The volume's voxels below and above each, and how far it lies from the one to the other. */
  readonly below: Int32Array;
  readonly above: Int32Array;
  readonly share: Float64Array;
}

/** What is filled. */
export interface ParallelOptions<T extends VoxelArray> {
  /** Voxels of the new grid to voxels of the volume. */
  readonly map: Affine;
  /** The first plane of the new grid, and the sides of what is filled. */
  readonly first: number;
  readonly size: Shape3;
  readonly data: T;
  /** How far beyond the outermost voxels is inside, and the value further away. */
  readonly reach: number;
  readonly beyond: number;
}

/** Whether each axis of the new grid runs along the volume's axis of the same number. */
export function isParallel(map: Affine): boolean {
  return map.every((row, axis) => [0, 1, 2].every((other) => other === axis || row[other] === 0));
}

/** Fills planes of a grid that is parallel to the volume's. */
export function resampleParallel<T extends VoxelArray>(
  { data: source, shape }: Volume<T>,
  { map, first, size, data, reach, beyond }: ParallelOptions<T>,
): void {
  const [xs, ys, zs] = size.map((count, axis) =>
    axisPoints([map[axis][axis], map[axis][3]], {
      from: axis === 0 ? first : 0,
      count,
      side: shape[axis],
      reach,
    })
  );
  const [, ny, nz] = size;
  const isInside = [xs, ys, zs].every(({ first, end }, axis) => first === 0 && end === size[axis]);
  if (!isInside) data.fill(beyond);
  const rows = twoKept(nz, (row, index) => interpolateRow(row, source, index * shape[2], zs));
  const planes = twoKept(ny * nz, (plane, i) => {
    for (let y = ys.first; y < ys.end; y++) {
      const [low, high] = rows(i * shape[1] + ys.below[y], i * shape[1] + ys.above[y]);
      mixInto(plane, y * nz, { low, high, from: 0, count: nz, share: ys.share[y] });
    }
  });
  // What of a plane is inside: all rows at once where they are whole.
  const insideZ = zs.end - zs.first;
  const parts = insideZ === nz
    ? [{ from: ys.first * nz, count: (ys.end - ys.first) * nz }]
    : Array.from({ length: ys.end - ys.first }, (_, row) => ({
      from: (ys.first + row) * nz + zs.first,
      count: insideZ,
    }));
  for (let x = xs.first; x < xs.end; x++) {
    const [low, high] = planes(xs.below[x], xs.above[x]);
    for (const { from, count } of parts) {
      const mixed = { low, high, from, count, share: xs.share[x] };
      if (data instanceof Float32Array) mixInto(data, x * ny * nz + from, mixed);
      else mixWholes(data, x * ny * nz + from, mixed);
    }
  }
}

function axisPoints(
  [scale, offset]: readonly [number, number],
  { from, count, side, reach }: {
    readonly from: number;
    readonly count: number;
    readonly side: number;
    readonly reach: number;
  },
): AxisPoints {
  const [below, above, share] = [new Int32Array(count), new Int32Array(count), new Float64Array(count)];
  let [first, end] = [count, 0];
  for (let n = 0; n < count; n++) {
    const place = scale * (from + n) + offset;
    if (place < -reach || place > side - 1 + reach) continue;
    first = Math.min(first, n);
    end = n + 1;
    const inside = Math.min(Math.max(place, 0), side - 1);
    below[n] = Math.floor(inside);
    share[n] = inside - below[n];
    above[n] = share[n] === 0 ? below[n] : below[n] + 1;
  }
  return { first: Math.min(first, end), end, below, above, share };
}

/** Keeps the two arrays that were asked for last; others are filled again. */
function twoKept(
  length: number,
  fill: (values: Float64Array, index: number) => void,
): (low: number, high: number) => readonly [Float64Array, Float64Array] {
  const kept = [0, 1].map(() => ({ index: -1, values: new Float64Array(length) }));
  const holderOf = (index: number, other: number) => {
    const known = kept.find((one) => one.index === index);
    if (known !== undefined) return known;
    const free = kept.find((one) => one.index !== other)!;
    fill(free.values, index);
    free.index = index;
    return free;
  };
  return (low, high) => [holderOf(low, high).values, holderOf(high, low).values];
}

/** A row of the volume at the points of the new one. */
function interpolateRow(
  row: Float64Array,
  source: VoxelArray,
  start: number,
  { first, end, below, above, share }: AxisPoints,
) {
  for (let n = first; n < end; n++) {
    const low = source[start + below[n]];
    row[n] = low + (source[start + above[n]] - low) * share[n];
  }
}

/** Parts of two arrays, and the place between them. */
interface Mixed {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly from: number;
  readonly count: number;
  readonly share: number;
}

function mixInto(to: Float64Array | Float32Array, start: number, { low, high, from, count, share }: Mixed) {
  for (let n = 0; n < count; n++) {
    const value = low[from + n];
    to[start + n] = value + (high[from + n] - value) * share;
  }
}

function mixWholes(to: VoxelArray, start: number, { low, high, from, count, share }: Mixed) {
  for (let n = 0; n < count; n++) {
    const value = low[from + n];
    to[start + n] = rounded(value + (high[from + n] - value) * share);
  }
}

/** Rounding errors must not decide where a value lies half-way between two whole numbers. */
export function rounded(value: number): number {
  return Math.floor(value + 0.5 + 1e-9);
}
