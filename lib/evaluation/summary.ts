/** Per-case results and what is said of them together. Missed cases are counted, never dropped. */
import type { MaskMetrics } from "./metrics.ts";

/** One test case. */
export interface CaseResult extends MaskMetrics {
  readonly case: string;
}

/** Mean and standard deviation over the cases where a value is defined. */
export interface Statistic {
  readonly mean: number | null;
  /** Sample standard deviation; null for fewer than two values. */
  readonly sd: number | null;
  readonly cases: number;
}

/** The names of the measured values. */
const measures = ["dice", "jaccard", "hd95Voxel", "asdVoxel", "hd95Mm", "asdMm"] as const;
export type Measure = typeof measures[number];

/** All cases of an evaluation together. */
export interface Summary {
  readonly cases: number;
  /** Cases without a surface distance, because a mask was empty. */
  readonly missed: number;
  readonly mean: Readonly<Record<Measure, Statistic>>;
}

/** Summarises the cases. An empty prediction has Dice and Jaccard 0 and no distances. */
export function summarise(results: readonly CaseResult[]): Summary {
  const mean = Object.fromEntries(
    measures.map((measure) => [measure, statistic(results.map((r) => r[measure]))]),
  );
  return {
    cases: results.length,
    missed: results.filter((result) => result.hd95Voxel === null).length,
    mean: mean as Record<Measure, Statistic>,
  };
}

/** The per-case table as CSV, one line a case; an undefined value is an empty field with the reason behind. */
export function perCaseCsv(results: readonly CaseResult[]): string {
  const header = [
    "case",
    ...measures,
    "predicted_voxels",
    "reference_voxels",
    "common_voxels",
    "undefined_because",
  ];
  const rows = results.map((result) => [
    result.case,
    ...measures.map((measure) => result[measure]?.toString() ?? ""),
    result.voxels.prediction,
    result.voxels.reference,
    result.voxels.both,
    result.undefinedBecause ?? "",
  ]);
  return [header, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
}

function quoted(field: string | number): string {
  const text = String(field);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function statistic(values: readonly (number | null)[]): Statistic {
  const defined = values.filter((value) => value !== null);
  if (defined.length === 0) return { mean: null, sd: null, cases: 0 };
  const mean = defined.reduce((sum, value) => sum + value, 0) / defined.length;
  const squares = defined.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    sd: defined.length < 2 ? null : Math.sqrt(squares / (defined.length - 1)),
    cases: defined.length,
  };
}
