/**
 * V-Net (Milletari et al., 3DV 2016) as the semi-supervised literature uses it and paper §3.1 describes it: an
 * encoder of five stages, and decoders that start from one of its deeper stages. Names are the released code's.
 */
import type { Activation, Normalised } from "../engine/activation.ts";
import { runSegment } from "../engine/segment.ts";
import { type tf, tidy } from "../engine/tensor.ts";
import { createHead, type Head, type HeadSpec } from "./head.ts";
import type { Initialiser } from "./parameter.ts";
import {
  channelDropoutMask,
  createUnit,
  type ForwardMode,
  type Unit,
  type UnitKind,
  type UnitSpec,
} from "./unit.ts";

/** Units of each encoder stage. */
const encoderUnits = [1, 2, 3, 3, 3] as const;
/** Units of each decoder block, from the one on stage 4's grid to the one on the full grid. */
const decoderUnits = [3, 3, 2, 1] as const;
const ordinals = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] as const;

/** Number of times that the grid is halved: sides must be multiples of 2^4. */
export const depth = 4;

/** The five encoder features, shallow to deep. */
export type EncoderFeatures = readonly Normalised[];

/** The shared encoder. */
export interface Encoder {
  readonly units: readonly Unit[];
  forward(image: tf.Tensor5D, mode: ForwardMode): EncoderFeatures;
}

/**
 * @param prefix in front of the block names, for example "encoder.".
 * @param inChannels channels of the image.
 */
export function createEncoder(
  prefix: string,
  width: number,
  initialise: Initialiser,
  inChannels = 1,
): Encoder {
  const blocks: Unit[][] = [];
  const reductions: Unit[] = [];
  for (let stage = 0; stage < encoderUnits.length; stage++) {
    const channels = width * 2 ** stage;
    blocks.push(createBlock(`${prefix}block_${ordinals[stage]}`, encoderUnits[stage], {
      inChannels: stage === 0 ? inChannels : channels,
      outChannels: channels,
      level: stage,
    }, initialise));
    if (stage < depth) {
      reductions.push(createUnit({
        prefix: `${prefix}block_${ordinals[stage]}_dw.conv`,
        index: 0,
        kind: "downsampling",
        inChannels: channels,
        outChannels: 2 * channels,
        level: stage + 1,
      }, initialise));
    }
  }
  return {
    units: blocks.flatMap((block, stage) => stage < depth ? [...block, reductions[stage]] : block),
    forward(image, mode) {
      const features: Normalised[] = [];
      for (let stage = 0; stage < blocks.length; stage++) {
        features.push(tidy(() => {
          if (stage === 0) return runBlock(blocks[0], image, mode);
          const units = [reductions[stage - 1], ...blocks[stage]];
          return segmentOf(
            units,
            [{ terms: [features[stage - 1]] }],
            mode,
            ([input], mode) => runBlock(units, input, mode),
          );
        }));
      }
      return features;
    },
  };
}

/** One decoder: from the encoder's stage `from` (5, 4 or 3) to the full grid, and its heads. */
export interface Decoder {
  readonly units: readonly Unit[];
  readonly head: Head;
  /**
   * What the heads act on.
   *
   * @param deepMask the dropout after encoder stage 5, where decoders share one draw.
   */
  forward(features: EncoderFeatures, mode: ForwardMode, deepMask?: tf.Tensor5D): Activation;
  /** Draws the dropout after encoder stage 5; undefined where there is none. */
  deepMask(features: EncoderFeatures, mode: ForwardMode): tf.Tensor5D | undefined;
  /** The feature after each decoder block, deep to shallow, as figure 8 shows them. */
  features(features: EncoderFeatures, mode: ForwardMode): readonly Normalised[];
}

/** What distinguishes decoders. */
export interface DecoderSpec {
  /** In front of the block names, for example "decoder3.". */
  readonly prefix: string;
  /** Behind the block names, for example "_nearest". */
  readonly suffix?: string;
  readonly width: number;
  /** The encoder stage that it starts from: 5 for the high-level branch, 4 (or 3) for the low-level one. */
  readonly from: 5 | 4 | 3;
  readonly head: HeadSpec;
  /** How the grid is doubled (default: transposed convolution). */
  readonly raising?: Exclude<UnitKind, "convolution" | "downsampling">;
  /** Also create the transposed convolution that the released low-level decoder declares and never runs. */
  readonly keepUnused?: boolean;
  /** Dropout of whole channels, p = 0.5, before the first up-sampling and before the heads. */
  readonly dropout?: boolean;
}

/** Creates a decoder. */
export function createDecoder(spec: DecoderSpec, initialise: Initialiser): Decoder {
  const { prefix, suffix = "", width, from, raising = "upsampling" } = spec;
  const first = 5 - from;
  const ups: (Unit | undefined)[] = [];
  const blocks: Unit[][] = [];
  const unused: Unit[] = [];
  for (let step = 0; step < depth; step++) {
    const level = depth - 1 - step;
    const channels = width * 2 ** level;
    const up: UnitSpec = {
      prefix: `${prefix}block_${ordinals[4 + step]}_up${suffix}.conv`,
      ...placesOf(raising),
      kind: raising,
      inChannels: 2 * channels,
      outChannels: channels,
      level,
    };
    if (step >= first) ups.push(createUnit(up, initialise));
    else {
      ups.push(undefined);
      if (spec.keepUnused) unused.push(createUnit({ ...up, unused: true }, initialise));
    }
    if (step < first - 1) blocks.push([]);
    else {
      blocks.push(createBlock(`${prefix}block_${ordinals[5 + step]}${suffix}`, decoderUnits[step], {
        inChannels: channels,
        outChannels: channels,
        level,
      }, initialise));
    }
  }
  const head = createHead(prefix, width, spec.head, initialise);

  function walk(features: EncoderFeatures, mode: ForwardMode, deepMask?: tf.Tensor5D): Normalised[] {
    const start = Math.max(first - 1, 0);
    const states: Normalised[] = [];
    let state = features[from - 1];
    for (let step = start; step < depth; step++) {
      const input = state;
      state = tidy(() => {
        const up = ups[step];
        if (up === undefined) {
          return segmentOf(
            blocks[step],
            [{ terms: [input] }],
            mode,
            ([input], mode) => runBlock(blocks[step], input, mode),
          );
        }
        // Only the deepest feature is dropped out: it belongs to encoder stage 5.
        const mask = step === 0 ? deepMask ?? dropoutMask(input, mode) : undefined;
        const skip = features[depth - 1 - step];
        const inputs = [{ terms: [input], mask }, { terms: [skip] }];
        return segmentOf([up, ...blocks[step]], inputs, mode, ([lower, { terms: [skip] }], mode) => {
          const raised = up.apply(lower, mode);
          return runBlock(blocks[step], { terms: [raised, skip] }, mode);
        });
      });
      states.push(state);
    }
    return states;
  }

  function dropoutMask(input: Normalised, mode: ForwardMode): tf.Tensor5D | undefined {
    if (!spec.dropout || mode.dropout === undefined) return undefined;
    return channelDropoutMask(input.raw.shape[0], input.raw.shape[4], mode.dropout);
  }

  return {
    units: [...unused, ...ups.flatMap((up, step) => up === undefined ? blocks[step] : [up, ...blocks[step]])],
    head,
    forward: (features, mode, deepMask) =>
      tidy(() => {
        const states = walk(features, mode, deepMask);
        const last = states[states.length - 1];
        return { terms: [last], mask: dropoutMask(last, mode) };
      }),
    deepMask: (features, mode) => dropoutMask(features[depth], mode),
    features: (features, mode) => walk(features, mode),
  };
}

/** Places of convolution and normalisation in the released lists, where an interpolation takes one, too. */
function placesOf(raising: UnitKind): Pick<UnitSpec, "index" | "normIndex"> {
  if (typeof raising === "string") return { index: 0 };
  return raising.convolution === "3 after" ? { index: 1 } : { index: 0, normIndex: 2 };
}

function createBlock(
  prefix: string,
  count: number,
  shape: Pick<UnitSpec, "inChannels" | "outChannels" | "level">,
  initialise: Initialiser,
): Unit[] {
  return Array.from({ length: count }, (_, i) =>
    createUnit({
      prefix: `${prefix}.conv`,
      // convolution, normalisation and ReLU take three places in the released lists
      index: 3 * i,
      kind: "convolution",
      inChannels: i === 0 ? shape.inChannels : shape.outChannels,
      outChannels: shape.outChannels,
      level: shape.level,
    }, initialise));
}

/** A run of units whose inner convolutions need not be kept; again, it takes no batch in. */
function segmentOf(
  units: readonly Unit[],
  inputs: readonly Activation[],
  mode: ForwardMode,
  run: (inputs: readonly Activation[], mode: ForwardMode) => Normalised,
): Normalised {
  return runSegment({
    inputs,
    variables: units.flatMap((unit) => unit.parameters.map(({ variable }) => variable)),
    run: (inputs, again) => run(inputs, again ? { ...mode, updateStatistics: false } : mode),
  });
}

function runBlock(block: readonly Unit[], input: tf.Tensor5D | Activation, mode: ForwardMode): Normalised {
  let state = block[0].apply(input, mode);
  for (const unit of block.slice(1)) state = unit.apply({ terms: [state] }, mode);
  return state;
}
