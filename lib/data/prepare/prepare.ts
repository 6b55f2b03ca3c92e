/** From a raw archive to a folder that training reads: volumes, lists, and a manifest of what was done and why. */
import { InputError } from "../../errors.ts";
import { writeWhole } from "../../volume/whole_file.ts";
import { datasets } from "../dataset.ts";
import { findCases, type RawCase } from "./archive.ts";
import { prepareCases } from "./pool.ts";
import {
  type CaseRecord,
  type Lists,
  type Manifest,
  type PrepareSettings,
  readManifest,
  type SkippedCase,
  writeJson,
} from "./record.ts";
import { isWithdrawn, type Split, splitCases } from "./split.ts";

/** What to prepare, from where, to where. */
export interface PrepareOptions {
  readonly settings: PrepareSettings;
  /** The unpacked archive. */
  readonly from: string;
  readonly to: string;
  /** A folder with the user's own lists. */
  readonly lists?: string | undefined;
  /** Leaves cases out that were withdrawn from their archive. */
  readonly withoutWithdrawn: boolean;
  /** Leaves cases out that cannot be used, instead of stopping at the first one. */
  readonly keepGoing: boolean;
  readonly workers: number;
  readonly signal?: AbortSignal | undefined;
  readonly onCase?: (report: CaseReport) => void;
}

/** How far a preparation is. */
export interface CaseReport {
  readonly case: string;
  readonly state: "made" | "old" | "skipped";
  /** Why it was skipped. */
  readonly reason?: string;
  readonly cautions: readonly string[];
  readonly done: number;
  readonly total: number;
}

/** How a preparation ended. */
export interface Preparation {
  readonly manifest: Manifest;
  /** Cases that were made, and those that were there already. */
  readonly made: number;
  readonly old: number;
}

/**
 * Prepares an archive. The same call again continues: cases whose input, output and settings are unchanged, by their
 * hashes, are left as they are.
 *
 * @throws InputError where the archive or the lists cannot be used, the folder holds a preparation of other settings,
 * or, without `keepGoing`, at the first case that cannot be used; cases that were made stay.
 */
export async function prepareDataset(options: PrepareOptions): Promise<Preparation> {
  const { settings, from, to, keepGoing, workers, signal, onCase } = options;
  const all = await findCases(settings.dataset, from, { except: to });
  const cases = options.withoutWithdrawn
    ? all.filter((raw) => !isWithdrawn(settings.dataset, raw.name))
    : all;
  const split = await splitCases(cases.map(({ name }) => name), { ...settings, lists: options.lists });
  await requireSameSettings(to, settings);
  const notes = { decisions: decisionsOf(split.lists, options), cautions: cautionsOf(all, split, options) };
  const listed = new Set(Object.values(namesOf(split.lists)).flat());
  const jobs = cases.filter(({ name }) => listed.has(name)).map((raw) => ({ raw, settings, from, to }));
  await Deno.mkdir(to, { recursive: true });
  const skipped: SkippedCase[] = [];
  const records = new Map<string, CaseRecord>();
  const manifest = (finished: boolean) =>
    manifestOf({ settings, finished, lists: split.lists, records, skipped, ...notes });
  await writeJson(`${to}/manifest.json`, manifest(false));
  let old = 0;
  const report = (name: string, rest: Pick<CaseReport, "state" | "reason" | "cautions">) =>
    onCase?.({ case: name, ...rest, done: records.size + skipped.length, total: jobs.length });
  await prepareCases(jobs, {
    workers,
    signal,
    onOutcome({ raw: { name } }, { record, isOld }) {
      records.set(name, record);
      if (isOld) old++;
      report(name, { state: isOld ? "old" : "made", cautions: record.cautions });
    },
    onBadCase({ raw: { name } }, reason) {
      if (!keepGoing) throw new InputError(`${reason} (--keep-going leaves such cases out)`);
      skipped.push({ case: name, reason });
      report(name, { state: "skipped", reason, cautions: [] });
    },
  });
  const result = manifest(records.size + skipped.length === jobs.length);
  if (result.finished) await writeLists(to, result.lists);
  await writeJson(`${to}/manifest.json`, result);
  return { manifest: result, made: records.size - old, old };
}

/** Cases and lists in a fixed order, whatever order the workers finished in. */
function manifestOf(
  { records, lists, skipped, cautions, ...rest }: Omit<Manifest, "cases" | "format"> & {
    readonly records: ReadonlyMap<string, CaseRecord>;
  },
): Manifest {
  const present = ({ rule, ...names }: Lists): Lists => {
    const kept = (list: readonly string[]) => list.filter((name) => records.has(name));
    return { rule, train: kept(names.train), validation: kept(names.validation), test: kept(names.test) };
  };
  const byName = <T extends { readonly case: string }>(items: Iterable<T>) =>
    [...items].sort((a, b) => a.case < b.case ? -1 : 1);
  const cases = byName(records.values());
  const final = rest.finished ? present(lists) : lists;
  const isUntested = final.test.length === 0;
  return {
    format: "sasnet-prepared-1",
    ...rest,
    lists: final,
    cases,
    skipped: byName(skipped),
    cautions: [
      ...cautions,
      ...twinsOf(cases),
      ...(isUntested ? ["the test list is empty: train needs one"] : []),
    ],
  };
}

/** Cases with the same image file. */
function twinsOf(cases: readonly CaseRecord[]): string[] {
  const groups = Map.groupBy(cases, ({ inputs }) => inputs[0].sha256);
  return [...groups.values()].filter((group) => group.length > 1).map((group) =>
    `${group.map((record) => record.case).join(" and ")} have the same image`
  );
}

async function writeLists(to: string, lists: Lists): Promise<void> {
  const names = namesOf(lists);
  for (const [list, cases] of Object.entries(names)) {
    const path = `${to}/${list}.list`;
    if (list === "validation" && cases.length === 0) await Deno.remove(path).catch(() => {});
    else await writeWhole(path, new TextEncoder().encode(cases.map((name) => `${name}\n`).join("")));
  }
}

function namesOf(
  { train, validation, test }: Lists,
): Record<"train" | "validation" | "test", readonly string[]> {
  return { train, validation, test };
}

async function requireSameSettings(to: string, settings: PrepareSettings): Promise<void> {
  const there = (await readManifest(to))?.settings;
  if (there === undefined) return;
  for (const key of ["dataset", "profile", "variant", "seed"] as const) {
    if (there[key] === settings[key]) continue;
    throw new InputError(
      `${to} holds another preparation (${key}: ${there[key]} there, ${settings[key]} here); ` +
        `choose another folder with --to`,
    );
  }
}

function decisionsOf({ rule, train, validation, test }: Lists, { settings }: PrepareOptions): string[] {
  const published = datasets[settings.dataset].split;
  const sizes = (counts: readonly number[]) => counts.filter((count, i) => i !== 1 || count > 0).join(" / ");
  return [
    `lists: ${rule}; ${sizes([train.length, validation.length, test.length])} cases, in the paper ${
      sizes([published.train, published.validation, published.test])
    }`,
  ];
}

function cautionsOf(all: readonly RawCase[], { unlisted }: Split, options: PrepareOptions): string[] {
  const { settings: { dataset }, withoutWithdrawn } = options;
  const cautions: string[] = [];
  const gone = all.filter(({ name }) => isWithdrawn(dataset, name)).map(({ name }) => name);
  if (gone.length > 0) {
    const fate = withoutWithdrawn
      ? "left out"
      : "kept, on one list with case 2, as the paper counts 82 cases; --without-withdrawn leaves them out";
    cautions.push(
      `withdrawn from the archive, because they show the patient of case 2: ${gone.join(", ")}; ${fate}`,
    );
  }
  if (unlisted.length > 0) {
    const some = unlisted.slice(0, 3).join(", ") + (unlisted.length > 3 ? ", …" : "");
    cautions.push(
      `on no list and left out: ${unlisted.length === 1 ? "" : `${unlisted.length} cases: `}${some}`,
    );
  }
  return cautions;
}
