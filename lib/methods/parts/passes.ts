/** Passes of a segmenter that most methods make. */
import { tf, tidy } from "../../engine/tensor.ts";
import type { Segmenter } from "../../network/network.ts";
import { evaluationMode, type ForwardMode } from "../../network/unit.ts";
import type { StepContext } from "../method.ts";

/** A pass that is learnt from: normalised with the batch's statistics, which are remembered, and with dropout. */
export function trainingMode(step: StepContext, stream = "dropout"): ForwardMode {
  return { training: true, updateStatistics: true, dropout: step.stream(stream) };
}

/** The foreground's probability [n, x, y, z] by the first branch of a network. */
export function foregroundOf(network: Segmenter, images: tf.Tensor5D, mode = evaluationMode): tf.Tensor4D {
  return tidy(() => tf.sigmoid(network.forward(images, mode)[0].margin));
}
