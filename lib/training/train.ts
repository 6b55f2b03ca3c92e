/** The one training loop of the kit. */
import { makeBatch } from "../data/batch.ts";
import { datasetOf } from "../data/dataset.ts";
import type { CaseSource } from "../data/source.ts";
import { memoryUse } from "../engine/memory.ts";
import { hasNative } from "../engine/native.ts";
import { EnvironmentError, InputError } from "../errors.ts";
import { augmentationOf, type Method } from "../methods/method.ts";
import { methodOf } from "../methods/mod.ts";
import { depth } from "../network/vnet.ts";
import { checkpointSteps, keepSteps, loadCheckpoint, saveCheckpoint, saveNetworks } from "./checkpoint.ts";
import type { RunConfig } from "./config.ts";
import { bestSteps, isLookDue, look, type SeenCase } from "./looks.ts";
import type { EventPicture } from "./event_file.ts";
import { type LogLine, openRunFolder, readLog, truncateLog } from "./run_folder.ts";
import { requireMemory } from "./requirements.ts";
import { appendEvents, openEvents, type StepPictures } from "./run_events.ts";
import { createTrainer, type StepResult, type Trainer } from "./trainer.ts";

/** What a caller learns after each step. */
export interface StepReport extends StepResult {
  readonly step: number;
  /** Steps of all phases together. */
  readonly iterations: number;
  /** Of this step. */
  readonly seconds: number;
  /** Resident memory of the process in bytes. */
  readonly resident: number;
}

/** How to run. */
export interface TrainOptions {
  readonly source: CaseSource;
  /** The run folder. */
  readonly folder: string;
  /** What environment.json says. */
  readonly environment: object;
  /** Steps between checkpoints (default 500). */
  readonly checkpointEvery?: number;
  /** Milliseconds between writes of the log, so that whoever watches a run sees its curve grow (default 1000). */
  readonly logMilliseconds?: number;
  /** When aborted, the run saves its state after the step and stops. */
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((report: StepReport) => void) | undefined;
  /** Told what a look at the cases that choose found. */
  readonly onLook?: ((step: number, values: Readonly<Record<string, number>>) => void) | undefined;
  /** Draws what TensorBoard shows of a look, the first case of each kind. */
  readonly draw?: ((step: number, seen: SeenCase) => Promise<EventPicture | undefined>) | undefined;
}

/** How a run ended. */
export interface TrainResult {
  /** Last step that was done. */
  readonly step: number;
  /** Steps of all phases together. */
  readonly steps: number;
  readonly finished: boolean;
  /** The step that this call continued from; 0 for a new run. */
  readonly resumedFrom: number;
  /** The trained method; the caller disposes it. */
  readonly trainer: Trainer;
}

/**
 * Trains a run to its end, or to the abort signal. The same call on the same folder continues where it stopped,
 * bit for bit as if it had not.
 *
 * @throws InputError for a crop that the network cannot halve or the memory cannot hold, too few cases, or a folder
 * of another run.
 */
export async function train(config: RunConfig, options: TrainOptions): Promise<TrainResult> {
  const { source, signal, onStep, checkpointEvery = 500, logMilliseconds = 1000 } = options;
  const dataset = datasetOf(config.dataset);
  const method = methodOf(config.method);
  requireFit(config, method);
  requireMemory(config);
  const batchOptions = {
    seed: config.seed,
    labelled: config.labelled,
    labelledPerBatch: config.labelledPerBatch,
    unlabelledPerBatch: method.unlabelledTerms.length > 0 ? config.unlabelledPerBatch : 0,
    crop: config.crop,
    augmentation: augmentationOf(method, dataset, config.hyperparameters),
    views: dataset.views,
  };
  const setting = { ...config, dataset, labelledCases: config.labelled, dropout: true };
  const refused = method.refuses?.(setting);
  if (refused !== undefined) throw new InputError(`${method.name} cannot run: ${refused}`);
  if (method.nativeOperation !== undefined && !hasNative()) {
    throw new EnvironmentError(
      `${method.name} trains on libtensorflow only, which computes ${method.nativeOperation}: ` +
        "use --engine tensorflow (deno task doctor says what it lacks)",
    );
  }
  // What the first batch would refuse is refused before anything is written.
  await makeBatch(source, 0, batchOptions);
  const folder = await openRunFolder(options.folder, config, options.environment);
  const run = method.create(setting);
  const trainer = createTrainer(run, config);
  const { steps } = trainer;
  const { selection } = config;
  try {
    const resumedFrom = (await checkpointSteps(folder.checkpoints)).at(-1) ?? 0;
    if (resumedFrom > 0) await loadCheckpoint(folder.checkpoints, trainer, resumedFrom);
    const done = (await readLog(folder.path)).some(({ event, step }) =>
      event === "finished" && step === steps
    );
    if (done && resumedFrom === steps) return { step: steps, steps, finished: true, resumedFrom, trainer };
    const log = await truncateLog(folder.path, resumedFrom);
    let step = resumedFrom;
    await openEvents(folder.path, log);
    let lines: LogLine[] = [];
    let pictures: StepPictures[] = [];
    let saved = resumedFrom;
    let written = performance.now();
    // What the log says of steps without a checkpoint is dropped when the run continues.
    const writeLog = async () => {
      await folder.append(lines);
      await appendEvents(folder.path, lines, pictures);
      log.push(...lines);
      [lines, pictures] = [[], []];
      written = performance.now();
    };
    const save = async () => {
      await writeLog();
      if (step > saved) await saveCheckpoint(folder.checkpoints, trainer, step, folder.hash);
      saved = step;
      await keepSteps(folder.best, bestSteps(log));
    };
    /** Looks where it is due; false where the abort signal came in between. */
    const lookIfDue = async (): Promise<boolean> => {
      if (selection === undefined || !isLookDue(selection, step, trainer)) return true;
      if (log.some((line) => line.event === "evaluation" && line.step === step)) return true;
      const started = performance.now();
      const onFirst = async (seen: SeenCase) => {
        const picture = await options.draw?.(step, seen);
        const tag = `${seen.selector}/${seen.case.name}`;
        if (picture !== undefined) pictures.push({ step, pictures: { [tag]: picture } });
      };
      const values = await look(run, { config, selection }, { source, signal, onFirst }).catch((error) => {
        if (signal?.aborted) return undefined;
        throw error;
      });
      if (values === undefined) {
        pictures = [];
        return false;
      }
      lines.push({ event: "evaluation", step, seconds: secondsSince(started), values });
      options.onLook?.(step, values);
      if (bestSteps([...log, ...lines]).has(step)) {
        await saveNetworks(folder.best, run.networks, { step, hash: folder.hash });
      }
      await save();
      return true;
    };
    let next = step < steps ? makeBatch(source, step, batchOptions) : undefined;
    let looked: boolean;
    while ((looked = await lookIfDue()) && step < steps && !signal?.aborted) {
      const batch = await next!;
      const started = performance.now();
      // The next batch is cut while this step's tensors are on their way; nothing of it depends on the step.
      next = step + 1 < steps ? makeBatch(source, step + 1, batchOptions) : undefined;
      next?.catch(() => {});
      const result = trainer.step(batch, step + 1);
      step++;
      requireFinite(result, step, options.folder);
      const seconds = secondsSince(started);
      const values = run.readings?.();
      lines.push({ event: "step", step, seconds, ...result, ...(values && { values }) });
      await turnOfEventLoop();
      onStep?.({ ...result, step, iterations: steps, seconds, resident: memoryUse().resident });
      if (step % checkpointEvery === 0 && step < steps) await save();
      else if (performance.now() - written > logMilliseconds) await writeLog();
    }
    const finished = looked && step === steps;
    if (finished) lines.push({ event: "finished", step });
    // Slow steps are in the log already, and yet not in a checkpoint.
    if (lines.length > 0 || step > saved) await save();
    return { step, steps, finished, resumedFrom, trainer };
  } catch (error) {
    trainer.dispose();
    throw error;
  } finally {
    folder.close();
  }
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) * 10) / 1e4;
}

/** Lets signals, timers and a notebook's messages through; steps alone would never leave the event loop a turn. */
function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function requireFit({ crop, labelled, train, labelledPerBatch }: RunConfig, method: Method): void {
  const multiple = 2 ** depth;
  if (crop.some((side) => side < multiple || side % multiple !== 0)) {
    throw new InputError(
      `a crop of ${
        crop.join("×")
      } cannot be halved ${depth} times; choose sides that are multiples of ${multiple}`,
    );
  }
  if (labelled < labelledPerBatch || labelled > train.length) {
    throw new InputError(
      `--labelled ${labelled}: expected ${labelledPerBatch} to ${train.length}, ` +
        `the training cases of the data set`,
    );
  }
  if (labelled === train.length && method.unlabelledTerms.length > 0) {
    throw new InputError(
      `${method.name} learns from unlabelled cases, and --labelled ${labelled} leaves none of the ${train.length}; ` +
        "label fewer, or train vnet",
    );
  }
}

function requireFinite({ total, terms }: StepResult, step: number, folder: string): void {
  if (Number.isFinite(total)) return;
  const values = Object.entries(terms).map(([name, value]) => `${name} ${value}`).join(", ");
  throw new InputError(
    `training diverged at step ${step} (${values}); the last checkpoint of ${folder} is intact: ` +
      "lower the learning rate and start a new run",
  );
}
