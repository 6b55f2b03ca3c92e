/** What a table or a figure of the paper is, as data: what was printed, and which run each row needs. */
import type { DatasetName } from "../data/dataset.ts";

/** The four metrics of the tables, in the order of their columns. */
export const metrics = ["dice", "jaccard", "hd95", "asd"] as const;
export type Metric = typeof metrics[number];

/** Dice and Jaccard in per cent, HD95 and ASD in voxels. */
export type Printed = readonly [dice: number, jaccard: number, hd95: number, asd: number];

/** The paper's three settings: 10 % and 20 % of the training cases labelled, or all of them. */
export type LabelledShare = 10 | 20 | 100;

/** Which run fills a row; its profile and seed are chosen when a study runs. */
export interface RunDeclaration {
  /** Key of a method, as `train --method` takes it. */
  readonly method: string;
  /** The data set of the paper's row. */
  readonly dataset: DatasetName;
  readonly share: LabelledShare;
  /** Where the run differs from the method's defaults. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** A row of the tables 1–10. */
export interface PaperRow {
  /** Names the row in its table, for claims and reports. */
  readonly id: string;
  /** The descriptive cells as printed, one a heading of the table. */
  readonly cells: readonly string[];
  /** Rows of one block are ranked together. */
  readonly block: string;
  /** Absent for a row that the kit adds. */
  readonly printed?: Printed;
  /** Differences that are printed in the row, with their sign, in the order of the metrics. */
  readonly gains?: Printed;
  readonly run: RunDeclaration;
  /** Number in the bibliography and venue, as printed in the row. */
  readonly reference?: number;
  readonly venue?: string;
  /** Labelled and unlabelled scans as printed in the row. */
  readonly scans?: readonly [labelled: number, unlabelled: number];
  /** A remark for the report. */
  readonly note?: string;
}

/** One of the tables 1–10. */
export interface PaperTable {
  readonly kind: "table";
  /** "table1" … */
  readonly key: string;
  readonly number: number;
  /** As printed, without the table's number. */
  readonly caption: string;
  /** Headings of the descriptive cells. */
  readonly headings: readonly string[];
  readonly rows: readonly PaperRow[];
}

/** Table 11: what a network costs. */
export interface ComplexityTable {
  readonly kind: "complexity";
  readonly key: string;
  readonly number: number;
  readonly caption: string;
  readonly rows: readonly {
    readonly label: string;
    readonly method: string;
    /** Millions. */
    readonly parameters: number;
    /** Multiply–accumulates in thousand millions, printed as FLOPs. */
    readonly flops: number;
  }[];
}

/** A figure: what it shows and the runs whose predictions or features it draws. */
export interface PaperFigure {
  readonly kind: "figure";
  readonly key: string;
  readonly number: number;
  /** As printed, without the figure's number. */
  readonly caption: string;
  /** What the kit needs to draw it, besides the runs. */
  readonly needs: string;
  readonly runs: readonly { readonly label: string; readonly run: RunDeclaration }[];
}

export type Item = PaperTable | ComplexityTable | PaperFigure;

/** The name of a row for a reader: its cells, and the heading of a column that is ticked. */
export function labelOf({ headings }: Pick<PaperTable, "headings">, { cells }: PaperRow): string {
  return cells.map((cell, c) => cell === "✓" ? headings[c] : cell).filter((cell) => cell !== "").join(" ");
}
