/** Which cases are trained on and which are tested: published lists, the user's, or lists drawn from the seed. */
import { fileURLToPath } from "node:url";
import { InputError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import { datasets } from "../dataset.ts";
import { readList } from "../source.ts";
import { pancreasNumber } from "./archive.ts";
import type { Lists, PreparedName } from "./record.ts";

/** What decides the lists. */
export interface SplitOptions {
  readonly dataset: PreparedName;
  readonly seed: number;
  /** A folder with the user's train.list, test.list and, where wanted, validation.list. */
  readonly lists?: string | undefined;
}

/** Lists, and the cases that are on none of them. */
export interface Split {
  readonly lists: Lists;
  readonly unlisted: readonly string[];
}

/** Cases 25 and 70 were withdrawn from Pancreas-CT: they show the patient of case 2, cut differently. */
const onePatient = [2, 25, 70];
const withdrawn = [25, 70];

/** With this share of the published cases the training list keeps its published size. */
const almostAll = 0.95;

/** Whether a case was withdrawn from its archive. */
export function isWithdrawn(dataset: PreparedName, name: string): boolean {
  return dataset === "pancreas" && withdrawn.includes(pancreasNumber(name) ?? 0);
}

/**
 * Divides the cases of an archive. The user's lists come first; left atria take the published lists where these leave
 * a case on both; else the cases are permuted by the stream "prepare/split" and cut to the paper's sizes.
 *
 * @param names sorted.
 * @throws InputError where a list of the user names a case that is not there, or one case is on two lists.
 */
export async function splitCases(names: readonly string[], options: SplitOptions): Promise<Split> {
  if (options.lists !== undefined) return restricted(await userLists(options.lists, names), names);
  if (options.dataset === "la") {
    const published = restricted(await publishedLists(), names);
    if (published.lists.train.length > 0 && published.lists.test.length > 0) return published;
  }
  return { lists: drawnLists(names, options), unlisted: [] };
}

/**
 * How many cases each list of a drawn split gets: the paper's sizes where all cases are there; its training and
 * validation size where at least 95 % are (62 and 18 of the 80 cases of Pancreas-CT that were not withdrawn); else its
 * shares, rounded, with one test case at least.
 */
export function splitSizes(dataset: PreparedName, count: number): Omit<Record<keyof Lists, number>, "rule"> {
  const { train, validation, test } = datasets[dataset].split;
  const total = train + validation + test;
  if (count <= total && count >= almostAll * total) {
    return { train, validation, test: count - train - validation };
  }
  const share = (part: number) => Math.round(count * part / total);
  const tested = count < 2 ? 0 : Math.max(1, share(test));
  const validated = Math.min(share(validation), Math.max(0, count - tested - 1));
  return { train: count - tested - validated, validation: validated, test: tested };
}

async function publishedLists(): Promise<Lists> {
  const folder = fileURLToPath(new URL("../../../data/splits/la", import.meta.url));
  return {
    rule: "the published lists of the 100 left-atrium cases",
    train: await readList(folder, "train.list"),
    validation: [],
    test: await readList(folder, "test.list"),
  };
}

async function userLists(folder: string, names: readonly string[]): Promise<Lists> {
  const train = await readList(folder, "train.list");
  const test = await readList(folder, "test.list");
  const hasValidation =
    (await Deno.stat(`${folder}/validation.list`).catch(() => undefined))?.isFile === true;
  const validation = hasValidation ? await readList(folder, "validation.list") : [];
  const known = new Set(names);
  const seen = new Set<string>();
  for (const name of [...train, ...validation, ...test]) {
    if (!known.has(name)) {
      throw new InputError(`${folder}: the lists name "${name}", which is no case of the archive`);
    }
    if (seen.has(name)) {
      throw new InputError(`${folder}: "${name}" is on two lists; a test case must not be trained on`);
    }
    seen.add(name);
  }
  return { rule: `the lists of ${folder}`, train, validation, test };
}

/** Lists without the cases that are not there. */
function restricted({ rule, ...lists }: Lists, names: readonly string[]): Split {
  const present = new Set(names);
  const kept = (list: readonly string[]) => list.filter((name) => present.has(name));
  const [train, validation, test] = [kept(lists.train), kept(lists.validation), kept(lists.test)];
  const listed = new Set([...train, ...validation, ...test]);
  return { lists: { rule, train, validation, test }, unlisted: names.filter((name) => !listed.has(name)) };
}

function drawnLists(names: readonly string[], { dataset, seed }: SplitOptions): Lists {
  const order = [...randomStream(seed, `prepare/split/${dataset}`).permutation(names.length)].map((i) =>
    names[i]
  );
  const sizes = splitSizes(dataset, names.length);
  const isKin = (name: string) => dataset === "pancreas" && onePatient.includes(pancreasNumber(name) ?? 0);
  // Volumes of one patient stay on one list, which has to be the training list: it alone has room for all.
  const mayBeTested = names.filter(isKin).length > 1 ? order.filter((name) => !isKin(name)) : order;
  const held = mayBeTested.slice(Math.max(0, mayBeTested.length - sizes.test - sizes.validation));
  const test = held.slice(Math.max(0, held.length - sizes.test));
  const validation = held.slice(0, held.length - test.length);
  const train = order.filter((name) => !held.includes(name));
  return { rule: `drawn from seed ${seed}`, train, validation, test };
}
