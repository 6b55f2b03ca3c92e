/**
 * The ends of a decoder: 1³ convolutions to the two classes for the segmentation, and, in dual-task networks, a
 * second one followed by tanh for the signed distance.
 *
 * With two classes the softmax depends only on the difference of the logits, and of the regression only the
 * foreground channel is used. Training therefore computes just these two maps: the margin
 * (logit of the foreground − logit of the background; P¹ = sigmoid(margin)) and the distance.
 */
import { type Activation, convolveActivation } from "../engine/activation.ts";
import { conv1 } from "../engine/convolution.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { type Initialiser, type Parameter, variable } from "./parameter.ts";

/** Which heads a decoder has, under which names of the released code. */
export interface HeadSpec {
  readonly segmentation: string;
  readonly regression?: string;
}

/** The two maps that training uses, each [n, x, y, z]. */
export interface HeadOutput {
  /** Logit of the foreground minus logit of the background. */
  readonly margin: tf.Tensor4D;
  /** tanh of the regression's foreground channel: the signed distance, in [−1, 1]. */
  readonly distance?: tf.Tensor4D;
}

/** Both channels of both heads, each [n, x, y, z, 2], as the released network returns them. */
export interface FullOutput {
  readonly logits: tf.Tensor5D;
  /** tanh of the regression. */
  readonly regression?: tf.Tensor5D;
}

/** The heads of one decoder. */
export interface Head {
  readonly parameters: readonly Parameter[];
  readonly inChannels: number;
  /** 2 a head. */
  readonly outChannels: number;
  forward(features: Activation): HeadOutput;
  full(features: Activation): FullOutput;
}

/** Creates the heads with PyTorch's initial weights. */
export function createHead(prefix: string, width: number, spec: HeadSpec, initialise: Initialiser): Head {
  const heads = [spec.regression, spec.segmentation].filter((name) => name !== undefined).map((name) => ({
    name: `${prefix}${name}`,
    filter: variable(initialise.uniform(`${prefix}${name}.weight`, [1, 1, 1, width, 2], width)),
    bias: variable(initialise.uniform(`${prefix}${name}.bias`, [2], width)),
  }));
  const segmentation = heads[heads.length - 1];
  const regression = spec.regression === undefined ? undefined : heads[0];
  return {
    parameters: heads.flatMap(({ name, filter, bias }): Parameter[] => [
      { name: `${name}.weight`, variable: filter, layout: "filter", gradient: "computed" },
      { name: `${name}.bias`, variable: bias, layout: "vector", gradient: "computed" },
    ]),
    inChannels: width,
    outChannels: 2 * heads.length,
    forward: (features) =>
      tidy(() => {
        const columns = [tf.sub(channel(segmentation.filter, 1), channel(segmentation.filter, 0))];
        const offsets = [tf.sub(channel(segmentation.bias, 1), channel(segmentation.bias, 0))];
        if (regression !== undefined) {
          columns.push(channel(regression.filter, 1));
          offsets.push(channel(regression.bias, 1));
        }
        const filter = tf.concat(columns, 4) as tf.Tensor5D;
        const maps = tf.add(convolveActivation(conv1, features, filter), tf.concat(offsets, 0));
        if (regression === undefined) return { margin: tf.squeeze(maps, [4]) as tf.Tensor4D };
        const [margin, distance] = tf.unstack(maps, 4) as tf.Tensor4D[];
        return { margin, distance: tf.tanh(distance) };
      }),
    full: (features) =>
      tidy(() => {
        const [logits, distance] = [segmentation, regression].map((head) =>
          head && tf.add(convolveActivation(conv1, features, head.filter as tf.Tensor5D), head.bias)
        ) as (tf.Tensor5D | undefined)[];
        return distance === undefined
          ? { logits: logits! }
          : { logits: logits!, regression: tf.tanh(distance) };
      }),
  };
}

/** One output channel of a filter or a bias, with its axis. */
function channel(weights: tf.Tensor, index: number): tf.Tensor {
  const axis = weights.rank - 1;
  const begin = weights.shape.map((_, i) => i === axis ? index : 0);
  const size = weights.shape.map((side, i) => i === axis ? 1 : side);
  return tf.slice(weights, begin, size);
}
