/** MRNet's third network: attends to the coarse foreground and to where the raters disagree. */
import { materialise } from "../engine/activation.ts";
import { conv3 } from "../engine/convolution.ts";
import { tf, tidy } from "../engine/tensor.ts";
import type { Shape3 } from "../volume/volume.ts";
import { createBiasedConvolution } from "./biased_convolution.ts";
import { type Layer, voxelsAt } from "./layer.ts";
import type { Network } from "./network.ts";
import { initialiser, type Parameter, variable } from "./parameter.ts";
import { attention, gaussian } from "./soft_attention.ts";
import { createUnit, type ForwardMode } from "./unit.ts";

/** The refiner. */
export interface Refiner extends Network {
  /**
   * The refined margin [n, x, y, z].
   *
   * @param features last decoder map of the coarse network, [n, x, y, z, width].
   * @param maps the coarse foreground probability and the raters' standard deviation, each [n, x, y, z].
   */
  forward(
    features: tf.Tensor5D,
    maps: readonly [foreground: tf.Tensor4D, deviation: tf.Tensor4D],
    mode: ForwardMode,
  ): tf.Tensor4D;
}

/** Shape of a refiner. */
export interface RefinerSpec {
  readonly width: number;
  /** Voxels of the Gaussian along each axis, odd. */
  readonly softening: number;
  readonly seed: number;
}

/**
 * Creates a refiner: two units; each map's attention times their features, added to them; and a 3³ convolution of
 * both to the margin.
 */
export function createRefiner({ width, softening, seed }: RefinerSpec): Refiner {
  const initialise = initialiser(seed);
  const units = [0, 3].map((index) =>
    createUnit(
      { prefix: "conv_block", index, kind: "convolution", inChannels: width, outChannels: width, level: 0 },
      initialise,
    )
  );
  const soft = createSoftening(softening);
  const head = createBiasedConvolution(
    { name: "pred", kind: conv3, inChannels: 2 * width, outChannels: 1, level: 0 },
    initialise,
  );
  return {
    layers: [...units, soft, head],
    forward: (features, maps, mode) =>
      tidy(() => {
        const first = units[0].apply(features, mode);
        const values = materialise({ terms: [units[1].apply({ terms: [first] }, mode)] });
        const kernels = soft.parameters.map(({ variable }) => variable as tf.Tensor as tf.Tensor1D);
        const enhanced = maps.map((map) =>
          tf.mul(values, tf.add(tf.expandDims(attention(map, kernels), 4), 1))
        );
        return tf.squeeze(head.apply(tf.concat(enhanced, 4) as tf.Tensor5D), [4]) as tf.Tensor4D;
      }),
  };
}

/** The Gaussian that both maps share, one vector an axis. */
function createSoftening(side: number): Layer {
  return {
    parameters: ["x", "y", "z"].map((axis): Parameter => ({
      name: `soft.${axis}`,
      variable: variable(gaussian(side)),
      layout: "vector",
      gradient: "computed",
    })),
    cost: (crop: Shape3) => {
      const macs = 2 * 3 * side * voxelsAt(crop, 0);
      return { macs, macsAtOutput: macs, biased: 0 };
    },
  };
}
