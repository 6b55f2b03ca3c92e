/** The embedding head of contrastive methods: two fully connected layers, each with batch normalisation. */
import { tf, tidy } from "../engine/tensor.ts";
import type { Layer } from "./layer.ts";
import type { Network } from "./network.ts";
import { initialiser, type Parameter, variable } from "./parameter.ts";

/** PyTorch's default. */
const epsilon = 1e-5;

/** Maps pooled features to unit vectors. */
export interface Projector extends Network {
  /**
   * @param rows [patch, in]; at least two, because they are normalised with their own statistics.
   * @returns [patch, out], each of length 1.
   */
  embed(rows: tf.Tensor2D): tf.Tensor2D;
}

/** Shape of a projector. */
export interface ProjectorSpec {
  /** Lengths of a pooled feature and of an embedding; the hidden layer is as long as the feature. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly seed: number;
}

/**
 * in → in → BN → ReLU → out → BN → length 1 (hritam-98/PatchCL-MedSeg). It only ever runs in training, with the
 * statistics of its own rows, so it keeps no running ones, and its linear maps have no biases, which the
 * normalisations would take out again.
 */
export function createProjector({ inChannels, outChannels, seed }: ProjectorSpec): Projector {
  const initialise = initialiser(seed);
  const linear = [[inChannels, inChannels], [inChannels, outChannels]].map(([from, to], i) => {
    const weight = variable(initialise.uniform(`fc${i + 1}.weight`, [from, to], from));
    const [scale, offset] = [variable(tf.ones([to])), variable(tf.zeros([to]))];
    const parameters: Parameter[] = [
      { name: `fc${i + 1}.weight`, variable: weight, layout: "matrix", gradient: "computed" },
      { name: `bn${i + 1}.weight`, variable: scale, layout: "vector", gradient: "computed" },
      { name: `bn${i + 1}.bias`, variable: offset, layout: "vector", gradient: "computed" },
    ];
    const cost = {
      macs: from * to,
      macsAtOutput: from * to,
      biased: 0,
      normalised: { values: to, affine: true },
    };
    const layer: Layer = { parameters, cost: () => cost };
    const apply = (rows: tf.Tensor) =>
      normalise(tf.matMul(rows as tf.Tensor2D, weight as tf.Tensor2D), scale, offset);
    return { layer, apply };
  });
  return {
    layers: linear.map(({ layer }) => layer),
    embed: (rows) =>
      tidy(() => {
        const embedding = linear[1].apply(tf.relu(linear[0].apply(rows)));
        const length = tf.sqrt(tf.add(tf.sum(tf.square(embedding), 1, true), 1e-12));
        return tf.div(embedding, length) as tf.Tensor2D;
      }),
  };
}

/** Batch normalisation of rows with their own statistics. */
function normalise(rows: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor {
  const { mean, variance } = tf.moments(rows, 0);
  const factor = tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(tf.sub(rows, mean), factor), offset);
}
