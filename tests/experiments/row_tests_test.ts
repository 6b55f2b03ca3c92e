import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { choiceOf } from "../../lib/experiments/choice.ts";
import type { PaperTable } from "../../lib/experiments/item.ts";
import { itemsOf } from "../../lib/experiments/items.ts";
import { recordOfRun } from "../../lib/experiments/record_of_run.ts";
import { estimatesOf, type RowResult } from "../../lib/experiments/results.ts";
import { rowTests } from "../../lib/experiments/row_tests.ts";
import { ruleTable, testTable } from "../../lib/report/detail_tables.ts";
import { caseResult, writeRunFolder } from "./runs.ts";

const table1 = itemsOf(["table1"])[0] as PaperTable;

/** Dice of ten cases; a 0 is a missed case. */
const dice: Record<string, number[]> = {
  "sasnet-10": [0.90, 0.85, 0.88, 0.92, 0.79, 0.95, 0.83, 0.91, 0.87, 0.86],
  "mc-net-plus-10": [0.881, 0.842, 0.887, 0.863, 0.764, 0.906, 0.8215, 0.80, 0.8835, 0.8675],
  "ua-mt-10": [0.70, 0.86, 0.60, 0.65, 0.74, 0.61, 0.77, 0.58, 0.71, 0],
};

describe("rowTests()", () => {
  let root = "";
  const results = new Map<string, RowResult>();
  beforeAll(async () => {
    root = await Deno.makeTempDir();
    for (const [id, values] of Object.entries(dice)) {
      const { run } = table1.rows.find((row) => row.id === id)!;
      const choice = choiceOf(run, 1, { profile: "smoke", variant: "paper", standIn: true });
      const record = await recordOfRun(await writeRunFolder(root, choice), choice, {
        evaluateSeconds: null,
        peakBytes: null,
      });
      const cases = values.map((value, i) => caseResult(`case-${i}`, value));
      const evaluations = record.evaluations.map((one) =>
        one.rule === "last" && !one.largestComponent ? { ...one, cases } : one
      );
      results.set(id, {
        records: [{ ...record, evaluations }],
        standsFor: "la",
        estimates: estimatesOf([cases]),
        unequal: [],
      });
    }
  });
  afterAll(() => Deno.remove(root, { recursive: true }));

  it("compares every row with SASNet and the runner-up, corrected over all of them", () => {
    const tests = rowTests(table1, results);
    const of = (row: string, than: string, metric: string) => {
      const found = tests.find((test) =>
        test.row.id === row && test.than.id === than && test.metric === metric
      )!;
      return [found.p, found.adjusted, found.better] as const;
    };
    // SciPy 1.16: wilcoxon(method="exact"), then Holm's rule over the six.
    const expected: [string, string, number, number, "row" | "other"][] = [
      ["mc-net-plus-10", "sasnet-10", 0.048828125, 0.09765625, "other"],
      ["ua-mt-10", "sasnet-10", 0.00390625, 0.0234375, "other"],
      ["ua-mt-10", "mc-net-plus-10", 0.00390625, 0.0234375, "other"],
    ];
    for (const [row, than, p, adjusted, better] of expected) {
      for (const metric of ["dice", "hd95"]) {
        const found = of(row, than, metric);
        assertAlmostEquals(found[0], p, 1e-12);
        assertAlmostEquals(found[1], adjusted, 1e-12);
        assertEquals(found[2], better);
      }
    }
    assertEquals(tests.length, 2 * expected.length);
  });

  it("has tables that count a missed case and name what was compared", () => {
    const { rows, caption } = testTable(table1, results);
    assertEquals(rows.map(({ cells }) => `${cells[0]} / ${cells[1]}`), [
      "UA-MT 8 (10%) 72 / SASNet 8 (10%) 72",
      "UA-MT 8 (10%) 72 / MC-Net+ 8 (10%) 72",
      "MC-Net+ 8 (10%) 72 / SASNet 8 (10%) 72",
    ]);
    // Dice with the missed case as 0, HD95 without it.
    assertAlmostEquals(rows[0].cells[2] as number, 62.2 - 87.6, 1e-9);
    assertAlmostEquals(rows[0].cells[6] as number, 27.8 / 9 - 1.24, 1e-9);
    assert(caption[0].includes("over all 6 tests"));
  });

  it("shows every rule with and without the component filter", () => {
    const { rows, columns } = ruleTable(table1, results);
    assertEquals(new Set(columns.slice(1).map(({ group }) => group)).size, 3);
    for (const { cells } of rows) assertEquals(cells.filter((cell) => cell === null).length, 0);
  });
});
