/** The tensors and elementary operations of TensorFlow.js, for the rest of the kit: `import { tf } from …`. */
import { tidy as tidyTensors } from "@tensorflow/tfjs-core";

export * as tf from "@tensorflow/tfjs-core";

/**
 * Runs `f` and frees every tensor that it made, except those in what it returns, which may be any record or list
 * of tensors.
 */
export function tidy<T>(f: () => T): T {
  return tidyTensors(f as () => never) as T;
}
