/** Cases in parallel: a fixed number of workers, each with one case in memory at a time. */
import type { CaseJob, CaseOutcome } from "./prepare_case.ts";
import type { WorkerAnswer } from "./worker.ts";

/** How the cases are worked on. */
export interface PoolOptions {
  readonly workers: number;
  /** When aborted, cases that have begun are finished and no other begins. */
  readonly signal?: AbortSignal | undefined;
  readonly onOutcome: (job: CaseJob, outcome: CaseOutcome) => void;
  /** A case that cannot be used; what it throws ends the work as the abort signal does, and is thrown at the end. */
  readonly onBadCase: (job: CaseJob, reason: string) => void;
}

/**
 * Prepares all cases.
 *
 * @throws what `onBadCase` throws, once the cases that had begun are finished.
 */
export async function prepareCases(
  jobs: readonly CaseJob[],
  { workers, signal, onOutcome, onBadCase }: PoolOptions,
): Promise<void> {
  const waiting = [...jobs];
  let failure: unknown;
  const work = async () => {
    let worker = startWorker();
    try {
      while (failure === undefined && !signal?.aborted) {
        const job = waiting.shift();
        if (job === undefined) return;
        try {
          const answer = await ask(worker, job);
          if ("outcome" in answer) onOutcome(job, answer.outcome);
          else if (answer.isInput) {
            // A damaged file may leave a reader in it that cannot be trusted any more.
            worker.terminate();
            worker = startWorker();
            onBadCase(job, answer.error);
          } else throw new Error(`${job.raw.name}: ${answer.error}`);
        } catch (error) {
          failure ??= error;
        }
      }
    } finally {
      worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, work));
  if (failure !== undefined) throw failure;
}

function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}

function ask(worker: Worker, job: CaseJob): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`${job.raw.image}: preparing it failed: ${event.message}`));
    };
    worker.postMessage(job);
  });
}
