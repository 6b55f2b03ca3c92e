/** What is kept of a finished run: small, readable, and safe against edits and torn files. */
import type { CaseResult } from "../evaluation/summary.ts";
import { perCaseCsv } from "../evaluation/summary.ts";
import type { CheckpointRule, RunConfig } from "../training/config.ts";
import { writeWhole } from "../training/files.ts";
import type { Choice } from "./choice.ts";
import { contentHash } from "./content_hash.ts";

/** One evaluation of the test cases. */
export interface EvaluationRecord {
  readonly rule: CheckpointRule;
  /** Step of the checkpoint. */
  readonly step: number;
  /** Whether only the largest connected component of each prediction was kept. */
  readonly largestComponent: boolean;
  /** Definition of the metrics. */
  readonly metrics: string;
  readonly cases: readonly CaseResult[];
}

/** A finished run. */
export interface RunRecord {
  readonly format: 1;
  /** Name of the run folder; ends with the first digits of the configuration's hash. */
  readonly name: string;
  /** The declaration that the run fills. */
  readonly choice: Choice;
  readonly config: RunConfig;
  readonly configHash: string;
  /** What environment.json said. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly cost: {
    /** Median of the steps. */
    readonly secondsPerStep: number | null;
    /** Sum of the steps. */
    readonly trainSeconds: number;
    /** Looks at the cases that choose a checkpoint. */
    readonly lookSeconds: number;
    /** All evaluations, loading of the engine included; null where they were not measured. */
    readonly evaluateSeconds: number | null;
    /** Largest resident memory of the training process; null where the system does not tell. */
    readonly peakBytes: number | null;
  };
  readonly evaluations: readonly EvaluationRecord[];
  /** Mean Dice of the cases that choose, at every look: the last one has the checkpoint that "last" measures. */
  readonly looks: {
    readonly steps: readonly number[];
    readonly validation?: readonly number[];
    readonly test?: readonly number[];
  };
  /** Losses at some 200 of the steps. */
  readonly curve: {
    readonly steps: readonly number[];
    readonly total: readonly number[];
    readonly terms: Readonly<Record<string, readonly number[]>>;
    /** Numbers beside the losses, such as SAR's confidences; null where a step has none. */
    readonly values?: Readonly<Record<string, readonly (number | null)[]>>;
  };
}

/** A record that cannot be used, and why. */
export interface Damage {
  readonly path: string;
  readonly reason: string;
}

/** Writes NAME.json with its content hash and NAME.csv with the cases, whole or not at all. */
export async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const document = { ...record, contentHash: await contentHash(record) };
  await writeWhole(`${folder}/${record.name}.csv`, recordCsv(record));
  await writeWhole(`${folder}/${record.name}.json`, `${compactJson(document)}\n`);
}

/** Reads a record and proves that it is what was written. */
export async function readRecord(path: string): Promise<{ record: RunRecord } | { damage: Damage }> {
  const damaged = (reason: string) => ({ damage: { path, reason } });
  let document: RunRecord & { contentHash?: string };
  try {
    document = JSON.parse(await Deno.readTextFile(path));
  } catch {
    return damaged("it is not JSON: truncated or edited");
  }
  const { contentHash: stated, ...record } = document;
  if (stated === undefined || record.format !== 1) return damaged("it is no record of this kit's format 1");
  if (await contentHash(record) !== stated) return damaged("its content hash does not fit: it was edited");
  const name = path.replace(/^.*\//, "").replace(/\.json$/, "");
  if (name !== record.name) return damaged(`it is the record of ${record.name}: the file was renamed`);
  const csv = await Deno.readTextFile(path.replace(/\.json$/, ".csv")).catch(() => undefined);
  if (csv !== undefined && csv !== recordCsv(record)) {
    return damaged("the CSV file beside it has other numbers: one of the two was edited");
  }
  return { record };
}

/** All records of a folder, by name, and the files that are none. */
export async function readRecords(folder: string): Promise<{ records: RunRecord[]; damaged: Damage[] }> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".json")) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const read = await Promise.all(names.sort().map((name) => readRecord(`${folder}/${name}`)));
  return {
    records: read.flatMap((one) => "record" in one ? [one.record] : []),
    damaged: read.flatMap((one) => "damage" in one ? [one.damage] : []),
  };
}

/** Long form: the evaluation in front of the columns of per_case.csv. */
function recordCsv({ evaluations }: RunRecord): string {
  const parts = evaluations.map(({ rule, step, largestComponent, cases }) => {
    const [header, ...lines] = perCaseCsv(cases).trimEnd().split("\n");
    const front = `${rule},${step},${largestComponent ? "yes" : "no"}`;
    return { header, lines: lines.map((line) => `${front},${line}`) };
  });
  return [
    `checkpoint,step,largest_component,${parts[0]?.header ?? "case"}`,
    ...parts.flatMap(({ lines }) => lines),
  ].join("\n") + "\n";
}

/** JSON with shallow values on one line: a case a line, a curve a line. */
function compactJson(value: unknown, indent = ""): string {
  if (depthOf(value) <= 2) return JSON.stringify(value);
  const inner = `${indent} `;
  const isList = Array.isArray(value);
  const lines = Object.entries(value as object).filter(([, one]) => one !== undefined).map(([key, one]) =>
    `${inner}${isList ? "" : `${JSON.stringify(key)}: `}${compactJson(one, inner)}`
  );
  const [open, close] = isList ? "[]" : "{}";
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/** How many lists and objects lie in each other; a number has none. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Object.values(value).reduce((deepest: number, one) => Math.max(deepest, depthOf(one)), 0);
}
