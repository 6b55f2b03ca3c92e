/** Which stored data draws a figure at one scale. */
import type { DatasetName, ProfileName } from "../data/dataset.ts";
import { InputError } from "../errors.ts";
import type { Variant } from "../methods/method.ts";
import { choiceOf, defaultSeed, repetitionKey, type Scale } from "./choice.ts";
import type { FigureKey, StoredFigure } from "./figure_data.ts";
import { readFigures } from "./figure_store.ts";
import type { PaperFigure } from "./item.ts";
import { itemsOf } from "./items.ts";

/** A run that a figure declares, and its data where there is any. */
export interface FigurePart<K extends FigureKey = FigureKey> {
  /** Of the declaration. */
  readonly label: string;
  /** The data set of the paper's figure. */
  readonly dataset: DatasetName;
  /** The data set of the paper where a phantom stands in for it. */
  readonly standsFor: DatasetName | undefined;
  /** Of the lowest seed. */
  readonly stored: StoredFigure<K> | undefined;
}

/** The parts of a figure, one a declared run: on the paper's data where there is any, else on phantoms. */
export function figureParts<K extends FigureKey>(
  item: PaperFigure,
  scale: Scale,
  stored: readonly StoredFigure[],
): FigurePart<K>[] {
  return item.runs.map(({ label, run }) => {
    for (const standIn of [false, true]) {
      const choice = choiceOf(run, defaultSeed, { ...scale, standIn });
      const [first] = stored.filter((one) =>
        one.figure === item.key && repetitionKey(one.choice) === repetitionKey(choice)
      ).sort((a, b) => a.choice.seed - b.choice.seed);
      if (first === undefined) continue;
      const standsFor = choice.dataset === run.dataset ? undefined : run.dataset;
      return { label, dataset: run.dataset, standsFor, stored: first as StoredFigure<K> };
    }
    return { label, dataset: run.dataset, standsFor: undefined, stored: undefined };
  });
}

/** Where a notebook looks for the data of a figure. */
export interface FigureSource {
  /** Folder of the records. */
  readonly results: string;
  readonly profile: ProfileName;
  /** Default "paper". */
  readonly variant?: Variant;
}

/**
 * The parts of a figure from a results folder, for notebooks.
 *
 * @throws InputError where there is no usable data, with the command that makes it.
 */
export async function loadFigure<K extends FigureKey>(
  key: K,
  { results, profile, variant = "paper" }: FigureSource,
): Promise<FigurePart<K>[]> {
  const [item] = itemsOf([key]) as PaperFigure[];
  const { stored, damaged } = await readFigures(results, [key]);
  const parts = figureParts<K>(item, { profile, variant }, stored);
  if (parts.every((part) => part.stored === undefined)) {
    const unusable = damaged.map(({ path, reason }) => `; ${path} is not used: ${reason}`).join("");
    throw new InputError(
      `${results} has no data of ${key} at profile ${profile}${unusable}; ` +
        `run: deno task study ${key} --profile ${profile}`,
    );
  }
  return parts;
}
