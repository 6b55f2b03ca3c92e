/** A convolution with its bias and nothing after it. */
import { type Activation, convolveActivation } from "../engine/activation.ts";
import { type Convolution, convolve } from "../engine/convolution.ts";
import { tf } from "../engine/tensor.ts";
import { type Layer, voxelsAt } from "./layer.ts";
import { type Initialiser, variable } from "./parameter.ts";

/** The layer and how it is applied. */
export interface BiasedConvolution extends Layer {
  apply(input: tf.Tensor5D | Activation): tf.Tensor5D;
}

/** Its shape. */
export interface BiasedConvolutionSpec {
  /** In front of "weight" and "bias", for example "pred". */
  readonly name: string;
  readonly kind: Convolution;
  readonly inChannels: number;
  readonly outChannels: number;
  /** The grid is the crop's divided by 2^level. */
  readonly level: number;
}

/** Creates a convolution that keeps its grid, with PyTorch's initial weights. */
export function createBiasedConvolution(
  spec: BiasedConvolutionSpec,
  initialise: Initialiser,
): BiasedConvolution {
  const { name, kind, inChannels, outChannels, level } = spec;
  const { side } = kind;
  const fanIn = side ** 3 * inChannels;
  const shape = [side, side, side, inChannels, outChannels];
  const filter = variable(initialise.uniform(`${name}.weight`, shape, fanIn));
  const bias = variable(initialise.uniform(`${name}.bias`, [outChannels], fanIn));
  return {
    parameters: [
      { name: `${name}.weight`, variable: filter, layout: "filter", gradient: "computed" },
      { name: `${name}.bias`, variable: bias, layout: "vector", gradient: "computed" },
    ],
    cost: (crop) => {
      const biased = voxelsAt(crop, level) * outChannels;
      return { macs: fanIn * biased, macsAtOutput: fanIn * biased, biased };
    },
    apply(input) {
      const maps = "terms" in input
        ? convolveActivation(kind, input, filter as tf.Tensor5D)
        : convolve(kind, input, filter as tf.Tensor5D);
      return tf.add(maps, bias);
    },
  };
}
