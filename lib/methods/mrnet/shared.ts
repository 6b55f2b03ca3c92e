/** What the three objectives of a step of MRNet share, off the tape. */
import { tf } from "../../engine/tensor.ts";
import type { PseudoLabels } from "./pseudo_raters.ts";

/** A coarse prediction, off the tape. */
export interface Coarse {
  /** Last decoder map [n, x, y, z, width]. */
  readonly features: tf.Tensor5D;
  readonly margin: tf.Tensor4D;
}

/** The tensors of a step; conditions are listed as equal, random, single weights of the raters. */
export interface Shared {
  readonly images: tf.Tensor5D;
  /** Of the raters, [labelled, x, y, z, rater]. */
  readonly masks: tf.Tensor5D;
  readonly conditions: readonly tf.Tensor2D[];
  readonly targets: readonly tf.Tensor4D[];
  readonly coarse: readonly Coarse[];
  /** Standard deviation of the raters under each condition; the rater objective adds it. */
  readonly deviations: tf.Tensor4D[];
  readonly unlabelled?: {
    readonly images: tf.Tensor5D;
    readonly coarse: Coarse;
    readonly said: PseudoLabels;
  };
}

/** Keeps tensors beyond the objective that makes them, until `free`. */
export function kept<T>(tensors: T): T {
  for (const tensor of tensorsIn(tensors)) tf.keep(tensor);
  return tensors;
}

/** Frees what was kept. */
export function free(tensors: unknown): void {
  tf.dispose(tensorsIn(tensors));
}

function tensorsIn(container: unknown): tf.Tensor[] {
  return tf.tensor_util.getTensorsInContainer(container as tf.TensorContainer);
}
