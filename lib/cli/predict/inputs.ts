/** What `predict` is given: one volume, or a folder of them; and where each mask goes. */
import { basename, join, relative } from "node:path";
import { InputError } from "../../errors.ts";
import { hasDicomSlices } from "../../volume/dicom_series.ts";
import { readFolder } from "../../volume/whole_file.ts";

/** A scan to be predicted. */
export interface ScanInput {
  /** What its outputs are called. */
  readonly name: string;
  /** A file, or the folder of a DICOM series. */
  readonly path: string;
}

/** The scans, and whether the user named a single one. */
export interface ScanInputs {
  readonly scans: readonly ScanInput[];
  readonly isSingle: boolean;
}

/** Endings of files that are volumes; data files of detached headers are found through these. */
const volumeEnding = /\.(nii|nii\.gz|nrrd|nhdr|mha|mhd|h5|hdf5|dcm|ima)$/i;
const maskEnding = /\.(nii|nii\.gz|nrrd)$/i;

/** Folders in folders are searched down to this depth. */
const deepest = 6;

/**
 * Finds the scans of a path: the file itself; the one series of a folder with DICOM slices; else the volumes in the
 * folder and the series in its folders. With a pattern, the files below the folder whose name it matches.
 *
 * @param pattern a file's name, where * stands for any letters.
 * @param out where the masks go, which is not searched.
 * @throws InputError where there is nothing, no scan, or two scans of one name.
 */
export async function findScans(
  path: string,
  { pattern, out }: { pattern: string | undefined; out: string },
): Promise<ScanInputs> {
  const found = await Deno.stat(path).catch(() => undefined);
  if (found === undefined) throw new InputError(`${path}: no such file or folder`);
  if (!found.isDirectory) {
    if (pattern !== undefined) throw new InputError(`--file ${pattern}: ${path} is a file; give its folder`);
    return { scans: [{ name: stemOf(path), path }], isSingle: true };
  }
  if (pattern === undefined && await hasDicomSlices(path, 0)) {
    return { scans: [{ name: basename(path), path }], isSingle: true };
  }
  const scans = pattern === undefined ? await scansIn(path, out) : await scansBelow(path, pattern, out);
  if (scans.length === 0) {
    throw new InputError(
      pattern === undefined
        ? `${path}: no volume in this folder; expected files such as .nii.gz, .nrrd, .mha, .h5, or folders with DICOM ` +
          `slices (--file NAME looks for files of a name in the folders below)`
        : `${path}: no file below this folder is called ${pattern}`,
    );
  }
  requireDistinct(scans);
  return { scans, isSingle: false };
}

async function scansIn(folder: string, out: string): Promise<ScanInput[]> {
  const scans: ScanInput[] = [];
  for (const { name, isDirectory } of await entriesOf(folder)) {
    const path = join(folder, name);
    if (path === out) continue;
    if (!isDirectory && volumeEnding.test(name)) scans.push({ name: stemOf(name), path });
    if (isDirectory && await hasDicomSlices(path, deepest)) scans.push({ name, path });
  }
  return scans;
}

async function scansBelow(folder: string, pattern: string, out: string): Promise<ScanInput[]> {
  const escaped = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  const expression = new RegExp(`^${escaped.join(".*")}$`);
  const files = await filesBelow(folder, out);
  const matching = files.filter((path) => expression.test(basename(path)));
  const folderOf = (path: string) => relative(folder, join(path, ".."));
  return matching.map((path) => {
    const parent = folderOf(path);
    const isAlone = matching.filter((other) => folderOf(other) === parent).length === 1;
    const parts = parent === "" ? [stemOf(path)] : isAlone ? [parent] : [parent, stemOf(path)];
    return { name: parts.join("_").replaceAll(/[/\\]/g, "_"), path };
  });
}

/** @param above real paths of the folders above, among which a link may lead back. */
async function filesBelow(folder: string, out: string, above: readonly string[] = []): Promise<string[]> {
  const real = await Deno.realPath(folder);
  if (above.includes(real) || above.length > deepest) return [];
  const paths: string[] = [];
  for (const { name, isDirectory } of await entriesOf(folder)) {
    const path = join(folder, name);
    if (path === out) continue;
    if (!isDirectory) paths.push(path);
    else paths.push(...await filesBelow(path, out, [...above, real]));
  }
  return paths;
}

/** By name; links count as what they lead to. */
async function entriesOf(folder: string): Promise<{ name: string; isDirectory: boolean }[]> {
  const entries: { name: string; isDirectory: boolean }[] = [];
  for (const { name } of await readFolder(folder)) {
    if (name === "lost+found") continue;
    const found = await Deno.stat(join(folder, name)).catch(() => undefined);
    if (found !== undefined) entries.push({ name, isDirectory: found.isDirectory });
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

function requireDistinct(scans: readonly ScanInput[]): void {
  const known = new Map<string, string>();
  for (const { name, path } of scans) {
    const other = known.get(name);
    if (other !== undefined) {
      throw new InputError(
        `${other} and ${path} would both become ${name}; rename one, or choose one with --file`,
      );
    }
    known.set(name, path);
  }
}

/**
 * The mask's file of each scan.
 *
 * @param out a file for a single scan, else a folder.
 * @param options.folder where the scans were looked for.
 * @throws InputError where `out` is a file for several scans, one of a format that is not written, a scan itself, or
 * for several scans their own folder.
 */
export async function masksOf(
  { scans, isSingle }: ScanInputs,
  out: string,
  { format, folder }: { readonly format: "nii.gz" | "nrrd"; readonly folder: string },
): Promise<readonly string[]> {
  const found = await Deno.stat(out).catch(() => undefined);
  const isFolder = found?.isDirectory ?? !volumeEnding.test(out);
  if (!isFolder && !isSingle) {
    throw new InputError(`${out} is a file, and there are ${scans.length} volumes to predict; give a folder`);
  }
  if (!isFolder && !maskEnding.test(out)) {
    throw new InputError(
      `${out}: masks are written as .nii.gz, .nii or .nrrd; name the file so, or give a folder`,
    );
  }
  if (isFolder && !isSingle && found !== undefined && await isSameFolder(folder, out)) {
    throw new InputError(
      `${out}: the masks would lie among the scans and be taken for scans later; give another folder for them`,
    );
  }
  const masks = isFolder ? scans.map(({ name }) => join(out, `${name}.${format}`)) : [out];
  const overwritten = scans.find(({ path }) => masks.includes(path));
  if (overwritten !== undefined) {
    throw new InputError(
      `${overwritten.path} would be replaced by its own mask; give another place for the masks`,
    );
  }
  return masks;
}

/** The files that a scan becomes. */
export interface ScanOutputs {
  readonly mask: string;
  readonly probability?: string;
  readonly disagreement?: string;
  /** A page to look into the scan. */
  readonly page?: string;
}

/** A scan, and where its outputs go. */
export interface PredictionJob {
  readonly scan: ScanInput;
  readonly outputs: ScanOutputs;
}

/** How the user chooses another place for the outputs, for messages. */
export const outputChoice = "for OUT";

/** Mask and maps of a scan: beside `case.nii.gz` its `case_probability.nii.gz`. */
export function outputsOf(
  mask: string,
  { probabilities, uncertainty, view }: {
    readonly probabilities: boolean;
    readonly uncertainty: boolean;
    readonly view: boolean;
  },
): ScanOutputs {
  return {
    mask,
    ...(probabilities && { probability: besideMask(mask, "probability") }),
    ...(uncertainty && { disagreement: besideMask(mask, "disagreement") }),
    ...(view && { page: besideMask(mask, "view").replace(maskEnding, ".html") }),
  };
}

/** The file of another map beside a mask. */
export function besideMask(mask: string, map: string): string {
  return mask.replace(maskEnding, (ending) => `_${map}${ending}`);
}

/** @throws InputError where two outputs would have one path, or an output a scan's. */
export function requireDistinctOutputs(jobs: readonly PredictionJob[]): void {
  const sources = new Map(jobs.map(({ scan: { path } }) => [path, path]));
  for (const { scan: { path }, outputs } of jobs) {
    for (const output of Object.values(outputs)) {
      const other = sources.get(output);
      if (other !== undefined) {
        throw new InputError(
          `${output} would be written for ${path} and is wanted for ${other} already; rename one of them, or give ` +
            `another place for the masks`,
        );
      }
      sources.set(output, path);
    }
  }
}

async function isSameFolder(a: string, b: string): Promise<boolean> {
  const [real, other] = await Promise.all([a, b].map((path) => Deno.realPath(path)));
  return real === other;
}

function stemOf(path: string): string {
  return basename(path).replace(volumeEnding, "");
}
