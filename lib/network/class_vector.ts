/** SCC's classifier: turns the map of a class into a vector. */
import { tf, tidy } from "../engine/tensor.ts";
import type { RandomStream } from "../random.ts";
import type { Network } from "./network.ts";
import { initialiser } from "./parameter.ts";
import { createDense, createStridedStack } from "./strided.ts";

/** The classifier. */
export interface ClassVectors extends Network {
  /**
   * The class vectors: softmax over two outputs, [n, 2].
   *
   * @param map logits of one class, [n, x, y, z].
   * @param dropout where the masks are drawn from; none means no dropout.
   */
  of(map: tf.Tensor4D, dropout?: RandomStream): tf.Tensor2D;
}

/**
 * Creates the classifier of PerceptionComputingLab/SCC with its names.
 *
 * @param options.width channels F of the segmenter's first stage; the classifier starts with 4F, which is 64 at the
 *   released width.
 */
export function createClassVectors({ width, seed }: { width: number; seed: number }): ClassVectors {
  const initialise = initialiser(seed);
  const names = [["conv0"], ["conv1"], ["conv2"], ["conv3"]];
  const stack = createStridedStack(names, { maps: 1, first: 4 * width }, initialise);
  const { channels } = stack;
  // Nothing lies between the two in the released code, either.
  const first = createDense({ name: "fc1", inChannels: channels, outChannels: channels }, initialise);
  const second = createDense({ name: "fc2", inChannels: channels, outChannels: 2 }, initialise);
  return {
    layers: [...stack.layers, first, second],
    of: (map, dropout) =>
      tidy(() => {
        const features = stack.forward(tf.expandDims(map, 4) as tf.Tensor5D, dropout);
        return tf.softmax(second.apply(first.apply(features))) as tf.Tensor2D;
      }),
  };
}
