/** Evaluates a trained method on the test or validation cases of its run. */
import type { Case, CaseSource } from "../data/source.ts";
import { datasetOf } from "../data/dataset.ts";
import { InputError } from "../errors.ts";
import { compareMasks } from "../evaluation/metrics.ts";
import { type CaseResult, perCaseCsv, summarise, type Summary } from "../evaluation/summary.ts";
import { predictVolume } from "../inference/predict.ts";
import { threshold } from "../inference/sliding_window.ts";
import type { MethodRun } from "../methods/method.ts";
import { methodOf } from "../methods/mod.ts";
import { largestComponent } from "../volume/components.ts";
import { checkpointSteps, loadNetworks } from "./checkpoint.ts";
import type { CheckpointRule, RunConfig } from "./config.ts";
import { writeWhole } from "./files.ts";
import { bestStep, selectorOf } from "./looks.ts";
import { bestFolder, readConfig, readLog } from "./run_folder.ts";

/** Which cases of a run are evaluated. */
export type Split = "test" | "validation";

/**
 * The cases of a split: the test cases, or those that `train --select validation` set aside.
 *
 * @throws InputError where the run has none.
 */
export function casesOfSplit({ test, selection }: RunConfig, split: Split): readonly string[] {
  const cases = split === "test" ? test : selection?.validation ?? [];
  if (cases.length > 0) return cases;
  throw new InputError(
    `the run has no ${split} cases${split === "test" ? "" : "; train with --select validation"}`,
  );
}

/** How to evaluate. */
export interface EvaluationOptions {
  /** Default: "test". */
  readonly split?: Split;
  readonly signal?: AbortSignal | undefined;
  readonly onCase?: ((result: CaseResult, done: number, total: number) => void) | undefined;
  /** Told the mask of every case, by its place among the cases. */
  readonly onMask?: ((seen: EvaluatedCase, index: number) => void | Promise<void>) | undefined;
}

/** A case with its predicted mask. */
export interface EvaluatedCase {
  readonly case: Case;
  readonly mask: Uint8Array;
  readonly dice: number | null;
}

/** A run with its trained networks. */
export interface LoadedRun {
  readonly config: RunConfig;
  readonly run: MethodRun;
  readonly rule: CheckpointRule;
  /** The step of the checkpoint. */
  readonly step: number;
}

/** The cases of one checkpoint with one post-processing. */
export interface Evaluation {
  readonly results: readonly CaseResult[];
  readonly summary: Summary;
}

/** The masks as they are, and beside it their largest connected components alone. */
export interface Evaluations extends Evaluation {
  readonly largestComponent: Evaluation;
}

/** The checkpoints of a run folder by rule; "last" only where training has saved one. */
export async function keptCheckpoints(folder: string): Promise<Map<CheckpointRule, number>> {
  const kept = new Map<CheckpointRule, number>();
  const last = (await checkpointSteps(`${folder}/checkpoint`)).at(-1);
  if (last !== undefined) kept.set("last", last);
  const log = await readLog(folder);
  for (const rule of ["best-on-test", "validation"] as const) {
    const step = bestStep(log, selectorOf[rule]);
    if (step !== undefined) kept.set(rule, step);
  }
  return kept;
}

/**
 * Loads a checkpoint of a run folder.
 *
 * @throws InputError where the folder is no run, or has no such checkpoint yet.
 */
export async function loadRun(folder: string, rule: CheckpointRule = "last"): Promise<LoadedRun> {
  const config = await readConfig(folder);
  if (config === undefined) {
    throw new InputError(
      `${folder} is not a run folder: it has no config.json; give the folder that train printed`,
    );
  }
  const step = (await keptCheckpoints(folder)).get(rule);
  if (step === undefined) {
    throw new InputError(
      rule === "last"
        ? `${folder} has no checkpoint yet; run train until it saves one`
        : `${folder} keeps no checkpoint of the rule ${rule}: train with --select ${selectorOf[rule]}`,
    );
  }
  const dataset = datasetOf(config.dataset);
  const setting = { ...config, dataset, labelledCases: config.labelled, dropout: true };
  const run = methodOf(config.method).create(setting);
  await loadNetworks(rule === "last" ? `${folder}/checkpoint` : bestFolder(folder), run.networks, step);
  return { config, run, rule, step };
}

/** Predicts the cases of a split, and measures every mask as it is and its largest component alone. */
export async function evaluateCases(
  { run, config }: Pick<LoadedRun, "run" | "config">,
  source: CaseSource,
  options: EvaluationOptions = {},
): Promise<Evaluations> {
  const whole: CaseResult[] = [];
  const largest: CaseResult[] = [];
  const names = casesOfSplit(config, options.split ?? "test");
  for (const name of names) {
    options.signal?.throwIfAborted();
    const one = await source.load(name);
    const { shape, spacing, data } = one.image;
    const score = predictVolume(run, data, shape, { ...config, signal: options.signal });
    const mask = threshold(score);
    const measure = (mask: Uint8Array) => ({
      case: name,
      ...compareMasks(mask, one.label.data, shape, { spacing }),
    });
    const result = measure(mask);
    whole.push(result);
    largest.push(measure(largestComponent(mask, shape)));
    await options.onMask?.({ case: one, mask, dice: result.dice }, whole.length - 1);
    options.onCase?.(result, whole.length, names.length);
  }
  const evaluation = (results: readonly CaseResult[]) => ({ results, summary: summarise(results) });
  return { ...evaluation(whole), largestComponent: evaluation(largest) };
}

/** Writes per_case*.csv and summary*.json into the run folder; their names tell rule, split and post-processing. */
export async function writeEvaluations(
  folder: string,
  evaluations: Evaluations,
  { rule, step, split = "test" }: Pick<LoadedRun, "rule" | "step"> & { readonly split?: Split },
): Promise<void> {
  const ruleAndSplit = (rule === "last" ? "" : `_${rule.replaceAll("-", "_")}`) +
    (split === "test" ? "" : `_on_${split}`);
  const both = { "": evaluations, "_largest_component": evaluations.largestComponent };
  for (const [suffix, { results, summary }] of Object.entries(both)) {
    await writeWhole(`${folder}/per_case${ruleAndSplit}${suffix}.csv`, perCaseCsv(results));
    const document = {
      checkpoint: { rule, step },
      split,
      metrics: "medpy 0.5 definitions; distances in voxels and in millimetres",
      ...summary,
    };
    await writeWhole(
      `${folder}/summary${ruleAndSplit}${suffix}.json`,
      JSON.stringify(document, null, 2) + "\n",
    );
  }
}
