/** Connected components of a mask. */
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
  if (mask.length !== voxelCount(shape)) {
    throw new InputError(`a mask of ${mask.length} voxels does not fill a grid of ${shape.join("×")}`);
  }
  const [nx, ny, nz] = shape;
  const labels = new Int32Array(mask.length);
  const sizes: number[] = [];
  const stack = new Int32Array(mask.length);
  const steps = neighbourSteps(connectivity);
  for (let seed = 0; seed < mask.length; seed++) {
    if (mask[seed] === 0 || labels[seed] !== 0) continue;
    const label = sizes.length + 1;
    let [depth, size] = [1, 0];
    stack[0] = seed;
    labels[seed] = label;
    while (depth > 0) {
      const voxel = stack[--depth];
      size++;
      const z = voxel % nz;
      const y = ((voxel - z) / nz) % ny;
      const x = (voxel - z - y * nz) / (ny * nz);
      for (const [dx, dy, dz] of steps) {
        const [u, v, w] = [x + dx, y + dy, z + dz];
        if (u < 0 || u >= nx || v < 0 || v >= ny || w < 0 || w >= nz) continue;
        const neighbour = (u * ny + v) * nz + w;
        if (mask[neighbour] === 0 || labels[neighbour] !== 0) continue;
        labels[neighbour] = label;
        stack[depth++] = neighbour;
      }
    }
    sizes.push(size);
  }
  return { labels, sizes };
}

/** The largest component of a mask; of equally large ones, the first in scan order. An empty mask stays empty. */
export function largestComponent(
  mask: Uint8Array,
  shape: Shape3,
  connectivity: Connectivity = 26,
): Uint8Array {
  const { labels, sizes } = connectedComponents(mask, shape, connectivity);
  const largest = sizes.indexOf(Math.max(...sizes)) + 1;
  const result = new Uint8Array(mask.length);
  if (largest > 0) { for (let i = 0; i < result.length; i++) result[i] = labels[i] === largest ? 1 : 0; }
  return result;
}

function neighbourSteps(connectivity: Connectivity): readonly (readonly [number, number, number])[] {
  const reach = { 6: 1, 18: 2, 26: 3 }[connectivity];
  const steps: [number, number, number][] = [];
  for (const dx of [-1, 0, 1]) {
    for (const dy of [-1, 0, 1]) {
      for (const dz of [-1, 0, 1]) {
        const distance = Math.abs(dx) + Math.abs(dy) + Math.abs(dz);
        if (distance > 0 && distance <= reach) steps.push([dx, dy, dz]);
      }
    }
  }
  return steps;
}
