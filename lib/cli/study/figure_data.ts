/** The data of figures: extracted once from each recorded run that a figure shows. */
import { choiceKey } from "../../experiments/choice.ts";
import type { FigureKey } from "../../experiments/figure_data.ts";
import { presentFigures, storedFigures } from "../../experiments/figure_store.ts";
import type { Item } from "../../experiments/item.ts";
import { readRecords } from "../../experiments/record.ts";
import type { PlannedRun } from "../../experiments/study.ts";
import type { Context } from "../command.ts";
import { runVerb } from "./execute.ts";

/** A recorded run and the figures whose data it lacks. */
export interface LackingData {
  readonly run: string;
  readonly figures: readonly FigureKey[];
}

/**
 * What is lacking of the figures among some items, of the planned runs that have a record; figures show the first
 * seed of a study.
 */
export async function lackingFigureData(
  plan: readonly PlannedRun[],
  { items, seeds, results }: { items: readonly Item[]; seeds: readonly number[]; results: string },
): Promise<LackingData[]> {
  const keys = storedFigures.filter((key) => items.some((item) => item.key === key));
  if (keys.length === 0) return [];
  const { records } = await readRecords(`${results}/records`);
  const recorded = new Map(records.map(({ choice, name }) => [choiceKey(choice), name]));
  const present = new Set(
    (await presentFigures(results, keys)).map(({ figure, run }) => `${figure} ${run}`),
  );
  return plan.filter(({ choice }) => choice.seed === seeds[0]).flatMap(({ key, items }) => {
    const run = recorded.get(key);
    if (run === undefined) return [];
    const figures = keys.filter((figure) => items.includes(figure) && !present.has(`${figure} ${run}`));
    return figures.length === 0 ? [] : [{ run, figures }];
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
    const { failure, seconds } = await extractFrom(`${runs}/${run}`, figures, { results, context });
    context.status(undefined);
    const end = failure ?? `${seconds.toFixed(0)} s`;
    context.print(`${place} data of ${figures.join(", ")} from ${run}  ${end}`);
    if (failure !== undefined) failures.push(`${run}: ${failure}`);
  }
  return failures;
}

async function extractFrom(
  run: string,
  figures: readonly FigureKey[],
  { results, context }: { results: string; context: Context },
): Promise<{ failure: string | undefined; seconds: number }> {
  if (await Deno.stat(`${run}/checkpoint`).catch(() => undefined) === undefined) {
    const record = run.replace(/^.*\//, "");
    const failure =
      `${run} has no checkpoint; remove ${results}/records/${record}.json and study again to train it here`;
    return { failure, seconds: 0 };
  }
  return await runVerb(["extract", run, ...figures, "--results", results], { label: "extract", context });
}
