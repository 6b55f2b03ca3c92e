/** Looks at every case of a folder before training does: what would stop a run, or spoil its result unseen. */
import { InputError } from "../errors.ts";
import { readHdf5Dataset } from "../volume/hdf5.ts";
import { gridDifference } from "../volume/geometry.ts";
import { type StoredVolume, summarise } from "../volume/stored_volume.ts";
import type { Shape3 } from "../volume/volume.ts";
import { readWhole } from "../volume/whole_file.ts";
import { areUnchanged } from "./prepare/hashed_files.ts";
import { readCaseRecord } from "./prepare/record.ts";
import { readList } from "./source.ts";

/** Something about a case that should be mended, or known. */
export interface CaseFinding {
  readonly case: string;
  /** A fault must be mended before training; a caution may be meant so. */
  readonly kind: "fault" | "caution";
  readonly text: string;
}

/** What was found in a folder. */
export interface CasesReport {
  readonly cases: number;
  readonly findings: readonly CaseFinding[];
}

/** What the cases are measured against. */
export interface CheckOptions {
  /** File of a case in its folder (default "mri_norm2.h5"). */
  readonly file?: string;
  /** Label values that are declared (default 0 and 1). */
  readonly labels?: readonly number[];
  /** The crop of the training; without it sizes are not looked at. */
  readonly crop?: Shape3;
  readonly onCase?: (name: string, done: number, total: number) => void;
}

/**
 * Checks the cases of `train.list`, `test.list` and, where there is one, `validation.list`: files that are missing or damaged; images with values that are not
 * finite, or all alike; labels with other values than declared, or none; images and labels on different grids; the
 * same image twice; a case on two lists, by name or by content; volumes that the crop does not fit in, or
 * that changed since they were prepared.
 *
 * @throws InputError where a list is missing, empty or names a case twice.
 */
export async function checkCases(directory: string, options: CheckOptions = {}): Promise<CasesReport> {
  const lists = await readLists(directory);
  const listOf = new Map<string, string>();
  const findings: CaseFinding[] = [];
  for (const [list, members] of lists) {
    for (const name of members) {
      const other = listOf.get(name);
      if (other === undefined) listOf.set(name, list);
      else findings.push({ case: name, kind: "fault", text: `in ${other} and in ${list}` });
    }
  }
  const names = [...listOf.keys()];
  const byContent = new Map<string, string>();
  for (const [n, name] of names.entries()) {
    options.onCase?.(name, n, names.length);
    const { texts, digest } = await checkCase(
      `${directory}/${name}/${options.file ?? "mri_norm2.h5"}`,
      options,
    );
    const record = await readCaseRecord(`${directory}/${name}`);
    if (record !== undefined && digest !== undefined && !await areUnchanged(directory, [record.output])) {
      texts.push(["caution", "the volume is not the one that prepare wrote: its hash differs"]);
    }
    findings.push(...texts.map(([kind, text]) => ({ case: name, kind, text })));
    if (digest === undefined) continue;
    const twin = byContent.get(digest);
    byContent.set(digest, twin ?? name);
    if (twin === undefined) continue;
    const [first, second] = [listOf.get(twin), listOf.get(name)];
    const where = first === second ? "" : `, one in ${first} and one in ${second}`;
    findings.push({ case: name, kind: "fault", text: `the same image as ${twin}${where}` });
  }
  return { cases: names.length, findings };
}

/** The lists of a folder by name; one of validation cases may be missing. */
async function readLists(directory: string): Promise<[list: string, names: string[]][]> {
  const names = ["train.list", "validation.list", "test.list"];
  const isThere = async (name: string) =>
    (await Deno.stat(`${directory}/${name}`).catch(() => undefined))?.isFile === true;
  const lists: [string, string[]][] = [];
  for (const name of names) {
    if (name === "validation.list" && !await isThere(name)) continue;
    lists.push([name, await readList(directory, name)]);
  }
  return lists;
}

type Remark = readonly [CaseFinding["kind"], string];

async function checkCase(path: string, options: CheckOptions): Promise<{ texts: Remark[]; digest?: string }> {
  try {
    const image = await readHdf5Dataset(await readWhole(path), path, { dataset: "image" });
    const texts = imageRemarks(image, options.crop);
    const digest = await digestOf(image);
    try {
      const label = await readHdf5Dataset(await readWhole(path), path, { dataset: "label" });
      texts.push(...labelRemarks(label, image, options.labels ?? [0, 1]));
    } catch (error) {
      texts.push(["fault", withoutPath(error, path)]);
    }
    return { texts, digest };
  } catch (error) {
    return { texts: [["fault", withoutPath(error, path)]] };
  }
}

function imageRemarks(image: StoredVolume, crop: Shape3 | undefined): Remark[] {
  const remarks: Remark[] = [];
  const { min, max, notFinite } = summarise(image);
  if (notFinite > 0) remarks.push(["fault", `${notFinite} voxels of the image are NaN or infinite`]);
  if (min !== null && min === max) remarks.push(["fault", `every voxel of the image is ${min}`]);
  if (crop?.some((side, axis) => image.shape[axis] < side)) {
    const [sides, patch] = [image.shape.join("×"), crop.join("×")];
    remarks.push([
      "caution",
      `${sides} voxels are fewer than the crop of ${patch} along an axis: it will be padded`,
    ]);
  }
  return remarks;
}

function labelRemarks(label: StoredVolume, image: StoredVolume, declared: readonly number[]): Remark[] {
  const remarks: Remark[] = [];
  const difference = gridDifference(image, label);
  if (difference !== undefined) remarks.push(["fault", `image and label are not on one grid: ${difference}`]);
  const { labels, min, max } = summarise(label);
  const other = labels?.filter((value) => !declared.includes(value)) ?? [];
  if (labels === null) remarks.push(["fault", `the label has values from ${min} to ${max}, not just labels`]);
  else if (other.length > 0) remarks.push(["fault", `the label has the values ${other.join(", ")}`]);
  else if (labels.every((value) => value === 0)) remarks.push(["fault", "the label is empty"]);
  else if (!labels.includes(0)) remarks.push(["caution", "the label has no background"]);
  return remarks;
}

async function digestOf({ stored, shape }: StoredVolume): Promise<string> {
  const bytes = new Uint8Array(stored.buffer as ArrayBuffer, stored.byteOffset, stored.byteLength);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `${shape.join("×")} ${new Uint8Array(digest).toHex()}`;
}

function withoutPath(error: unknown, path: string): string {
  if (!(error instanceof InputError)) throw error;
  return error.message.replace(`${path}: `, "");
}
