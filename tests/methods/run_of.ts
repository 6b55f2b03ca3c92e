/** A method in a small run, and batches for it, without a data set. */
import { phantom } from "../../lib/data/dataset.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import type { MethodRun, MethodSetting, StepContext, TensorBatch, Terms } from "../../lib/methods/method.ts";
import { hyperparametersOf, methodOf } from "../../lib/methods/mod.ts";
import type { Hyperparameters } from "../../lib/methods/method.ts";
import { parametersOf } from "../../lib/network/network.ts";
import { randomStream } from "../../lib/random.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";

const crop: Shape3 = [16, 16, 16];

/** A method of width 2 without dropout. */
export function runOf(
  key: string,
  settings: readonly string[] = [],
  changes: Partial<MethodSetting<Hyperparameters>> = {},
): MethodRun {
  const method = methodOf(key);
  return method.create({
    hyperparameters: hyperparametersOf(method, "paper", settings),
    dataset: phantom,
    width: 2,
    seed: 5,
    iterations: 100,
    crop,
    labelledCases: 2,
    labelledPerBatch: 2,
    dropout: false,
    ...changes,
  });
}

/** Two labelled crops, each with a ball in it, and two unlabelled ones. */
export function ballBatch(): TensorBatch {
  const stream = randomStream(1, "balls");
  const images = new Float32Array(4 * 4096);
  const labels = new Uint8Array(2 * 4096);
  for (let i = 0; i < images.length; i++) {
    const [item, x, y, z] = [i >> 12, (i >> 8) & 15, (i >> 4) & 15, i & 15];
    const inside = Math.hypot(x - 6 - item, y - 8, z - 7) < 5 - item / 2;
    images[i] = stream.normal() + (inside ? 2 : 0);
    if (item < 2) labels[i] = inside ? 1 : 0;
  }
  return {
    images: tf.tensor5d(images, [4, ...crop, 1]),
    labels: tf.tensor4d(Float32Array.from(labels), [2, ...crop]),
    labelBytes: labels,
    items: [],
    labelled: 2,
  };
}

/** A step of a run of 100, or of `iterations`. */
export function stepOf(iteration: number, iterations = 100): StepContext {
  return { iteration, iterations, stream: (name) => randomStream(5, name, iteration) };
}

/** The value of one term and the gradients of all parameters by "network/parameter"; zeros count as none. */
export function termOf(
  run: MethodRun,
  term: string,
  loss: () => Terms,
): { value: number; weight: number; gradients: ReadonlyMap<string, Float32Array> } {
  const parameters = Object.entries(run.networks).flatMap(([network, { layers }]) =>
    parametersOf({ layers }).map(({ name, variable }) => ({ key: `${network}/${name}`, variable }))
  );
  let weight = 0;
  const { value, gradients } = valueAndGradients(() => {
    const found = loss()[term];
    weight = found.weight;
    return { loss: found.value };
  }, parameters.map(({ variable }) => variable));
  const reached = new Map<string, Float32Array>();
  gradients.forEach((gradient, i) => {
    const values = gradient?.dataSync<"float32">();
    if (values?.some((value) => value !== 0)) reached.set(parameters[i].key, values);
  });
  return { value: value.loss.dataSync()[0], weight, gradients: reached };
}
