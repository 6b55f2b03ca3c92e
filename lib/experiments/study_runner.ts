/** Runs what a study lacks, one run after the other; any number of runners may work on one folder. */
import { choiceKey } from "./choice.ts";
import { readRecords } from "./record.ts";
import type { PlannedRun } from "./study.ts";
import { forgetFailure, noteFailure, takeLock } from "./study_state.ts";

/** How a run of the study ended. */
export interface CellOutcome {
  readonly run: PlannedRun;
  readonly state: "done" | "elsewhere" | "failed" | "interrupted";
  /** Why it failed. */
  readonly message?: string;
  readonly seconds: number;
}

/** A process that an earlier runner left behind still works on the run. */
export const inUse = Symbol("in use");

/** What a runner works with. */
export interface RunnerOptions {
  /** Folder of the records. */
  readonly records: string;
  /** Folder of locks and notes of failures. */
  readonly state: string;
  /** Trains, evaluates and writes the record of a run; returns undefined, why it failed, or that it is in use. */
  readonly execute: (run: PlannedRun) => Promise<string | typeof inUse | undefined>;
  /** Seconds of a clock. */
  readonly now: () => number;
  /** Waits before it looks again at runs that another runner works on. */
  readonly wait: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly onStart?: (run: PlannedRun, index: number) => void;
  readonly onEnd?: (outcome: CellOutcome, index: number) => void;
}

/**
 * Runs every planned run that has no record. A run that fails costs itself alone. A run that another runner has is
 * left to it and looked at again at the end.
 */
export async function runStudy(plan: readonly PlannedRun[], options: RunnerOptions): Promise<CellOutcome[]> {
  const { signal } = options;
  await Deno.mkdir(options.state, { recursive: true });
  const waiting = plan.filter(({ record }) => record === undefined);
  const outcomes: CellOutcome[] = [];
  /** Runs in a row that others have. */
  let busy = 0;
  for (let index = 0; waiting.length > 0 && !signal.aborted;) {
    const run = waiting.shift()!;
    const outcome = await attemptAlone(run, options, index);
    if (outcome !== inUse) {
      busy = 0;
      outcomes.push(outcome);
      options.onEnd?.(outcome, index++);
      continue;
    }
    waiting.push(run);
    if (++busy >= waiting.length) {
      busy = 0;
      await options.wait();
    }
  }
  return outcomes;
}

/** Attempts a run that no other runner has. */
async function attemptAlone(
  run: PlannedRun,
  options: RunnerOptions,
  index: number,
): Promise<CellOutcome | typeof inUse> {
  const lock = await takeLock(options.state, run);
  if (lock === undefined) return inUse;
  try {
    const started = options.now();
    if (await hasRecord(options.records, run)) return { run, state: "elsewhere", seconds: 0 };
    options.onStart?.(run, index);
    return await attempt(run, options, started);
  } finally {
    lock.close();
  }
}

async function attempt(
  run: PlannedRun,
  options: RunnerOptions,
  started: number,
): Promise<CellOutcome | typeof inUse> {
  const message = await options.execute(run);
  if (message === inUse) return inUse;
  const seconds = options.now() - started;
  if (message === undefined) {
    await forgetFailure(options.state, run);
    return { run, state: "done", seconds };
  }
  if (options.signal.aborted) return { run, state: "interrupted", seconds };
  await noteFailure(options.state, run, message);
  return { run, state: "failed", message, seconds };
}

async function hasRecord(folder: string, { key }: PlannedRun): Promise<boolean> {
  const { records } = await readRecords(folder);
  return records.some(({ choice }) => choiceKey(choice) === key);
}
