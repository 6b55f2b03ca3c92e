/**
 * How MRNet tells a network whom to agree with: one step of a convolutional LSTM at the bottleneck, whose input is
 * the deepest feature and whose hidden and cell state are both an embedding of the raters' weights.
 */
import { type Activation, type Normalised, normalised } from "../engine/activation.ts";
import { conv3 } from "../engine/convolution.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createBiasedConvolution } from "./biased_convolution.ts";
import type { Layer } from "./layer.ts";
import type { Initialiser } from "./parameter.ts";

/** The conditioning step. */
export interface Conditioning {
  readonly layers: readonly Layer[];
  /**
   * The deepest feature under each condition, rectified as every feature that a decoder takes.
   *
   * @param conditions weights of the raters, each [n, raters], rows that sum to 1.
   */
  apply(feature: Normalised, conditions: readonly tf.Tensor2D[]): Normalised[];
}

/** Its shape. */
export interface ConditioningSpec {
  readonly channels: number;
  readonly raters: number;
  /** The grid is the crop's divided by 2^level. */
  readonly level: number;
}

/** Normalising with these changes nothing: the variance and the normalisation's ε make 1. */
const epsilon = 1e-5;

/** Creates the step with PyTorch's initial weights; all its kernels are 3³. */
export function createConditioning(
  { channels, raters, level }: ConditioningSpec,
  initialise: Initialiser,
): Conditioning {
  const layer = (name: string, inChannels: number, outChannels: number) =>
    createBiasedConvolution({ name, kind: conv3, inChannels, outChannels, level }, initialise);
  const embedding = layer("condition", raters, channels);
  // One convolution over input and state together, in two parts, of which the first serves all conditions.
  const ofInput = layer("lstm.input", channels, 4 * channels);
  const ofState = layer("lstm.state", channels, 4 * channels);
  return {
    layers: [embedding, ofInput, ofState],
    apply(feature, conditions) {
      const input: Activation = { terms: [feature] };
      const gatesOfInput = ofInput.apply(input);
      const [n, x, y, z] = feature.raw.shape;
      return conditions.map((condition) => {
        const raw = tidy(() => {
          const rows = tf.reshape(condition, [n, 1, 1, 1, raters]) as tf.Tensor5D;
          const state = embedding.apply(tf.tile(rows, [1, x, y, z, 1]));
          const gates = tf.add(gatesOfInput, ofState.apply(state));
          const [enter, forget, leave, candidate] = tf.split(gates, 4, 4);
          const cell = tf.add(
            tf.mul(tf.sigmoid(forget), state),
            tf.mul(tf.sigmoid(enter), tf.tanh(candidate)),
          );
          return tf.mul(tf.sigmoid(leave), tf.tanh(cell)) as tf.Tensor5D;
        });
        return rectified(raw);
      });
    },
  };
}

/** Values as a feature whose activation is relu(values). */
function rectified(raw: tf.Tensor5D): Normalised {
  const channels = raw.shape[4];
  return normalised({
    raw,
    moments: { mean: tf.zeros([channels]), variance: tf.fill([channels], 1 - epsilon) as tf.Tensor1D },
    affine: { scale: tf.ones([channels]), offset: tf.zeros([channels]) },
    fromBatch: false,
  });
}
