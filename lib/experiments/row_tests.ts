/** Every row of a table against SASNet and against the runner-up, case by case. */
import { pairedDifferences } from "../evaluation/statistics.ts";
import { holm, signedRankTest } from "../evaluation/statistics_wilcoxon.ts";
import type { Metric, PaperRow, PaperTable } from "./item.ts";
import { casesOf, measureOf, type RowResult } from "./results.ts";

/** A row against another one in one metric. */
export interface RowTest {
  readonly row: PaperRow;
  readonly than: PaperRow;
  readonly metric: Metric;
  /** Mean of the row minus that of the other, in printed units; null where one is not defined. */
  readonly difference: number | null;
  /** Which of the two the signed ranks favour. */
  readonly better: "row" | "other" | "neither";
  /** Two-sided, over the test cases. */
  readonly p: number;
  /** After Holm's correction over all tests of the table. */
  readonly adjusted: number;
}

/** What the rows of one block are compared with. */
interface Opponents {
  /** SASNet as the paper proposes it: of its rows, the one with the best printed Dice. */
  readonly proposed: PaperRow | undefined;
  /** Of the other rows, the one with the best Dice of our runs. */
  readonly runnerUp: PaperRow | undefined;
}

/** The metrics that are tested. */
export const testedMetrics = ["dice", "hd95"] as const;

/** Opponents of a block among the rows that have runs. */
function opponentsOf(rows: readonly PaperRow[], results: ReadonlyMap<string, RowResult>): Opponents {
  const present = rows.filter(({ id }) => results.has(id));
  const best = (of: readonly PaperRow[], value: (row: PaperRow) => number) =>
    of.reduce<PaperRow | undefined>((a, b) => a === undefined || value(b) > value(a) ? b : a, undefined);
  const proposed = best(
    present.filter(({ run, printed }) => run.method === "sasnet" && printed !== undefined),
    ({ printed }) => printed![0],
  );
  const others = present.filter((row) => row !== proposed);
  return { proposed, runnerUp: best(others, ({ id }) => results.get(id)!.estimates.dice.mean ?? -1) };
}

/** The tests of all blocks of a table; V-Net's rows have no opponent in theirs. */
export function rowTests(table: PaperTable, results: ReadonlyMap<string, RowResult>): RowTest[] {
  const tests = [...Map.groupBy(table.rows, ({ block }) => block).values()].flatMap((rows) => {
    const { proposed, runnerUp } = opponentsOf(rows, results);
    if (proposed === undefined) return [];
    return rows.filter((row) => results.has(row.id) && row !== proposed).flatMap((row) =>
      [proposed, runnerUp].filter((than) => than !== undefined && than !== row).flatMap((than) =>
        testedMetrics.map((metric) => compare(row, than!, { metric, results }))
      )
    );
  });
  const adjusted = holm(tests.map(({ p }) => p));
  return tests.map((test, i) => ({ ...test, adjusted: adjusted[i] }));
}

function compare(
  row: PaperRow,
  than: PaperRow,
  { metric, results }: { metric: Metric; results: ReadonlyMap<string, RowResult> },
): Omit<RowTest, "adjusted"> {
  const [measure, factor] = measureOf[metric];
  const [own, other] = [row, than].map(({ id }) => results.get(id)!);
  const differences = pairedDifferences(
    casesOf(own.records, "last", false),
    casesOf(other.records, "last", false),
    measure,
  );
  const { p, positive, negative } = signedRankTest(differences);
  const [a, b] = [own, other].map(({ estimates }) => estimates[metric].mean);
  return {
    row,
    than,
    metric,
    difference: a === null || b === null ? null : factor * (a - b),
    better: positive === negative ? "neither" : positive > negative ? "row" : "other",
    p,
  };
}
