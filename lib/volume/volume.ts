/** A volume: voxels in memory and the grid that places them in the patient. No tensors here. */

/** Voxels along x, y, z. Data is in C order: the index of voxel (x, y, z) is `(x * shape[1] + y) * shape[2] + z`. */
export type Shape3 = readonly [number, number, number];

/** A triple of numbers: millimetres, or a direction. */
export type Triple = readonly [number, number, number];

/** Where the grid lies: millimetres, LPS world. */
export interface Geometry {
  /** Voxels along x, y, z. */
  readonly shape: Shape3;
  /** Distance of voxel centres in millimetres along x, y, z. */
  readonly spacing: Triple;
  /** Unit vectors of the three axes in LPS, one row an axis of the grid. */
  readonly direction: readonly [Triple, Triple, Triple];
  /** Centre of voxel (0, 0, 0) in LPS millimetres. */
  readonly origin: Triple;
}

/** What the voxels of a volume may be kept in. */
export type VoxelArray = Float32Array | Uint8Array | Uint16Array | Int16Array | Int32Array;

/** An image (float32, true intensities) or a label map (an integer type, mostly uint8). */
export interface Volume<T extends VoxelArray = Float32Array> extends Geometry {
  readonly data: T;
}

/** Number of voxels of a grid. */
export function voxelCount(shape: Shape3): number {
  return shape[0] * shape[1] * shape[2];
}

/** The axes of a grid that is aligned with the patient. */
export const identityDirection: Geometry["direction"] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
