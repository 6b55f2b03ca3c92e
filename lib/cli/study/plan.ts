/** The plan of a study for a reader: what is present, what is missing, and what it will take. */
import { datasets } from "../../data/dataset.ts";
import type { Item } from "../../experiments/item.ts";
import type { RunRecord } from "../../experiments/record.ts";
import { type PlannedRun, runLabel } from "../../experiments/study.ts";
import { estimateRun } from "../../experiments/study_estimate.ts";
import { isLocked, readFailures, readSubmissions } from "../../experiments/study_state.ts";
import type { Context } from "../command.ts";
import { formatBytes, formatDuration } from "../progress.ts";

/** Prints an item a line and a missing run a line; without `verbose`, only runs of which there is something to tell. */
export async function printPlan(
  plan: readonly PlannedRun[],
  { items, records, context, verbose, state }: {
    items: readonly Item[];
    records: readonly RunRecord[];
    context: Context;
    verbose: boolean;
    state: string;
  },
): Promise<void> {
  const failures = new Map((await readFailures(state)).map(({ key, message }) => [key, message]));
  const submissions = new Map((await readSubmissions(state)).map(({ key, job }) => [key, job]));
  for (const { key, kind } of items) {
    const runs = plan.filter((run) => run.items.includes(key));
    const present = runs.filter(({ record }) => record !== undefined).length;
    const text = runs.length === 0
      ? kind === "complexity" ? "counted by `methods`, no runs" : "no runs"
      : `${runs.length} runs, ${present} present, ${runs.length - present} missing`;
    context.print(`${key.padEnd(9)} ${text}`);
  }
  let [seconds, bytes] = [0, 0];
  const bases = new Set<string>();
  for (const run of plan) {
    if (run.record !== undefined) continue;
    const estimate = estimateRun(run.choice, records);
    seconds += estimate.seconds;
    bytes = Math.max(bytes, estimate.bytes);
    bases.add(estimate.basis);
    const [failure, job] = [failures.get(run.key), submissions.get(run.key)];
    const now = await isLocked(state, run)
      ? "  running"
      : failure !== undefined
      ? `  failed: ${failure}`
      : job !== undefined
      ? `  submitted as job ${job}`
      : "";
    if (!verbose && now === "") continue;
    const standIn = run.standsFor === undefined ? "" : `  (for ${datasets[run.standsFor].title})`;
    context.print(`  ${runLabel(run.choice)}${standIn}  ${formatDuration(estimate.seconds)}${now}`);
  }
  const missing = plan.filter(({ record }) => record === undefined).length;
  context.print(
    missing === 0
      ? `all ${plan.length} runs are present`
      : `${missing} of ${plan.length} runs missing: about ${formatDuration(seconds)}, up to ${
        formatBytes(bytes)
      } of memory (estimates: ${[...bases].join(", ")})`,
  );
}
