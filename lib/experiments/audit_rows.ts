/** Rows against rows: the same configuration in two tables, printed differences, and claims of the text. */
import type { AuditEntry } from "./audit_entry.ts";
import { type Claim, claims } from "./claims.ts";
import { labelOf, type Metric, metrics, type PaperRow, type PaperTable, type Printed } from "./item.ts";
import { tables } from "./items.ts";

/** Printed names of the metrics. */
const names: Readonly<Record<Metric, string>> = {
  dice: "Dice",
  jaccard: "Jaccard",
  hd95: "HD95",
  asd: "ASD",
};

/** A difference of two numbers with two decimals, without the noise of binary fractions. */
function minus(a: number, b: number): number {
  return Math.round((a - b) * 100) / 100;
}

/** How much better `a` is than `b`. */
export function advantage(metric: Metric, a: Printed, b: Printed): number {
  const i = metrics.indexOf(metric);
  return metric === "dice" || metric === "jaccard" ? minus(a[i], b[i]) : minus(b[i], a[i]);
}

/** Rows of several tables that one run fills. */
export function repeatedRowChecks(): AuditEntry[] {
  const places = new Map<string, { table: PaperTable; row: PaperRow }[]>();
  for (const table of tables) {
    for (const row of table.rows) {
      if (row.printed === undefined) continue;
      const key = JSON.stringify([row.run.method, row.run.dataset, row.run.share, sorted(row.run.settings)]);
      places.set(key, [...places.get(key) ?? [], { table, row }]);
    }
  }
  return [...places.values()].filter((found) => found.length > 1).map((found) => {
    const differing = metrics.filter((_, i) => new Set(found.map(({ row }) => row.printed![i])).size > 1);
    const values = (metric: Metric) =>
      found.map(({ row }) => row.printed![metrics.indexOf(metric)].toFixed(2)).join(" / ");
    return {
      check: "one configuration in several rows",
      where: found.map(({ table, row }) => `Table ${table.number} (${labelOf(table, row)})`).join(", "),
      arithmetic: (differing.length === 0 ? metrics : differing).map((metric) =>
        `${names[metric]} ${
          differing.length === 0 ? found[0].row.printed![metrics.indexOf(metric)].toFixed(2) : values(metric)
        }`
      ).join(", "),
      finding: differing.length === 0 ? "consistent" as const : "inconsistent" as const,
    };
  });
}

/** The differences that tables 6–9 print beside their numbers, against the row above. */
export function gainChecks(): AuditEntry[] {
  return tables.flatMap((table) =>
    table.rows.flatMap((row, r) => {
      if (row.gains === undefined) return [];
      const before = table.rows[r - 1];
      const computed = row.printed!.map((value, i) => minus(value, before.printed![i]));
      const wrong = metrics.filter((_, i) => computed[i] !== row.gains![i]);
      const shown = metrics.map((metric, i) =>
        `${names[metric]} ${row.printed![i].toFixed(2)} − ${before.printed![i].toFixed(2)} = ${
          signed(computed[i])
        }` +
        (computed[i] === row.gains![i] ? "" : ` (printed ${signed(row.gains![i])})`)
      );
      return [{
        check: "printed difference of two rows",
        where: `Table ${table.number}, ${labelOf(table, row)}`,
        arithmetic: shown.join(", "),
        finding: wrong.length === 0 ? "consistent" as const : "inconsistent" as const,
      }];
    })
  );
}

/** The text's claims against the printed rows. */
export function claimChecks(): AuditEntry[] {
  return claims.map((claim) => {
    const { broken, shown, differing } = printedSupport(claim);
    return {
      check: "claim of the text against the printed rows",
      where: `${claim.source}, Table ${claim.table.slice("table".length)}: ${claim.statement}`,
      arithmetic: [...shown, ...broken].join("; "),
      finding: broken.length + differing.length === 0 ? "consistent" as const : "inconsistent" as const,
    };
  });
}

/** Whether the printed rows carry a claim: comparisons that break it, and differences that the text has otherwise. */
export function printedSupport(claim: Claim): { broken: string[]; differing: string[]; shown: string[] } {
  const table = tables.find(({ key }) => key === claim.table)!;
  const rowOf = (id: string) => table.rows.find((row) => row.id === id)!;
  const better = rowOf(claim.better);
  const broken: string[] = [];
  const differing: string[] = [];
  const shown: string[] = [];
  for (const metric of claim.metrics) {
    const i = metrics.indexOf(metric);
    const advantages = claim.than.map((id) => advantage(metric, better.printed!, rowOf(id).printed!));
    claim.than.forEach((id, k) => {
      if (advantages[k] > 0) return;
      broken.push(
        `not so: ${names[metric]} ${better.printed![i].toFixed(2)} against ${
          rowOf(id).printed![i].toFixed(2)
        } of ${labelOf(table, rowOf(id))}`,
      );
    });
    const stated = claim.differences?.[metric];
    if (stated !== undefined && stated !== advantages[0]) {
      differing.push(metric);
      shown.push(`${names[metric]} differs by ${signed(advantages[0])}, the text has ${stated.toFixed(2)}`);
    } else if (claim.than.length === 1 && advantages[0] > 0) {
      shown.push(`${names[metric]} better by ${signed(advantages[0])}`);
    } else if (claim.than.length > 1 && advantages.every((value) => value > 0)) {
      shown.push(`${names[metric]} better by ${signed(Math.min(...advantages))} at least`);
    }
  }
  return { broken, differing, shown };
}

function signed(value: number): string {
  return value < 0 ? `−${(-value).toFixed(2)}` : `+${value.toFixed(2)}`;
}

function sorted(settings: PaperRow["run"]["settings"]): [string, string | number | boolean][] {
  return Object.entries(settings).sort(([a], [b]) => a < b ? -1 : 1);
}
