/** A method in a tiny setting and one batch for it, for tests that work its loss out by hand. */
import { phantom } from "../../lib/data/dataset.ts";
import { tf } from "../../lib/engine/tensor.ts";
import type { Method, MethodRun, MethodSetting, StepContext, TensorBatch } from "../../lib/methods/method.ts";
import { hyperparametersOf } from "../../lib/methods/mod.ts";
import type { ForwardMode } from "../../lib/network/unit.ts";
import type { VNet } from "../../lib/network/segmenter.ts";
import { randomStream } from "../../lib/random.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { randomTensor } from "../tensors.ts";

const crop: Shape3 = [16, 16, 16];
export const voxels = 16 ** 3;

/** The setting of these tests with `key=value` settings of the method. */
export function settingOf<H>(method: Method, settings: readonly string[] = []): MethodSetting<H> {
  return {
    hyperparameters: hyperparametersOf(method, "paper", settings) as H,
    dataset: phantom,
    width: 2,
    seed: 5,
    iterations: 100,
    crop,
    labelledCases: 2,
    labelledPerBatch: 2,
    dropout: false,
  };
}

/** The method in this setting, without dropout. */
export function createRun(method: Method, settings: readonly string[] = []): MethodRun {
  return method.create(settingOf(method, settings));
}

/** Two labelled and two unlabelled crops of noise, each labelled one with a ball for a label. */
export function noiseBatch(): TensorBatch {
  const labelBytes = new Uint8Array(2 * voxels);
  for (let i = 0; i < labelBytes.length; i++) {
    const [x, y, z] = [Math.floor(i / 256) % 16, Math.floor(i / 16) % 16, i % 16];
    const radius = i < voxels ? 5 : 3;
    labelBytes[i] = (x - 7) ** 2 + (y - 8) ** 2 + (z - 6) ** 2 <= radius ** 2 ? 1 : 0;
  }
  const items = [true, true, false, false].map((labelled, i) => ({
    case: `case${i}`,
    labelled,
    paddedShape: crop,
    padding: [0, 0, 0] as const,
    location: [0, 0, 0] as const,
    permutation: [0, 1, 2] as const,
    mirrored: [false, false, false] as const,
  }));
  return {
    images: randomTensor<tf.Tensor5D>("images", [4, ...crop, 1]),
    labels: tf.tensor4d(Float32Array.from(labelBytes), [2, ...crop]),
    labelBytes,
    items,
    labelled: 2,
  };
}

/** A step of a run of 100. */
export function stepOf(iteration: number, iterations = 100): StepContext {
  return { iteration, iterations, stream: (name) => randomStream(5, name, iteration) };
}

const trainMode: ForwardMode = { training: true, updateStatistics: false };

/** The foreground probabilities of a network of the run, normalised with the batch's statistics. */
export function probabilitiesOf(run: MethodRun, network: string, images: tf.Tensor5D): Float32Array {
  const [{ margin }] = (run.networks[network] as VNet).forward(images, trainMode);
  return tf.sigmoid(margin).dataSync<"float32">();
}

/** Moves every trained tensor of a network by a number of its own, so that it is no copy of another. */
export function disturb(run: MethodRun, network: string, size = 0.05): void {
  for (const { parameters } of run.networks[network].layers) {
    for (const { name, variable } of parameters) {
      variable.assign(tf.add(variable, tf.mul(randomTensor(`${network}/${name}`, variable.shape), size)));
    }
  }
}

/** −mean ln of the true class's probability. */
export function crossEntropyByHand(p: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum -= Math.log(y[i] === 1 ? p[i] : 1 - p[i]);
  return sum / y.length;
}

/** 1 − (2Σpy + 1e-5)/(Σp² + Σy² + 1e-5) */
export function squaredDiceByHand(p: ArrayLike<number>, y: ArrayLike<number>): number {
  let [overlap, sizes] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    overlap += p[i] * y[i];
    sizes += p[i] ** 2 + y[i] ** 2;
  }
  return 1 - (2 * overlap + 1e-5) / (sizes + 1e-5);
}

/** The mean of `squaredDiceByHand` over background and foreground. */
export function squaredDiceOfBothByHand(p: ArrayLike<number>, y: ArrayLike<number>): number {
  const other = (values: ArrayLike<number>) => Array.from(values, (value) => 1 - value);
  return (squaredDiceByHand(p, y) + squaredDiceByHand(other(p), other(y))) / 2;
}

/** The numbers of a loss's terms. */
export function valuesOf(run: MethodRun, batch: TensorBatch, step: StepContext): Record<string, number> {
  const entries = Object.entries(run.loss(batch, step));
  return Object.fromEntries(entries.map(([name, { value }]) => [name, value.dataSync()[0]]));
}
