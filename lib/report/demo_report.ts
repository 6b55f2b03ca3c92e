/** Writes the demo's page, table and figures into a folder. */
import { demoFigures, demoTable } from "./demo_figures.ts";
import type { DemoRecord } from "./demo_record.ts";
import { pageHtml } from "./page.ts";
import { figurePng } from "./png.ts";
import { svgDocument } from "./svg.ts";
import { tableCsv, tableMarkdown } from "./table_formats.ts";

/**
 * Makes index.html, table.md, table.csv and figures/*.svg, *.png (300 dpi).
 *
 * @param write puts one file into the folder, whole or not at all.
 * @returns the names of the files.
 */
export async function writeDemoReport(
  record: DemoRecord,
  write: (name: string, contents: string | Uint8Array) => Promise<void>,
): Promise<string[]> {
  const table = demoTable(record);
  const figures = demoFigures(record);
  const files = new Map<string, string | Uint8Array>([
    ["table.md", tableMarkdown(table)],
    ["table.csv", tableCsv(table)],
  ]);
  for (const { figure, file } of figures) {
    files.set(`${file}.svg`, svgDocument(figure));
    files.set(`${file}.png`, await figurePng(figure));
  }
  const { title, lead, facts } = record;
  files.set("index.html", pageHtml({ title, lead, facts, tables: [table], figures }));
  for (const [name, contents] of files) await write(name, contents);
  return [...files.keys()];
}
