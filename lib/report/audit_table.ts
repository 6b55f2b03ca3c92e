/** The audit of the printed numbers as tables. */
import type { AuditEntry } from "../experiments/audit_entry.ts";
import type { Table } from "./table.ts";

const columns = [{ label: "check" }, { label: "where" }, { label: "arithmetic" }, { label: "finding" }];

/** A count a kind of check, what does not agree, and everything. */
export function auditTables(entries: readonly AuditEntry[]): {
  readonly counts: Table;
  readonly found: Table;
  readonly all: Table;
} {
  const rowsOf = (chosen: readonly AuditEntry[]) =>
    chosen.map(({ check, where, arithmetic, finding }) => ({ cells: [check, where, arithmetic, finding] }));
  const kinds = [...Map.groupBy(entries, ({ check }) => check)];
  const count = (of: readonly AuditEntry[], finding: AuditEntry["finding"]) =>
    of.filter((entry) => entry.finding === finding).length;
  return {
    counts: {
      title: "Checks of the printed numbers",
      columns: [
        { label: "check" },
        ...["consistent", "inconsistent", "impossible", "note"].map((label) => ({ label, decimals: 0 })),
      ],
      rows: kinds.map(([check, of]) => ({
        cells: [
          check,
          count(of, "consistent"),
          count(of, "inconsistent"),
          count(of, "impossible"),
          count(of, "note"),
        ],
      })),
      caption: [
        "Impossible: no set of test cases has both numbers, each rounded to two decimals. Of each case " +
        "Jaccard = Dice/(2 − Dice), a convex function, so that over the same cases the mean Jaccard is at least that of the mean Dice.",
        "A finding says that printed numbers differ, not which one is right or why.",
      ],
      footnotes: [],
    },
    found: {
      title: "What does not agree, and what to know",
      columns,
      rows: rowsOf(entries.filter(({ finding }) => finding !== "consistent")),
      caption: [],
      footnotes: [],
    },
    all: { title: "All checks", columns, rows: rowsOf(entries), caption: [], footnotes: [] },
  };
}

/** The checks that disagree, those that agree, and the notes, a table each. */
export function findingTables(entries: readonly AuditEntry[]): {
  readonly differing: Table;
  readonly agreeing: Table;
  readonly notes: Table;
} {
  const tableOf = (title: string, chosen: readonly AuditEntry[]): Table => ({
    title: `${title}: ${chosen.length}`,
    columns,
    rows: chosen.map(({ check, where, arithmetic, finding }) => ({
      cells: [check, where, arithmetic, finding],
    })),
    caption: [],
    footnotes: [],
  });
  const of = (...findings: readonly AuditEntry["finding"][]) =>
    entries.filter(({ finding }) => findings.includes(finding));
  return {
    differing: tableOf("Checks that do not agree", of("inconsistent", "impossible")),
    agreeing: tableOf("Checks that agree", of("consistent")),
    notes: tableOf("What to know when the numbers are compared", of("note")),
  };
}
