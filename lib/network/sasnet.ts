/** SASNet's dual-branch network (paper §3.1, eq. 1–3) and the plain V-Net that it grows out of. */
import type { Normalised } from "../engine/activation.ts";
import { type tf, tidy } from "../engine/tensor.ts";
import type { FullOutput } from "./head.ts";
import type { Network } from "./network.ts";
import { initialiser } from "./parameter.ts";
import type { ForwardMode } from "./unit.ts";
import { createDecoder, createEncoder, type Decoder } from "./vnet.ts";

/** Index of a branch wherever branches are listed. */
export const branches = { high: 0, low: 1 } as const;

/** Shape of a SASNet. */
export interface SasNetSpec {
  /** Channels of the first stage; 16 in the paper. */
  readonly width: number;
  /** Which decoders there are; both in the paper. */
  readonly branches: "both" | "high" | "low";
  /** Layers of the low-level decoder: 4 starts from encoder stage 4, 3 (table 9) from stage 3. */
  readonly lowLayers: 4 | 3;
  /** Keep the transposed convolution that the released code declares in the low-level decoder and never runs. */
  readonly keepUnused: boolean;
  readonly dropout: boolean;
  readonly seed: number;
}

/** The paper's network. */
export const sasNetDefaults: Omit<SasNetSpec, "seed"> = {
  width: 16,
  branches: "both",
  lowLayers: 4,
  keepUnused: false,
  dropout: true,
};

/** SASNet; its outputs are listed high-level branch first, then low-level. */
export interface SasNet extends Network {
  /** Both channels of all heads. */
  full(image: tf.Tensor5D, mode: ForwardMode): readonly FullOutput[];
  /** The features after each decoder block, per branch. */
  features(image: tf.Tensor5D, mode: ForwardMode): readonly (readonly Normalised[])[];
}

/** Creates a SASNet. Names: "encoder.", "decoder2." (low-level), "decoder3." (high-level). */
export function createSasNet(spec: SasNetSpec): SasNet {
  const initialise = initialiser(spec.seed);
  const { width, dropout } = spec;
  const head = { regression: "out_conv", segmentation: "out_conv2" };
  const encoder = createEncoder("encoder.", width, initialise);
  const decoders: Decoder[] = [];
  if (spec.branches !== "low") {
    decoders.push(createDecoder({ prefix: "decoder3.", width, from: 5, head, dropout }, initialise));
  }
  if (spec.branches !== "high") {
    const { keepUnused, lowLayers } = spec;
    const low = { prefix: "decoder2.", width, from: lowLayers, head, dropout, keepUnused };
    decoders.push(createDecoder(low, initialise));
  }
  return dualDecoder(encoder, decoders);
}

/** Shape of a plain V-Net. */
export interface VNetSpec {
  readonly width: number;
  readonly dropout: boolean;
  readonly seed: number;
  /** A second, regressing head, as in DTC. */
  readonly regression?: boolean;
}

/** Creates a plain V-Net with the names of UA-MT's released code. */
export function createVNet(spec: VNetSpec): SasNet {
  const initialise = initialiser(spec.seed);
  const head = spec.regression
    ? { regression: "out_conv", segmentation: "out_conv2" }
    : { segmentation: "out_conv" };
  const encoder = createEncoder("", spec.width, initialise);
  const { width, dropout } = spec;
  return dualDecoder(encoder, [createDecoder({ prefix: "", width, from: 5, head, dropout }, initialise)]);
}

function dualDecoder(encoder: ReturnType<typeof createEncoder>, decoders: readonly Decoder[]): SasNet {
  return {
    units: [...encoder.units, ...decoders.flatMap((decoder) => decoder.units)],
    heads: decoders.map((decoder) => decoder.head),
    forward: (image, mode) =>
      tidy(() => {
        const features = encoder.forward(image, mode);
        return decoders.map((decoder) => tidy(() => decoder.head.forward(decoder.forward(features, mode))));
      }),
    full: (image, mode) =>
      tidy(() => {
        const features = encoder.forward(image, mode);
        return decoders.map((decoder) => decoder.head.full(decoder.forward(features, mode)));
      }),
    features: (image, mode) =>
      tidy(() => {
        const features = encoder.forward(image, mode);
        return decoders.map((decoder) => decoder.features(features, mode));
      }),
  };
}
