/**
 * Binary morphology with a ball as structuring element, by exact distances: the time does not depend on the radius.
 * The outside of the grid belongs to neither class, so that a mask that reaches a face is not eaten away from there.
 */
import { signedSquaredDistances } from "./distance.ts";
import type { Shape3, Triple } from "./volume.ts";

/** The structuring element. */
export interface Ball {
  /** In units of the spacing; 1 is a voxel and its six face neighbours. */
  readonly radius: number;
  /** Distance of voxel centres along x, y, z (default 1, 1, 1); a large one along z makes disks in the x-y planes. */
  readonly spacing?: Triple;
}

/** The foreground and all voxels within the radius of it; a new mask of 0 and 1. */
export function dilate(mask: Uint8Array, shape: Shape3, ball: Ball): Uint8Array {
  return within(mask, shape, ball, (ball.radius + rounding) ** 2);
}

/** The foreground without the voxels within the radius of the background; a new mask of 0 and 1. */
export function erode(mask: Uint8Array, shape: Shape3, ball: Ball): Uint8Array {
  return within(mask, shape, ball, -((ball.radius + rounding) ** 2));
}

/** Erosion, then dilation: takes away what is narrower than the ball. */
export function open(mask: Uint8Array, shape: Shape3, ball: Ball): Uint8Array {
  return dilate(erode(mask, shape, ball), shape, ball);
}

/** Dilation, then erosion: fills what is narrower than the ball. */
export function close(mask: Uint8Array, shape: Shape3, ball: Ball): Uint8Array {
  return erode(dilate(mask, shape, ball), shape, ball);
}

/** A distance that equals the radius counts as within it, whatever rounding says. */
const rounding = 1e-6;

/** The voxels whose signed squared distance is at most the limit. */
function within(mask: Uint8Array, shape: Shape3, { spacing = [1, 1, 1] }: Ball, limit: number): Uint8Array {
  const { squared } = signedSquaredDistances(mask, shape, { spacing });
  const result = new Uint8Array(mask.length);
  for (let i = 0; i < result.length; i++) result[i] = squared[i] <= limit ? 1 : 0;
  return result;
}
