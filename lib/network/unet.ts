/**
 * The 3-D U-Nets of HiLab-git/SSL4MIS: two 3³ convolutions with instance normalisation at every level, max-pooling,
 * trilinear up-sampling and concatenation. URPC's (Luo et al., MICCAI 2021) has channel dropout after every decoder
 * stage and a head at each of the four decoder scales; the plain one drops single values out, after the deepest and
 * after the last stage, and has one head. Names are the released code's.
 *
 * Only raw convolution outputs are kept for the backward pass: what lies between two convolutions is a recipe.
 */
import { conv3, convolve } from "../engine/convolution.ts";
import { instanceMoments, instanceNormRelu } from "../engine/instance_norm.ts";
import { normalNoise } from "../engine/noise.ts";
import { convolveRecipe, type Recipe } from "../engine/recompute.ts";
import { doubleGrid, enlargeGrid } from "../engine/resample.ts";
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import type { RandomStream } from "../random.ts";
import { createHead, type Head } from "./head.ts";
import { type Layer, type LayerCost, voxelsAt } from "./layer.ts";
import type { Segmenter } from "./network.ts";
import { type Initialiser, initialiser, type Parameter, variable } from "./parameter.ts";
import { channelDropoutMask } from "./unit.ts";

/** The four levels with a decoder stage, deep to shallow, and URPC's dropout after it. */
const decoderLevels = [
  { level: 3, rate: 0.5 },
  { level: 2, rate: 0.3 },
  { level: 1, rate: 0.2 },
  { level: 0, rate: 0.1 },
] as const;
/** The level of the centre: sides must be multiples of 2^4. */
const deepest = 4;
/** The dropout of the plain U-Net. */
const plainRate = 0.3;
const trilinear = { trilinear: "halfPixel" } as const;

/** Shape of a U-Net. */
export interface UNetSpec {
  /** Channels of the first stage; 16 as released. */
  readonly width: number;
  readonly dropout: boolean;
  readonly seed: number;
}

/** Creates URPC's U-Net; its outputs are the four heads', shallow to deep, all on the full grid. */
export function createUNet(spec: UNetSpec): Segmenter {
  return assemble(spec, true);
}

/** Creates the plain U-Net with its one head. */
export function createPlainUNet(spec: UNetSpec): Segmenter {
  return assemble(spec, false);
}

function assemble({ width, dropout, seed }: UNetSpec, pyramid: boolean): Segmenter {
  const initialise = initialiser(seed, "kaiming normal");
  const channels = (level: number) => width * 2 ** level;
  const encoder = Array.from({ length: deepest + 1 }, (_, level) => {
    const shape = {
      inChannels: level === 0 ? 1 : channels(level - 1),
      outChannels: channels(level),
      level,
    };
    return createStage(level < deepest ? `conv${level + 1}` : "center", shape, initialise);
  });
  const decoder = decoderLevels.map(({ level, rate }) => {
    const shape = {
      inChannels: channels(level) + channels(level + 1),
      outChannels: channels(level),
      level,
    };
    const stage = createStage(`up_concat${level + 1}.conv`, shape, initialise);
    return { level, rate, stage, head: level === 0 || pyramid ? headOf(level) : undefined };
  });

  function headOf(level: number): Head {
    return level === 0
      ? createHead("", width, { segmentation: pyramid ? "dsv1" : "final" }, initialise)
      : createHead(`dsv${level + 1}.dsv.`, channels(level), { segmentation: "0", level }, initialise);
  }

  return {
    layers: [
      ...encoder.flat(),
      ...decoder.flatMap(({ stage }) => stage),
      ...decoder.flatMap(({ head }) => head ?? []),
    ],
    forward: (image, mode) =>
      tidy(() => {
        const skips: Recipe[] = [];
        for (const stage of encoder) {
          skips.push(runStage(stage, skips.length === 0 ? image : pooled(skips[skips.length - 1])));
        }
        const stream = dropout ? mode.dropout : undefined;
        let state = pyramid ? skips[deepest] : dropped(skips[deepest], elementDropoutMask, stream);
        const outputs = decoder.flatMap(({ stage, rate, head, level }) => {
          state = runStage(stage, joined(skips[level], state));
          if (pyramid) {
            state = dropped(state, ([n, , , , c], from) => channelDropoutMask(n, c, from, rate), stream);
          } else if (level === 0) state = dropped(state, elementDropoutMask, stream);
          return head === undefined ? [] : [{ margin: onFullGrid(head.forward(state).margin, level) }];
        });
        return outputs.reverse();
      }),
  };
}

/** A 3³ convolution and the recipe of what follows it: instance normalisation and ReLU. */
interface Unit extends Layer {
  apply(input: tf.Tensor5D | Recipe): Recipe;
}

interface UnitShape {
  readonly inChannels: number;
  readonly outChannels: number;
  /** The grid is the input's divided by 2^level. */
  readonly level: number;
}

function createStage(name: string, shape: UnitShape, initialise: Initialiser): readonly Unit[] {
  const second = { ...shape, inChannels: shape.outChannels };
  return [
    createUnit(`${name}.conv1.0`, shape, initialise),
    createUnit(`${name}.conv2.0`, second, initialise),
  ];
}

function createUnit(name: string, shape: UnitShape, initialise: Initialiser): Unit {
  const { inChannels, outChannels, level } = shape;
  const filter = variable(initialise.filter(`${name}.weight`, [3, 3, 3, inChannels, outChannels]));
  const bias = variable(initialise.uniform(`${name}.bias`, [outChannels], 27 * inChannels));
  const parameters: readonly Parameter[] = [
    { name: `${name}.weight`, variable: filter, layout: "filter", gradient: "computed" },
    // The normalisation takes the bias out again, so that it is never added.
    { name: `${name}.bias`, variable: bias, layout: "vector", gradient: "zero" },
  ];
  return {
    parameters,
    cost(crop): LayerCost {
      const values = voxelsAt(crop, level) * outChannels;
      const macs = 27 * inChannels * values;
      return {
        macs,
        macsAtOutput: macs,
        biased: values,
        normalised: { values, affine: false },
        activated: values,
      };
    },
    apply(input) {
      const kernel = filter as tf.Tensor5D;
      const raw = "make" in input ? convolveRecipe(conv3, input, kernel) : convolve(conv3, input, kernel);
      const { mean, variance } = untaped(() => instanceMoments(raw));
      return {
        ingredients: [raw, mean, variance],
        make: ([raw, mean, variance]) =>
          instanceNormRelu(raw as tf.Tensor5D, {
            mean: mean as tf.Tensor2D,
            variance: variance as tf.Tensor2D,
          }),
      };
    },
  };
}

function runStage([first, second]: readonly Unit[], input: tf.Tensor5D | Recipe): Recipe {
  return second.apply(first.apply(input));
}

/** Halves the grid by the maximum. */
function pooled({ ingredients, make }: Recipe): Recipe {
  return { ingredients, make: (tensors) => tidy(() => tf.maxPool3d(make(tensors), 2, 2, "valid")) };
}

/** The channels of the skip connection, then those of the deeper state on the doubled grid. */
function joined(skip: Recipe, deep: Recipe): Recipe {
  const split = skip.ingredients.length;
  return {
    ingredients: [...skip.ingredients, ...deep.ingredients],
    make: (tensors) =>
      tidy(() => {
        const raised = doubleGrid(deep.make(tensors.slice(split)), trilinear);
        return tf.concat([skip.make(tensors.slice(0, split)), raised], 4);
      }),
  };
}

function dropped(
  recipe: Recipe,
  maskOf: (shape: readonly number[], stream: RandomStream) => tf.Tensor,
  stream: RandomStream | undefined,
): Recipe {
  if (stream === undefined) return recipe;
  const mask = maskOf(recipe.ingredients[0].shape, stream);
  return {
    ingredients: [...recipe.ingredients, mask],
    make: (tensors) => tidy(() => tf.mul(recipe.make(tensors.slice(0, -1)), tensors[tensors.length - 1])),
  };
}

/** A mask that drops single values. */
function elementDropoutMask(shape: readonly number[], stream: RandomStream): tf.Tensor {
  return tidy(() => {
    // A standard normal value lies below this with the probability of the rate.
    const kept = tf.greater(normalNoise(shape, stream), quantile);
    return tf.mul(tf.cast(kept, "float32"), 1 / (1 - plainRate));
  });
}

/** The standard normal distribution's quantile of the plain rate, 0.3. */
const quantile = -0.5244005127;

/** The logits are enlarged, not the probabilities, as released. */
function onFullGrid(margin: tf.Tensor4D, level: number): tf.Tensor4D {
  if (level === 0) return margin;
  return tidy(() => tf.squeeze(enlargeGrid(tf.expandDims(margin, 4), 2 ** level, trilinear), [4]));
}
