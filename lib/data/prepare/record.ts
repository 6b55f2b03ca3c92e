/** What a preparation writes down: of each case in its folder, and of all of them in one manifest. */
import { InputError } from "../../errors.ts";
import type { Shape3, Triple } from "../../volume/volume.ts";
import { readWhole, writeWhole } from "../../volume/whole_file.ts";
import type { ProfileName } from "../dataset.ts";

/** The data sets that are prepared from raw files. */
export const preparedNames = ["la", "pancreas", "brats"] as const;
export type PreparedName = typeof preparedNames[number];

/** The paper's words, or what the released or public code does where it differs. */
export type PrepareVariant = "paper" | "official";

/** All that decides what the prepared voxels are, beside the raw files. */
export interface PrepareSettings {
  readonly dataset: PreparedName;
  readonly profile: ProfileName;
  readonly variant: PrepareVariant;
  readonly seed: number;
}

/** A file by its content. */
export interface HashedFile {
  /** Below the folder of the raw or of the prepared data. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

/** Intensities at a glance: the quantiles 0, 0.5, 50, 99.5 and 100 %. */
export type Quantiles = readonly [number, number, number, number, number];

/** What a case was and what it became. */
export interface Fingerprint {
  readonly raw: {
    readonly format: string;
    readonly shape: Shape3;
    /** Millimetres. */
    readonly spacing: Triple;
    readonly intensities: Quantiles;
    /** Within the label. */
    readonly labelIntensities: Quantiles;
  };
  readonly prepared: {
    readonly shape: Shape3;
    readonly spacing: Triple;
    readonly intensities: Quantiles;
    readonly mean: number;
    readonly deviation: number;
  };
  readonly label: {
    readonly voxels: number;
    readonly millilitres: number;
    /** Of the prepared volume. */
    readonly share: number;
    /** Pieces that touch by no corner. */
    readonly components: number;
  };
}

/** A prepared case, as `<case>/case.json` holds it. */
export interface CaseRecord {
  readonly case: string;
  readonly settings: PrepareSettings;
  /** The archive's own group, such as HGG and LGG. */
  readonly group?: string;
  readonly inputs: readonly HashedFile[];
  readonly output: HashedFile;
  /** SHA-256 of the image's and then the label's voxels in C order; the file itself holds the time of its writing too. */
  readonly voxels: string;
  readonly fingerprint: Fingerprint;
  /** What was done and why, a sentence each. */
  readonly decisions: readonly string[];
  /** Decisions that somebody should look at. */
  readonly cautions: readonly string[];
}

/** A case that was left out. */
export interface SkippedCase {
  readonly case: string;
  readonly reason: string;
}

/** The lists of a preparation and where they come from. */
export interface Lists {
  readonly rule: string;
  readonly train: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
}

/** The whole preparation, as `manifest.json` holds it. */
export interface Manifest {
  readonly format: "sasnet-prepared-1";
  readonly settings: PrepareSettings;
  /** False while cases are missing. */
  readonly finished: boolean;
  readonly lists: Lists;
  readonly cases: readonly CaseRecord[];
  readonly skipped: readonly SkippedCase[];
  /** What holds for all cases. */
  readonly decisions: readonly string[];
  readonly cautions: readonly string[];
}

/** Name of a prepared volume in the folder of its case: that of the public left-atrium files. */
export const volumeName = "mri_norm2.h5";

/** Writes a record as JSON, whole or not at all. */
export async function writeJson(path: string, record: object): Promise<void> {
  await writeWhole(path, new TextEncoder().encode(`${JSON.stringify(record, null, 1)}\n`));
}

/** The record of a case that was prepared before; undefined where there is none that can be read. */
export async function readCaseRecord(folder: string): Promise<CaseRecord | undefined> {
  const text = await Deno.readTextFile(`${folder}/case.json`).catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const record: Partial<CaseRecord> | null = JSON.parse(text);
    return Array.isArray(record?.inputs) && record.output !== undefined ? record as CaseRecord : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The manifest of a folder; undefined where there is none.
 *
 * @throws InputError where the file is no manifest of this kit.
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const path = `${folder}/manifest.json`;
  if ((await Deno.stat(path).catch(() => undefined)) === undefined) return undefined;
  const text = new TextDecoder().decode(await readWhole(path));
  const wrong = new InputError(`${path}: not a manifest of a preparation; choose another folder with --to`);
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(text);
  } catch {
    throw wrong;
  }
  if (manifest?.format !== "sasnet-prepared-1") throw wrong;
  return manifest as Manifest;
}
