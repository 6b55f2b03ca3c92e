/** The rows of DEVIATIONS.md that concern an item. */
import type { Item } from "../experiments/item.ts";
import { declaredRuns } from "../experiments/items.ts";
import type { Table } from "../report/table.ts";
import { kitFolder } from "./follow.ts";

/** One deviation. */
interface Deviation {
  readonly method: string;
  readonly topic: string;
  readonly paper: string;
  readonly released: string;
  readonly kit: string;
  readonly setting: string;
}

/** Where paper, released code and kit differ in what an item runs: for every method, and of its methods. */
export async function deviationTable(item: Item): Promise<Table> {
  const keys = new Set(
    item.kind === "complexity"
      ? item.rows.map(({ method }) => plain(method))
      : declaredRuns(item).map(({ run }) => plain(run.method)),
  );
  // What needs no run is SASNet's own.
  if (keys.size === 0) keys.add("sasnet");
  const all = readDeviations(await Deno.readTextFile(`${kitFolder}/DEVIATIONS.md`));
  const chosen = all.filter(({ method }) =>
    method === everyMethod || method.split(", ").some((name) => keys.has(plain(name)))
  );
  return {
    title: `What differs between paper, released code and kit (DEVIATIONS.md): ${chosen.length} points`,
    columns: ["method", "topic", "paper", "released code", "kit", "setting"].map((label) => ({ label })),
    rows: chosen.map(({ method, topic, paper, released, kit, setting }) => ({
      cells: [method, topic, paper, released, kit, setting],
    })),
    caption: ["Paper: the compared method's own publication, or SASNet's."],
    footnotes: [],
  };
}

const everyMethod = "every method";

/** All rows of the document; a row without a column "method" belongs to the method of its heading. */
export function readDeviations(document: string): Deviation[] {
  let heading = "";
  let columns: readonly string[] = [];
  const found: Deviation[] = [];
  for (const line of document.split("\n")) {
    if (line.startsWith("## ")) [heading, columns] = [line.slice(3).trim(), []];
    if (!line.startsWith("|") || /^\|[\s|-]+$/.test(line)) continue;
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""));
    if (columns.length === 0) {
      columns = cells;
      continue;
    }
    const at = (...names: readonly string[]) =>
      cells[columns.findIndex((column) => names.includes(column))] ?? "";
    found.push({
      method: at("method") || (heading.includes(everyMethod) ? everyMethod : heading),
      topic: at("topic"),
      paper: at("paper", "publication"),
      released: at("released code"),
      kit: at("kit default"),
      setting: at("setting"),
    });
  }
  return found;
}

/** "MC-Net+" and "mc-net-plus" alike. */
function plain(name: string): string {
  return name.toLowerCase().replace("+", "plus").replace(/[^a-z0-9]/g, "");
}
