/** From a declared run to what `train` is told: profile, seed, and the data set that is at hand. */
import { type Dataset, type DatasetName, datasets, type ProfileName, standInOf } from "../data/dataset.ts";
import type { Variant } from "../methods/method.ts";
import type { LabelledShare, RunDeclaration } from "./item.ts";

/** One run. Equal choices are one run, whichever tables name it. */
export interface Choice {
  readonly method: string;
  readonly variant: Variant;
  readonly dataset: DatasetName;
  readonly labelled: number;
  readonly profile: ProfileName;
  readonly seed: number;
  /** key=value where the run differs from the method's defaults, sorted. */
  readonly settings: readonly string[];
}

/** What a study chooses for all of its runs. */
export interface Scale {
  readonly profile: ProfileName;
  readonly variant: Variant;
}

/** The seed of the released code; a study has this one unless others are asked for. */
export const defaultSeed = 1337;

/**
 * The run of a declaration.
 *
 * @param options.standIn draws phantoms of the same organ in the place of the paper's data set. `smoke` always draws the
 * plain ones: it shows that everything works, and needs no download.
 */
export function choiceOf(
  run: RunDeclaration,
  seed: number,
  options: Scale & { standIn: boolean },
): Choice {
  const { profile, variant, standIn } = options;
  const declared = datasets[run.dataset];
  const dataset = profile === "smoke" ? datasets.phantom : standIn ? standInOf(declared) : declared;
  return {
    method: run.method,
    variant,
    dataset: dataset.name,
    labelled: labelledCases(dataset, run.share),
    profile,
    seed,
    settings: Object.entries(run.settings).map(([key, value]) => `${key}=${value}`).sort(),
  };
}

/** Everything of a choice but its seed, as text: runs with equal texts are repetitions of each other. */
export function repetitionKey(choice: Omit<Choice, "seed">): string {
  const { method, variant, dataset, labelled, profile, settings } = choice;
  return [method, variant, dataset, labelled, profile, ...settings].join(" ");
}

/** The identity of a choice. */
export function choiceKey(choice: Choice): string {
  return `${repetitionKey(choice)} seed${choice.seed}`;
}

/** The arguments of `train` for a choice. */
export function trainArguments(choice: Choice): string[] {
  const { method, variant, dataset, labelled, profile, seed, settings } = choice;
  return [
    ...["--method", method, "--dataset", dataset, "--labelled", String(labelled)],
    ...["--profile", profile, "--variant", variant, "--seed", String(seed)],
    ...["--select", "validation,test"],
    ...settings.flatMap((setting) => ["--set", setting]),
  ];
}

/** Labelled cases of one of the paper's three settings. */
function labelledCases(dataset: Dataset, share: LabelledShare): number {
  if (share === 100) return dataset.split.train;
  return dataset.labelled.find(({ percent }) => percent === share)!.cases;
}
