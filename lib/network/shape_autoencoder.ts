/**
 * The denoising auto-encoder of shapes of AUSS (Adiga et al., MedIA 2024): V-Net's encoder and decoder without skip
 * connections, and between them a code of a few hundred numbers, so that what comes out is a shape that the
 * auto-encoder knows. Names are the released code's.
 */
import { materialise, type Normalised } from "../engine/activation.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { type Shape3, voxelCount } from "../volume/volume.ts";
import type { Layer } from "./layer.ts";
import { type Network, parametersOf } from "./network.ts";
import { type Initialiser, initialiser, variable } from "./parameter.ts";
import type { ForwardMode, Unit } from "./unit.ts";
import { createDecoder, createEncoder, depth } from "./vnet.ts";

/** Shape of an auto-encoder. */
export interface ShapeAutoencoderSpec {
  /** Channels of the first stage. */
  readonly width: number;
  /** Grid of the maps: its fully connected layers fit no other. */
  readonly crop: Shape3;
  /** Numbers of the code; 512 as released. */
  readonly bottleneck: number;
  /** Whose initial weights; see {@link initialWeights}. */
  readonly initial: InitialWeights;
  readonly seed: number;
}

/**
 * "released": every tensor, scales and offsets of normalisations included, uniform within ±1/√(length of its first
 * axis in PyTorch's layout); "pytorch": PyTorch's own, with which the first few hundred steps learn more.
 */
export const initialWeights = ["released", "pytorch"] as const;
export type InitialWeights = typeof initialWeights[number];

/** A denoising auto-encoder of label maps. */
export interface ShapeAutoencoder extends Network {
  /**
   * Reconstructs label maps.
   *
   * @param maps the class numbers [n, x, y, z, 1], with or without noise.
   * @param change what happens to the code [n, bottleneck] on its way.
   * @returns a logit for each class [n, x, y, z, 2]; its sigmoid is the class's probability.
   */
  reconstruct(maps: tf.Tensor5D, mode: ForwardMode, change?: (code: tf.Tensor2D) => tf.Tensor2D): tf.Tensor5D;
}

/** Creates an auto-encoder. */
export function createShapeAutoencoder(spec: ShapeAutoencoderSpec): ShapeAutoencoder {
  const { width, crop, bottleneck, seed } = spec;
  const initialise = initialiser(seed);
  const encoder = createEncoder("", width, initialise);
  const head = { segmentation: "out_conv" };
  const decoder = createDecoder({ prefix: "", width, from: 5, head, dropout: false }, initialise);
  const deep = crop.map((side) => side >> depth) as [number, number, number];
  const channels = width * 2 ** depth;
  const size = voxelCount(deep) * channels;
  const squeeze = createLinear("fc_mu", size, bottleneck, initialise);
  const spread = createLinear("fc_rec", bottleneck, size, initialise);
  const layers = [...encoder.units, ...decoder.units, decoder.head, squeeze, spread];

  if (spec.initial === "released") drawByFirstAxis(layers, initialise);

  return {
    layers,
    reconstruct: (maps, mode, change = (code) => code) =>
      tidy(() => {
        const encoded = materialise({ terms: [chain(encoder.units, maps, mode)] });
        const code = change(squeeze.apply(flatten(encoded)));
        const decoded = chain(decoder.units, unflatten(spread.apply(code), [...deep, channels]), mode);
        return decoder.head.full({ terms: [decoded] }).logits;
      }),
  };
}

function drawByFirstAxis(layers: readonly Layer[], initialise: Initialiser): void {
  for (const { name, variable } of parametersOf({ layers })) {
    // PyTorch's first axis is the kit's last in every layout.
    const length = variable.shape[variable.rank - 1];
    const initial = initialise.uniform(`released/${name}`, variable.shape, length);
    variable.assign(initial);
    initial.dispose();
  }
}

/** Units one after the other, without skip connections. */
function chain(units: readonly Unit[], input: tf.Tensor5D, mode: ForwardMode): Normalised {
  let state = units[0].apply(input, mode);
  for (const unit of units.slice(1)) state = unit.apply({ terms: [state] }, mode);
  return state;
}

interface Linear extends Layer {
  apply(rows: tf.Tensor2D): tf.Tensor2D;
}

function createLinear(name: string, inputs: number, outputs: number, initialise: Initialiser): Linear {
  const matrix = variable(initialise.uniform(`${name}.weight`, [inputs, outputs], inputs));
  const bias = variable(initialise.uniform(`${name}.bias`, [outputs], inputs));
  const macs = inputs * outputs;
  return {
    parameters: [
      { name: `${name}.weight`, variable: matrix, layout: "matrix", gradient: "computed" },
      { name: `${name}.bias`, variable: bias, layout: "vector", gradient: "computed" },
    ],
    cost: () => ({ macs, macsAtOutput: macs, biased: outputs }),
    apply: (rows) => tidy(() => tf.add(tf.matMul(rows, matrix as unknown as tf.Tensor2D), bias)),
  };
}

/** [n, x, y, z, channel] → [n, channel·x·y·z], PyTorch's order, so that weights go both ways. */
function flatten(x: tf.Tensor5D): tf.Tensor2D {
  return tidy(() => tf.reshape(tf.transpose(x, [0, 4, 1, 2, 3]), [x.shape[0], x.size / x.shape[0]]));
}

function unflatten(rows: tf.Tensor2D, [x, y, z, channels]: readonly number[]): tf.Tensor5D {
  return tidy(() => tf.transpose(tf.reshape(rows, [rows.shape[0], channels, x, y, z]), [0, 2, 3, 4, 1]));
}
