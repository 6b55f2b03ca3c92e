/** `predict.json` beside the masks of a folder: what made them, so that an interrupted prediction goes on. */
import { InputError } from "../../errors.ts";
import { writeWhole } from "../../training/files.ts";
import { outputChoice, type PredictionJob } from "./inputs.ts";
import type { ScanResult } from "./one_scan.ts";

/** All that decides what the masks are, beside the scans. */
export interface PredictionSettings {
  /** The run's name, the hash of its configuration, and the step of its checkpoint. */
  readonly run: string;
  readonly configHash: string;
  readonly step: number;
  readonly blending: string;
  readonly mirror: boolean;
  readonly stride: readonly number[];
  readonly preparation: string;
  readonly largestComponent: boolean;
  readonly probabilities: boolean;
  readonly uncertainty: boolean;
  readonly view: boolean;
}

/** A scan that is done, and how its file was then. */
export interface DoneScan extends ScanResult {
  readonly inputBytes: number;
  /** Milliseconds since 1970. */
  readonly inputModified: number;
}

/** The file's content. */
export interface PredictionRecord {
  readonly format: "sasnet-predictions-1";
  readonly settings: PredictionSettings;
  readonly scans: readonly DoneScan[];
}

const fileName = "predict.json";

/**
 * The scans of a folder that are done with these settings; none where it has no record.
 *
 * @throws InputError where the record is damaged, or the masks were made with other settings.
 */
export async function doneScans(folder: string, settings: PredictionSettings): Promise<readonly DoneScan[]> {
  const path = `${folder}/${fileName}`;
  const text = await Deno.readTextFile(path).catch(() => undefined);
  if (text === undefined) return [];
  let record: Partial<PredictionRecord>;
  try {
    record = JSON.parse(text);
  } catch {
    record = {};
  }
  if (record.format !== "sasnet-predictions-1" || record.settings === undefined) {
    throw new InputError(`${path}: damaged, or not of this kit; choose another folder, or --overwrite`);
  }
  const known = record.settings;
  const keys = Object.keys(settings) as (keyof PredictionSettings)[];
  const other = keys.find((key) => JSON.stringify(known[key]) !== JSON.stringify(settings[key]));
  if (other === undefined) return record.scans ?? [];
  throw new InputError(
    `${folder} holds masks made with other settings (${other}: ${known[other]} there, ${
      settings[other]
    } here); ` +
      `choose another folder, or --overwrite`,
  );
}

/** The jobs that no former call has done: of the same scan, which is as it was, with its outputs in place. */
export async function openJobs(
  jobs: readonly PredictionJob[],
  known: readonly DoneScan[],
): Promise<readonly PredictionJob[]> {
  const former = new Map(known.map((scan) => [scan.output, scan]));
  const isOpen = await Promise.all(jobs.map(async ({ scan, outputs }) => {
    const done = former.get(outputs.mask);
    return done?.input !== scan.path || !await isDone(done);
  }));
  return jobs.filter((_, i) => isOpen[i]);
}

/**
 * What a former call made of the same scan, which has changed since, may be replaced; nothing else.
 *
 * @throws InputError where another output is there.
 */
export async function requireFree(jobs: readonly PredictionJob[], known: readonly DoneScan[]): Promise<void> {
  const own = new Set(
    known.flatMap(({ input, output, maps }) =>
      [output, ...Object.values(maps)].map((path) => `${input}\n${path}`)
    ),
  );
  for (const { scan, outputs } of jobs) {
    for (const path of Object.values(outputs)) {
      const exists = (await Deno.stat(path).catch(() => undefined)) !== undefined;
      if (exists && !own.has(`${scan.path}\n${path}`)) {
        throw new InputError(`${path} exists; --overwrite replaces it`);
      }
    }
  }
}

/** Writes the record. */
export async function writeRecord(
  folder: string,
  settings: PredictionSettings,
  scans: readonly DoneScan[],
): Promise<void> {
  const record: PredictionRecord = { format: "sasnet-predictions-1", settings, scans };
  await writeWhole(`${folder}/${fileName}`, `${JSON.stringify(record, null, 1)}\n`, outputChoice);
}

/** Whether a scan is done: its file is as it was, and its outputs are there. */
async function isDone(scan: DoneScan): Promise<boolean> {
  const { bytes, modified } = await fileState(scan.input);
  if (bytes !== scan.inputBytes || modified !== scan.inputModified) return false;
  const outputs = [scan.output, ...Object.values(scan.maps)];
  const found = await Promise.all(outputs.map((path) => Deno.stat(path).catch(() => undefined)));
  return found.every((file) => file?.isFile === true);
}

/** What tells that a file, or the folder of a series, was changed. */
export async function fileState(path: string): Promise<{ bytes: number; modified: number }> {
  const { size, mtime } = await Deno.stat(path);
  return { bytes: size, modified: mtime?.getTime() ?? 0 };
}
