/** The tensors and elementary operations of TensorFlow.js, for the rest of the kit: `import { tf } from …`. */
import { Tensor, tidy as tidyTensors } from "@tensorflow/tfjs-core";

export * as tf from "@tensorflow/tfjs-core";

/**
 * Runs `f` and frees every tensor that it made, except those in what it returns, which may be any record or list
 * of tensors.
 */
export function tidy<T>(f: () => T): T {
  let result!: T;
  tidyTensors(() => {
    result = f();
    return tensorsIn(result);
  });
  return result;
}

/**
 * The tensors of a record or list, at any depth. TensorFlow.js would look for tensors in every element of a typed
 * array, too: in the values of a whole crop that takes longer than to compute them.
 */
function tensorsIn(value: unknown, seen = new Set<object>()): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return [];
  seen.add(value);
  return Object.values(value).flatMap((member) => tensorsIn(member, seen));
}
