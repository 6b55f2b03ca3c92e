/** How the contract looks into a run: gradients, weights that moved, places to stop at. */
import { assert } from "@std/assert";
import type { Batch } from "../../lib/data/batch.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import type { MethodRun, Objective, TensorBatch, Terms } from "../../lib/methods/method.ts";
import { parametersOf } from "../../lib/network/network.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";

/** Half of the run, and of each phase before the training proper its middle and its end. */
export function stopsOf({ phases = [] }: MethodRun, steps: number): number[] {
  let done = 0;
  const stops = phases.flatMap(({ steps }) => [done + Math.ceil(steps / 2), done += steps]);
  return [...new Set([...stops, Math.ceil(steps / 2)])].filter((stop) => stop < steps);
}

/** A term of a loss, and the names of the networks that its gradient reaches. */
export function gradientsOf(
  run: MethodRun,
  term: string,
  loss: () => Terms,
): { value: number; weight: number; reached: string[] } {
  const parameters = Object.entries(run.networks).flatMap(([network, { layers }]) =>
    parametersOf({ layers }).map((parameter) => ({ network, ...parameter }))
  );
  let weight = 0;
  const { value: { loss: scalar }, gradients } = valueAndGradients(() => {
    const terms = loss();
    assert(terms[term] !== undefined, `${Object.keys(terms)} has no ${term}`);
    weight = terms[term].weight;
    return { loss: terms[term].value };
  }, parameters.map(({ variable }) => variable));
  const reached = new Set<string>();
  gradients.forEach((gradient, i) => {
    if (gradient === undefined) return;
    const values = gradient.dataSync();
    assert(values.every(Number.isFinite), `${parameters[i].name} has a gradient that is not finite`);
    if (values.some((value) => value !== 0)) reached.add(parameters[i].network);
  });
  const [value] = scalar.dataSync();
  tf.dispose([scalar, ...gradients.filter((gradient) => gradient !== undefined)]);
  return { value, weight, reached: [...reached].sort() };
}

/** The values of all weights by network. */
export function snapshot(run: MethodRun): Readonly<Record<string, Float32Array[]>> {
  return Object.fromEntries(
    Object.entries(run.networks).map(([name, network]) => [
      name,
      parametersOf(network).map(({ variable }) => variable.dataSync<"float32">().slice()),
    ]),
  );
}

/** The networks of which a weight has changed. */
export function movedSince(run: MethodRun, before: ReturnType<typeof snapshot>): string[] {
  const now = snapshot(run);
  return Object.keys(now).filter((name) =>
    now[name].some((values, i) => values.some((value, j) => value !== before[name][i][j]))
  );
}

/** The batch on the engine. */
export function tensorsOf(batch: Batch, [x, y, z]: Shape3): TensorBatch {
  const labelled = batch.items.filter((item) => item.labelled).length;
  return {
    images: tf.tensor5d(batch.images, [batch.items.length, x, y, z, 1]),
    labels: tf.tensor4d(Float32Array.from(batch.labels), [labelled, x, y, z]),
    labelBytes: batch.labels,
    items: batch.items,
    labelled,
  };
}

/** The same run without weight decay, so that a weight moves by its gradient alone. */
export function undecayed(run: MethodRun): MethodRun {
  const of = (objective: Objective): Objective =>
    objective.optimiser === "run"
      ? objective
      : { ...objective, optimiser: { ...objective.optimiser, weightDecay: 0 } };
  return {
    ...run,
    ...(run.further && { further: run.further.map(of) }),
    ...(run.phases &&
      { phases: run.phases.map((phase) => ({ ...phase, objectives: phase.objectives.map(of) })) }),
  };
}
