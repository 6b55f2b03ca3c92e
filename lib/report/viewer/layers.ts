/** Volumes as a viewer page holds them: bytes in a gzip NIfTI in Base64, no finer than a page can be large. */
import { gzipSync } from "node:zlib";
import { permuteAxes } from "../../volume/crop.ts";
import { encodeNifti } from "../../volume/nifti_writer.ts";
import { gridWithSpacing, resample } from "../../volume/resample.ts";
import { type Triple, type Volume, voxelCount } from "../../volume/volume.ts";

/** A volume of 256 levels: the value of byte b is `slope * b + intercept`. */
export interface ByteVolume extends Volume<Uint8Array> {
  readonly slope: number;
  readonly intercept: number;
}

/** More voxels than these make a page of more than some ten megabytes. */
export const mostViewerVoxels = 6e6;

/** The volume, on a coarser grid where it has more voxels than a page should hold. */
export function atMost<T extends Float32Array | Uint8Array>(
  volume: Volume<T>,
  interpolation: "linear" | "nearest",
): Volume<T> {
  const count = voxelCount(volume.shape);
  if (count <= mostViewerVoxels) return volume;
  // The finest axes are made coarser first, until all are alike.
  let [low, high] = [Math.min(...volume.spacing), 1e6];
  const spacingAt = (side: number) => volume.spacing.map((own) => Math.max(own, side)) as unknown as Triple;
  const voxelsAt = (side: number) => voxelCount(gridWithSpacing(volume, spacingAt(side)).shape);
  for (let n = 0; n < 60; n++) {
    const middle = (low + high) / 2;
    if (voxelsAt(middle) > mostViewerVoxels) low = middle;
    else high = middle;
  }
  return resample(volume, gridWithSpacing(volume, spacingAt(high)), { interpolation, outside: "border" });
}

/** 256 levels from one value to another; values beyond are set to these. */
export function inBytes(volume: Volume, [low, high]: readonly [number, number]): ByteVolume {
  const slope = (high - low) / 255 || 1;
  const data = new Uint8Array(volume.data.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.round(Math.min(Math.max((volume.data[i] - low) / slope, 0), 255));
  }
  return { ...volume, data, slope, intercept: low };
}

/** Values that the smallest and the largest 0.2 % of the voxels lie beyond; the extremes where these are alike. */
export function usualRange(data: Float32Array): readonly [number, number] {
  // Every n-th voxel tells enough, and a prime step falls into no pattern of the grid.
  const step = data.length > 2e5 ? 97 : 1;
  const some = Float32Array.from({ length: Math.ceil(data.length / step) }, (_, i) => data[i * step]).sort();
  const at = (share: number) => some[Math.round(share * (some.length - 1))];
  return at(0.998) > at(0.002) ? [at(0.002), at(0.998)] : [some[0], some[some.length - 1]];
}

/** The gzip NIfTI file in Base64. */
export function encodeLayer(volume: ByteVolume): string {
  const header = encodeNifti(volume, "viewer", volume);
  const voxels = permuteAxes(volume.data, volume.shape, [2, 1, 0]).data;
  const file = new Uint8Array(header.length + voxels.length);
  file.set(header);
  file.set(voxels, header.length);
  return gzipSync(file, { level: 9 }).toString("base64");
}
