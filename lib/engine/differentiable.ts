/** One operation with a gradient of its own. */
import { tf } from "./tensor.ts";

/** What an operation computes, what it keeps for its gradient, and the gradient. */
export interface Differentiable<T extends tf.Tensor> {
  /** Computes the result; runs off the tape. */
  forward(): T;
  /** The tensors that `backward` needs; they are held until then, and only if a tape is recording. */
  readonly saved: readonly tf.Tensor[];
  /**
   * The gradients of the inputs, in their order, from that of the result and the saved tensors: each a function
   * that is called only if the gradient of that input is wanted. They may dispose dy when they need it no more.
   */
  backward(dy: T, saved: tf.Tensor[]): (() => tf.Tensor)[];
}

interface KernelEngine {
  runKernelFunc(kernel: {
    inputs: Record<string, tf.Tensor>;
    forwardFunc: (backend: unknown, save: (tensors: tf.Tensor[]) => void) => tf.Tensor;
    backwardsFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => Record<string, () => tf.Tensor>;
  }): tf.Tensor;
}

/** Runs an operation on the tape. */
export function differentiable<T extends tf.Tensor>(
  inputs: readonly tf.Tensor[],
  operation: Differentiable<T>,
): T {
  const engine = tf.engine() as unknown as KernelEngine;
  return engine.runKernelFunc({
    inputs: Object.fromEntries(inputs.entries()),
    forwardFunc(_backend, save) {
      const value = operation.forward();
      save([...operation.saved]);
      return value;
    },
    backwardsFunc: (dy, saved) => Object.fromEntries(operation.backward(dy as T, saved).entries()),
  }) as T;
}
