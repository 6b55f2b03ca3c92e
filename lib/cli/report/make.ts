/** The reports of some items, made and written at the same time. */
import { figureParts } from "../../experiments/figure_parts.ts";
import type { Item } from "../../experiments/item.ts";
import { type FigurePool, openFigurePool } from "../../report/figure_pool.ts";
import {
  auditReport,
  complexityReport,
  figureReport,
  type ItemReport,
  type ReportSource,
  tableReport,
} from "../../report/item_report.ts";
import type { Figure } from "../../report/svg.ts";
import { writeWhole } from "../../training/files.ts";

/** What reports are made of, and where they go. */
export interface MakeOptions {
  readonly sourceOf: (item: Item) => ReportSource;
  /** Folder of the reports. */
  readonly results: string;
  /** Whether the audit of the paper's own numbers is wanted as well. */
  readonly withAudit: boolean;
}

/** Makes and writes the reports of the items, in their order; the audit is the last. */
export async function makeReports(
  items: readonly Item[],
  { sourceOf, results, withAudit }: MakeOptions,
): Promise<ItemReport[]> {
  const figures = items.filter((item) => item.kind === "figure");
  const others = items.filter((item) => item.kind !== "figure");
  const pool = openFigurePool(Math.min(navigator.hardwareConcurrency, figures.length));
  const made = new Map<string, ItemReport>();
  const add = async (report: ItemReport) => {
    made.set(report.key, report);
    await writeReport(report, { results, pool });
  };
  // Workers draw the figures, those of most runs first, while tables are made here.
  const drawing = figures.toSorted((a, b) => b.runs.length - a.runs.length).map(async (item) => {
    const source = sourceOf(item);
    const drawn = await pool.figure(item, figureParts(item, source.scale, source.stored));
    await add(figureReport(item, source, drawn));
  });
  const tables = others.map(async (item, i) => {
    // Between two tables is a turn of the event loop, in which workers get their next figure.
    await new Promise((resolve) => setTimeout(resolve, i));
    const source = sourceOf(item);
    await add(item.kind === "table" ? tableReport(item, source) : complexityReport(item, source));
  });
  try {
    await Promise.all([...drawing, ...tables]);
    if (withAudit) await add(auditReport());
  } finally {
    pool.close();
  }
  return [...items.map(({ key }) => key), ...withAudit ? ["paper_audit"] : []].map((key) => made.get(key)!);
}

/** Writes the files of a report; a PNG is drawn where its SVG is new or has changed. */
async function writeReport(
  { key, files, drawings }: ItemReport,
  { results, pool }: { results: string; pool: FigurePool },
): Promise<void> {
  const folder = `${results}/${key}`;
  await Deno.mkdir(folder, { recursive: true });
  const draw = async ([name, figure]: [string, Figure]) => {
    const before = await Deno.readTextFile(`${folder}/${name}.svg`).catch(() => undefined);
    const isPresent = await Deno.stat(`${folder}/${name}.png`).then(() => true, () => false);
    if (isPresent && before === files.get(`${name}.svg`)) return;
    await writeWhole(`${folder}/${name}.png`, await pool.png(figure, 300));
  };
  await Promise.all([...drawings ?? []].map(draw));
  await Promise.all([...files].map(([name, contents]) => writeChanged(`${folder}/${name}`, contents)));
}

/** Leaves a file alone that has these contents: flushing takes longer than reading. */
export async function writeChanged(path: string, contents: string): Promise<void> {
  if (await Deno.readTextFile(path).catch(() => undefined) !== contents) await writeWhole(path, contents);
}
