/** What the records say of the rows of a table. */
import { type Estimate, estimate } from "../evaluation/statistics.ts";
import type { CaseResult, Measure } from "../evaluation/summary.ts";
import type { DatasetName } from "../data/dataset.ts";
import { choiceOf, defaultSeed, repetitionKey, type Scale } from "./choice.ts";
import { type Metric, metrics, type PaperTable, type RunDeclaration } from "./item.ts";
import type { RunRecord } from "./record.ts";
import type { CheckpointRule } from "../training/config.ts";
import { unequalRepetitions } from "./study.ts";

/** The measured value of each printed metric, and what it is multiplied with to be printed. */
export const measureOf: Readonly<Record<Metric, readonly [measure: Measure, factor: number]>> = {
  dice: ["dice", 100],
  jaccard: ["jaccard", 100],
  hd95: ["hd95Voxel", 1],
  asd: ["asdVoxel", 1],
};

/** The repetitions that fill a row. */
export interface RowResult {
  /** One a seed, ascending. */
  readonly records: readonly RunRecord[];
  /** The data set of the paper, where phantoms stood in for it. */
  readonly standsFor: DatasetName | undefined;
  /** Of the last checkpoint without a component filter, in fractions and voxels. */
  readonly estimates: Readonly<Record<Metric, Estimate>>;
  /** Records that were left out because their configuration differs beside the seed. */
  readonly unequal: readonly string[];
}

/** The repetitions of a declared run: on the paper's data where there are any, else on phantoms; undefined without. */
export function rowResult(
  run: RunDeclaration,
  scale: Scale,
  records: readonly RunRecord[],
): RowResult | undefined {
  for (const standIn of [false, true]) {
    const wanted = choiceOf(run, defaultSeed, { ...scale, standIn });
    const found = records.filter(({ choice }) => repetitionKey(choice) === repetitionKey(wanted))
      .sort((a, b) => a.choice.seed - b.choice.seed);
    if (found.length === 0) continue;
    const equal = found.filter((record) => unequalRepetitions([found[0], record]).length === 0);
    return {
      records: equal,
      standsFor: wanted.dataset === run.dataset ? undefined : run.dataset,
      estimates: estimatesOf(casesOf(equal, "last", false)),
      unequal: unequalRepetitions(found),
    };
  }
  return undefined;
}

/** The results of all rows of a table that have any, by the row's id. */
export function tableResults(
  table: PaperTable,
  scale: Scale,
  records: readonly RunRecord[],
): Map<string, RowResult> {
  const results = new Map<string, RowResult>();
  for (const { id, run } of table.rows) {
    const result = rowResult(run, scale, records);
    if (result !== undefined) results.set(id, result);
  }
  return results;
}

/** The cases of one kind of evaluation, a list a seed; seeds without such an evaluation are left out. */
export function casesOf(
  records: readonly RunRecord[],
  rule: CheckpointRule,
  largestComponent: boolean,
): (readonly CaseResult[])[] {
  return records.flatMap(({ evaluations }) => {
    const found = evaluations.find((one) => one.rule === rule && one.largestComponent === largestComponent);
    return found === undefined ? [] : [found.cases];
  });
}

/** Estimates of the four printed metrics. */
export function estimatesOf(
  repetitions: readonly (readonly CaseResult[])[],
): Readonly<Record<Metric, Estimate>> {
  return Object.fromEntries(
    metrics.map((metric) => [metric, estimate(repetitions, measureOf[metric][0])]),
  ) as Record<Metric, Estimate>;
}
