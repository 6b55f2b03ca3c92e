/** V-Net-like segmenters: one encoder and one or several decoders. Every network of the tables but URPC's is one. */
import type { Activation, Normalised } from "../engine/activation.ts";
import { type tf, tidy } from "../engine/tensor.ts";
import type { FullOutput, Head, HeadSpec } from "./head.ts";
import type { BranchOutputs, Segmenter } from "./network.ts";
import { type FilterDistribution, initialiser } from "./parameter.ts";
import type { ForwardMode } from "./unit.ts";
import {
  createDecoder,
  createEncoder,
  type Decoder,
  type DecoderSpec,
  type Encoder,
  type EncoderFeatures,
} from "./vnet.ts";

/** A pass with what lies between image and maps. */
export interface Trace {
  /** The five encoder features, shallow to deep. */
  readonly encoder: EncoderFeatures;
  /** What the heads of each decoder act on. */
  readonly last: readonly Activation[];
  readonly outputs: BranchOutputs;
}

/** A V-Net-like network; outputs are listed in the order of its decoders. */
export interface VNet extends Segmenter {
  /** All channels of all heads. */
  full(image: tf.Tensor5D, mode: ForwardMode): readonly FullOutput[];
  /** The features after each decoder block, deep to shallow, per decoder. */
  features(image: tf.Tensor5D, mode: ForwardMode): readonly (readonly Normalised[])[];
  trace(image: tf.Tensor5D, mode: ForwardMode): Trace;
  /** The encoder with one of the decoders alone: the same weights, for predictions that need no other. */
  branch(decoder: number): VNet;
}

/** Shape of a segmenter. */
export interface SegmenterSpec {
  /** Channels F of the first stage; 16 in the paper. */
  readonly width: number;
  /** In front of the encoder's names, for example "encoder.". */
  readonly encoder: string;
  readonly decoders: readonly Pick<
    DecoderSpec,
    "prefix" | "suffix" | "from" | "head" | "raising" | "keepUnused"
  >[];
  /** Dropout of whole channels, p = 0.5, after encoder stage 5 and in front of the heads. */
  readonly dropout: boolean;
  /** True where all decoders see one draw of the dropout after encoder stage 5. */
  readonly sharedDropout?: boolean;
  /** How convolutions are initialised (default: as PyTorch does). */
  readonly filters?: FilterDistribution | undefined;
  readonly seed: number;
}

/** Creates a segmenter. */
export function createSegmenter(spec: SegmenterSpec): VNet {
  const { width, dropout, seed } = spec;
  const initialise = initialiser(seed, spec.filters);
  const encoder = createEncoder(spec.encoder, width, initialise);
  const decoders = spec.decoders.map((decoder) => createDecoder({ ...decoder, width, dropout }, initialise));
  return assemble(encoder, decoders, spec.sharedDropout ?? false);
}

function assemble(encoder: Encoder, decoders: readonly Decoder[], sharedDropout: boolean): VNet {
  /** Each head right after its decoder: so its gradient is made when the decoder needs it, and does not lie waiting. */
  function walk<T>(
    image: tf.Tensor5D,
    mode: ForwardMode,
    end: (head: Head, last: Activation) => T,
  ): Pick<Trace, "encoder" | "last"> & { readonly outputs: readonly T[] } {
    return tidy(() => {
      const features = encoder.forward(image, mode);
      const shared = sharedDropout ? decoders[0].deepMask(features, mode) : undefined;
      const walked = decoders.map((decoder) => {
        const last = decoder.forward(features, mode, shared);
        return { last, output: end(decoder.head, last) };
      });
      return {
        encoder: features,
        last: walked.map(({ last }) => last),
        outputs: walked.map(({ output }) => output),
      };
    });
  }

  function trace(image: tf.Tensor5D, mode: ForwardMode): Trace {
    return walk(image, mode, (head, last) => head.forward(last));
  }

  return {
    layers: [
      ...encoder.units,
      ...decoders.flatMap((decoder) => decoder.units),
      ...decoders.map((decoder) => decoder.head),
    ],
    forward: (image, mode) => tidy(() => trace(image, mode).outputs),
    full: (image, mode) => tidy(() => walk(image, mode, (head, last) => head.full(last)).outputs),
    features: (image, mode) =>
      tidy(() => {
        const features = encoder.forward(image, mode);
        return decoders.map((decoder) => decoder.features(features, mode));
      }),
    trace,
    branch: (decoder) => assemble(encoder, [decoders[decoder]], sharedDropout),
  };
}

/** Shape of a plain V-Net. */
export interface VNetSpec {
  readonly width: number;
  readonly dropout: boolean;
  readonly seed: number;
  /** A second, regressing head. */
  readonly regression?: boolean;
  /** Channels of each head (default 2). */
  readonly channels?: HeadSpec["channels"];
  /** How convolutions are initialised (default: as PyTorch does). */
  readonly filters?: FilterDistribution;
}

/** Creates a plain V-Net with the names of UA-MT's released code; with a regression, those of DTC's. */
export function createVNet({ width, dropout, seed, regression, channels = 2, filters }: VNetSpec): VNet {
  const head = regression
    ? { regression: "out_conv", segmentation: "out_conv2", channels }
    : { segmentation: "out_conv", channels };
  const decoders = [{ prefix: "", from: 5, head }] as const;
  return createSegmenter({ width, dropout, seed, filters, encoder: "", decoders });
}
