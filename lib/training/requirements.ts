/** What a run needs, said before anything is allocated. */
import { availableMemory } from "../engine/memory.ts";
import { InputError } from "../errors.ts";
import { type MemoryConfig, trainingBytes } from "./memory_estimate.ts";

/**
 * @param available bytes that may be taken; by default what the system tells.
 * @throws InputError where the machine has less memory than the run would take.
 */
export function requireMemory(config: MemoryConfig, available: number = availableMemory()): void {
  const needed = trainingBytes(config);
  if (needed <= available) return;
  const { crop, width, labelledPerBatch, unlabelledPerBatch } = config;
  let fitting = Math.floor(width / 2);
  while (fitting > 0 && trainingBytes({ ...config, width: fitting }) > available) {
    fitting = Math.floor(fitting / 2);
  }
  const hint = fitting > 0 ? ` (--width ${fitting} would fit)` : "";
  throw new InputError(
    `training ${labelledPerBatch + unlabelledPerBatch} crops of ${
      crop.join("×")
    } at width ${width} needs about ${gigabytes(needed)} GB, ${
      gigabytes(available)
    } GB free: use a smaller --crop, --width${hint}, or close other programs`,
  );
}

function gigabytes(bytes: number): string {
  return bytes < 1e10 ? (bytes / 1e9).toFixed(1) : (bytes / 1e9).toFixed(0);
}
