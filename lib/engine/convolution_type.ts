/** What a convolution is to the rest of the kit. Layouts as in convolution.ts. */
import type { tf } from "./tensor.ts";

/** A convolution without bias. */
export interface Convolution {
  /** Side of the filter. */
  readonly side: number;
  forward(x: tf.Tensor5D, filter: tf.Tensor5D): tf.Tensor5D;
  inputGradient(dy: tf.Tensor5D, filter: tf.Tensor5D, inputShape: Shape5): tf.Tensor5D;
  filterGradient(x: tf.Tensor5D, dy: tf.Tensor5D, filterShape: Shape5): tf.Tensor5D;
}

/** Sides of [n, x, y, z, channel], or of a filter. */
export type Shape5 = [number, number, number, number, number];
