/** One training step: batch → loss of the method → gradients → optimiser. No files, no clock. */
import type { Batch } from "../data/batch.ts";
import { valueAndGradients } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import type { MethodRun, Objective, Phase, StepContext, TensorBatch, Terms } from "../methods/method.ts";
import { learningRateAt, type OptimiserSettings } from "../methods/optimiser_settings.ts";
import { disposeNetwork, parametersOf } from "../network/network.ts";
import type { Parameter } from "../network/parameter.ts";
import { randomStream } from "../random.ts";
import type { Shape3 } from "../volume/volume.ts";
import { createOptimiser, type Optimiser } from "./optimiser.ts";

/** What a step reports: Σ weight·value, and each part's value and weight. */
export interface StepResult {
  readonly total: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly weights: Readonly<Record<string, number>>;
}

/** Parameters with one optimiser. */
export interface Group {
  /** The phase and the objective that move them, for example "training" or "training/discriminator". */
  readonly name: string;
  /** In the order of `optimiser`'s slots; keys are "network/parameter". */
  readonly keys: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly optimiser: Optimiser;
}

/** A method that is being trained. */
export interface Trainer {
  readonly run: MethodRun;
  readonly groups: readonly Group[];
  /** Steps of all phases together. */
  readonly steps: number;
  /** Steps in front of the training proper. */
  readonly before: number;
  /**
   * Trains on one batch.
   *
   * @param iteration of all phases together; the first step is 1.
   */
  step(batch: Batch, iteration: number): StepResult;
  dispose(): void;
}

/** Settings of a trainer. */
export interface TrainerSettings {
  readonly seed: number;
  /** The budget of the run: steps of the segmenter. */
  readonly iterations: number;
  readonly crop: Shape3;
  readonly optimiser: OptimiserSettings;
}

/** The name of the phase that every method ends with. */
const mainPhase = "training";

/** Creates the trainer of a method. */
export function createTrainer(run: MethodRun, settings: TrainerSettings): Trainer {
  const phases = phasesOf(run, settings.iterations);
  const groups = phases.flatMap((phase) =>
    phase.objectives.map((objective) => groupOf(run, phase, objective, settings.optimiser))
  );
  const group = (phase: Phase, { name }: Objective) =>
    groups.find((group) => group.name === groupName(phase, name))!;
  return {
    run,
    groups,
    steps: phases.reduce((sum, { steps }) => sum + steps, 0),
    before: phases.slice(0, -1).reduce((sum, { steps }) => sum + steps, 0),
    step(batch, iteration) {
      const { phase, within } = locate(phases, iteration);
      const context: StepContext = {
        iteration: within,
        iterations: phase.steps,
        stream: (name) => randomStream(settings.seed, name, iteration),
      };
      const tensors = toTensors(batch, settings.crop);
      const results: StepResult[] = [];
      for (const objective of phase.objectives) {
        const repeats = objective.repeats?.(context) ?? 1;
        const { parameters, optimiser } = group(phase, objective);
        const setting = objective.optimiser === "run" ? settings.optimiser : objective.optimiser;
        for (let repeat = 0; repeat < repeats; repeat++) {
          const variables = parameters.map(({ variable }) => variable);
          const { value, gradients } = valueAndGradients(() => {
            const terms = objective.loss(tensors, context, repeat);
            return { loss: weightedSum(terms), terms };
          }, variables);
          optimiser.apply(gradients, learningRateAt(setting, context));
          const result = read(value.loss, value.terms);
          if (repeat === repeats - 1) results.push(prefixed(result, objective.name));
        }
      }
      tensors.images.dispose();
      tensors.labels.dispose();
      phase.afterStep?.(context);
      if (within === phase.steps) phase.end?.();
      return joined(results);
    },
    dispose() {
      for (const { optimiser } of groups) optimiser.dispose();
      for (const network of Object.values(run.networks)) disposeNetwork(network);
    },
  };
}

/** The phases of a method, the training proper last. */
function phasesOf(run: MethodRun, iterations: number): Phase[] {
  const before = run.phases ?? [];
  const spent = before.reduce((sum, { steps, extra }) => extra ? sum : sum + steps, 0);
  const main: Phase = {
    name: mainPhase,
    steps: iterations - spent,
    objectives: [
      { name: "", trains: run.trained, optimiser: "run", loss: run.loss },
      ...run.further ?? [],
    ],
    ...(run.afterStep && { afterStep: run.afterStep }),
  };
  return [...before, main];
}

function locate(phases: readonly Phase[], iteration: number): { phase: Phase; within: number } {
  let within = iteration;
  for (const phase of phases) {
    if (within <= phase.steps) return { phase, within };
    within -= phase.steps;
  }
  throw new RangeError(`step ${iteration} lies beyond the last one`);
}

function groupOf(run: MethodRun, phase: Phase, objective: Objective, ofRun: OptimiserSettings): Group {
  const members = objective.trains.flatMap((network) =>
    parametersOf(run.networks[network]).map((parameter) => ({
      key: `${network}/${parameter.name}`,
      parameter,
    }))
  );
  const parameters = members.map(({ parameter }) => parameter);
  const settings = objective.optimiser === "run" ? ofRun : objective.optimiser;
  return {
    name: groupName(phase, objective.name),
    keys: members.map(({ key }) => key),
    parameters,
    optimiser: createOptimiser(parameters, settings),
  };
}

function groupName(phase: Phase, objective: string): string {
  return objective === "" ? phase.name : `${phase.name}/${objective}`;
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

/** Terms of a named objective are "objective.term", and its total is one of them. */
function prefixed({ total, terms, weights }: StepResult, objective: string): StepResult {
  if (objective === "") return { total, terms, weights };
  const renamed = (values: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${objective}.${name}`, value]));
  return { total, terms: renamed(terms), weights: renamed(weights) };
}

/** The total is the first objective's: the segmenter's, or in an earlier phase what that phase trains. */
function joined(results: readonly StepResult[]): StepResult {
  return {
    total: results[0].total,
    terms: Object.assign({}, ...results.map(({ terms }) => terms)),
    weights: Object.assign({}, ...results.map(({ weights }) => weights)),
  };
}
