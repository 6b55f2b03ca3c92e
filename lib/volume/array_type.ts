/** The number type of a voxel array. */
import type { VoxelArray } from "./volume.ts";

/** The types that volumes are kept and written in. */
export type VoxelType = "uint8" | "uint16" | "int16" | "int32" | "float32";

/** The number type of an array. */
export function arrayType(data: VoxelArray): VoxelType {
  if (data instanceof Uint8Array) return "uint8";
  if (data instanceof Uint16Array) return "uint16";
  if (data instanceof Int16Array) return "int16";
  if (data instanceof Int32Array) return "int32";
  return "float32";
}
