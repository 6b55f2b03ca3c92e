/** The raw archives as they are downloaded: where their cases lie, by the names that each set uses. */
import { basename, dirname, join } from "node:path";
import { InputError } from "../../errors.ts";
import { readFolder } from "../../volume/whole_file.ts";
import type { PreparedName } from "./record.ts";

/** A case of an archive. Whether its files can be read is seen when it is prepared. */
export interface RawCase {
  readonly name: string;
  /** A file, or the folder of a DICOM series. */
  readonly image: string;
  /** Undefined where the archive has none. */
  readonly label: string | undefined;
  /** A file that holds image and label, cut and normalised already. */
  readonly isPrepared: boolean;
  /** The archive's own group, such as HGG and LGG. */
  readonly group?: string;
}

/** Folders in folders are searched down to this depth: the archives nest at most five. */
const deepest = 7;

/** What is looked for, for the message where nothing is found. */
const layouts: Readonly<Record<PreparedName, string>> = {
  la: "CASE/lgemri.nrrd with CASE/laendo.nrrd, or CASE/mri_norm2.h5",
  pancreas: "folders PANCREAS_0001 … with DICOM slices, and label0001.nii.gz …",
  brats: "CASE/CASE_flair.nii.gz with CASE/CASE_seg.nii.gz, in folders such as HGG and LGG",
};

/**
 * Finds the cases of an archive, sorted by name.
 *
 * @param folder the unpacked archive, or a folder above it.
 * @param options.except a folder that is not searched: that of the prepared volumes may lie within the archive's.
 * @throws InputError where the folder does not exist, holds no case in the data set's layout, or one case twice.
 */
export async function findCases(
  dataset: PreparedName,
  folder: string,
  { except }: { except?: string } = {},
): Promise<RawCase[]> {
  if ((await Deno.stat(folder).catch(() => undefined))?.isDirectory !== true) {
    throw new InputError(
      `${folder}: the folder does not exist; give the folder of the unpacked archive with --from`,
    );
  }
  const isOne = dataset === "pancreas" ? isSeriesFolder : () => false;
  const found = await pathsBelow(
    folder,
    (path) => path === except ? "none" : isOne(basename(path)) ? "one" : "all",
  );
  const cases = { la: atria, pancreas: pancreases, brats: tumours }[dataset](found);
  if (cases.length === 0) {
    throw new InputError(`${folder}: no case of ${dataset} in this folder; expected ${layouts[dataset]}`);
  }
  cases.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const twice = cases.findIndex(({ name }, i) => i > 0 && name === cases[i - 1].name);
  if (twice !== -1) {
    const [a, b] = [cases[twice - 1], cases[twice]];
    throw new InputError(
      `${folder}: the case ${a.name} is there twice: ${a.image} and ${b.image}; take one away`,
    );
  }
  return cases;
}

/** The number of a case of Pancreas-CT: 25 for "PANCREAS_0025"; undefined for other names. */
export function pancreasNumber(name: string): number | undefined {
  const match = /^PANCREAS_(\d{4})$/i.exec(name);
  return match === null ? undefined : Number(match[1]);
}

function atria(paths: readonly string[]): RawCase[] {
  const known = new Set(paths);
  const raw = paths.filter((path) => basename(path) === "lgemri.nrrd").map((image): RawCase => {
    const label = join(dirname(image), "laendo.nrrd");
    return { name: caseOf(image), image, label: known.has(label) ? label : undefined, isPrepared: false };
  });
  const names = new Set(raw.map(({ name }) => name));
  const ready = paths.filter((path) => basename(path) === "mri_norm2.h5" && !names.has(caseOf(path)));
  return [...raw, ...ready.map((image) => ({ name: caseOf(image), image, label: image, isPrepared: true }))];
}

function pancreases(paths: readonly string[]): RawCase[] {
  const labels = new Map(paths.flatMap((path): [number, string][] => {
    const match = /^label(\d{4})\.nii(\.gz)?$/i.exec(basename(path));
    return match === null ? [] : [[Number(match[1]), path]];
  }));
  return paths.flatMap((image) => {
    const name = basename(image).replace(/\.nii(\.gz)?$/i, "").toUpperCase();
    const number = pancreasNumber(name);
    return number === undefined ? [] : [{ name, image, label: labels.get(number), isPrepared: false }];
  });
}

function tumours(paths: readonly string[]): RawCase[] {
  const known = new Set(paths);
  return paths.flatMap((image) => {
    const match = /^(.+)_flair\.nii(\.gz)?$/i.exec(basename(image));
    if (match === null) return [];
    const name = match[1];
    const labels = [`${name}_seg.nii.gz`, `${name}_seg.nii`].map((file) => join(dirname(image), file));
    const group = image.split("/").findLast((part) => part === "HGG" || part === "LGG");
    const label = labels.find((path) => known.has(path));
    return [{ name, image, label, isPrepared: false, ...(group === undefined ? {} : { group }) }];
  });
}

function caseOf(path: string): string {
  return basename(dirname(path));
}

function isSeriesFolder(name: string): boolean {
  return pancreasNumber(name) !== undefined;
}

/**
 * Paths of all files, and of the folders that count as one. What systems leave behind, such as `__MACOSX` and `._name`,
 * is passed over.
 *
 * @param part what of a folder counts.
 * @param above real paths of the folders above, among which a link may lead back.
 */
async function pathsBelow(
  folder: string,
  part: (path: string) => "all" | "one" | "none",
  above: readonly string[] = [],
): Promise<string[]> {
  const real = await Deno.realPath(folder);
  if (above.includes(real) || above.length > deepest) return [];
  const paths: string[] = [];
  for (const { name, isFile, isDirectory, isSymlink } of await readFolder(folder)) {
    if (name.startsWith(".") || name === "__MACOSX" || name === "lost+found") continue;
    const path = join(folder, name);
    const target = isSymlink ? await Deno.stat(path).catch(() => undefined) : undefined;
    if (isFile || target?.isFile) paths.push(path);
    if (!isDirectory && !target?.isDirectory) continue;
    const counted = part(path);
    if (counted === "one") paths.push(path);
    else if (counted === "all") paths.push(...await pathsBelow(path, part, [...above, real]));
  }
  return paths.sort();
}
