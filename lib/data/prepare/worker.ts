/** A worker that prepares one case after another. */
import { InputError } from "../../errors.ts";
import { type CaseJob, type CaseOutcome, prepareCase } from "./prepare_case.ts";

/** What a worker answers: the outcome, or why there is none. */
export type WorkerAnswer =
  | { readonly outcome: CaseOutcome }
  | { readonly error: string; readonly isInput: boolean };

/** The part of a worker's own scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<CaseJob>) => void) | null;
  postMessage(message: WorkerAnswer): void;
}

const scope = self as unknown as WorkerScope;

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage({ outcome: await prepareCase(data) });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    scope.postMessage({ error: text, isInput: error instanceof InputError });
  }
};
