/**
 * Class-aware patches of PLGCL on a grid of cells: which cells of a batch belong to a class, how sure the teacher is
 * of them, and with which weights the deepest features are averaged over them. Small typed arrays, no tensors.
 */

/** Averages over the field of each deepest-stage voxel, each array [item, x, y, z]. */
export interface FieldMaps {
  readonly shape: readonly [items: number, x: number, y: number, z: number];
  /** Share of the foreground. */
  readonly foreground: Float32Array;
  /** The teacher's entropy: of all voxels, and of those of the foreground, 0 counted for the others. */
  readonly entropy: Float32Array;
  readonly foregroundEntropy: Float32Array;
}

/** How patches are chosen. */
export interface PatchOptions {
  /** Cells along each axis; fewer where the deepest stage has fewer voxels. */
  readonly grid: number;
  /** The part of a cell that background, foreground must fill. */
  readonly shares: readonly [number, number];
  /** True: cells qualify in which the class fills less than its share, as released. */
  readonly inverted: boolean;
  /** The part of each class's patches that is kept. */
  readonly kept: number;
}

/** The chosen patches, those of the background first. */
export interface Patches {
  /** Patches of background, foreground. */
  readonly counts: readonly [number, number];
  /** [patch, item · x · y · z]: rows that sum to 1, for the average of the features over a patch. */
  readonly weights: Float32Array;
}

interface Patch {
  readonly entropy: number;
  readonly voxels: readonly number[];
  readonly shares: readonly number[];
  readonly total: number;
}

/** Takes, of each class, the cells of which the teacher is surest, over all items together. */
export function choosePatches(maps: FieldMaps, { grid, shares, inverted, kept }: PatchOptions): Patches {
  const cells = cellsOf(maps.shape, grid);
  const chosen = [0, 1].map((label) => {
    const patches = cells.map((voxels) => patchOf(maps, voxels, label)).filter(({ total, voxels }) =>
      total > 0 && (total >= shares[label] * voxels.length) !== inverted
    );
    // The sort is stable, so that equal entropies keep the order of the batch.
    patches.sort((a, b) => a.entropy - b.entropy);
    return patches.slice(0, Math.ceil(kept * patches.length));
  });
  const patches = chosen.flat();
  const columns = maps.foreground.length;
  const weights = new Float32Array(patches.length * columns);
  patches.forEach(({ voxels, shares, total }, row) =>
    voxels.forEach((voxel, i) => weights[row * columns + voxel] = shares[i] / total)
  );
  return { counts: [chosen[0].length, chosen[1].length], weights };
}

/** The cell's part that belongs to a class, with the mean entropy over that part. */
function patchOf(maps: FieldMaps, voxels: readonly number[], label: number): Patch {
  const shares = voxels.map((voxel) => label === 1 ? maps.foreground[voxel] : 1 - maps.foreground[voxel]);
  const entropies = voxels.map((voxel) =>
    label === 1 ? maps.foregroundEntropy[voxel] : maps.entropy[voxel] - maps.foregroundEntropy[voxel]
  );
  const total = shares.reduce((sum, share) => sum + share, 0);
  return { entropy: entropies.reduce((sum, value) => sum + value, 0) / total, voxels, shares, total };
}

/** The voxels of each cell of each item. */
function cellsOf([items, ...sides]: FieldMaps["shape"], grid: number): number[][] {
  const counts = sides.map((side) => Math.min(grid, side));
  const cells: number[][] = [];
  for (let item = 0; item < items; item++) {
    const first = cells.length;
    for (let i = 0; i < counts[0] * counts[1] * counts[2]; i++) cells.push([]);
    let voxel = item * sides[0] * sides[1] * sides[2];
    for (let x = 0; x < sides[0]; x++) {
      for (let y = 0; y < sides[1]; y++) {
        for (let z = 0; z < sides[2]; z++) {
          const [a, b, c] = [x, y, z].map((at, axis) => Math.floor(at * counts[axis] / sides[axis]));
          cells[first + (a * counts[1] + b) * counts[2] + c].push(voxel++);
        }
      }
    }
  }
  return cells;
}
