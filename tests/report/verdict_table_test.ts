import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { table9 } from "../../lib/experiments/ablation_tables.ts";
import { claims } from "../../lib/experiments/claims.ts";
import { verdictsOf } from "../../lib/experiments/verdicts.ts";
import { verdictTable } from "../../lib/report/verdict_table.ts";

describe("verdictTable()", () => {
  it("has a line a claim of the table, none of it tested without a run", () => {
    const { rows } = verdictTable(table9, verdictsOf(table9, new Map()));
    assertEquals(rows.length, claims.filter(({ table }) => table === "table9").length);
    assertEquals(rows[0].cells.slice(2), ["hold", "not tested", "0 of 0", 0]);
  });

  it("counts better comparisons, and among them the significant ones", () => {
    const [untested] = verdictsOf(table9, new Map());
    const comparison = { metric: "dice", than: "3 layers", advantage: 1, p: 0.01, cases: 6 } as const;
    const comparisons = [
      { ...comparison, isBetter: true, adjusted: 0.04 },
      { ...comparison, isBetter: true, adjusted: 0.06 },
      { ...comparison, isBetter: false, adjusted: 0.01 },
    ];
    const { rows } = verdictTable(table9, [{ ...untested, verdict: "does not hold", comparisons }]);
    assertEquals(rows[0].cells.slice(3), ["does not hold", "2 of 3", 1]);
  });
});
