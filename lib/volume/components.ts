/** Connected components of a mask: runs along z, joined by union-find. */
import { InputError } from "../errors.ts";
import { type Shape3, voxelCount } from "./volume.ts";

/** Neighbours that connect: 6 share a face, 18 an edge, 26 a corner. */
export type Connectivity = 6 | 18 | 26;

/** Components of a mask. */
export interface Components {
  /** 0 in the background, else the component's number, from 1 in scan order of its first voxel. */
  readonly labels: Int32Array;
  /** Voxels of each component; `sizes[0]` belongs to component 1. */
  readonly sizes: readonly number[];
}

/** Numbers the connected components of a mask. */
export function connectedComponents(
  mask: Uint8Array,
  shape: Shape3,
  connectivity: Connectivity = 26,
): Components {
  const { first, stop, label, sizes } = labelRuns(mask, shape, connectivity);
  const labels = new Int32Array(mask.length);
  for (let run = 0; run < first.length; run++) {
    for (let i = first[run]; i < stop[run]; i++) labels[i] = label[run];
  }
  return { labels, sizes };
}

/** Voxels of each connected component, in scan order of its first voxel. */
export function componentSizes(
  mask: Uint8Array,
  shape: Shape3,
  connectivity: Connectivity = 26,
): readonly number[] {
  return labelRuns(mask, shape, connectivity).sizes;
}

/** The largest component of a mask; of equally large ones, the first in scan order. An empty mask stays empty. */
export function largestComponent(
  mask: Uint8Array,
  shape: Shape3,
  connectivity: Connectivity = 26,
): Uint8Array {
  const { first, stop, label, sizes } = labelRuns(mask, shape, connectivity);
  let largest = 1;
  for (let number = 2; number <= sizes.length; number++) {
    if (sizes[number - 1] > sizes[largest - 1]) largest = number;
  }
  const result = new Uint8Array(mask.length);
  for (let run = 0; run < first.length; run++) {
    if (label[run] !== largest) continue;
    for (let i = first[run]; i < stop[run]; i++) result[i] = 1;
  }
  return result;
}

/** Maximal foreground runs along z, in scan order. */
interface Runs {
  /** Index of a run's first voxel, and the index behind its last. */
  readonly first: Int32Array;
  readonly stop: Int32Array;
  /** The first run of each row (x, y); one more at the end. */
  readonly rows: Int32Array;
}

interface LabelledRuns extends Runs {
  /** The component of each run, from 1. */
  readonly label: Int32Array;
  readonly sizes: readonly number[];
}

function labelRuns(mask: Uint8Array, shape: Shape3, connectivity: Connectivity): LabelledRuns {
  if (mask.length !== voxelCount(shape)) {
    throw new InputError(`a mask of ${mask.length} voxels does not fill a grid of ${shape.join("×")}`);
  }
  const runs = findRuns(mask, shape);
  const parent = joinRuns(runs, shape, connectivity);
  const label = new Int32Array(parent.length);
  const sizes: number[] = [];
  for (let run = 0; run < parent.length; run++) {
    // The root of a component is its first run, so that numbers follow the scan order.
    const root = rootOf(parent, run);
    label[run] = root === run ? sizes.push(0) : label[root];
    sizes[label[run] - 1] += runs.stop[run] - runs.first[run];
  }
  return { ...runs, label, sizes };
}

function findRuns(mask: Uint8Array, [nx, ny, nz]: Shape3): Runs {
  const rows = new Int32Array(nx * ny + 1);
  let count = 0;
  for (let row = 0; row < nx * ny; row++) {
    let previous = 0;
    for (let i = row * nz; i < (row + 1) * nz; i++) {
      if (previous === 0 && mask[i] !== 0) count++;
      previous = mask[i];
    }
    rows[row + 1] = count;
  }
  const first = new Int32Array(count);
  const stop = new Int32Array(count);
  for (let row = 0; row < nx * ny; row++) {
    let i = row * nz;
    for (let run = rows[row]; run < rows[row + 1]; run++) {
      while (mask[i] === 0) i++;
      first[run] = i;
      while (i < (row + 1) * nz && mask[i] !== 0) i++;
      stop[run] = i;
    }
  }
  return { first, stop, rows };
}

/** Joins each row's runs with those of the neighbouring rows before it; returns each run's parent. */
function joinRuns(runs: Runs, [nx, ny, nz]: Shape3, connectivity: Connectivity): Int32Array {
  const parent = Int32Array.from(runs.first.keys());
  // Runs of two rows touch where they overlap, or also where one ends diagonally before the other.
  const beside = connectivity === 6 ? 0 : 1;
  const diagonal = connectivity === 26 ? 1 : 0;
  for (let x = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      const row = x * ny + y;
      if (runs.rows[row] === runs.rows[row + 1]) continue;
      if (y > 0) joinRows(parent, runs, { row, other: row - 1, shift: nz, reach: beside });
      if (x === 0) continue;
      joinRows(parent, runs, { row, other: row - ny, shift: ny * nz, reach: beside });
      if (connectivity === 6) continue;
      if (y > 0) joinRows(parent, runs, { row, other: row - ny - 1, shift: (ny + 1) * nz, reach: diagonal });
      if (y < ny - 1) {
        joinRows(parent, runs, { row, other: row - ny + 1, shift: (ny - 1) * nz, reach: diagonal });
      }
    }
  }
  return parent;
}

interface RowPair {
  readonly row: number;
  readonly other: number;
  /** Distance of the rows in the array. */
  readonly shift: number;
  /** 0: runs must overlap, 1: they may also touch diagonally. */
  readonly reach: number;
}

function joinRows(parent: Int32Array, { first, stop, rows }: Runs, { row, other, shift, reach }: RowPair) {
  let a = rows[row];
  let b = rows[other];
  while (a < rows[row + 1] && b < rows[other + 1]) {
    if (first[a] < stop[b] + shift + reach && first[b] + shift < stop[a] + reach) join(parent, a, b);
    if (stop[a] < stop[b] + shift) a++;
    else b++;
  }
}

function join(parent: Int32Array, a: number, b: number) {
  const rootA = rootOf(parent, a);
  const rootB = rootOf(parent, b);
  if (rootA < rootB) parent[rootB] = rootA;
  else parent[rootA] = rootB;
}

function rootOf(parent: Int32Array, run: number): number {
  while (parent[run] !== run) {
    parent[run] = parent[parent[run]];
    run = parent[run];
  }
  return run;
}
