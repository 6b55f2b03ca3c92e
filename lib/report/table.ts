/** Tables as records: what they hold, which values are best, and how a cell reads. */
import { InputError } from "../errors.ts";

/** A column of a table. */
export interface Column {
  readonly label: string;
  /** Printed in brackets after the label. */
  readonly unit?: string;
  /** Which values are better; only such columns get marks. */
  readonly direction?: "up" | "down";
  /** Default: right where a direction or decimals are given, else left. */
  readonly align?: "left" | "right";
  /** Decimals of numbers; default 2. */
  readonly decimals?: number;
  /** Neighbouring columns of one group share a heading above theirs. */
  readonly group?: string;
}

/** A number with what belongs to it. */
export interface Measured {
  readonly value: number;
  /** Standard deviation, printed after ±. */
  readonly spread?: number;
  /** Index of a footnote of the table, from 0. */
  readonly note?: number;
}

/** Words, a number, a number with its spread, or nothing. */
export type Cell = string | number | Measured | null;

/** A row of a table. */
export interface Row {
  readonly cells: readonly Cell[];
  /** Rows of one block are compared with each other; a rule stands between blocks. */
  readonly block?: string;
  /** Whether the row takes part in best and second best; default true. */
  readonly ranked?: boolean;
}

/** A table. Lengths of `cells` equal the number of columns. */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** What a reader needs to judge the numbers: scale, seeds, checkpoint rule, definitions, the command. */
  readonly caption: readonly string[];
  readonly footnotes: readonly string[];
}

/** Whether a cell is the best or second best of its column and block. */
export type Mark = "best" | "second" | undefined;

/**
 * The marks of all cells, row by row. Values that print alike share a mark, and the next value then is second
 * best. A block with a single ranked value has no marks.
 *
 * @throws InputError when a row has another number of cells than the table has columns.
 */
export function tableMarks(table: Table): Mark[][] {
  table.rows.forEach((row, i) => {
    if (row.cells.length !== table.columns.length) {
      throw new InputError(
        `table "${table.title}", row ${
          i + 1
        }: ${row.cells.length} cells, expected ${table.columns.length}, one a column`,
      );
    }
  });
  const marks: Mark[][] = table.rows.map((row) => row.cells.map(() => undefined));
  const blocks = Map.groupBy(table.rows.keys(), (i) => table.rows[i].block ?? "");
  table.columns.forEach((column, c) => {
    if (column.direction === undefined) return;
    const sign = column.direction === "up" ? -1 : 1;
    for (const rows of blocks.values()) {
      const printed = rows.filter((i) => table.rows[i].ranked !== false)
        .map((i) => ({ i, value: printedValue(table.rows[i].cells[c], column) }))
        .filter((one): one is { i: number; value: number } => one.value !== undefined);
      if (printed.length < 2) continue;
      const order = [...new Set(printed.map((one) => one.value))].sort((a, b) => sign * (a - b));
      for (const { i, value } of printed) {
        if (value === order[0]) marks[i][c] = "best";
        else if (value === order[1]) marks[i][c] = "second";
      }
    }
  });
  return marks;
}

/** The number of a cell, where it has one. */
export function cellValue(cell: Cell): number | undefined {
  const value = typeof cell === "number" ? cell : typeof cell === "object" ? cell?.value : undefined;
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

/** What a cell reads, without its footnote sign: "91.24", "91.24 ± 0.31", "–" where there is nothing. */
export function cellText(cell: Cell, column: Column): string {
  if (typeof cell === "string") return cell;
  const value = cellValue(cell);
  if (value === undefined) return "–";
  const decimals = column.decimals ?? 2;
  const spread = typeof cell === "object" && cell?.spread !== undefined
    ? ` ± ${cell.spread.toFixed(decimals)}`
    : "";
  // What rounds to zero has no sign.
  return `${value.toFixed(decimals)}${spread}`.replace(/^-(?=[0.]*(?: |$))/, "").replaceAll("-", "−");
}

/** A p-value as tables show it: "0.041", "3e−5". */
export function pText(p: number): string {
  return p < 0.001 ? p.toExponential(0).replace("-", "−") : p.toFixed(3);
}

/** The sign of a cell's footnote, a small letter; empty where it has none. */
export function noteSign(cell: Cell): string {
  return typeof cell === "object" && cell?.note !== undefined ? letter(cell.note) : "";
}

/** The sign of the footnote at an index: a, b, c … */
export function letter(index: number): string {
  return String.fromCharCode(97 + index % 26);
}

/** A column's heading: "Dice (%) ↑". */
export function heading(column: Column): string {
  const unit = column.unit === undefined ? "" : ` (${column.unit})`;
  const arrow = column.direction === undefined ? "" : column.direction === "up" ? " ↑" : " ↓";
  return `${column.label}${unit}${arrow}`;
}

/** The side that a column's cells stand at. */
export function alignment(column: Column): "left" | "right" {
  return column.align ?? (column.direction === undefined && column.decimals === undefined ? "left" : "right");
}

/** Runs of neighbouring columns with the same group; `undefined` where the table has no groups. */
export function headingGroups(table: Table): { label: string; span: number }[] | undefined {
  if (table.columns.every((column) => column.group === undefined)) return undefined;
  const groups: { label: string; span: number }[] = [];
  for (const column of table.columns) {
    const label = column.group ?? "";
    const last = groups.at(-1);
    if (last !== undefined && last.label === label) last.span++;
    else groups.push({ label, span: 1 });
  }
  return groups;
}

/** Whether a rule stands above row `index`, because a new block begins. */
export function startsBlock(table: Table, index: number): boolean {
  return index > 0 && (table.rows[index].block ?? "") !== (table.rows[index - 1].block ?? "");
}

function printedValue(cell: Cell, column: Column): number | undefined {
  const value = cellValue(cell);
  return value === undefined ? undefined : Number(value.toFixed(column.decimals ?? 2));
}
