/** Evaluates a trained method on the test cases of its run. */
import type { CaseSource } from "../data/source.ts";
import { datasetOf } from "../data/dataset.ts";
import { InputError } from "../errors.ts";
import { compareMasks } from "../evaluation/metrics.ts";
import { type CaseResult, perCaseCsv, summarise, type Summary } from "../evaluation/summary.ts";
import { predictVolume } from "../inference/predict.ts";
import { threshold } from "../inference/sliding_window.ts";
import type { MethodRun } from "../methods/method.ts";
import { methodOf } from "../methods/mod.ts";
import { checkpointSteps, loadNetworks } from "./checkpoint.ts";
import type { RunConfig } from "./config.ts";
import { writeWhole } from "./files.ts";
import { readConfig } from "./run_folder.ts";

/** How to evaluate. */
export interface EvaluationOptions {
  /** Applied to each predicted mask, for example a largest-component filter. */
  readonly postprocess?:
    | ((mask: Uint8Array, shape: readonly [number, number, number]) => Uint8Array)
    | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onCase?: ((result: CaseResult, done: number, total: number) => void) | undefined;
}

/** A run with its trained networks. */
export interface LoadedRun {
  readonly config: RunConfig;
  readonly run: MethodRun;
  /** The step of the checkpoint. */
  readonly step: number;
}

/**
 * Loads the last checkpoint of a run folder.
 *
 * @throws InputError where the folder is no run, or has no checkpoint yet.
 */
export async function loadRun(folder: string): Promise<LoadedRun> {
  const config = await readConfig(folder);
  if (config === undefined) {
    throw new InputError(
      `${folder} is not a run folder: it has no config.json; give the folder that train printed`,
    );
  }
  const step = (await checkpointSteps(`${folder}/checkpoint`)).at(-1);
  if (step === undefined) {
    throw new InputError(`${folder} has no checkpoint yet; run train until it saves one`);
  }
  const dataset = datasetOf(config.dataset);
  const setting = { ...config, dataset, labelledCases: config.labelled, dropout: true };
  const run = methodOf(config.method).create(setting);
  await loadNetworks(`${folder}/checkpoint`, run.networks, step);
  return { config, run, step };
}

/** Predicts and measures the test cases. */
export async function evaluateCases(
  { run, config }: Pick<LoadedRun, "run" | "config">,
  source: CaseSource,
  options: EvaluationOptions = {},
): Promise<{ results: CaseResult[]; summary: Summary }> {
  const results: CaseResult[] = [];
  for (const name of config.test) {
    options.signal?.throwIfAborted();
    const { image, label } = await source.load(name);
    const score = predictVolume(run, image.data, image.shape, { ...config, signal: options.signal });
    const mask = threshold(score);
    const final = options.postprocess?.(mask, image.shape) ?? mask;
    const { spacing } = image;
    const result = { case: name, ...compareMasks(final, label.data, image.shape, { spacing }) };
    results.push(result);
    options.onCase?.(result, results.length, config.test.length);
  }
  return { results, summary: summarise(results) };
}

/** Writes per_case.csv and summary.json into the run folder; the name tells the post-processing. */
export async function writeEvaluation(
  folder: string,
  evaluation: { results: readonly CaseResult[]; summary: Summary },
  facts: { step: number; suffix: string },
): Promise<void> {
  await writeWhole(`${folder}/per_case${facts.suffix}.csv`, perCaseCsv(evaluation.results));
  const document = {
    checkpoint: { rule: "last", step: facts.step },
    metrics: "medpy 0.5 definitions; distances in voxels and in millimetres",
    ...evaluation.summary,
  };
  await writeWhole(`${folder}/summary${facts.suffix}.json`, JSON.stringify(document, null, 2) + "\n");
}
