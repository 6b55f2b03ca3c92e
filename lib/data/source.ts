/** Where cases come from: lists of names, and a way to load one. */
import { InputError } from "../errors.ts";
import { readHdf5 } from "../volume/hdf5.ts";
import type { Shape3, Triple, Volume } from "../volume/volume.ts";

/** One volume with its label. */
export interface Case {
  readonly name: string;
  readonly image: Volume;
  readonly label: Volume<Uint8Array>;
}

/** The cases of a data set: the first ones of `train` are the labelled ones. */
export interface CaseSource {
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** Cases for choosing a checkpoint that are neither trained on nor tested, where the data set has such. */
  readonly validation?: readonly string[];
  /** Loads a case. Callers must not change its arrays: a cache may hand them out again. */
  load(name: string): Promise<Case>;
}

/** Options of {@link folderSource}. */
export interface FolderOptions {
  /** File of a case in its folder (default "mri_norm2.h5", as the public left-atrium data has it). */
  readonly file?: string;
  /** Voxel size in millimetres of files that do not state it; by default told from the number of slices. */
  readonly spacing?: Triple;
  /** Bytes of volumes kept in memory (default 2 GiB; 0 keeps none). */
  readonly cacheBytes?: number;
}

/**
 * A folder in the layout of the public left-atrium data: `train.list` and `test.list` with one case a line, and
 * `<case>/mri_norm2.h5` for each; a `validation.list` where there is one.
 *
 * @throws InputError where the folder or a list is missing, a list is empty, names a case twice or a case of the
 * other list, or names cases whose file is missing.
 */
export async function folderSource(directory: string, options: FolderOptions = {}): Promise<CaseSource> {
  const { file = "mri_norm2.h5", spacing, cacheBytes = 2 ** 31 } = options;
  const train = await readList(directory, "train.list");
  const test = await readList(directory, "test.list");
  const validation = await isFile(`${directory}/validation.list`)
    ? await readList(directory, "validation.list")
    : [];
  for (
    const [one, other, otherName] of [[test, train, "train.list and in test.list"], [
      validation,
      [...train, ...test],
      "validation.list and in another one",
    ]] as const
  ) {
    const known = new Set(other);
    const shared = one.filter((name) => known.has(name));
    if (shared.length === 0) continue;
    throw new InputError(
      `${directory}: ${someOf(shared)} in ${otherName}; a case that is measured must not be trained on`,
    );
  }
  const names = [...train, ...validation, ...test];
  const present = await Promise.all(names.map((name) => isFile(`${directory}/${name}/${file}`)));
  const missing = names.filter((_, i) => !present[i]);
  if (missing.length > 0) {
    throw new InputError(
      `${directory}: ${missing.length} of ${names.length} listed cases lack their file "${file}": ` +
        `${someOf(missing)}; add the files or take the cases off the lists`,
    );
  }
  const known = new Set(names);
  const load = async (name: string): Promise<Case> => {
    if (!known.has(name)) {
      throw new InputError(`${directory}: case "${name}" is on none of the lists`);
    }
    const read = { spacing: spacing === undefined ? laSpacing : () => spacing };
    return { name, ...await readHdf5(`${directory}/${name}/${file}`, read) };
  };
  return { train, test, ...(validation.length > 0 && { validation }), load: keepLoaded(load, cacheBytes) };
}

/** Slices of the public volumes, and of the same averaged to 1.25 mm. */
const [publicSlices, averagedSlices] = [88, 44];

/** Whether a volume has as many slices as the public left-atrium volumes have. */
export function isPublicAtrium(shape: Shape3): boolean {
  return shape[2] === publicSlices || shape[2] === averagedSlices;
}

/**
 * Voxel size of a left-atrium volume that does not state it. The challenge's volumes have 88 slices of
 * 0.625 mm, and the public preparation keeps them all: 44 slices tell a volume that was averaged to 1.25 mm.
 */
export function laSpacing(shape: Shape3): Triple {
  return shape[2] === averagedSlices ? [1.25, 1.25, 1.25] : [0.625, 0.625, 0.625];
}

/**
 * Keeps loaded cases in memory, the least recently used ones leaving first where `bytes` is exceeded. Two loads
 * of one case at the same time read it once.
 */
export function keepLoaded(
  load: (name: string) => Promise<Case>,
  bytes: number,
): (name: string) => Promise<Case> {
  const kept = new Map<string, Case>();
  const loading = new Map<string, Promise<Case>>();
  let used = 0;
  const keep = (loaded: Case) => {
    const size = bytesOf(loaded);
    if (size > bytes) return;
    kept.set(loaded.name, loaded);
    used += size;
    for (const [name, oldest] of kept) {
      if (used <= bytes) break;
      kept.delete(name);
      used -= bytesOf(oldest);
    }
  };
  return (name) => {
    const known = kept.get(name);
    if (known !== undefined) {
      // Setting again moves the case to the end, where the most recently used ones are.
      kept.delete(name);
      kept.set(name, known);
      return Promise.resolve(known);
    }
    let pending = loading.get(name);
    if (pending === undefined) {
      pending = load(name).then((loaded) => {
        keep(loaded);
        return loaded;
      }).finally(() => loading.delete(name));
      loading.set(name, pending);
    }
    return pending;
  };
}

function bytesOf({ image, label }: Case): number {
  return image.data.byteLength + label.data.byteLength;
}

/** The names in one list of a folder; throws where it is missing, empty, or names a case twice or no folder. */
export async function readList(directory: string, list: string): Promise<string[]> {
  const path = `${directory}/${list}`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch {
    const what = await isFolder(directory) ? `the folder has no ${list}` : "the folder does not exist";
    throw new InputError(
      `${directory}: ${what}; expected train.list and test.list with one case a line, and a folder a case`,
    );
  }
  const names = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  if (names.length === 0) throw new InputError(`${path}: the list is empty; expected one case a line`);
  const strange = names.filter((name) => /[/\\]/.test(name) || name === "." || name === "..");
  if (strange.length > 0) {
    throw new InputError(`${path}: ${someOf(strange)} cannot be the name of a case's folder`);
  }
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  if (twice.length > 0) {
    throw new InputError(`${path}: ${someOf(twice)} listed more than once; list each case once`);
  }
  return names;
}

/** "a", "b", "c" and 4 more */
function someOf(names: readonly string[]): string {
  const unique = [...new Set(names)];
  const listed = unique.slice(0, 3).map((name) => `"${name}"`).join(", ");
  return unique.length > 3 ? `${listed} and ${unique.length - 3} more` : listed;
}

async function isFile(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isFile === true;
}

async function isFolder(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isDirectory === true;
}
