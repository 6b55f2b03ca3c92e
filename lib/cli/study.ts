/** The verb `study`: runs what tables and figures need and is not there yet. */
import { type DatasetName, datasets, type ProfileName, profileNames } from "../data/dataset.ts";
import { EnvironmentError, InputError } from "../errors.ts";
import { defaultSeed } from "../experiments/choice.ts";
import type { Item } from "../experiments/item.ts";
import type { Damage, RunRecord } from "../experiments/record.ts";
import type { PlannedRun } from "../experiments/study.ts";
import type { CellOutcome } from "../experiments/study_runner.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { formatDuration } from "./progress.ts";
import { openSource } from "./workspace.ts";

export const command = defineCommand({
  name: "study",
  summary: "runs what a table or figure needs and is not there yet; `study status` tells what is there",
  positionals: {
    item: {
      type: "string",
      rest: true,
      help: "table1 … table11, figure1 … figure8, tables, figures, all; or status",
    },
  },
  options: {
    profile: { type: "choice", choices: profileNames, default: "smoke", help: "size of the experiments" },
    seeds: {
      type: "list",
      of: "integer",
      minimum: 0,
      default: [defaultSeed],
      help: "each run is repeated with every seed",
    },
    variant: {
      type: "choice",
      choices: ["paper", "official"],
      default: "paper",
      help: "the paper's equations or the released code, where they differ",
    },
    on: {
      type: "choice",
      choices: ["local", "slurm"],
      default: "local",
      help: "run here, or write and submit a batch script a run",
    },
    sbatch: {
      type: "string",
      repeatable: true,
      help: "with --on slurm: an option of sbatch, such as --sbatch=--partition=gpu",
    },
    only: { type: "string", help: "only the run with this id; the plan of --json names them" },
    dryRun: { type: "boolean", help: "print the plan and run nothing" },
    results: { type: "path", default: "results", help: "folder of the records" },
    runs: { type: "path", help: "folder of the run folders; if not given, runs/ of the kit" },
  },
  notes: [
    "Each run is a process of its own: a crash costs one run. The same command continues; several may run at once.",
    "deno task study table4 --profile mini --seeds 1,2,3",
    "deno task study all --profile paper --on slurm --sbatch=--gres=gpu:1",
    "deno task study status table1 table4 --profile mini",
  ],
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { itemsOf } = await import("../experiments/items.ts");
  const { planStudy } = await import("../experiments/study.ts");
  const { readRecords } = await import("../experiments/record.ts");
  const isStatus = options.item[0] === "status";
  const keys = isStatus ? options.item.slice(1) : options.item;
  if (keys.length === 0 && !isStatus) {
    throw new InputError(
      "study needs an item: table1 … table11, figure1 … figure8, tables, figures, all, or status",
    );
  }
  const items = itemsOf(keys.length === 0 ? ["all"] : keys);
  const runs = options.runs ?? `${context.root}/runs`;
  const folders = { records: `${options.results}/records`, runs, state: `${runs}/study` };
  const { records, damaged } = await readRecords(folders.records);
  const name = ({ path, reason }: Damage) => context.note(`not used: ${path}: ${reason}`);
  damaged.forEach(name);
  const standIns = await absentData(items, options.profile, context);
  const request = { ...options, items, standIns: new Set(standIns.keys()) };
  const plan = await chosenRuns(planStudy(request, records), options.only);
  const missing = plan.filter(({ record }) => record === undefined);
  const { printPlan } = await import("./study/plan.ts");
  await printPlan(plan, { items, records, context, verbose: !isStatus, state: folders.state });
  const counts = { runs: plan.length, present: plan.length - missing.length, missing: missing.length };
  const uncounted = items.some(({ kind }) => kind === "complexity") &&
    (await import("./study/complexity.ts").then(({ readComplexity }) =>
        readComplexity(options.results, name)
      ))
        .length === 0;
  const figureData = await import("./study/figure_data.ts");
  const lacking = await figureData.lackingFigureData(plan, { ...options, items });
  if (lacking.length > 0) context.print(`the data of figures is to be extracted from ${lacking.length} runs`);
  if (isStatus || options.dryRun || missing.length === 0 && !uncounted && lacking.length === 0) {
    return { json: { ...counts, plan: await Promise.all(plan.map(asJson)), damaged } };
  }
  requireData(standIns, options.profile);
  if (options.on === "slurm") {
    const { submitRuns } = await import("./study/slurm.ts");
    return await submitRuns(missing, { ...options, keys, records, folders, context });
  }
  if (uncounted) {
    const { countNetworks } = await import("./study/complexity.ts");
    const failure = await countNetworks(options.results, context);
    context.print(failure === undefined ? "networks counted" : `networks not counted: ${failure}`);
    if (missing.length === 0 && lacking.length === 0) {
      return { exitCode: failure === undefined ? 0 : 1, json: counts };
    }
  }
  const outcomes = await runMissing(plan, { records, folders, context });
  const failures = await figureData.makeFigureData(
    await figureData.lackingFigureData(plan, { ...options, items }),
    { results: options.results, runs, context },
  );
  const { exitCode, json } = summary(outcomes, counts, context);
  return { exitCode: failures.length === 0 ? exitCode ?? 0 : 1, json: { ...json, figureData: failures } };
}

/** The run with an id, or all. */
async function chosenRuns(plan: PlannedRun[], only: string | undefined): Promise<PlannedRun[]> {
  if (only === undefined) return plan;
  const { runId } = await import("../experiments/study_state.ts");
  const ids = await Promise.all(plan.map(runId));
  const chosen = plan.filter((_, i) => ids[i] === only);
  if (chosen.length > 0) return chosen;
  throw new InputError(
    `--only ${only}: none of the ${plan.length} runs has this id; the plan of --json names them`,
  );
}

/** The paper's data sets that are not at hand, with what is missing. `smoke` reads none. */
async function absentData(
  items: readonly Item[],
  profile: ProfileName,
  context: Context,
): Promise<Map<DatasetName, string>> {
  const { declaredRuns } = await import("../experiments/items.ts");
  const absent = new Map<DatasetName, string>();
  if (profile === "smoke") return absent;
  const needed = new Set(items.flatMap((item) => declaredRuns(item).map(({ run }) => run.dataset)));
  for (const name of needed) {
    try {
      await openSource(datasets[name], profile, undefined, context);
    } catch (error) {
      if (!(error instanceof EnvironmentError || error instanceof InputError)) throw error;
      absent.set(name, error.message);
      context.note(`${error.message}${profile === "paper" ? "" : "; phantoms stand in for them"}`);
    }
  }
  return absent;
}

/** At the paper's size nothing stands in for the paper's data. */
function requireData(absent: ReadonlyMap<DatasetName, string>, profile: ProfileName): void {
  const [first] = absent.values();
  if (profile === "paper" && first !== undefined) throw new EnvironmentError(first);
}

async function runMissing(
  plan: readonly PlannedRun[],
  { records, folders, context }: {
    records: readonly RunRecord[];
    folders: { records: string; runs: string; state: string };
    context: Context;
  },
): Promise<CellOutcome[]> {
  const { runStudy } = await import("../experiments/study_runner.ts");
  const { runLabel } = await import("../experiments/study.ts");
  const { estimateRun } = await import("../experiments/study_estimate.ts");
  const { executeRun } = await import("./study/execute.ts");
  const missing = plan.filter(({ record }) => record === undefined);
  const left = new Map(missing.map((run) => [run.key, estimateRun(run.choice, records).seconds]));
  /** Measured over expected seconds of the runs that are done, which corrects the rest. */
  let [expected, measured] = [0, 0];
  return await runStudy(plan, {
    ...folders,
    signal: context.signal,
    now: () => performance.now() / 1000,
    wait: () => new Promise((resolve) => setTimeout(resolve, 1000)),
    execute: ({ choice }) => executeRun(choice, { ...folders, context }),
    onStart: (run, index) => context.status(`[${index + 1}/${missing.length}] ${runLabel(run.choice)} …`),
    onEnd: ({ run, state, message, seconds }, index) => {
      if (state === "done") {
        expected += left.get(run.key)!;
        measured += seconds;
      }
      left.delete(run.key);
      const correction = expected === 0 ? 1 : measured / expected;
      const rest = correction * left.values().reduce((sum, value) => sum + value, 0);
      const end = state === "done" ? formatDuration(seconds) : message ?? state;
      const remaining = left.size === 0 ? "" : `; ${formatDuration(rest)} left`;
      context.status(undefined);
      context.print(`[${index + 1}/${missing.length}] ${runLabel(run.choice)}  ${end}${remaining}`);
    },
  });
}

function summary(
  outcomes: readonly CellOutcome[],
  counts: { runs: number; present: number; missing: number },
  context: Context,
): { exitCode: number; json: object } {
  const failed = outcomes.filter(({ state }) => state === "failed");
  const done = outcomes.filter(({ state }) => state === "done" || state === "elsewhere").length;
  if (counts.missing > 0) {
    context.print(
      `${done} of ${counts.missing} runs done, ${failed.length} failed` +
        (done + failed.length < counts.missing ? "; the same command continues" : ""),
    );
  }
  const json = { ...counts, outcomes: outcomes.map(({ run, ...outcome }) => ({ key: run.key, ...outcome })) };
  return { exitCode: failed.length === 0 ? 0 : 1, json };
}

async function asJson(run: PlannedRun): Promise<object> {
  const { runId } = await import("../experiments/study_state.ts");
  const { choice, items, standsFor, record } = run;
  return { id: await runId(run), choice, items, standsFor: standsFor ?? null, record: record?.name ?? null };
}
