/** What SASSNet and DTC share: a network that segments and regresses the signed distance, and its supervision. */
import { tf } from "../../engine/tensor.ts";
import type { HeadOutput } from "../../network/head.ts";
import { createVNet, type VNet, type VNetSpec } from "../../network/segmenter.ts";
import { signedDistanceMap } from "../../sasnet/sdm.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { TensorBatch, Terms } from "../method.ts";
import { meanSquare, squaredDice } from "./losses.ts";

/** V-Net with a regressing and a segmenting head of one channel each, so that the margin is the logit itself. */
export function createDualTaskVNet(spec: Pick<VNetSpec, "width" | "dropout" | "seed">): VNet {
  return createVNet({ ...spec, regression: true, channels: 1 });
}

/**
 * Dice of the segmentation and the squared error of the signed distance, both on the labelled crops. The released
 * codes compute a cross-entropy, too, and only log it.
 *
 * @param output of all crops or of the labelled ones, which come first.
 * @param weight of the distance.
 */
export function dualTaskTerms(
  { margin, distance }: HeadOutput,
  { labels, labelBytes, labelled }: TensorBatch,
  weight: number,
): Terms {
  const target = signedDistances(labelBytes, labels.shape);
  return {
    dice: { weight: 1, value: squaredDice(tf.sigmoid(tf.slice(margin, 0, labelled)), labels) },
    distance: { weight, value: meanSquare(tf.slice(distance!, 0, labelled), target) },
  };
}

/**
 * The signed distance maps of label crops. They are computed on the crop, as released: those of the whole volume have
 * other largest distances and so other values.
 *
 * @param labels one byte a voxel.
 * @param shape [n, x, y, z]
 */
function signedDistances(labels: Uint8Array, shape: readonly [number, number, number, number]): tf.Tensor4D {
  const [items, ...crop] = shape;
  const voxels = labels.length / items;
  const maps = new Float32Array(labels.length);
  for (let start = 0; start < labels.length; start += voxels) {
    signedDistanceMap(
      labels.subarray(start, start + voxels),
      crop as unknown as Shape3,
      maps.subarray(start, start + voxels),
    );
  }
  return tf.tensor4d(maps, [...shape]);
}
