/** Runs what a study lacks, one run after the other; any number of runners may work on one folder. */
import { choiceKey } from "./choice.ts";
import { readRecords } from "./record.ts";
import { contentHash } from "./content_hash.ts";
import type { PlannedRun } from "./study.ts";

/** How a run of the study ended. */
export interface CellOutcome {
  readonly run: PlannedRun;
  readonly state: "done" | "elsewhere" | "failed" | "interrupted";
  /** Why it failed. */
  readonly message?: string;
  readonly seconds: number;
}

/** What a runner works with. */
export interface RunnerOptions {
  /** Folder of the records. */
  readonly records: string;
  /** Folder of locks and notes of failures. */
  readonly state: string;
  /** Trains, evaluates and writes the record of a run; returns why it failed, or undefined. */
  readonly execute: (run: PlannedRun) => Promise<string | undefined>;
  /** Seconds of a clock. */
  readonly now: () => number;
  /** Waits before it looks again at runs that another runner works on. */
  readonly wait: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly onStart?: (run: PlannedRun, index: number) => void;
  readonly onEnd?: (outcome: CellOutcome, index: number) => void;
}

/** A run that failed in an earlier study. */
export interface Failure {
  readonly key: string;
  readonly message: string;
}

/**
 * Runs every planned run that has no record. A run that fails costs itself alone. A run that another runner has is
 * left to it and looked at again at the end.
 */
export async function runStudy(plan: readonly PlannedRun[], options: RunnerOptions): Promise<CellOutcome[]> {
  const { signal, now } = options;
  await Deno.mkdir(options.state, { recursive: true });
  const waiting = plan.filter(({ record }) => record === undefined);
  const outcomes: CellOutcome[] = [];
  let busy = 0;
  for (let index = 0; waiting.length > 0 && !signal.aborted;) {
    const run = waiting.shift()!;
    const lock = await takeLock(options.state, run);
    if (lock === undefined) {
      waiting.push(run);
      if (++busy >= waiting.length) {
        busy = 0;
        await options.wait();
      }
      continue;
    }
    busy = 0;
    const started = now();
    try {
      options.onStart?.(run, index);
      const outcome: CellOutcome = await hasRecord(options.records, run)
        ? { run, state: "elsewhere", seconds: 0 }
        : await attempt(run, options, started);
      outcomes.push(outcome);
      options.onEnd?.(outcome, index++);
    } finally {
      lock.close();
    }
  }
  return outcomes;
}

/** The notes of failures, for `study status`. */
export async function readFailures(state: string): Promise<Failure[]> {
  const failures: Failure[] = [];
  try {
    for await (const { name } of Deno.readDir(state)) {
      if (name.endsWith(".failed.json")) {
        failures.push(JSON.parse(await Deno.readTextFile(`${state}/${name}`)));
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return failures;
}

/** Whether some runner works on a run now. */
export async function isLocked(state: string, run: PlannedRun): Promise<boolean> {
  const path = `${await statePath(state, run)}.lock`;
  if (await Deno.stat(path).catch(() => undefined) === undefined) return false;
  const lock = await takeLock(state, run);
  lock?.close();
  return lock === undefined;
}

async function attempt(run: PlannedRun, options: RunnerOptions, started: number): Promise<CellOutcome> {
  const note = `${await statePath(options.state, run)}.failed.json`;
  const message = await options.execute(run);
  const seconds = options.now() - started;
  if (message === undefined) {
    await Deno.remove(note).catch(() => {});
    return { run, state: "done", seconds };
  }
  if (options.signal.aborted) return { run, state: "interrupted", seconds };
  await Deno.writeTextFile(note, JSON.stringify({ key: run.key, message }));
  return { run, state: "failed", message, seconds };
}

async function hasRecord(folder: string, { key }: PlannedRun): Promise<boolean> {
  const { records } = await readRecords(folder);
  return records.some(({ choice }) => choiceKey(choice) === key);
}

async function takeLock(state: string, run: PlannedRun): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(`${await statePath(state, run)}.lock`, { write: true, create: true });
  if (await file.tryLock(true)) return file;
  file.close();
  return undefined;
}

async function statePath(state: string, { key }: PlannedRun): Promise<string> {
  return `${state}/${(await contentHash(key)).slice(0, 16)}`;
}
