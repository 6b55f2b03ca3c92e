/** SASSNet's discriminator: does a signed distance map belong to a labelled or to an unlabelled image? */
import { tf, tidy } from "../engine/tensor.ts";
import type { RandomStream } from "../random.ts";
import type { Network } from "./network.ts";
import { initialiser } from "./parameter.ts";
import { createDense, createStridedStack } from "./strided.ts";

/** The discriminator. */
export interface Discriminator extends Network {
  /**
   * Logit of "labelled" minus logit of "unlabelled", [n].
   *
   * @param distance the signed distance map, [n, x, y, z].
   * @param image [n, x, y, z, 1]
   * @param dropout where the masks are drawn from; none means no dropout.
   */
  margin(distance: tf.Tensor4D, image: tf.Tensor5D, dropout?: RandomStream): tf.Tensor1D;
}

/**
 * Creates the discriminator of kleinzcy/SASSnet with its names.
 *
 * @param options.width channels F of the segmenter's first stage; the discriminator starts with 4F, which is 64 at
 *   the released width.
 */
export function createDiscriminator({ width, seed }: { width: number; seed: number }): Discriminator {
  const initialise = initialiser(seed);
  // Map and image have a convolution each; their results are added.
  const names = [["conv0", "conv1"], ["conv2"], ["conv3"], ["conv4"]];
  const stack = createStridedStack(names, { maps: 2, first: 4 * width }, initialise);
  const classifier = createDense(
    { name: "classifier", inChannels: stack.channels, outChannels: 2 },
    initialise,
  );
  return {
    layers: [...stack.layers, classifier],
    margin: (distance, image, dropout) =>
      tidy(() => {
        const pair = tf.concat([tf.expandDims(distance, 4), image], 4) as tf.Tensor5D;
        const [unlabelled, labelled] = tf.unstack(classifier.apply(stack.forward(pair, dropout)), 1);
        return tf.sub(labelled, unlabelled) as tf.Tensor1D;
      }),
  };
}
