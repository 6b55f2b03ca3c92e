/**
 * What a step of one method costs beside its forward and backward passes: a process that prints one JSON object.
 * Losses, masks, distances, teachers' averages and optimisers are what is beside.
 */
import { phantom } from "../../data/dataset.ts";
import { makeBatch } from "../../data/batch.ts";
import { phantomSource } from "../../data/phantom.ts";
import { memoryUse } from "../../engine/memory.ts";
import { startEngine } from "../../engine/start.ts";
import { augmentationOf, type MethodRun } from "../../methods/method.ts";
import { methodOf } from "../../methods/mod.ts";
import { paperSgd } from "../../methods/optimiser_settings.ts";
import type { Network } from "../../network/network.ts";
import { createTrainer } from "../../training/trainer.ts";
import type { Shape3 } from "../../volume/volume.ts";

/** Which method, at which size. */
export interface MethodStepTask {
  readonly method: string;
  readonly size: Shape3;
  readonly width: number;
  readonly repeat: number;
}

/** What {@link measureMethodStep} found, each at best. */
export interface MethodStep {
  readonly method: string;
  readonly name: string;
  readonly seconds: number;
  /** Of the forward and backward passes of all networks in it. */
  readonly passSeconds: number;
  readonly peakBytes: number;
}

/** Steps of the budget that schedules are made for. */
const iterations = 6000;
/** The last warm-up step, so that every ramp is nearly full and periodic work has its average share. */
const warmUp = 2;

type Clock = { seconds: number; depth: number };

/** Runs the last steps of a run of the method on phantoms. */
async function measureMethodStep({ method: key, size, width, repeat }: MethodStepTask): Promise<MethodStep> {
  const method = methodOf(key);
  const source = phantomSource({ seed: 1, train: 4, test: 1 });
  const setting = {
    hyperparameters: method.defaults("paper"),
    dataset: phantom,
    width,
    seed: 1,
    iterations,
    crop: size,
    labelledCases: 2,
    labelledPerBatch: 2,
    dropout: true,
  };
  const run = method.create(setting);
  const [forward, loss, rest] = [0, 1, 2].map((): Clock => ({ seconds: 0, depth: 0 }));
  for (const network of Object.values(run.networks)) timePasses(network, forward);
  const timed: MethodRun = {
    ...run,
    loss: clocked(run.loss, loss),
    ...(run.further && {
      further: run.further.map((objective) => ({ ...objective, loss: clocked(objective.loss, loss) })),
    }),
    ...(run.afterStep && { afterStep: clocked(run.afterStep, rest) }),
  };
  const trainer = createTrainer(timed, { seed: 1, iterations, crop: size, optimiser: paperSgd });
  for (const { optimiser } of trainer.groups) optimiser.apply = clocked(optimiser.apply, rest);
  let best = { seconds: Infinity, passSeconds: Infinity };
  for (let i = 0; i < warmUp + repeat; i++) {
    const step = trainer.steps - warmUp - repeat + i;
    const batch = await makeBatch(source, step, {
      seed: 1,
      labelled: 2,
      unlabelledPerBatch: method.unlabelledTerms.length > 0 ? 2 : 0,
      crop: size,
      augmentation: augmentationOf(method, phantom, setting.hyperparameters),
      views: phantom.views,
    });
    for (const clock of [forward, loss, rest]) clock.seconds = 0;
    const started = performance.now();
    trainer.step(batch, step + 1);
    const seconds = (performance.now() - started) / 1000;
    const passSeconds = forward.seconds + seconds - loss.seconds - rest.seconds;
    if (i >= warmUp && seconds < best.seconds) best = { seconds, passSeconds };
  }
  return { method: key, name: method.name, ...best, peakBytes: memoryUse().peak };
}

/** Every function of a network is a pass or a part of one. */
function timePasses(network: Network, clock: Clock): void {
  const functions = network as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value === "function") {
      functions[name] = clocked(value as (...input: never[]) => unknown, clock);
    }
  }
}

/** The same function; its time is added to the clock, once where it calls itself or another of them. */
function clocked<I extends unknown[], O>(f: (...input: I) => O, clock: Clock): (...input: I) => O {
  return (...input) => {
    const started = performance.now();
    clock.depth++;
    try {
      return f(...input);
    } finally {
      clock.depth--;
      if (clock.depth === 0) clock.seconds += (performance.now() - started) / 1000;
    }
  };
}

if (import.meta.main) {
  await startEngine();
  const result = await measureMethodStep(JSON.parse(Deno.args[0]));
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
}
