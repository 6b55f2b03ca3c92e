/**
 * The ends of a decoder: 1³ convolutions to the two classes for the segmentation, and, in dual-task networks, a
 * second one followed by tanh for the signed distance.
 *
 * With two classes the softmax depends only on the difference of the logits, and of the regression only the
 * foreground channel is used. Training therefore computes just these two maps: the margin
 * (logit of the foreground − logit of the background; P¹ = sigmoid(margin)) and the distance.
 */
import { type Activation, convolveActivation } from "../engine/activation.ts";
import { conv1, conv1OfItems } from "../engine/convolution.ts";
import { convolveRecipe, type Recipe } from "../engine/recompute.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { type Layer, voxelsAt } from "./layer.ts";
import { type Initialiser, type Parameter, variable } from "./parameter.ts";

/** Which heads a decoder has, under which names of the released code. */
export interface HeadSpec {
  readonly segmentation: string;
  readonly regression?: string;
  /**
   * Output channels of each head: 2 for a softmax over the classes, 1 for a sigmoid (SASSNet, DTC); more are
   * independent maps, which only `full` returns (MRNet's raters).
   */
  readonly channels?: number;
  /** The heads' grid is the input's divided by 2^level (default 0). */
  readonly level?: number;
}

/** The two maps that training uses, each [n, x, y, z]. */
export interface HeadOutput {
  /** Logit of the foreground minus logit of the background; the logit itself where there is one channel. */
  readonly margin: tf.Tensor4D;
  /** tanh of the regression's foreground channel: the signed distance, in [−1, 1]. */
  readonly distance?: tf.Tensor4D;
}

/** All channels of both heads, each [n, x, y, z, channel], as the released network returns them. */
export interface FullOutput {
  readonly logits: tf.Tensor5D;
  /** tanh of the regression. */
  readonly regression?: tf.Tensor5D;
}

/** The heads of one decoder. */
export interface Head extends Layer {
  forward(features: Activation | Recipe): HeadOutput;
  full(features: Activation | Recipe): FullOutput;
}

/** Creates the heads. */
export function createHead(prefix: string, width: number, spec: HeadSpec, initialise: Initialiser): Head {
  const { channels = 2, level = 0 } = spec;
  const foreground = channels - 1;
  const heads = [spec.regression, spec.segmentation].filter((name) => name !== undefined).map((name) => ({
    name: `${prefix}${name}`,
    filter: variable(initialise.filter(`${prefix}${name}.weight`, [1, 1, 1, width, channels])),
    bias: variable(initialise.uniform(`${prefix}${name}.bias`, [channels], width)),
  }));
  const segmentation = heads[heads.length - 1];
  const regression = spec.regression === undefined ? undefined : heads[0];
  return {
    parameters: heads.flatMap(({ name, filter, bias }): Parameter[] => [
      { name: `${name}.weight`, variable: filter, layout: "filter", gradient: "computed" },
      { name: `${name}.bias`, variable: bias, layout: "vector", gradient: "computed" },
    ]),
    cost: (crop) => {
      const biased = voxelsAt(crop, level) * channels * heads.length;
      return { macs: width * biased, macsAtOutput: width * biased, biased };
    },
    forward: (features) =>
      tidy(() => {
        const columns = [difference(segmentation.filter)];
        const offsets = [difference(segmentation.bias)];
        if (regression !== undefined) {
          columns.push(channel(regression.filter, foreground));
          offsets.push(channel(regression.bias, foreground));
        }
        const filter = tf.concat(columns, 4) as tf.Tensor5D;
        const maps = tf.add(mapped(features, filter), tf.concat(offsets, 0));
        if (regression === undefined) return { margin: tf.squeeze(maps, [4]) as tf.Tensor4D };
        const [margin, distance] = tf.unstack(maps, 4) as tf.Tensor4D[];
        return { margin, distance: tf.tanh(distance) };
      }),
    full: (features) =>
      tidy(() => {
        const [logits, distance] = [segmentation, regression].map((head) =>
          head && tf.add(mapped(features, head.filter as tf.Tensor5D), head.bias)
        ) as (tf.Tensor5D | undefined)[];
        return distance === undefined
          ? { logits: logits! }
          : { logits: logits!, regression: tf.tanh(distance) };
      }),
  };
}

function mapped(features: Activation | Recipe, filter: tf.Tensor5D): tf.Tensor5D {
  if (!("terms" in features)) return convolveRecipe(conv1, features, filter);
  const { terms, mask } = features;
  if (mask === undefined) return convolveActivation(conv1, features, filter);
  // A channel dropped from the filters is dropped from the features, without a pass over them.
  const [n, , , , channels] = mask.shape;
  const filters = tf.mul(tf.reshape(mask, [n, 1, 1, channels, 1]), filter) as tf.Tensor5D;
  return convolveActivation(conv1OfItems, { terms }, filters);
}

/** The foreground's weights minus the background's; the weights themselves where there is one channel. */
function difference(weights: tf.Tensor): tf.Tensor {
  const channels = weights.shape[weights.rank - 1];
  return channels === 1 ? weights : tf.sub(channel(weights, 1), channel(weights, 0));
}

/** One output channel of a filter or a bias, with its axis. */
function channel(weights: tf.Tensor, index: number): tf.Tensor {
  const axis = weights.rank - 1;
  const begin = weights.shape.map((_, i) => i === axis ? index : 0);
  const size = weights.shape.map((side, i) => i === axis ? 1 : side);
  return tf.slice(weights, begin, size);
}
