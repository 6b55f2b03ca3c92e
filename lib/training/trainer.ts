/** One training step: batch → loss of the method → gradients → optimiser. No files, no clock. */
import type { Batch } from "../data/batch.ts";
import { valueAndGradients } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import type { MethodRun, StepContext, TensorBatch, Terms } from "../methods/method.ts";
import { disposeNetwork, parametersOf } from "../network/network.ts";
import type { Parameter } from "../network/parameter.ts";
import { randomStream } from "../random.ts";
import type { Shape3 } from "../volume/volume.ts";
import { createSgd, type Sgd, type SgdSettings } from "./optimiser.ts";

/** What a step reports: Σ weight·value, and each part's value and weight. */
export interface StepResult {
  readonly total: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly weights: Readonly<Record<string, number>>;
}

/** A method that is being trained. */
export interface Trainer {
  readonly run: MethodRun;
  readonly parameters: readonly Parameter[];
  readonly optimiser: Sgd;
  /**
   * Trains on one batch.
   *
   * @param iteration the first step is 1.
   */
  step(batch: Batch, iteration: number): StepResult;
  dispose(): void;
}

/** Settings of a trainer. */
export interface TrainerSettings {
  readonly seed: number;
  readonly iterations: number;
  readonly crop: Shape3;
  readonly sgd: SgdSettings;
}

/** Creates the trainer of a method. */
export function createTrainer(run: MethodRun, settings: TrainerSettings): Trainer {
  const parameters = run.trained.flatMap((name) => parametersOf(run.networks[name]));
  const variables = parameters.map((parameter) => parameter.variable);
  const optimiser = createSgd(parameters, settings.sgd);
  return {
    run,
    parameters,
    optimiser,
    step(batch, iteration) {
      const context: StepContext = {
        iteration,
        iterations: settings.iterations,
        stream: (name) => randomStream(settings.seed, name, iteration),
      };
      const tensors = toTensors(batch, settings.crop);
      const { value, gradients } = valueAndGradients(() => {
        const terms = run.loss(tensors, context);
        return { loss: weightedSum(terms), terms };
      }, variables);
      tensors.images.dispose();
      tensors.labels.dispose();
      optimiser.apply(gradients);
      run.afterStep?.(context);
      return read(value.loss, value.terms);
    },
    dispose() {
      optimiser.dispose();
      for (const network of Object.values(run.networks)) disposeNetwork(network);
    },
  };
}

function toTensors(batch: Batch, [x, y, z]: Shape3): TensorBatch {
  const labelled = batch.items.filter((item) => item.labelled).length;
  return {
    images: tf.tensor5d(batch.images, [batch.items.length, x, y, z, 1]),
    labels: tf.tensor4d(Float32Array.from(batch.labels), [labelled, x, y, z]),
    labelBytes: batch.labels,
    items: batch.items,
    labelled,
  };
}

function weightedSum(terms: Terms): tf.Scalar {
  return tidy(() =>
    tf.addN(Object.values(terms).map(({ weight, value }) => tf.mul(value, weight))) as tf.Scalar
  );
}

/** Reads the numbers of a step and frees its scalars. */
function read(loss: tf.Scalar, terms: Terms): StepResult {
  const entries = Object.entries(terms);
  const result = {
    total: loss.dataSync()[0],
    terms: Object.fromEntries(entries.map(([name, { value }]) => [name, value.dataSync()[0]])),
    weights: Object.fromEntries(entries.map(([name, { weight }]) => [name, weight])),
  };
  tf.dispose([loss, ...entries.map(([, { value }]) => value)]);
  return result;
}
