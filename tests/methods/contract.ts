/** What every method must keep, as tests: the paper's methods and anybody's own pass the same ones. */
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { type Batch, makeBatch } from "../../lib/data/batch.ts";
import { phantom } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { augmentationOf, type Method, type MethodRun } from "../../lib/methods/method.ts";
import { hyperparametersOf } from "../../lib/methods/mod.ts";
import { paperSgd } from "../../lib/methods/optimiser_settings.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { disposeNetwork, parametersOf } from "../../lib/network/network.ts";
import { randomStream } from "../../lib/random.ts";
import { saveCheckpoint } from "../../lib/training/checkpoint.ts";
import { loadCheckpoint } from "../../lib/training/checkpoint.ts";
import { createTrainer, type Trainer } from "../../lib/training/trainer.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { gradientsOf, movedSince, snapshot, stopsOf, tensorsOf, undecayed } from "./contract_probes.ts";

/** What differs between methods. */
export interface Expectation {
  /**
   * The networks that an unlabelled term's gradient reaches, where they are not just the trained ones: a term may
   * pass through a network that it does not move, and need not reach all that are moved.
   */
  readonly reaches?: Readonly<Record<string, readonly string[]>>;
  /** Unlabelled terms that may be negative. */
  readonly signed?: readonly string[];
  /** Parameters that a prediction runs, at width 16. */
  readonly parameters: number;
  /** Crop of these tests (default 16³). */
  readonly crop?: Shape3;
  /** Settings under which every unlabelled term is alive after a few steps. */
  readonly settings?: readonly string[];
  /** Budget of these tests (default 6): enough for a step of every phase. */
  readonly iterations?: number;
}

const width = 2;
const source = phantomSource({ seed: 3, train: 4, test: 1 });

/** Runs the tests of one method. */
export function describeContract(method: Method, expectation: Expectation): void {
  const { crop = [16, 16, 16], iterations = 6, reaches = {}, signed = [], settings = [] } = expectation;

  function create(settings: readonly string[] = [], changes: { width?: number; dropout?: boolean } = {}) {
    return method.create({
      hyperparameters: hyperparametersOf(method, "paper", settings),
      dataset: phantom,
      width,
      seed: 5,
      iterations,
      crop,
      labelledCases: 2,
      labelledPerBatch: 2,
      dropout: true,
      ...changes,
    });
  }

  function trainerOf(run: MethodRun): Trainer {
    return createTrainer(run, { seed: 5, iterations, crop, optimiser: paperSgd });
  }

  async function batchOf(step: number): Promise<Batch> {
    return await makeBatch(source, step, {
      seed: 5,
      labelled: 2,
      unlabelledPerBatch: method.unlabelledTerms.length > 0 ? 2 : 0,
      crop,
      augmentation: augmentationOf(method, phantom, method.defaults("paper")),
      views: phantom.views,
    });
  }

  async function steps(trainer: Trainer, from: number, to: number): Promise<number[]> {
    const totals: number[] = [];
    for (let step = from; step < to; step++) totals.push(trainer.step(await batchOf(step), step + 1).total);
    return totals;
  }

  /** All weights and, by name, everything else that a checkpoint holds. */
  async function stateOf(trainer: Trainer, folder: string): Promise<Record<string, Uint8Array>> {
    await saveCheckpoint(folder, trainer, trainer.steps, "test");
    const state: Record<string, Uint8Array> = {};
    const path = `${folder}/step-${String(trainer.steps).padStart(6, "0")}`;
    for (const { name } of Deno.readDirSync(path)) state[name] = await Deno.readFile(`${path}/${name}`);
    return state;
  }

  /** The last step of the training proper, where every ramp is full. */
  function lastStep(trainer: Trainer) {
    return {
      iteration: iterations,
      iterations,
      stream: (name: string) => randomStream(5, name, trainer.steps),
    };
  }

  describe(method.name, () => {
    let folder = "";
    beforeAll(async () => {
      await startEngine();
      folder = await Deno.makeTempDir();
    });
    afterAll(() => Deno.remove(folder, { recursive: true }));

    for (const term of method.unlabelledTerms) {
      it(`learns from unlabelled crops through ${term}, which reaches what it should and nothing else`, async () => {
        const run = create(settings);
        const trainer = trainerOf(run);
        await steps(trainer, 0, trainer.steps - 1);
        const batch = tensorsOf(await batchOf(trainer.steps - 1), crop);
        const { value, weight, reached } = gradientsOf(run, term, () => run.loss(batch, lastStep(trainer)));
        assert(weight > 0, `${term} has weight ${weight}`);
        assert(
          Number.isFinite(value) && (signed.includes(term) ? value !== 0 : value > 0),
          `${term} is ${value}`,
        );
        assertEquals(reached, [...reaches[term] ?? run.trained].sort(), `networks that ${term} reaches`);
        tf.dispose([batch.images, batch.labels]);
        trainer.dispose();
      });
    }

    it("moves every network that an objective trains, by its gradient", async () => {
      const run = undecayed(create(settings));
      const trainer = createTrainer(run, {
        seed: 5,
        iterations,
        crop,
        optimiser: { ...paperSgd, weightDecay: 0 },
      });
      const before = snapshot(run);
      await steps(trainer, 0, trainer.steps);
      const moved = movedSince(run, before);
      const trained = trainer.groups.flatMap(({ keys }) => keys.map((key) => key.split("/")[0]));
      for (const name of new Set(trained)) assert(moved.includes(name), `${name} stands still`);
      trainer.dispose();
    });

    if (method.unlabelledTerms.length > 0) {
      it(`is supervised with ${method.supervisedOnly.join(" ")}`, async () => {
        const run = create(method.supervisedOnly);
        const alone: MethodRun = {
          ...run,
          loss: (...input) =>
            Object.fromEntries(
              Object.entries(run.loss(...input)).filter(([name]) => !method.unlabelledTerms.includes(name)),
            ),
        };
        const variablesOf = (names: readonly string[]) =>
          names.flatMap((name) => parametersOf(run.networks[name]).map(({ variable }) => variable));
        const moved = async (which: MethodRun) => {
          const trainer = trainerOf(which);
          const variables = variablesOf(Object.keys(run.networks));
          const before = new Map(variables.map((variable) => [variable, variable.clone()]));
          await steps(trainer, trainer.steps - 1, trainer.steps);
          const moves = variablesOf(run.trained).map((variable) =>
            tf.tidy(() => tf.sub(variable, before.get(variable)!).dataSync())
          );
          before.forEach((values, variable) => variable.assign(values));
          tf.dispose([...before.values()]);
          return moves;
        };
        const [whole, supervised] = [await moved(run), await moved(alone)];
        whole.forEach((values, i) =>
          values.forEach((value, j) => {
            const other = supervised[i][j];
            assert(Math.abs(value - other) <= 1e-6 + 1e-3 * Math.abs(other), `${value} and ${other}`);
          })
        );
        Object.values(run.networks).forEach(disposeNetwork);
      });
    }

    it("holds no more tensors after the last step than after the first of each phase", async () => {
      const start = tf.memory().numTensors;
      const trainer = trainerOf(create());
      await steps(trainer, 0, trainer.steps - 1);
      const before = tf.memory().numTensors;
      await steps(trainer, trainer.steps - 1, trainer.steps);
      assertEquals(tf.memory().numTensors, before);
      trainer.dispose();
      assertEquals(tf.memory().numTensors, start);
    });

    it("gives the same losses for the same seed, and continues from any phase as if it had not stopped", async () => {
      const whole = trainerOf(create());
      const totals = await steps(whole, 0, whole.steps);
      assert(totals.every(Number.isFinite), `losses ${totals}`);
      const expected = await stateOf(whole, `${folder}/whole`);
      for (const stop of stopsOf(whole.run, whole.steps)) {
        const first = trainerOf(create());
        const parts = await steps(first, 0, stop);
        await saveCheckpoint(`${folder}/until-${stop}`, first, stop, "test");
        first.dispose();
        const second = trainerOf(create());
        await loadCheckpoint(`${folder}/until-${stop}`, second, stop);
        parts.push(...await steps(second, stop, whole.steps));
        assertEquals(parts, totals, `losses with a stop after step ${stop}`);
        assertEquals(
          await stateOf(second, `${folder}/from-${stop}`),
          expected,
          `state with a stop after ${stop}`,
        );
        second.dispose();
      }
      whole.dispose();
    });

    it("predicts foreground probabilities", () => {
      const run = create();
      const images = tf.randomUniform([1, ...crop, 1], -1, 1, "float32", 1) as tf.Tensor5D;
      const probabilities = run.predict(images);
      assertEquals(probabilities.shape, [1, ...crop]);
      const values = probabilities.dataSync();
      assert(values.every((value) => value >= 0 && value <= 1) && new Set(values).size > 100);
      tf.dispose([images, probabilities]);
      Object.values(run.networks).forEach(disposeNetwork);
    });

    it(`predicts with ${expectation.parameters.toLocaleString("en")} parameters at width 16`, () => {
      const run = create([], { width: 16 });
      const layers = run.predictor?.layers ?? run.trained.flatMap((name) => run.networks[name].layers);
      assertEquals(complexityOf({ layers }, crop).parameters, expectation.parameters);
      Object.values(run.networks).forEach(disposeNetwork);
    });
  });
}
