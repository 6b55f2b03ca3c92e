import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { choiceKey, choiceOf, repetitionKey } from "../../lib/experiments/choice.ts";
import { table11 } from "../../lib/experiments/complexity_table.ts";
import { figures } from "../../lib/experiments/figures.ts";
import type { PaperRow, RunDeclaration } from "../../lib/experiments/item.ts";
import { declaredRuns, items, itemsOf, tables } from "../../lib/experiments/items.ts";
import { methods } from "../../lib/methods/mod.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { datasetOf, datasets } from "../../lib/data/dataset.ts";
import { configOf } from "../../lib/training/budget.ts";
import { configHash } from "../../lib/training/config.ts";
import { paperPath, printedCaption, printedTable } from "./paper_text.ts";

const path = paperPath();
const text = path === undefined ? "" : await Deno.readTextFile(path);
const paper = { ignore: path === undefined };
const printedRows = (rows: readonly PaperRow[]) => rows.filter(({ printed }) => printed !== undefined);
const decimals = (cell: string) => (cell.match(/\d+\.\d+/g) ?? []).map(Number);

describe("the paper's tables", () => {
  for (const table of tables) {
    it(`table ${table.number} holds every printed number, in its place`, paper, () => {
      const lines = printedTable(text, table.number).filter((cells) => decimals(cells.at(-1)!).length > 0);
      const rows = printedRows(table.rows);
      assertEquals(rows.length, lines.length);
      rows.forEach((row, i) => {
        const cells = lines[i].slice(-4);
        assertEquals(cells.map((cell) => decimals(cell)[0]), [...row.printed!], `row ${row.id}`);
        const gains = cells.map((cell) => {
          const [, size, arrow] = /\(([\d.]+)%? \\(up|down)arrow\)/.exec(cell) ?? [];
          return size === undefined ? undefined : Number(size) * (arrow === "up" ? 1 : -1);
        });
        assertEquals(gains.filter((gain) => gain !== undefined), [...(row.gains ?? [])], `row ${row.id}`);
      });
    });

    it(`table ${table.number} has the printed caption and descriptive cells`, paper, () => {
      assert(printedCaption(text, table.number).startsWith(table.caption));
      const lines = printedTable(text, table.number).filter((cells) => decimals(cells.at(-1)!).length > 0);
      printedRows(table.rows).forEach((row, i) => {
        assertEquals(
          lines[i].slice(0, -4).map(bare),
          row.cells.map((cell, c) => bare(asPrinted(row, cell, c))),
        );
      });
    });
  }

  it("table 11 holds every printed number, in its place", paper, () => {
    const [, names, parameters, flops] = printedTable(text, 11);
    assertEquals(names.slice(1), table11.rows.map(({ label }) => label));
    assertEquals(parameters.slice(1).map(Number), table11.rows.map(({ parameters }) => parameters));
    assertEquals(flops.slice(1).map(Number), table11.rows.map(({ flops }) => flops));
    assertEquals(printedCaption(text, 11), table11.caption);
  });

  it("figures have the printed captions", paper, () => {
    for (const { number, caption } of figures) {
      if (number === 2) assert(!text.includes("Figure 2:"));
      else assert(plain(text).includes(plain(`Figure ${number}: ${caption}`)), caption);
    }
  });

  it("name rows once, with a cell a heading and two decimals at most", () => {
    for (const { rows, headings, key } of tables) {
      assertEquals(new Set(rows.map(({ id }) => id)).size, rows.length, key);
      for (const { cells, printed } of rows) {
        assertEquals(cells.length, headings.length, key);
        for (const value of printed ?? []) assertEquals(Number(value.toFixed(2)), value);
      }
    }
  });
});

describe("itemsOf()", () => {
  it("knows single items, groups and padded numbers", () => {
    assertEquals(itemsOf(["table04", "Figure1"]).map(({ key }) => key), ["table4", "figure1"]);
    assertEquals(itemsOf(["all", "table1"]).length, items.length);
    assertEquals(itemsOf(["figures"]).length, 8);
  });

  it("names the nearest of an unknown item", () => {
    assertMatch(assertThrows(() => itemsOf(["tabel4"]), InputError).message, /did you mean "table4"/);
  });
});

describe("choiceOf()", () => {
  const scale = { profile: "mini", variant: "paper", standIn: false } as const;
  const all = items.flatMap((item) => declaredRuns(item).map(({ run }) => run));

  it("makes one run of what several tables name", () => {
    const keysOf = (key: string) => new Set(runsOf(key).map((run) => choiceKey(choiceOf(run, 1, scale))));
    const runsOf = (key: string) => declaredRuns(itemsOf([key])[0]).map(({ run }) => run);
    assertEquals(keysOf("table6").size, 5);
    assertEquals(keysOf("table4").intersection(keysOf("table6")).size, 3);
    assertEquals(keysOf("table5").intersection(keysOf("table4")).size, 3);
    assertEquals(new Set(all.map((run) => choiceKey(choiceOf(run, 1, scale)))).size, 100);
  });

  it("draws phantoms at smoke, and for a data set that is not at hand", () => {
    const [run] = all;
    assertEquals(choiceOf(run, 1, scale).dataset, "la");
    assertEquals(choiceOf(run, 1, { ...scale, standIn: true }).dataset, "phantom-la");
    assertEquals(choiceOf(run, 1, { ...scale, profile: "smoke" }).labelled, 2);
  });

  it("tells seeds apart and repetitions alike", () => {
    const [one, two] = [1, 2].map((seed) => choiceOf(all[0], seed, scale));
    assertEquals(repetitionKey(one), repetitionKey(two));
    assertGreater(choiceKey(two), choiceKey(one));
  });

  it("gives distinct choices distinct configurations, for all methods at hand", async () => {
    const known = new Set(methods.map(({ key }) => key));
    const choices = new Map(
      all.filter(({ method }) => known.has(method)).map((run) => choiceOf(run, 1, scale)).map((choice) => [
        choiceKey(choice),
        choice,
      ]),
    );
    const hashes = await Promise.all([...choices.values()].map((choice) => {
      const dataset = datasetOf(choice.dataset);
      const source = phantomSource({ seed: 1, train: dataset.split.train, test: 1 });
      return configHash(configOf(dataset, source, choice));
    }));
    assertGreater(choices.size, 20);
    assertEquals(new Set(hashes).size, choices.size);
  });

  it("has as many labelled cases as the rows print", () => {
    for (const { rows } of tables) {
      for (const { scans, run } of rows) {
        if (scans === undefined) continue;
        assertEquals(choiceOf(run, 1, scale).labelled, scans[0]);
        const trained = run.method === "vnet" ? 0 : datasets[run.dataset].split.train - scans[0];
        assertEquals(trained, scans[1]);
      }
    }
  });

  it("declares settings that the method has, each different from its default", () => {
    const settings = (run: RunDeclaration) => Object.entries(run.settings);
    for (const run of all) {
      const method = methods.find(({ key }) => key === run.method);
      for (const [key, value] of settings(run)) {
        assert(method !== undefined && key in method.defaults("paper"), `${run.method} ${key}`);
        assert(method.defaults("paper")[key] !== value, `${key}=${value} is the default`);
      }
    }
  });
});

/** The cell of a typed row in the paper's own typography. */
function asPrinted(row: PaperRow, cell: string, column: number): string {
  if (column === 0 && row.cells.length === 3) {
    return `${cell}${row.reference === undefined ? "" : `[${row.reference}]`}${
      row.venue === undefined ? "" : `(${row.venue})`
    }`;
  }
  if (row.cells.length === 2) return `${column === 0 ? "β" : "γ"}: ${cell}`;
  return cell;
}

function bare(cell: string): string {
  return cell.replace(/\s/g, "");
}

/** Text without mathematical typography. */
function plain(written: string): string {
  return written.replace(/[*\s_{}^$\\-]/g, "").replaceAll("epoch.", "epoch");
}
