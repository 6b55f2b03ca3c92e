/** What runners of studies tell each other: a lock a run, notes of failures, and of jobs that were submitted. */
import { writeWhole } from "../training/files.ts";
import { contentHash } from "./content_hash.ts";
import type { PlannedRun } from "./study.ts";

/** A run that failed in an earlier study. */
export interface Failure {
  readonly key: string;
  readonly message: string;
}

/** A run that waits in the queue of a cluster, or did. */
export interface Submission {
  readonly key: string;
  readonly job: string;
}

/** The id of a run: 16 hexadecimal digits. */
export async function runId({ key }: PlannedRun): Promise<string> {
  return (await contentHash(key)).slice(0, 16);
}

/** Takes the lock of a run; undefined where another runner has it. The end of a process frees its locks. */
export async function takeLock(state: string, run: PlannedRun): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(`${state}/${await runId(run)}.lock`, { write: true, create: true });
  if (await file.tryLock(true)) return file;
  file.close();
  return undefined;
}

/** Whether some runner works on a run now. */
export async function isLocked(state: string, run: PlannedRun): Promise<boolean> {
  const path = `${state}/${await runId(run)}.lock`;
  if (await Deno.stat(path).catch(() => undefined) === undefined) return false;
  const lock = await takeLock(state, run);
  lock?.close();
  return lock === undefined;
}

export async function noteFailure(state: string, run: PlannedRun, message: string): Promise<void> {
  await writeWhole(`${state}/${await runId(run)}.failed.json`, JSON.stringify({ key: run.key, message }));
}

export async function forgetFailure(state: string, run: PlannedRun): Promise<void> {
  await Deno.remove(`${state}/${await runId(run)}.failed.json`).catch(() => {});
}

export async function noteSubmission(state: string, run: PlannedRun, job: string): Promise<void> {
  await writeWhole(`${state}/${await runId(run)}.job.json`, JSON.stringify({ key: run.key, job }));
}

/** The notes of failures. */
export async function readFailures(state: string): Promise<Failure[]> {
  return await readNotes<Failure>(state, ".failed.json");
}

/** The notes of submitted jobs. */
export async function readSubmissions(state: string): Promise<Submission[]> {
  return await readNotes<Submission>(state, ".job.json");
}

/** Notes of one kind; a torn one is left out. */
async function readNotes<T>(state: string, suffix: string): Promise<T[]> {
  const notes: T[] = [];
  try {
    for await (const { name } of Deno.readDir(state)) {
      if (!name.endsWith(suffix)) continue;
      try {
        notes.push(JSON.parse(await Deno.readTextFile(`${state}/${name}`)));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return notes;
}
