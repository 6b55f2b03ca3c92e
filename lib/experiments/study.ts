/** What a study has to do: its runs, each once, and which of them have a record. */
import type { DatasetName } from "../data/dataset.ts";
import { type Choice, choiceKey, choiceOf, repetitionKey, type Scale } from "./choice.ts";
import type { Item } from "./item.ts";
import { declaredRuns } from "./items.ts";
import type { RunRecord } from "./record.ts";

/** A run of a study. */
export interface PlannedRun {
  readonly choice: Choice;
  readonly key: string;
  /** Keys of the items that need it. */
  readonly items: readonly string[];
  /** The data set of the paper where a phantom stands in for it. */
  readonly standsFor: DatasetName | undefined;
  readonly record: RunRecord | undefined;
}

/** What a study was asked for. */
export interface StudyRequest extends Scale {
  readonly items: readonly Item[];
  readonly seeds: readonly number[];
  /** Data sets that are not at hand and that phantoms stand in for. */
  readonly standIns: ReadonlySet<DatasetName>;
}

/** The runs of some items, each once, in the order of the items, one seed after the other. */
export function planStudy(request: StudyRequest, records: readonly RunRecord[]): PlannedRun[] {
  const known = new Map(records.map((record) => [choiceKey(record.choice), record]));
  const planned = new Map<string, PlannedRun>();
  for (const seed of request.seeds) {
    for (const item of request.items) {
      for (const { run } of declaredRuns(item)) {
        const standIn = request.standIns.has(run.dataset);
        const choice = choiceOf(run, seed, { ...request, standIn });
        const key = choiceKey(choice);
        const before = planned.get(key);
        planned.set(key, {
          choice,
          key,
          items: [...new Set([...before?.items ?? [], item.key])],
          standsFor: choice.dataset === run.dataset ? undefined : run.dataset,
          record: known.get(key),
        });
      }
    }
  }
  return [...planned.values()];
}

/** A run in one line: "sasnet phantom 4 smoke seed 1337 sar=false". */
export function runLabel(choice: Choice): string {
  const { method, dataset, labelled, profile, seed, settings, variant } = choice;
  return [
    ...[method, dataset, labelled, profile, ...(variant === "paper" ? [] : [variant])],
    `seed ${seed}`,
    ...settings,
  ].join(" ");
}

/**
 * Records of one declaration with different configurations, beside their seed: the defaults of the kit changed
 * between them, so that they are no repetitions. Each is named with the first key that differs.
 */
export function unequalRepetitions(records: readonly RunRecord[]): string[] {
  const groups = Map.groupBy(records, ({ choice }) => repetitionKey(choice));
  return [...groups.values()].flatMap(([first, ...others]) =>
    others.flatMap((other) => {
      const key = differingKey(flat(first), flat(other));
      return key === undefined ? [] : [`${other.name} differs from ${first.name} in ${key}`];
    })
  );
}

function flat({ config }: RunRecord): Record<string, string> {
  const { hyperparameters, seed: _seed, ...others } = config;
  return Object.fromEntries(
    Object.entries({ ...others, ...hyperparameters }).map(([key, value]) => [key, JSON.stringify(value)]),
  );
}

function differingKey(a: Record<string, string>, b: Record<string, string>): string | undefined {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].find((key) => a[key] !== b[key]);
}
