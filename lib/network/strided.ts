/**
 * What judges a map as a whole: strided convolutions, a global average and a fully connected layer. SASSNet's
 * discriminator and SCC's classifier are made of these.
 */
import { leakyConvolution } from "../engine/leaky_convolution.ts";
import { tf, tidy } from "../engine/tensor.ts";
import type { RandomStream } from "../random.ts";
import { type Layer, voxelsAt } from "./layer.ts";
import { type Initialiser, type Parameter, variable } from "./parameter.ts";
import { channelDropoutMask } from "./unit.ts";

const side = 4;

/** A convolution 4³ with stride 2 and padding 1, followed by LeakyReLU (0.2) and, in training, channel dropout. */
export interface StridedConvolution extends Layer {
  /**
   * @param x [n, x, y, z, in] with even sides.
   * @param dropout where the mask is drawn from; none means no dropout.
   */
  apply(x: tf.Tensor5D, dropout?: RandomStream): tf.Tensor5D;
}

/** Shape of a strided convolution. */
export interface StridedSpec {
  /**
   * Its name; or several, where the released code adds the results of as many convolutions, each of one input
   * channel, which is one convolution of all of them.
   */
  readonly names: readonly string[];
  readonly inChannels: number;
  readonly outChannels: number;
  /** The output's grid is the input's of the network divided by 2^level. */
  readonly level: number;
}

/** Creates a strided convolution with PyTorch's initial weights. */
export function createStridedConvolution(spec: StridedSpec, initialise: Initialiser): StridedConvolution {
  const { names, outChannels, level } = spec;
  const inChannels = spec.inChannels / names.length;
  const fanIn = side ** 3 * inChannels;
  const filters = names.map((name) =>
    variable(initialise.uniform(`${name}.weight`, [side, side, side, inChannels, outChannels], fanIn))
  );
  const biases = names.map((name) => variable(initialise.uniform(`${name}.bias`, [outChannels], fanIn)));
  return {
    parameters: names.flatMap((name, i): Parameter[] => [
      { name: `${name}.weight`, variable: filters[i], layout: "filter", gradient: "computed" },
      { name: `${name}.bias`, variable: biases[i], layout: "vector", gradient: "computed" },
    ]),
    cost: (crop) => {
      const values = voxelsAt(crop, level) * outChannels;
      const macs = values * side ** 3 * spec.inChannels;
      return { macs, macsAtOutput: macs, biased: values * names.length, activated: values };
    },
    apply: (x, dropout) =>
      tidy(() => {
        const filter = filters.length === 1 ? filters[0] : tf.concat(filters, 3);
        const bias = biases.length === 1 ? biases[0] : tf.addN(biases);
        const mask = dropout && channelDropoutMask(x.shape[0], outChannels, dropout);
        return leakyConvolution(x, filter as tf.Tensor5D, bias as tf.Tensor1D, mask);
      }),
  };
}

/** A fully connected layer. */
export interface Dense extends Layer {
  /** @param x [n, in] */
  apply(x: tf.Tensor2D): tf.Tensor2D;
}

/** Creates a fully connected layer with PyTorch's initial weights. */
export function createDense(
  { name, inChannels, outChannels }: { name: string; inChannels: number; outChannels: number },
  initialise: Initialiser,
): Dense {
  const matrix = variable(initialise.uniform(`${name}.weight`, [inChannels, outChannels], inChannels));
  const bias = variable(initialise.uniform(`${name}.bias`, [outChannels], inChannels));
  return {
    parameters: [
      { name: `${name}.weight`, variable: matrix, layout: "matrix", gradient: "computed" },
      { name: `${name}.bias`, variable: bias, layout: "vector", gradient: "computed" },
    ],
    cost: () => {
      const macs = inChannels * outChannels;
      return { macs, macsAtOutput: macs, biased: outChannels };
    },
    apply: (x) => tidy(() => tf.add(tf.matMul(x, matrix as unknown as tf.Tensor2D), bias)),
  };
}

/** Four strided convolutions and the average over what is left of the grid. */
export interface StridedStack {
  readonly layers: readonly StridedConvolution[];
  /** Channels of the result. */
  readonly channels: number;
  /**
   * @param x [n, x, y, z, maps]; each side a multiple of 16.
   * @param dropout where the masks behind the first three convolutions are drawn from; none means no dropout.
   * @returns [n, channels]
   */
  forward(x: tf.Tensor5D, dropout?: RandomStream): tf.Tensor2D;
}

/**
 * Creates the stack.
 *
 * @param names of the convolutions; see `StridedSpec`.
 * @param options.maps channels of the input.
 * @param options.first channels of the first convolution; each further one doubles them.
 */
export function createStridedStack(
  names: readonly (readonly string[])[],
  { maps, first }: { maps: number; first: number },
  initialise: Initialiser,
): StridedStack {
  const layers = names.map((names, i) =>
    createStridedConvolution({
      names,
      inChannels: i === 0 ? maps : first * 2 ** (i - 1),
      outChannels: first * 2 ** i,
      level: i + 1,
    }, initialise)
  );
  const last = layers.length - 1;
  return {
    layers,
    channels: first * 2 ** last,
    forward: (x, dropout) =>
      tidy(() => {
        // The released codes pool the 7×7×5 voxels that a crop of LA leaves, which is all of them; other crops need this.
        const deep = layers.reduce(
          (state, layer, i) => layer.apply(state, i < last ? dropout : undefined),
          x,
        );
        return tf.mean(deep, [1, 2, 3]) as tf.Tensor2D;
      }),
  };
}
