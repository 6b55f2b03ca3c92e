/** What a process holds and what the machine has left. */
import { tf } from "./tensor.ts";

/** Bytes. */
export interface MemoryUse {
  /** Resident memory of this process. */
  readonly resident: number;
  /** The most that it was, where the system tells (Linux), else the present value. */
  readonly peak: number;
  /** Tensors that TensorFlow.js knows of. */
  readonly tensors: number;
}

/** The memory of this process. */
export function memoryUse(): MemoryUse {
  const resident = Deno.memoryUsage().rss;
  return { resident, peak: Math.max(peakResident() ?? 0, resident), tensors: tf.engine().state.numTensors };
}

/** WebAssembly's addresses end at 4 GiB. */
const wasmBytes = 2 ** 32;

/** Bytes that new allocations can take, as the system estimates them and the running engine allows. */
export function availableMemory(): number {
  const { available } = Deno.systemMemoryInfo();
  return tf.getBackend() === "wasm" ? Math.min(available, wasmBytes) : available;
}

function peakResident(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const line = Deno.readTextFileSync("/proc/self/status").match(/^VmHWM:\s+(\d+) kB$/m);
  return line === null ? undefined : Number(line[1]) * 1024;
}
