/** The data of figures: extracted once from each recorded run that a figure shows. */
import type { FigureKey } from "../../experiments/figure_data.ts";
import { readFigures, storedFigures } from "../../experiments/figure_store.ts";
import type { Item } from "../../experiments/item.ts";
import { readRecords } from "../../experiments/record.ts";
import { planStudy, type StudyRequest } from "../../experiments/study.ts";
import type { Context } from "../command.ts";
import { runVerb } from "./execute.ts";

/** A recorded run and the figures whose data it lacks. */
export interface LackingData {
  readonly run: string;
  readonly figures: readonly FigureKey[];
}

/** What is lacking of the figures among some items; figures show the first seed of a study. */
export async function lackingFigureData(request: StudyRequest, results: string): Promise<LackingData[]> {
  const keys = storedFigures.filter((key) => request.items.some((item: Item) => item.key === key));
  if (keys.length === 0) return [];
  const { records } = await readRecords(`${results}/records`);
  const { stored } = await readFigures(results, keys);
  const present = new Set(stored.map(({ figure, run }) => `${figure} ${run}`));
  const plan = planStudy({ ...request, seeds: request.seeds.slice(0, 1) }, records);
  return plan.flatMap(({ record, items }) => {
    if (record === undefined) return [];
    const figures = keys.filter((key) => items.includes(key) && !present.has(`${key} ${record.name}`));
    return figures.length === 0 ? [] : [{ run: record.name, figures }];
  });
}

/** Extracts what is lacking, a process a run; returns why some failed. */
export async function makeFigureData(
  lacking: readonly LackingData[],
  { results, runs, context }: { results: string; runs: string; context: Context },
): Promise<string[]> {
  const failures: string[] = [];
  for (const [i, { run, figures }] of lacking.entries()) {
    if (context.signal.aborted) break;
    const place = `[${i + 1}/${lacking.length}]`;
    context.status(`${place} data of ${figures.join(", ")} from ${run} …`);
    const { failure, seconds } = await runVerb(
      ["extract", `${runs}/${run}`, ...figures, "--results", results],
      { label: "extract", context },
    );
    context.status(undefined);
    const end = failure ?? `${seconds.toFixed(0)} s`;
    context.print(`${place} data of ${figures.join(", ")} from ${run}  ${end}`);
    if (failure !== undefined) failures.push(`${run}: ${failure}`);
  }
  return failures;
}
