/** The claims of the text in short: what the printed numbers and our runs say of each. */
import { printedSupport } from "../experiments/audit_rows.ts";
import type { PaperTable } from "../experiments/item.ts";
import { level, type Verdict } from "../experiments/verdicts.ts";
import type { Table } from "./table.ts";

/** A line a claim; every comparison with its numbers stands in `claimTable`. */
export function verdictTable({ number }: PaperTable, verdicts: readonly Verdict[]): Table {
  return {
    title: `Verdicts on table ${number}`,
    columns: [
      { label: "claim of the text" },
      { label: "section" },
      { label: "printed numbers" },
      { label: "our runs" },
      { label: "comparisons that are better", align: "left" },
      { label: `of them at p < ${level}`, decimals: 0 },
    ],
    rows: verdicts.map(({ claim, verdict, comparisons }) => {
      const better = comparisons.filter(({ isBetter }) => isBetter);
      return {
        cells: [
          claim.statement,
          claim.source,
          printedSupport(claim).broken.length === 0 ? "hold" : "do not hold",
          verdict,
          `${better.length} of ${comparisons.length}`,
          better.filter(({ adjusted }) => adjusted < level).length,
        ],
      };
    }),
    caption: ["A comparison is one metric against one row; the test of each stands below."],
    footnotes: [],
  };
}
