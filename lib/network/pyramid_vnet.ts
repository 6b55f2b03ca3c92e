/** V-Net with a head at each of its four decoder scales, all on the full grid: URPC's pyramid on the other backbone. */
import type { Activation } from "../engine/activation.ts";
import { enlargeGrid } from "../engine/resample.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createHead } from "./head.ts";
import type { Segmenter } from "./network.ts";
import { initialiser } from "./parameter.ts";
import type { VNetSpec } from "./segmenter.ts";
import { channelDropoutMask } from "./unit.ts";
import { createDecoder, createEncoder, depth } from "./vnet.ts";

/**
 * Creates the network; its outputs are the four heads', shallow to deep. Dropout is V-Net's: after the deepest stage
 * and in front of each head.
 */
export function createPyramidVNet(
  { width, dropout, seed }: Pick<VNetSpec, "width" | "dropout" | "seed">,
): Segmenter {
  const initialise = initialiser(seed);
  const encoder = createEncoder("", width, initialise);
  const head = { segmentation: "out_conv" };
  const decoder = createDecoder({ prefix: "", width, from: 5, head, dropout }, initialise);
  const heads = Array.from({ length: depth }, (_, step) => {
    const level = depth - 1 - step;
    if (level === 0) return decoder.head;
    return createHead(
      `dsv${level + 1}.`,
      width * 2 ** level,
      { segmentation: "out_conv", level },
      initialise,
    );
  });
  return {
    layers: [...encoder.units, ...decoder.units, ...heads],
    forward: (image, mode) =>
      tidy(() => {
        const states = decoder.features(encoder.forward(image, mode), mode);
        return states.map((state, step) => {
          const [items, , , , channels] = state.raw.shape;
          const stream = dropout ? mode.dropout : undefined;
          const input: Activation = {
            terms: [state],
            mask: stream && channelDropoutMask(items, channels, stream),
          };
          const { margin } = heads[step].forward(input);
          const factor = 2 ** (depth - 1 - step);
          return { margin: factor === 1 ? margin : enlarged(margin, factor) };
        }).reverse();
      }),
  };
}

/** The logits are enlarged, not the probabilities, as in URPC's release. */
function enlarged(margin: tf.Tensor4D, factor: number): tf.Tensor4D {
  return tidy(() =>
    tf.squeeze(enlargeGrid(tf.expandDims(margin, 4), factor, { trilinear: "halfPixel" }), [4])
  );
}
