/** Studies on a cluster: a batch script a run, submitted with sbatch. Each job is the study of one run alone. */
import { EnvironmentError } from "../../errors.ts";
import type { RunRecord } from "../../experiments/record.ts";
import { type PlannedRun, runLabel } from "../../experiments/study.ts";
import { type Estimate, estimateRun } from "../../experiments/study_estimate.ts";
import { noteSubmission, readSubmissions, runId } from "../../experiments/study_state.ts";
import { writeWhole } from "../../training/files.ts";
import type { Context, Outcome } from "../command.ts";

/** What the jobs share. */
export interface SlurmOptions {
  /** Items as they were typed. */
  readonly keys: readonly string[];
  readonly profile: string;
  readonly seeds: readonly number[];
  readonly variant: string;
  readonly results: string;
  /** Further options of sbatch. */
  readonly sbatch: readonly string[];
  readonly records: readonly RunRecord[];
  readonly folders: { readonly runs: string; readonly state: string };
  readonly context: Context;
}

/** Limits are this much above the estimates. */
const margin = { seconds: 2, bytes: 1.5 };

/**
 * Writes and submits a job for every run that has none in the queue.
 *
 * @throws EnvironmentError where there is no sbatch, or it refuses a script.
 */
export async function submitRuns(runs: readonly PlannedRun[], options: SlurmOptions): Promise<Outcome> {
  const { folders: { state }, context, records } = options;
  if (await output("sbatch", ["--version"]) === undefined) {
    throw new EnvironmentError(
      "--on slurm: there is no sbatch on the PATH; give the command on a machine that submits to Slurm, or leave --on out",
    );
  }
  const queued = new Set((await output("squeue", ["--noheader", "--format=%A"]) ?? "").split(/\s+/));
  const submitted = new Map((await readSubmissions(state)).map(({ key, job }) => [key, job]));
  await Deno.mkdir(state, { recursive: true });
  const jobs: { id: string; job: string; script: string }[] = [];
  for (const run of runs) {
    const known = submitted.get(run.key);
    if (known !== undefined && queued.has(known)) {
      context.print(`${runLabel(run.choice)}  waits as job ${known}`);
      continue;
    }
    const id = await runId(run);
    const script = `${state}/${id}.sbatch`;
    await writeWhole(script, batchScript(id, estimateRun(run.choice, records), options));
    const answer = await output("sbatch", ["--parsable", ...options.sbatch, script], (reason) => {
      throw new EnvironmentError(`sbatch refused ${script}: ${reason}`);
    });
    const job = answer!.trim().split(";")[0];
    await noteSubmission(state, run, job);
    jobs.push({ id, job, script });
    context.print(`${runLabel(run.choice)}  job ${job}`);
  }
  context.print(
    `${jobs.length} jobs submitted; their output is in ${state}/*.out, \`study status\` tells what is done`,
  );
  return { json: { runs: runs.length, jobs } };
}

/** The script of a run; SIGTERM comes early enough that the run saves its state, and the next job continues. */
function batchScript(id: string, { seconds, bytes }: Estimate, options: SlurmOptions): string {
  const { keys, profile, seeds, variant, folders, context } = options;
  const minutes = Math.max(10, Math.ceil(margin.seconds * seconds / 60));
  const words = [
    ...[Deno.execPath(), "run", "--allow-all", "--no-check", "lib/cli/main.ts", "study", ...keys],
    ...["--profile", profile, "--seeds", seeds.join(","), "--variant", variant],
    ...["--results", options.results, "--runs", folders.runs, "--only", id],
    ...(context.engine === undefined ? [] : ["--engine", context.engine]),
  ];
  return `#!/bin/sh
#SBATCH --job-name=sasnet-${id}
#SBATCH --output=${folders.state}/${id}.out
#SBATCH --open-mode=append
#SBATCH --time=${minutes}
#SBATCH --mem=${Math.ceil(margin.bytes * bytes / 2 ** 20)}M
#SBATCH --cpus-per-task=${navigator.hardwareConcurrency}
#SBATCH --signal=B:TERM@120
cd ${quoted(context.root)} || exit 1
exec ${words.map(quoted).join(" ")}
`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The output of a program; undefined where there is none of this name, or it fails and `onFailure` returns. */
async function output(
  program: string,
  args: readonly string[],
  onFailure?: (reason: string) => void,
): Promise<string | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
    if (success) return new TextDecoder().decode(stdout);
    onFailure?.(new TextDecoder().decode(stderr).trim().replaceAll("\n", "; "));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return undefined;
}
