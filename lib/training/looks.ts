/** Looks at other cases while a run trains: how well they are segmented now, and at which step best. */
import type { Case, CaseSource } from "../data/source.ts";
import { predictVolume } from "../inference/predict.ts";
import { threshold } from "../inference/sliding_window.ts";
import type { MethodRun } from "../methods/method.ts";
import { type CheckpointRule, type RunConfig, type Selection, type Selector, selectors } from "./config.ts";
import type { LogLine } from "./run_folder.ts";

/** A case as a look saw it. */
export interface SeenCase {
  readonly selector: Selector;
  readonly case: Case;
  /** Predicted mask. */
  readonly mask: Uint8Array;
  readonly dice: number;
}

/** How to look. */
export interface LookOptions {
  readonly source: CaseSource;
  readonly signal?: AbortSignal | undefined;
  /** Told the first case of each kind. */
  readonly onFirst?: ((seen: SeenCase) => void | Promise<void>) | undefined;
}

/** Whether a run looks after a step; pre-training in front of the training proper is not looked at. */
export function isLookDue(
  { every }: Selection,
  step: number,
  { before, steps }: { before: number; steps: number },
): boolean {
  return step > before && (step % every === 0 || step === steps);
}

/**
 * Segments the cases that choose.
 *
 * @returns "validation.dice" and "test.dice", means in which a missed case is 0 and two empty masks are 1, and
 * "….missed", the number of cases with an empty prediction.
 * @throws the abort reason when the signal fires.
 */
export async function look(
  run: MethodRun,
  { config, selection }: { config: RunConfig; selection: Selection },
  { source, signal, onFirst }: LookOptions,
): Promise<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const selector of selectors) {
    const names = namesOf(selector, config, selection);
    let [dice, missed] = [0, 0];
    for (const [i, name] of names.entries()) {
      signal?.throwIfAborted();
      const one = await source.load(name);
      const { data, shape } = one.image;
      const windows = { crop: config.crop, stride: selection.stride, signal };
      const mask = threshold(predictVolume(run, data, shape, windows));
      const overlap = overlapOf(mask, one.label.data);
      dice += overlap.dice;
      missed += overlap.missed ? 1 : 0;
      if (i === 0) await onFirst?.({ selector, case: one, mask, dice: overlap.dice });
    }
    if (names.length > 0) {
      values[`${selector}.dice`] = dice / names.length;
      values[`${selector}.missed`] = missed;
    }
  }
  return values;
}

/** The cases that choose the checkpoint of a rule; the last one is not chosen. */
export const selectorOf: Readonly<Record<Exclude<CheckpointRule, "last">, Selector>> = {
  "best-on-test": "test",
  validation: "validation",
};

/** The step whose look was best, the first of equals; undefined where there was no such look. */
export function bestStep(log: readonly LogLine[], selector: Selector): number | undefined {
  let best: { step: number; dice: number } | undefined;
  for (const { event, step, values } of log) {
    const dice = event === "evaluation" ? values?.[`${selector}.dice`] : undefined;
    if (dice !== undefined && (best === undefined || dice > best.dice)) best = { step, dice };
  }
  return best?.step;
}

/** The steps that a run keeps beside its last checkpoints. */
export function bestSteps(log: readonly LogLine[]): Set<number> {
  return new Set(selectors.map((selector) => bestStep(log, selector)).filter((step) => step !== undefined));
}

function namesOf(selector: Selector, { test }: RunConfig, selection: Selection): readonly string[] {
  if (selector === "validation") return selection.validation;
  return selection.test ? test : [];
}

function overlapOf(mask: Uint8Array, label: Uint8Array): { dice: number; missed: boolean } {
  let [predicted, reference, both] = [0, 0, 0];
  for (let i = 0; i < mask.length; i++) {
    predicted += mask[i];
    reference += label[i];
    both += mask[i] & label[i];
  }
  const sum = predicted + reference;
  return { dice: sum === 0 ? 1 : 2 * both / sum, missed: predicted === 0 && reference > 0 };
}
