/** What a run needs, said before anything is allocated. */
import { availableMemory } from "../engine/memory.ts";
import { InputError } from "../errors.ts";
import { voxelCount } from "../volume/volume.ts";
import type { RunConfig } from "./config.ts";

/** Bytes of the process before the first tensor. */
const baseBytes = 4e8;
/**
 * Bytes a voxel and channel of the full grid that a step holds at its peak. Measured on SASNet at 4×64×64×32 with
 * widths 8 and 16 (0.77 and 1.15 GB), rounded up.
 */
const bytesPerFeature = 96;

/** Estimated peak memory of a training step in bytes. */
function trainingBytes(
  config: Pick<RunConfig, "crop" | "width" | "labelledPerBatch" | "unlabelledPerBatch">,
): number {
  const items = config.labelledPerBatch + config.unlabelledPerBatch;
  return baseBytes + items * voxelCount(config.crop) * config.width * bytesPerFeature;
}

/** @throws InputError where the machine has less memory than the run would take. */
export function requireMemory(config: RunConfig): void {
  const needed = trainingBytes(config);
  const available = availableMemory();
  if (needed <= available) return;
  throw new InputError(
    `a step with crop ${config.crop.join("×")} and width ${config.width} needs about ${
      gigabytes(needed)
    } GB, ` +
      `${gigabytes(available)} GB are free; choose a smaller --crop or --width`,
  );
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
