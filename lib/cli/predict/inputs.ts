/** What `predict` is given: one volume, or a folder of them; and where each mask goes. */
import { basename, join, relative } from "node:path";
import { InputError } from "../../errors.ts";
import { hasDicomSlices } from "../../volume/dicom_series.ts";

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
  const files = await filesBelow(folder, deepest, out);
  const matching = files.filter((path) => expression.test(basename(path)));
  const folderOf = (path: string) => relative(folder, join(path, ".."));
  return matching.map((path) => {
    const parent = folderOf(path);
    const isAlone = matching.filter((other) => folderOf(other) === parent).length === 1;
    const parts = parent === "" ? [stemOf(path)] : isAlone ? [parent] : [parent, stemOf(path)];
    return { name: parts.join("_").replaceAll(/[/\\]/g, "_"), path };
  });
}

async function filesBelow(folder: string, depth: number, out: string): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, isDirectory } of await entriesOf(folder)) {
    const path = join(folder, name);
    if (path === out) continue;
    if (!isDirectory) paths.push(path);
    else if (depth > 0) paths.push(...await filesBelow(path, depth - 1, out));
  }
  return paths;
}

/** By name; links count as what they lead to. */
async function entriesOf(folder: string): Promise<{ name: string; isDirectory: boolean }[]> {
  const entries: { name: string; isDirectory: boolean }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
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
 * @throws InputError where `out` is a file for several scans, one of a format that is not written, or a scan itself.
 */
export async function masksOf(
  { scans, isSingle }: ScanInputs,
  out: string,
  format: "nii.gz" | "nrrd",
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
  const masks = isFolder ? scans.map(({ name }) => join(out, `${name}.${format}`)) : [out];
  const overwritten = scans.find(({ path }) => masks.includes(path));
  if (overwritten !== undefined) {
    throw new InputError(
      `${overwritten.path} would be replaced by its own mask; give another place for the masks`,
    );
  }
  return masks;
}

/** The file of another map beside a mask: `case.nii.gz` → `case_probability.nii.gz`. */
export function besideMask(mask: string, map: string): string {
  return mask.replace(maskEnding, (ending) => `_${map}${ending}`);
}

function stemOf(path: string): string {
  return basename(path).replace(volumeEnding, "");
}
