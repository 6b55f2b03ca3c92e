/** One run of a study in child processes: train, evaluate, write the record. A crash costs this run alone. */
import { type Choice, trainArguments } from "../../experiments/choice.ts";
import { writeRecord } from "../../experiments/record.ts";
import { inUse } from "../../experiments/study_runner.ts";
import { recordOfRun } from "../../experiments/record_of_run.ts";
import { type ChildResult, runChild } from "../child.ts";
import type { Context } from "../command.ts";

/** How often the memory of a child is looked at, in milliseconds. */
const memoryInterval = 500;

/**
 * Trains, evaluates and records a run; what is already done of it is not done again.
 *
 * @param records folder of the records.
 * @param runs folder of the run folders.
 * @returns undefined, why it failed in one line, or that the child of a runner that was killed still trains it.
 */
export async function executeRun(
  choice: Choice,
  { records, runs, context }: { records: string; runs: string; context: Context },
): Promise<string | typeof inUse | undefined> {
  const label = choice.method;
  const trained = await runVerb(["train", ...trainArguments(choice), "--runs", runs, "--json"], {
    label,
    context,
  });
  if (/ is in use by another process/.test(trained.failure ?? "")) return inUse;
  if (trained.failure !== undefined) return trained.failure;
  const { run, finished } = JSON.parse(trained.output.join("\n"));
  if (!finished) return "stopped; the same command continues";
  const evaluated = await runVerb(["evaluate", run, "--checkpoint", "all", "--json"], {
    label: `${label}, test cases`,
    context,
  });
  if (evaluated.failure !== undefined) return evaluated.failure;
  try {
    const record = await recordOfRun(run, choice, {
      evaluateSeconds: evaluated.seconds,
      peakBytes: trained.peakBytes,
    });
    await writeRecord(records, record);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** How a verb ended. */
export interface VerbResult extends ChildResult {
  /** The child's last words, where it failed. */
  readonly failure: string | undefined;
  readonly seconds: number;
  readonly peakBytes: number | null;
}

/** Runs a verb of the kit in a process of its own. */
export async function runVerb(
  words: readonly string[],
  { label, context }: { label: string; context: Context },
): Promise<VerbResult> {
  const { root, signal, engine } = context;
  if (signal.aborted) {
    return { code: 130, lines: [], output: [], failure: "interrupted", seconds: 0, peakBytes: null };
  }
  const started = performance.now();
  let peakBytes: number | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;
  const result = await runChild(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--no-check", "lib/cli/main.ts", ...words],
      ...(engine === undefined ? [] : ["--engine", engine]),
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
    signal,
    ownGroup: true,
    endsWithParent: true,
    onStart: (pid) => {
      timer = setInterval(() => peakBytes = peakOf(pid) ?? peakBytes, memoryInterval);
    },
    onLine: (line) => {
      if (/step \d+\/\d+/.test(line)) context.status(`${label}: ${line}`);
    },
  });
  clearInterval(timer);
  const failure = result.code === 0 ? undefined : lastWords(result, words[0]);
  return { ...result, failure, seconds: (performance.now() - started) / 1000, peakBytes };
}

/** The most memory that a process has had, where the system tells. */
function peakOf(pid: number): number | undefined {
  try {
    const line = Deno.readTextFileSync(`/proc/${pid}/status`).match(/^VmHWM:\s+(\d+) kB$/m);
    return line === null ? undefined : Number(line[1]) * 1024;
  } catch {
    return undefined;
  }
}

function lastWords({ code, lines }: ChildResult, name: string): string {
  const error = lines.findLast((line) => line.startsWith("error: "))?.slice("error: ".length);
  const last = lines.findLast((line) => line.trim() !== "" && !/^[{}]/.test(line));
  return error ?? `${name} ended with exit code ${code}${last === undefined ? "" : `: ${last.trim()}`}`;
}
