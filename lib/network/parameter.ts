/** Named weights of a network, with PyTorch's names, layouts and initial distributions. */
import { tf } from "../engine/tensor.ts";
import { randomStream } from "../random.ts";

/** How a tensor of the kit becomes the released code's: a filter has its axes permuted, a vector stays. */
export type Layout = "filter" | "vector";

/**
 * Where a parameter's gradient comes from. "zero": a bias in front of a batch normalisation, which takes it out
 * again, so that its true gradient is 0 and only weight decay moves it. "none": never used; PyTorch leaves such a
 * parameter alone.
 */
export type GradientRule = "computed" | "zero" | "none";

/** One tensor of a network's state. */
export interface Parameter {
  /** The name in the released code, for example "encoder.block_one.conv.0.weight". */
  readonly name: string;
  readonly variable: tf.Variable;
  readonly layout: Layout;
  readonly gradient: GradientRule;
}

/** State that is stored but not trained: running statistics. */
export interface Buffer {
  readonly name: string;
  readonly variable: tf.Variable;
}

/** The axes of PyTorch's filters [out, in, x, y, z] (transposed: [in, out, …]) in the kit's order. */
export const filterAxes = [2, 3, 4, 1, 0] as const;

/** Draws initial values as PyTorch's convolutions do: uniform within ±1/√fanIn. */
export interface Initialiser {
  uniform(name: string, shape: number[], fanIn: number): tf.Tensor;
}

/** An initialiser whose values depend only on the seed and the parameter's name. */
export function initialiser(seed: number): Initialiser {
  return {
    uniform(name, shape, fanIn) {
      const stream = randomStream(seed, `init/${name}`);
      const bound = 1 / Math.sqrt(fanIn);
      const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
      for (let i = 0; i < values.length; i++) values[i] = (2 * stream.uniform() - 1) * bound;
      return tf.tensor(values, shape);
    },
  };
}

/** A tensor of the state as a variable; the kit never looks variables up by TensorFlow.js's own names. */
export function variable(initial: tf.Tensor, trainable = true): tf.Variable {
  const created = tf.variable(initial, trainable);
  initial.dispose();
  return created;
}
