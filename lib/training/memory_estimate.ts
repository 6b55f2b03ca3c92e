/** How much memory training needs; it imports no tensor library, so that plans can ask. */
import { voxelCount } from "../volume/volume.ts";
import type { RunConfig } from "./config.ts";

/** The part of a configuration that memory depends on. */
export type MemoryConfig = Pick<RunConfig, "crop" | "width" | "labelledPerBatch" | "unlabelledPerBatch">;

/** The program, its libraries and what allocators keep. */
const programBytes = 5.07e8;
/** Weights, gradients, velocities and one copy, of SASNet's 11.26 million parameters at width 16. */
const bytesPerSquaredWidth = 16 * 11.26e6 / 16 ** 2;
/** A voxel of the batch: image, label, losses, confidences, signed distances. */
const bytesPerVoxel = 92;
/** A voxel and channel of the full grid: raw convolution outputs and gradients of all levels. */
const bytesPerFeature = 59.3;
/** What `--memory low` leaves of the bytes that grow with the voxels. */
const lowShare = 0.78;

/**
 * Estimated peak of resident memory of training, in bytes.
 *
 * Fitted to the peaks of SASNet's step on libtensorflow from 32×32×16 to 112×112×80, widths 4 to 24, two to eight
 * crops: within 8 % of every one. Methods with more networks than SASNet need more.
 *
 * @param isLow true where inner layers are computed again instead of kept (`--memory low`).
 */
export function trainingBytes(config: MemoryConfig, isLow = false): number {
  const { crop, width, labelledPerBatch, unlabelledPerBatch } = config;
  const voxels = (labelledPerBatch + unlabelledPerBatch) * voxelCount(crop);
  const ofVoxels = voxels * (bytesPerVoxel + bytesPerFeature * width);
  return programBytes + bytesPerSquaredWidth * width ** 2 + (isLow ? lowShare : 1) * ofVoxels;
}
