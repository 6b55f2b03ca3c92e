/**
 * The signed distance map of paper §3.4.3 and figure 5: distance outside minus distance inside, each divided by its
 * largest value, 0 on the inner boundary. Values lie in [−1, 1], negative inside.
 */
import { borrowedSquaredDistances, signedSquaredDistances } from "../volume/distance.ts";
import type { Shape3 } from "../volume/volume.ts";

/**
 * The signed distance map of a mask. A mask without foreground or without background gives zeros: SciPy's answer
 * for the latter is an accident of that library.
 *
 * @param mask one byte a voxel, C order; non-zero is foreground.
 * @param out where the map goes (default: a new array).
 */
export function signedDistanceMap(
  mask: Uint8Array,
  shape: Shape3,
  out: Float32Array = new Float32Array(mask.length),
): Float32Array {
  const { squared, largestOutside, largestInside } = borrowedSquaredDistances(mask, shape);
  if (!isFinite(largestOutside) || !isFinite(largestInside)) return out.fill(0);
  // Squared distances are integers: a table is faster than a root a voxel, and knows the boundary and the signs.
  const table = new Float32Array(largestInside + largestOutside + 1);
  const inside = 1 / Math.sqrt(largestInside);
  const outside = 1 / Math.sqrt(largestOutside);
  // The inner boundary is the foreground at distance 1 from the background; it stays 0.
  for (let d = 2; d <= largestInside; d++) table[largestInside - d] = -Math.sqrt(d) * inside;
  for (let d = 1; d <= largestOutside; d++) table[largestInside + d] = Math.sqrt(d) * outside;
  for (let i = 0; i < squared.length; i++) out[i] = table[(squared[i] + largestInside) | 0];
  return out;
}

/** The stages of figure 5. */
export interface SdmStages {
  /** DT: distance of the foreground to the background, in voxels. */
  readonly positive: Float32Array;
  /** ∼DT: distance of the background to the foreground, in voxels. */
  readonly negative: Float32Array;
  /** FB: the inner boundary, foreground voxels with a face neighbour in the background. */
  readonly boundary: Uint8Array;
  readonly sdm: Float32Array;
}

/** The map and everything on the way to it. */
export function sdmStages(mask: Uint8Array, shape: Shape3): SdmStages {
  const { squared } = signedSquaredDistances(mask, shape);
  const positive = new Float32Array(mask.length);
  const negative = new Float32Array(mask.length);
  const boundary = new Uint8Array(mask.length);
  for (let i = 0; i < squared.length; i++) {
    if (squared[i] > 0) negative[i] = Math.sqrt(squared[i]);
    else positive[i] = Math.sqrt(-squared[i]);
    boundary[i] = squared[i] === -1 ? 1 : 0;
  }
  return { positive, negative, boundary, sdm: signedDistanceMap(mask, shape) };
}
