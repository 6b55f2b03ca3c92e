/**
 * Synthetic raters for data with one mask a case: each draws every boundary in a style of its own, the same for all
 * cases, so that a network can learn whom to agree with. Typed arrays, no tensors.
 */
import { randomStream } from "../../random.ts";
import { close, dilate, erode, open } from "../../volume/morphology.ts";
import { type Shape3, voxelCount } from "../../volume/volume.ts";

/** Draws a rater's mask of one crop. */
type Rater = (mask: Uint8Array) => Uint8Array;

/** The truth, cautious, generous, without thin parts, without gaps, bent. */
export const raterCount = 6;

/** Nodes of the bent rater's displacement along each axis, and its standard deviation in voxels. */
const nodes = 4;
const deviation = 1.5;

/**
 * The masks of all raters.
 *
 * @param seed determines the bent rater's style.
 * @returns a function of labels [item, x, y, z] that gives [item, x, y, z, rater] as 0 and 1.
 */
export function syntheticRaters(shape: Shape3, seed: number): (labels: Uint8Array) => Float32Array {
  let sources: Int32Array | undefined;
  const raters: readonly Rater[] = [
    (mask) => mask,
    (mask) => erode(mask, shape, { radius: 1 }),
    (mask) => dilate(mask, shape, { radius: 1 }),
    (mask) => open(mask, shape, { radius: 2 }),
    (mask) => close(mask, shape, { radius: 2 }),
    (mask) => bent(mask, sources ??= bentSources(shape, seed)),
  ];
  const voxels = voxelCount(shape);
  return (labels) => {
    const masks = new Float32Array(labels.length * raterCount);
    for (let item = 0; item < labels.length / voxels; item++) {
      const truth = labels.subarray(item * voxels, (item + 1) * voxels);
      raters.forEach((rater, r) => {
        const mask = rater(truth);
        for (let i = 0; i < voxels; i++) masks[(item * voxels + i) * raterCount + r] = mask[i];
      });
    }
    return masks;
  };
}

function bent(mask: Uint8Array, sources: Int32Array): Uint8Array {
  const result = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i++) result[i] = mask[sources[i]];
  return result;
}

/** For each voxel, the voxel whose label it gets: displaced by a smooth random field, and kept in the grid. */
function bentSources([nx, ny, nz]: Shape3, seed: number): Int32Array {
  const stream = randomStream(seed, "bent rater");
  const field = Float64Array.from({ length: 3 * nodes ** 3 }, () => deviation * stream.normal());
  const sources = new Int32Array(nx * ny * nz);
  for (let x = 0, i = 0; x < nx; x++) {
    const u = (nodes - 1) * x / (nx - 1);
    for (let y = 0; y < ny; y++) {
      const v = (nodes - 1) * y / (ny - 1);
      for (let z = 0; z < nz; z++, i++) {
        const w = (nodes - 1) * z / (nz - 1);
        const a = placeIn(nx, x + trilinear(field, 0, u, v, w));
        const b = placeIn(ny, y + trilinear(field, 1, u, v, w));
        const c = placeIn(nz, z + trilinear(field, 2, u, v, w));
        sources[i] = (a * ny + b) * nz + c;
      }
    }
  }
  return sources;
}

function placeIn(length: number, at: number): number {
  return Math.min(Math.max(Math.round(at), 0), length - 1);
}

/** One component of a field on nodes³ nodes, at a place in units of the nodes. */
function trilinear(field: Float64Array, axis: number, u: number, v: number, w: number): number {
  const a = Math.min(Math.floor(u), nodes - 2);
  const b = Math.min(Math.floor(v), nodes - 2);
  const c = Math.min(Math.floor(w), nodes - 2);
  let value = 0;
  for (let corner = 0; corner < 8; corner++) {
    const i = a + (corner >> 2);
    const j = b + ((corner >> 1) & 1);
    const k = c + (corner & 1);
    const weight = (1 - Math.abs(u - i)) * (1 - Math.abs(v - j)) * (1 - Math.abs(w - k));
    value += weight * field[((i * nodes + j) * nodes + k) * 3 + axis];
  }
  return value;
}
