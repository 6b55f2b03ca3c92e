/** Between PyTorch's channel order and the kit's. */
import { tf, tidy } from "../../engine/tensor.ts";
import type { SafetensorsEntry } from "../../training/safetensors.ts";

const toLast = [0, 2, 3, 4, 1];
const toFirst = [0, 4, 1, 2, 3];

/** [n, channel, x, y, z] → [n, x, y, z, channel] */
export function channelsLast(entry: SafetensorsEntry): tf.Tensor5D {
  const shape = entry.shape as [number, number, number, number, number];
  return tidy(() => tf.transpose(tf.tensor5d(entry.data as Float32Array, shape), toLast));
}

/** [n, x, y, z, channel] → values in [n, channel, x, y, z] order */
export function channelsFirst(tensor: tf.Tensor): Float32Array {
  return tidy(() => tf.transpose(tensor, toFirst).dataSync<"float32">());
}
