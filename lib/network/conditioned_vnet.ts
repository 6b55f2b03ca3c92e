/** A V-Net that is told at its bottleneck which raters count: the coarse and the rater network of MRNet. */
import type { Activation } from "../engine/activation.ts";
import { type tf, tidy } from "../engine/tensor.ts";
import { createConditioning } from "./conditioning.ts";
import type { Network } from "./network.ts";
import { initialiser } from "./parameter.ts";
import type { ForwardMode } from "./unit.ts";
import { createDecoder, createEncoder, depth, type EncoderFeatures } from "./vnet.ts";

/** What a conditioned network says under one condition. */
export interface ConditionedOutput {
  /** What the head acts on. */
  readonly last: Activation;
  /** [n, x, y, z, out] */
  readonly logits: tf.Tensor5D;
}

/** A V-Net whose deepest feature is told which raters count. */
export interface ConditionedVNet extends Network {
  /**
   * One pass of the encoder and one of the decoder a condition.
   *
   * @param image [n, x, y, z, in]
   * @param conditions weights of the raters, each [n, raters].
   */
  forward(
    image: tf.Tensor5D,
    conditions: readonly tf.Tensor2D[],
    mode: ForwardMode,
  ): readonly ConditionedOutput[];
  /** The encoder's features alone, which no condition touches. */
  encode(image: tf.Tensor5D, mode: ForwardMode): EncoderFeatures;
}

/** Shape of a conditioned V-Net. */
export interface ConditionedVNetSpec {
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly raters: number;
  readonly dropout: boolean;
  readonly seed: number;
}

/** Creates a conditioned V-Net with PyTorch's initial weights. */
export function createConditionedVNet(spec: ConditionedVNetSpec): ConditionedVNet {
  const { width, dropout, raters } = spec;
  const initialise = initialiser(spec.seed);
  const encoder = createEncoder("", width, initialise, spec.inChannels);
  const conditioning = createConditioning({ channels: width * 2 ** depth, raters, level: depth }, initialise);
  const head = { segmentation: "out_conv", channels: spec.outChannels };
  const decoder = createDecoder({ prefix: "", width, from: 5, head, dropout }, initialise);
  return {
    layers: [...encoder.units, ...conditioning.layers, ...decoder.units, decoder.head],
    encode: (image, mode) => tidy(() => encoder.forward(image, mode)),
    forward: (image, conditions, mode) =>
      tidy(() => {
        const features = encoder.forward(image, mode);
        return conditioning.apply(features[depth], conditions).map((deepest): ConditionedOutput => {
          const last = tidy(() => decoder.forward([...features.slice(0, depth), deepest], mode));
          return { last, logits: decoder.head.full(last).logits };
        });
      }),
  };
}
