/**
 * The unit of every V-Net-like network: convolution → batch normalisation → ReLU. Its result is a `Normalised`:
 * the raw convolution output and how to normalise it; the activation itself is computed where it is used.
 */
import type { Activation, Normalised } from "../engine/activation.ts";
import { convolveActivation, normalised } from "../engine/activation.ts";
import { batchNormRelu, type Moments, type RunningMoments } from "../engine/batch_norm.ts";
import { conv3, type Convolution, convolve, downsample2, upsample2 } from "../engine/convolution.ts";
import { convolveThenInterpolate, interpolateThenConvolve } from "../engine/interpolated_convolution.ts";
import type { Upsampling } from "../engine/resample.ts";
import { untaped } from "../engine/tape.ts";
import { tf } from "../engine/tensor.ts";
import type { RandomStream } from "../random.ts";
import { type Layer, type LayerCost, type RunningStatistics, voxelsAt } from "./layer.ts";
import { type Initialiser, variable } from "./parameter.ts";

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

/**
 * What a unit's convolution does with the grid. An interpolating unit doubles it "after" or "before" its
 * convolution: 1³ on the coarse grid or 3³ on the fine one.
 */
export type UnitKind =
  | "convolution"
  | "downsampling"
  | "upsampling"
  | { readonly upsampling: Upsampling; readonly convolution: "1 before" | "3 after" };

function convolutionOf(kind: UnitKind): Convolution {
  if (kind === "convolution") return conv3;
  if (kind === "downsampling") return downsample2;
  if (kind === "upsampling") return upsample2;
  return kind.convolution === "3 after"
    ? interpolateThenConvolve(kind.upsampling)
    : convolveThenInterpolate(kind.upsampling);
}

/** A unit's shape, as its name in the released code and its place in the network tell it. */
export interface UnitSpec {
  /** Prefix of the names, for example "encoder.block_two.conv". */
  readonly prefix: string;
  /** Position of the convolution in its block's list. */
  readonly index: number;
  /** Position of the normalisation; the next one where it is not given. */
  readonly normIndex?: number;
  readonly kind: UnitKind;
  readonly inChannels: number;
  readonly outChannels: number;
  /** The output's grid is the input's divided by 2^level. */
  readonly level: number;
  /** True for a layer that the released network declares and never runs. */
  readonly unused?: boolean;
}

/** A unit with its weights. */
export interface Unit extends Layer {
  readonly statistics: RunningStatistics;
  apply(input: tf.Tensor5D | Activation, mode: ForwardMode): Normalised;
}

/** Creates a unit with PyTorch's initial weights. */
export function createUnit(spec: UnitSpec, initialise: Initialiser): Unit {
  const { prefix, index, kind, inChannels, outChannels } = spec;
  const convolution = convolutionOf(kind);
  const { side } = convolution;
  const transposed = kind === "upsampling";
  // PyTorch takes the second axis of the weight for the fan-in, which is the output of a transposed convolution.
  const fanIn = side ** 3 * (transposed ? outChannels : inChannels);
  const names = [`${prefix}.${index}`, `${prefix}.${spec.normIndex ?? index + 1}`];
  const shape = [side, side, side, ...(transposed ? [outChannels, inChannels] : [inChannels, outChannels])];
  const name = `${names[0]}.weight`;
  const filter = variable(
    transposed ? initialise.uniform(name, shape, fanIn) : initialise.filter(name, shape),
  );
  const bias = variable(initialise.uniform(`${names[0]}.bias`, [outChannels], fanIn));
  const scale = variable(tf.ones([outChannels]));
  const offset = variable(tf.zeros([outChannels]));
  const runningMean = variable(tf.zeros([outChannels]), false);
  const runningVariance = variable(tf.ones([outChannels]), false);
  const used = spec.unused ? "none" : "computed";

  const unit: Unit = {
    unused: spec.unused ?? false,
    parameters: [
      { name: `${names[0]}.weight`, variable: filter, layout: "filter", gradient: used },
      { name: `${names[0]}.bias`, variable: bias, layout: "vector", gradient: spec.unused ? "none" : "zero" },
      { name: `${names[1]}.weight`, variable: scale, layout: "vector", gradient: used },
      { name: `${names[1]}.bias`, variable: offset, layout: "vector", gradient: used },
    ],
    statistics: {
      buffers: [
        { name: `${names[1]}.running_mean`, variable: runningMean },
        { name: `${names[1]}.running_var`, variable: runningVariance },
      ],
      batches: 0,
    },
    cost: (crop) => costOf(spec, voxelsAt(crop, spec.level)),
    apply(input, mode) {
      const raw = "terms" in input
        ? convolveActivation(convolution, input, filter as tf.Tensor5D)
        : convolve(convolution, input, filter as tf.Tensor5D);
      const affine = { scale: scale as unknown as tf.Tensor1D, offset: offset as unknown as tf.Tensor1D };
      if (!mode.training) {
        return normalised({ raw, moments: runningMoments(), affine, fromBatch: false });
      }
      const { output, moments } = untaped(() => {
        const running = mode.updateStatistics ? runningMomentsAt(momentum) : undefined;
        const batch = batchNormRelu(raw, affine, running);
        if (batch.running !== undefined) track(batch.running);
        return batch;
      });
      return normalised({ raw, moments, affine, fromBatch: true }, output);
    },
  };

  /** The convolution runs without its bias, so the running mean, which has it in, gives it back. */
  function runningMoments(): Moments {
    return untaped(() => ({
      mean: tf.sub(runningMean, bias) as tf.Tensor1D,
      variance: tf.clone(runningVariance) as tf.Tensor1D,
    }));
  }

  function runningMomentsAt(momentum: number): RunningMoments {
    return {
      mean: runningMean as unknown as tf.Tensor1D,
      variance: runningVariance as unknown as tf.Tensor1D,
      momentum,
    };
  }

  /** The running mean is that of the convolution with its bias. */
  function track(after: Moments): void {
    runningMean.assign(tf.add(after.mean, tf.mul(bias, momentum)));
    runningVariance.assign(after.variance);
    unit.statistics.batches++;
  }

  return unit;
}

/** @param voxels of the output. */
function costOf({ kind, inChannels, outChannels }: UnitSpec, voxels: number): LayerCost {
  const { side } = convolutionOf(kind);
  const atOutput = voxels * side ** 3 * inChannels * outChannels;
  const values = voxels * outChannels;
  const coarse = typeof kind === "object" && kind.convolution === "1 before";
  const counted = coarse ? atOutput / 8 : atOutput;
  const nearest = typeof kind === "object" && kind.upsampling === "nearest";
  return {
    macs: kind === "upsampling" ? atOutput / 8 : counted,
    macsAtOutput: counted,
    biased: coarse ? values / 8 : values,
    normalised: { values, affine: true },
    activated: values,
    ...(nearest && { copied: voxels * (coarse ? outChannels : inChannels) }),
  };
}

/** A mask that drops whole channels of each item with probability `rate`, 1/(1 − rate) elsewhere (Dropout3d). */
export function channelDropoutMask(
  items: number,
  channels: number,
  stream: RandomStream,
  rate = 0.5,
): tf.Tensor5D {
  const values = new Float32Array(items * channels);
  for (let i = 0; i < values.length; i++) values[i] = stream.uniform() < rate ? 0 : 1 / (1 - rate);
  return tf.tensor5d(values, [items, 1, 1, 1, channels]);
}
