/**
 * The unit of every V-Net-like network: convolution → batch normalisation → ReLU. Its result is a `Normalised`:
 * the raw convolution output and how to normalise it; the activation itself is computed where it is used.
 */
import type { Activation, Normalised } from "../engine/activation.ts";
import { convolveActivation } from "../engine/activation.ts";
import { batchMoments, type Moments, unbiased } from "../engine/batch_norm.ts";
import { conv3, type Convolution, convolve, downsample2, upsample2 } from "../engine/convolution.ts";
import { untaped } from "../engine/tape.ts";
import { tf } from "../engine/tensor.ts";
import type { RandomStream } from "../random.ts";
import { type Buffer, type Initialiser, type Parameter, variable } from "./parameter.ts";

/** Weight of the new statistics in the running ones, PyTorch's momentum. */
const momentum = 0.1;

/** How a forward pass runs. */
export interface ForwardMode {
  /** True: normalise with the batch's own statistics. False: with the running ones. */
  readonly training: boolean;
  /** True: the running statistics take this batch in; only with `training`. */
  readonly updateStatistics: boolean;
  /** Where dropout draws its masks from; none means no dropout. */
  readonly dropout?: RandomStream | undefined;
}

/** A prediction: running statistics, nothing changes. */
export const evaluationMode: ForwardMode = { training: false, updateStatistics: false };

/** The three kinds of units. */
export type UnitKind = "convolution" | "downsampling" | "upsampling";

const convolutions: Record<UnitKind, Convolution> = {
  convolution: conv3,
  downsampling: downsample2,
  upsampling: upsample2,
};

/** A unit's shape, as its name in the released code and its place in the network tell it. */
export interface UnitSpec {
  /** Prefix of the names, for example "encoder.block_two.conv". */
  readonly prefix: string;
  /** Position of the convolution in its block's list; the normalisation is the next one. */
  readonly index: number;
  readonly kind: UnitKind;
  readonly inChannels: number;
  readonly outChannels: number;
  /** The output's grid is the input's divided by 2^level. */
  readonly level: number;
  /** True for a layer that the released network declares and never runs. */
  readonly unused?: boolean;
}

/** A unit with its weights. */
export interface Unit {
  readonly spec: UnitSpec;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Buffer[];
  /** How many batches the running statistics have taken in. */
  batches: number;
  apply(input: tf.Tensor5D | Activation, mode: ForwardMode): Normalised;
}

/** Creates a unit with PyTorch's initial weights. */
export function createUnit(spec: UnitSpec, initialise: Initialiser): Unit {
  const { prefix, index, kind, inChannels, outChannels } = spec;
  const convolution = convolutions[kind];
  const { side } = convolution;
  const transposed = kind === "upsampling";
  // PyTorch takes the second axis of the weight for the fan-in, which is the output of a transposed convolution.
  const fanIn = side ** 3 * (transposed ? outChannels : inChannels);
  const names = [`${prefix}.${index}`, `${prefix}.${index + 1}`];
  const shape = [side, side, side, ...(transposed ? [outChannels, inChannels] : [inChannels, outChannels])];
  const filter = variable(initialise.uniform(`${names[0]}.weight`, shape, fanIn));
  const bias = variable(initialise.uniform(`${names[0]}.bias`, [outChannels], fanIn));
  const scale = variable(tf.ones([outChannels]));
  const offset = variable(tf.zeros([outChannels]));
  const runningMean = variable(tf.zeros([outChannels]), false);
  const runningVariance = variable(tf.ones([outChannels]), false);
  const used = spec.unused ? "none" : "computed";

  const unit: Unit = {
    spec,
    parameters: [
      { name: `${names[0]}.weight`, variable: filter, layout: "filter", gradient: used },
      { name: `${names[0]}.bias`, variable: bias, layout: "vector", gradient: spec.unused ? "none" : "zero" },
      { name: `${names[1]}.weight`, variable: scale, layout: "vector", gradient: used },
      { name: `${names[1]}.bias`, variable: offset, layout: "vector", gradient: used },
    ],
    buffers: [
      { name: `${names[1]}.running_mean`, variable: runningMean },
      { name: `${names[1]}.running_var`, variable: runningVariance },
    ],
    batches: 0,
    apply(input, mode) {
      const raw = "terms" in input
        ? convolveActivation(convolution, input, filter as tf.Tensor5D)
        : convolve(convolution, input, filter as tf.Tensor5D);
      const moments = mode.training ? untaped(() => batchMoments(raw)) : runningMoments();
      if (mode.updateStatistics) {
        track(moments, raw.size / outChannels);
        unit.batches++;
      }
      const affine = { scale: scale as unknown as tf.Tensor1D, offset: offset as unknown as tf.Tensor1D };
      return { raw, moments, affine, fromBatch: mode.training };
    },
  };

  /** The convolution runs without its bias, so the running mean, which has it in, gives it back. */
  function runningMoments(): Moments {
    return untaped(() => ({
      mean: tf.sub(runningMean, bias) as tf.Tensor1D,
      variance: tf.clone(runningVariance) as tf.Tensor1D,
    }));
  }

  function track(moments: Moments, count: number): void {
    untaped(() => {
      const mean = tf.add(moments.mean, bias);
      runningMean.assign(tf.add(tf.mul(runningMean, 1 - momentum), tf.mul(mean, momentum)));
      const variance = unbiased(moments.variance, count);
      runningVariance.assign(tf.add(tf.mul(runningVariance, 1 - momentum), tf.mul(variance, momentum)));
    });
  }

  return unit;
}

/** A mask that drops whole channels of each item with probability 1/2 and doubles the others (Dropout3d). */
export function channelDropoutMask(items: number, channels: number, stream: RandomStream): tf.Tensor5D {
  const values = new Float32Array(items * channels);
  for (let i = 0; i < values.length; i++) values[i] = stream.uniform() < 0.5 ? 0 : 2;
  return tf.tensor5d(values, [items, 1, 1, 1, channels]);
}
