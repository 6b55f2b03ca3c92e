/** What a run needs, said before anything is allocated. */
import { availableMemory } from "../engine/memory.ts";
import { memoryPolicy } from "../engine/memory_policy.ts";
import { InputError } from "../errors.ts";
import { type MemoryConfig, trainingBytes } from "./memory_estimate.ts";

/**
 * @param available bytes that may be taken; by default what the system tells.
 * @throws InputError where the machine has less memory than the run would take.
 */
export function requireMemory(config: MemoryConfig, available: number = availableMemory()): void {
  const isLow = memoryPolicy() === "low";
  const fits = (config: MemoryConfig, low: boolean) => trainingBytes(config, low) <= available;
  if (fits(config, isLow)) return;
  const { crop, width, labelledPerBatch, unlabelledPerBatch } = config;
  const fitting = halvings(width).find((width) => fits({ ...config, width }, isLow));
  const remedies = [
    ...(!isLow && fits(config, true) ? ["--memory low"] : []),
    "a smaller --crop",
    fitting === undefined ? "a smaller --width" : `--width ${fitting}`,
  ];
  throw new InputError(
    `training ${labelledPerBatch + unlabelledPerBatch} crops of ${
      crop.join("×")
    } at width ${width} needs about ${gigabytes(trainingBytes(config, isLow))} GB, ${
      gigabytes(available)
    } GB free: use ${remedies.join(" or ")}, or close other programs`,
  );
}

/** Half the width, a quarter of it, and so on to 1. */
function halvings(width: number): number[] {
  const half = Math.floor(width / 2);
  return half < 1 ? [] : [half, ...halvings(half)];
}

function gigabytes(bytes: number): string {
  return bytes < 1e10 ? (bytes / 1e9).toFixed(1) : (bytes / 1e9).toFixed(0);
}
