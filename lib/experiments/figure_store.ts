/** Figure data beside the records: one JSON file a figure and run, with a content hash. */
import { writeWhole } from "../training/files.ts";
import { contentHash } from "./content_hash.ts";
import type { FigureKey, StoredFigure } from "./figure_data.ts";
import { pack, unpack } from "./packed.ts";
import type { Damage } from "./record.ts";

/** The figures that are drawn from runs. */
export const storedFigures: readonly FigureKey[] = [
  "figure1",
  "figure2",
  "figure3",
  "figure5",
  "figure6",
  "figure7",
  "figure8",
];

/** Where the data of a figure and a run lies in a results folder. */
export function figurePath(results: string, figure: FigureKey, run: string): string {
  return `${results}/figures/${figure}/${run}.json`;
}

/** Writes the data with its content hash, whole or not at all. */
export async function writeFigure(results: string, stored: StoredFigure): Promise<void> {
  const packed = pack(stored) as object;
  const document = { ...packed, contentHash: await contentHash(packed) };
  await Deno.mkdir(`${results}/figures/${stored.figure}`, { recursive: true });
  await writeWhole(figurePath(results, stored.figure, stored.run), `${JSON.stringify(document)}\n`);
}

/** What a file says, its arrays still packed. */
interface PackedFigure {
  readonly path: string;
  readonly figure: FigureKey;
  readonly run: string;
  readonly document: unknown;
}

/** Reads the data of one figure and run, and proves that it is what was written, of a run that has a record. */
async function readPacked(results: string, path: string): Promise<PackedFigure | Damage> {
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(await Deno.readTextFile(path));
  } catch {
    return { path, reason: "it is not JSON: truncated or edited" };
  }
  const { contentHash: stated, ...packed } = document;
  if (stated === undefined || packed.format !== 1) {
    return { path, reason: "it is no figure data of this kit's format 1" };
  }
  if (await contentHash(packed) !== stated) {
    return { path, reason: "its content hash does not fit: it was edited" };
  }
  const { figure, run } = packed as unknown as Pick<StoredFigure, "figure" | "run">;
  if (!path.endsWith(`/${figure}/${run}.json`)) {
    return { path, reason: `it is the data of ${run} for ${figure}: the file was moved` };
  }
  if (await Deno.stat(`${results}/records/${run}.json`).catch(() => undefined) === undefined) {
    return { path, reason: "its run has no record any more; remove it, or run the study again" };
  }
  return { path, figure, run, document: packed };
}

async function readAll(results: string, keys: readonly string[]): Promise<(PackedFigure | Damage)[]> {
  const paths: string[] = [];
  for (const figure of storedFigures.filter((figure) => keys.includes(figure))) {
    const names: string[] = [];
    try {
      for await (const { name } of Deno.readDir(`${results}/figures/${figure}`)) {
        if (name.endsWith(".json")) names.push(name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    paths.push(...names.sort().map((name) => `${results}/figures/${figure}/${name}`));
  }
  return await Promise.all(paths.map((path) => readPacked(results, path)));
}

/** Which figures have usable data of which runs. */
export async function presentFigures(
  results: string,
  keys: readonly FigureKey[],
): Promise<{ figure: FigureKey; run: string }[]> {
  const read = await readAll(results, keys);
  return read.flatMap((one) => "document" in one ? [{ figure: one.figure, run: one.run }] : []);
}

/** All data of some figures in a results folder, by name, and the files that are none. */
export async function readFigures(
  results: string,
  keys: readonly string[] = storedFigures,
): Promise<{ stored: StoredFigure[]; damaged: Damage[] }> {
  const stored: StoredFigure[] = [];
  const damaged: Damage[] = [];
  for (const one of await readAll(results, keys)) {
    if (!("document" in one)) {
      damaged.push(one);
      continue;
    }
    try {
      stored.push(unpack(one.document) as StoredFigure);
    } catch (error) {
      const reason = `its arrays cannot be unpacked: ${error instanceof Error ? error.message : error}`;
      damaged.push({ path: one.path, reason });
    }
  }
  return { stored, damaged };
}
