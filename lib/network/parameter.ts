/** Named weights of a network, with PyTorch's names, layouts and initial distributions. */
import { tf } from "../engine/tensor.ts";
import { type RandomStream, randomStream } from "../random.ts";

/**
 * How a tensor of the kit becomes the released code's: a filter has its axes permuted, the matrix of a fully
 * connected layer ([in, out] here) is transposed, a vector stays.
 */
export type Layout = "filter" | "matrix" | "vector";

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

/**
 * How the filters of convolutions are drawn: "uniform", PyTorch's default, within ±1/√fan-in; normal with variance
 * 2/fan-in (He et al., ICCV 2015) or 2/(fan-in + fan-out) (Glorot & Bengio, AISTATS 2010).
 */
export type FilterDistribution = "uniform" | "kaiming normal" | "xavier normal";

/** Draws initial values. */
export interface Initialiser {
  /** Of biases, transposed convolutions and matrices: uniform within ±1/√fanIn, PyTorch's default. */
  uniform(name: string, shape: number[], fanIn: number): tf.Tensor;
  /** Of the filter [kx, ky, kz, in, out] of a convolution. */
  filter(name: string, shape: number[]): tf.Tensor;
}

/** An initialiser whose values depend only on the seed and the parameter's name. */
export function initialiser(seed: number, filters: FilterDistribution = "uniform"): Initialiser {
  function draw(name: string, shape: number[], value: (stream: RandomStream) => number): tf.Tensor {
    const stream = randomStream(seed, `init/${name}`);
    const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
    for (let i = 0; i < values.length; i++) values[i] = value(stream);
    return tf.tensor(values, shape);
  }

  function uniform(name: string, shape: number[], fanIn: number): tf.Tensor {
    const bound = 1 / Math.sqrt(fanIn);
    return draw(name, shape, (stream) => (2 * stream.uniform() - 1) * bound);
  }

  return {
    uniform,
    filter(name, shape) {
      const [x, y, z, inputs, outputs] = shape;
      const fanIn = x * y * z * inputs;
      if (filters === "uniform") return uniform(name, shape, fanIn);
      const fans = filters === "kaiming normal" ? fanIn : fanIn + x * y * z * outputs;
      const deviation = Math.sqrt(2 / fans);
      return draw(name, shape, (stream) => stream.normal() * deviation);
    },
  };
}

/** A tensor of the state as a variable; the kit never looks variables up by TensorFlow.js's own names. */
export function variable(initial: tf.Tensor, trainable = true): tf.Variable {
  const created = tf.variable(initial, trainable);
  initial.dispose();
  return created;
}
