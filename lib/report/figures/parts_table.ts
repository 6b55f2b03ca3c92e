/** Which runs a figure shows, with their Dice in the cases that it shows. */
import { datasets } from "../../data/dataset.ts";
import type { StoredFigure } from "../../experiments/figure_data.ts";
import type { FigurePart } from "../../experiments/figure_parts.ts";
import type { PaperFigure } from "../../experiments/item.ts";
import type { RunRecord } from "../../experiments/record.ts";
import { casesOf, estimatesOf } from "../../experiments/results.ts";
import type { Table } from "../table.ts";

/** A row a declared run: what it is in the paper, what stands for it here, and its Dice. */
export function partsTable(
  { number, caption, runs }: PaperFigure,
  parts: readonly FigurePart[],
  records: readonly RunRecord[],
): Table {
  return {
    title: `Figure ${number}: ${caption}`,
    columns: [
      { label: "run" },
      { label: "paper" },
      { label: "ours" },
      { label: "Dice of the cases shown", unit: "%" },
      { label: "Dice of all test cases", unit: "%", decimals: 2 },
    ],
    rows: parts.map(({ label, dataset, stored, standsFor }, i) => {
      const record = records.find(({ name }) => name === stored?.run);
      const mean = record === undefined ? null : estimatesOf(casesOf([record], "last", false)).dice.mean;
      const { share } = runs[i].run;
      return {
        cells: [
          label.split(",")[0],
          `${datasets[dataset].title}, ${share} % labelled`,
          stored === undefined
            ? "missing"
            : `${datasets[stored.choice.dataset].title}${standsFor === undefined ? "" : " in its place"}, ` +
              `${stored.choice.labelled} labelled`,
          stored === undefined ? null : shownDice(stored),
          mean === null ? null : 100 * mean,
        ],
      };
    }),
    caption: ["The paper prints no numbers with this figure that could be compared."],
    footnotes: [],
  };
}

function shownDice({ content }: StoredFigure): string | null {
  if (!("cases" in content)) return null;
  return content.cases.map(({ case: name, predictions: [{ dice }] }) =>
    `${name} ${dice === null ? "not defined" : (100 * dice).toFixed(1)}`
  ).join(", ");
}
