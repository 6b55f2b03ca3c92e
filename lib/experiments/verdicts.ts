/** Whether the claims of the text hold in the kit's own runs. */
import { pairedDifferences } from "../evaluation/statistics.ts";
import { holm, signedRankTest } from "../evaluation/statistics_wilcoxon.ts";
import { type Claim, claims } from "./claims.ts";
import { labelOf, type Metric, type PaperTable } from "./item.ts";
import { casesOf, measureOf, type RowResult } from "./results.ts";

/** Level of the tests after Holm's correction. */
export const level = 0.05;

/** One comparison of two rows in one metric. */
export interface Comparison {
  readonly metric: Metric;
  readonly than: string;
  /** How much better the claimed row is, in printed units; null where a mean is not defined. */
  readonly advantage: number | null;
  /** Whether the ranks speak for the claimed row. */
  readonly isBetter: boolean;
  /** Two-sided, over the test cases. */
  readonly p: number;
  /** After Holm's correction over all comparisons of the table. */
  readonly adjusted: number;
  readonly cases: number;
}

/** What became of a claim. */
export interface Verdict {
  readonly claim: Claim;
  readonly verdict: "holds" | "holds in the mean, not significantly" | "does not hold" | "not tested";
  readonly comparisons: readonly Comparison[];
  /** Rows that have no run. */
  readonly missing: readonly string[];
}

/** The claims about a table, tested with the Wilcoxon signed-rank test over the test cases. */
export function verdictsOf(table: PaperTable, results: ReadonlyMap<string, RowResult>): Verdict[] {
  const labels = new Map(table.rows.map((row) => [row.id, labelOf(table, row)]));
  const tested = claims.filter((claim) => claim.table === table.key).map((claim) => ({
    claim,
    missing: [claim.better, ...claim.than].filter((id) => !results.has(id)).map((id) => labels.get(id)!),
    comparisons: comparisonsOf(claim, results, labels),
  }));
  const adjusted = holm(tested.flatMap(({ comparisons }) => comparisons.map(({ p }) => p)));
  let next = 0;
  return tested.map(({ claim, missing, comparisons }) => {
    const corrected = comparisons.map((one) => ({ ...one, adjusted: adjusted[next++] }));
    return { claim, missing, comparisons: corrected, verdict: verdictOf(corrected, missing) };
  });
}

function comparisonsOf(
  claim: Claim,
  results: ReadonlyMap<string, RowResult>,
  labels: ReadonlyMap<string, string>,
): Omit<Comparison, "adjusted">[] {
  const better = results.get(claim.better);
  if (better === undefined) return [];
  return claim.than.filter((id) => results.has(id)).flatMap((id) => {
    const other = results.get(id)!;
    return claim.metrics.map((metric) => {
      const [measure, factor] = measureOf[metric];
      const pairs = [better, other].map(({ records }) => casesOf(records, "last", false));
      const differences = pairedDifferences(pairs[0], pairs[1], measure);
      const { p, positive, negative } = signedRankTest(differences);
      const [a, b] = [better, other].map(({ estimates }) => estimates[metric].mean);
      const sign = metric === "dice" || metric === "jaccard" ? 1 : -1;
      return {
        metric,
        than: labels.get(id)!,
        advantage: a === null || b === null ? null : sign * factor * (a - b),
        isBetter: positive > negative,
        p,
        cases: differences.length,
      };
    });
  });
}

function verdictOf(comparisons: readonly Comparison[], missing: readonly string[]): Verdict["verdict"] {
  if (comparisons.some(({ isBetter }) => !isBetter)) return "does not hold";
  if (missing.length > 0) return "not tested";
  return comparisons.every(({ adjusted }) => adjusted < level)
    ? "holds"
    : "holds in the mean, not significantly";
}
