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

/** Reads the data of one figure and run, and proves that it is what was written, of a run that has a record. */
async function readFigure(
  results: string,
  path: string,
): Promise<{ stored: StoredFigure } | { damage: Damage }> {
  const damaged = (reason: string) => ({ damage: { path, reason } });
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(await Deno.readTextFile(path));
  } catch {
    return damaged("it is not JSON: truncated or edited");
  }
  const { contentHash: stated, ...packed } = document;
  if (stated === undefined || packed.format !== 1) {
    return damaged("it is no figure data of this kit's format 1");
  }
  if (await contentHash(packed) !== stated) return damaged("its content hash does not fit: it was edited");
  const stored = unpack(packed) as StoredFigure;
  if (!path.endsWith(`/${stored.figure}/${stored.run}.json`)) {
    return damaged(`it is the data of ${stored.run} for ${stored.figure}: the file was moved`);
  }
  if (await Deno.stat(`${results}/records/${stored.run}.json`).catch(() => undefined) === undefined) {
    return damaged("its run has no record any more; remove it, or run the study again");
  }
  return { stored };
}

/** All data of some figures in a results folder, by name, and the files that are none. */
export async function readFigures(
  results: string,
  keys: readonly string[] = storedFigures,
): Promise<{ stored: StoredFigure[]; damaged: Damage[] }> {
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
  const read = await Promise.all(paths.map((path) => readFigure(results, path)));
  return {
    stored: read.flatMap((one) => "stored" in one ? [one.stored] : []),
    damaged: read.flatMap((one) => "damage" in one ? [one.damage] : []),
  };
}
