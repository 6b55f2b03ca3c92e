/** Ours under every rule of choosing a checkpoint, and the tests of every row. */
import { meanOverSeeds } from "../evaluation/statistics.ts";
import { labelOf, type PaperRow, type PaperTable } from "../experiments/item.ts";
import { casesOf, measureOf, type RowResult } from "../experiments/results.ts";
import { rowTests, testedMetrics } from "../experiments/row_tests.ts";
import { level } from "../experiments/verdicts.ts";
import type { CheckpointRule } from "../training/config.ts";
import { type Cell, type Column, pText, type Row, type Table } from "./table.ts";

const rules: readonly (readonly [rule: CheckpointRule, title: string])[] = [
  ["last", "last checkpoint"],
  ["validation", "best on validation cases"],
  ["best-on-test", "best on test cases (as the authors)"],
];

/** Dice and HD95 of every rule, of the masks as they are and of their largest components. */
export function ruleTable(table: PaperTable, results: ReadonlyMap<string, RowResult>): Table {
  const columns = rules.flatMap(([, title]): Column[] => [
    { label: "Dice", decimals: 2, group: title },
    { label: "component", decimals: 2, group: title },
    { label: "HD95", decimals: 2, group: title },
    { label: "component", decimals: 2, group: title },
  ]);
  const rows = presentRows(table, results).map((row): Row => {
    const { records } = results.get(row.id)!;
    const cells = rules.flatMap(([rule]): Cell[] =>
      (["dice", "hd95"] as const).flatMap((metric) =>
        [false, true].map((largestComponent) => {
          const [measure, factor] = measureOf[metric];
          const mean = meanOverSeeds(casesOf(records, rule, largestComponent), measure);
          return mean === null ? null : factor * mean;
        })
      )
    );
    return { cells: [labelOf(table, row), ...cells], block: row.block };
  });
  const looks = [...results.values()].flatMap(({ records }) =>
    records.flatMap(({ config }) => config.selection ?? [])
  );
  const counts = (of: (selection: typeof looks[number]) => number) =>
    [...new Set(looks.map(of))].join(" or ");
  return {
    title: `The same runs under other rules, table ${table.number}`,
    columns: [{ label: "row" }, ...columns],
    rows,
    caption: [
      "Dice in %, HD95 in voxels, means over cases and seeds. Component: of the largest connected component of each " +
      "predicted mask alone.",
      ...(looks.length === 0 ? [] : [
        `While it trains, a run looks every ${
          counts(({ every }) => every)
        } steps at the cases that choose, window beside ` +
        `window. Validation: ${
          counts(({ validation }) => validation.length)
        } cases, those of the data set's own list or ` +
        "else training cases behind the labelled ones, whose labels are read for this alone.",
      ]),
      "Best on test is chosen by looking at the test cases, as the released code does: it is no fair estimate.",
    ],
    footnotes: [],
  };
}

/** Every row against SASNet and against the runner-up of its block. */
export function testTable(table: PaperTable, results: ReadonlyMap<string, RowResult>): Table {
  const tests = rowTests(table, results);
  const opponentsOfRow = (row: PaperRow) => [
    ...new Set(tests.filter((test) => test.row === row).map(({ than }) => than)),
  ];
  const titles = { dice: "Dice (%)", hd95: "HD95 (voxel)" } as const;
  const rows = presentRows(table, results).flatMap((row) =>
    opponentsOfRow(row).map((than): Row => ({
      cells: [
        labelOf(table, row),
        labelOf(table, than),
        ...testedMetrics.flatMap((metric): Cell[] => {
          const test = tests.find((one) => one.row === row && one.than === than && one.metric === metric)!;
          return [test.difference, pText(test.p), pText(test.adjusted), verdict(test)];
        }),
      ],
      block: row.block,
    }))
  );
  return {
    title: `Tests against SASNet and the runner-up, table ${table.number}`,
    columns: [
      { label: "row" },
      { label: "against" },
      ...testedMetrics.flatMap((metric): Column[] => [
        { label: "difference", decimals: 2, group: titles[metric] },
        { label: "p", align: "right", group: titles[metric] },
        { label: "adjusted", align: "right", group: titles[metric] },
        { label: "row is", group: titles[metric] },
      ]),
    ],
    rows,
    caption: [
      "Wilcoxon's signed-rank test over the test cases (means over the seeds), two-sided; adjusted: Holm's correction " +
      `over all ${tests.length} tests of this table; better or worse at level ${level}. A missed case ranks below every other.`,
      "SASNet: of its rows in a block the one with the best printed Dice. Runner-up: of the others the one with the best " +
      "Dice of our runs. Last checkpoint, without a component filter.",
    ],
    footnotes: [],
  };
}

function presentRows({ rows }: PaperTable, results: ReadonlyMap<string, RowResult>): PaperRow[] {
  return rows.filter(({ id }) => results.has(id));
}

function verdict({ better, adjusted }: { better: "row" | "other" | "neither"; adjusted: number }): string {
  if (better === "neither" || adjusted >= level) return "not different";
  return better === "row" ? "better" : "worse";
}
