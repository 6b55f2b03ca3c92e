/** Small runs and batches, for tests of single methods. */
import { phantom } from "../../lib/data/dataset.ts";
import { tf } from "../../lib/engine/tensor.ts";
import type { MethodRun, StepContext, TensorBatch } from "../../lib/methods/method.ts";
import { hyperparametersOf, methodOf } from "../../lib/methods/mod.ts";
import { randomStream } from "../../lib/random.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { randomTensor } from "../tensors.ts";

const crop: Shape3 = [16, 16, 16];

/** A method with networks of width 2 and a budget of 17 steps. */
export function tinyRun(
  key: string,
  settings: readonly string[] = [],
  changes: { readonly width?: number; readonly dropout?: boolean } = {},
): MethodRun {
  const method = methodOf(key);
  return method.create({
    hyperparameters: hyperparametersOf(method, "paper", settings),
    dataset: phantom,
    width: 2,
    seed: 5,
    iterations: 17,
    crop,
    labelledCases: 2,
    labelledPerBatch: 2,
    dropout: true,
    ...changes,
  });
}

/** Two labelled and two unlabelled noisy crops of a ball. */
export function tinyBatch(): TensorBatch {
  const voxels = crop[0] * crop[1] * crop[2];
  const labelBytes = Uint8Array.from({ length: 2 * voxels }, (_, i) => {
    const [x, y, z] = [(i >> 8) & 15, (i >> 4) & 15, i & 15];
    return (x - 7) ** 2 + (y - 8) ** 2 + (z - 8) ** 2 < 25 ? 1 : 0;
  });
  const labels = tf.tensor4d(Float32Array.from(labelBytes), [2, ...crop]);
  const noise = randomTensor<tf.Tensor5D>("images", [4, ...crop, 1]);
  const balls = tf.expandDims(tf.concat([labels, labels], 0), 4);
  const images = tf.tidy(() => tf.add(tf.mul(balls, 2), noise)) as tf.Tensor5D;
  return { images, labels, labelBytes, items: [], labelled: 2 };
}

/** A step of the training proper. */
export function tinyStep(iteration = 17, iterations = 17): StepContext {
  return { iteration, iterations, stream: (name) => randomStream(5, name, iteration) };
}
