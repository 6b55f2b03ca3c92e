/** How much memory training needs; it imports no tensor library, so that plans can ask. */
import { voxelCount } from "../volume/volume.ts";
import type { RunConfig } from "./config.ts";

/** The part of a configuration that memory depends on. */
export type MemoryConfig = Pick<RunConfig, "crop" | "width" | "labelledPerBatch" | "unlabelledPerBatch">;

/** The program, its libraries and what allocators keep. */
const programBytes = 6e8;
/** Weights, gradients, velocities and one copy, of SASNet's 11.26 million parameters at width 16. */
const bytesPerSquaredWidth = 16 * 11.26e6 / 16 ** 2;
/** A voxel of the batch: image, label, losses, confidences, signed distances. */
const bytesPerVoxel = 240;
/** A voxel and channel of the full grid: raw convolution outputs and gradients of all levels. */
const bytesPerFeature = 74;

/**
 * Estimated peak of resident memory of training, in bytes.
 *
 * Fitted to the peaks of SASNet's released step on libtensorflow from 32×32×16 to 112×112×80, widths 4 to 16, two
 * and four crops: within 17 % of every one above 0.7 GB. Methods with more networks than SASNet need more.
 */
export function trainingBytes({ crop, width, labelledPerBatch, unlabelledPerBatch }: MemoryConfig): number {
  const voxels = (labelledPerBatch + unlabelledPerBatch) * voxelCount(crop);
  return programBytes + bytesPerSquaredWidth * width ** 2 +
    voxels * (bytesPerVoxel + bytesPerFeature * width);
}
