/** A table of the paper beside the kit's own runs, as records for every notation. */
import { datasets, type ProfileName } from "../data/dataset.ts";
import { meanOverSeeds } from "../evaluation/statistics.ts";
import type { Scale } from "../experiments/choice.ts";
import { labelOf, type Metric, metrics, type PaperTable } from "../experiments/item.ts";
import { casesOf, measureOf, type RowResult } from "../experiments/results.ts";
import { level, type Verdict } from "../experiments/verdicts.ts";
import { printedSupport } from "../experiments/audit_rows.ts";
import { type Cell, type Column, pText, type Row, type Table } from "./table.ts";

const titles: Readonly<Record<Metric, string>> = {
  dice: "Dice (%)",
  jaccard: "Jaccard (%)",
  hd95: "HD95 (voxel)",
  asd: "ASD (voxel)",
};
const metricNames: Readonly<Record<Metric, string>> = {
  dice: "Dice",
  jaccard: "Jaccard",
  hd95: "HD95",
  asd: "ASD",
};

/** What a report was asked for. */
export interface ReportScale extends Scale {
  /** The command that makes the runs. */
  readonly command: string;
}

/** Paper, ours and their difference for each metric. */
export function comparisonTable(
  table: PaperTable,
  results: ReadonlyMap<string, RowResult>,
  scale: ReportScale,
): Table {
  const footnotes: string[] = [];
  const noteOf = (text: string): number => {
    if (!footnotes.includes(text)) footnotes.push(text);
    return footnotes.indexOf(text);
  };
  const columns: Column[] = [
    ...table.headings.map((label): Column => ({ label })),
    ...metrics.flatMap((metric): Column[] => {
      const direction = metric === "dice" || metric === "jaccard" ? "up" : "down";
      return [
        { label: "paper", direction, group: titles[metric] },
        { label: "ours", direction, group: titles[metric] },
        { label: "Δ", decimals: 2, group: titles[metric] },
      ];
    }),
    { label: "seeds", decimals: 0 },
  ];
  const rows = table.rows.map((row): Row => {
    const result = results.get(row.id);
    const notes = [
      ...(row.note === undefined ? [] : [row.note]),
      ...(result?.standsFor === undefined
        ? []
        : [`Ours is measured on phantoms, which stand in for ${datasets[result.standsFor].title}.`]),
    ];
    const cells: Cell[] = metrics.flatMap((metric, i) => {
      const printed = row.printed?.[i] ?? null;
      const ours = ownCell(result, metric, noteOf);
      const value = ours === null || ours === "missed" ? undefined : ours.value;
      return [printed, ours, printed === null || value === undefined ? null : value - printed];
    });
    const signs = notes.map((text) => `[${String.fromCharCode(97 + noteOf(text))}]`).join("");
    const descriptive = row.cells.map((cell, c) => c === 0 && signs !== "" ? `${cell} ${signs}` : cell);
    return {
      cells: [...descriptive, ...cells, result?.records.length ?? null],
      block: row.block,
      ranked: row.block !== "V-Net",
    };
  });
  return {
    title: `Table ${table.number}. ${table.caption}`,
    columns,
    rows,
    footnotes,
    caption: captionOf(results, scale),
  };
}

function ownCell(
  result: RowResult | undefined,
  metric: Metric,
  noteOf: (text: string) => number,
): { value: number; spread?: number; note?: number } | "missed" | null {
  if (result === undefined) return null;
  const { mean, sdOverSeeds, missed, seeds, cases } = result.estimates[metric];
  if (mean === null) return "missed";
  const factor = measureOf[metric][1];
  return {
    value: factor * mean,
    ...(sdOverSeeds === null ? {} : { spread: factor * sdOverSeeds }),
    ...(missed === 0
      ? {}
      : { note: noteOf(`Mean without ${missed} of ${seeds * cases} values: the predicted mask was empty.`) }),
  };
}

/** Scale, seeds, checkpoint, definitions and command. */
function captionOf(results: ReadonlyMap<string, RowResult>, scale: ReportScale): string[] {
  const records = [...results.values()].flatMap(({ records }) => records);
  if (records.length === 0) {
    return [`No run of profile ${scale.profile} is there yet. Command: ${scale.command}`];
  }
  const { config, evaluations } = records[0];
  const seeds = [...new Set(records.map(({ choice }) => choice.seed))].sort((a, b) => a - b);
  const sizes = new Set(records.map(({ config }) => `crop ${config.crop.join("×")}, width ${config.width}`));
  return [
    `Scale: profile ${scale.profile}, ${config.iterations} steps, ${
      [...sizes].join(" or ")
    }; variant ${scale.variant}.`,
    `Seeds: ${seeds.join(", ")}; ours is the mean over the test cases${
      seeds.length > 1 ? ", then over the seeds, ± the standard deviation over the seeds" : ""
    }.`,
    `Checkpoint: the last one, without a component filter. Metrics: ${
      evaluations[0].metrics
    }; shown in voxels of ` +
    `the kit's own volumes.`,
    "Δ: ours minus the paper's number. Missed: every predicted mask was empty, so that no distance is defined.",
    `Command: ${scale.command}`,
  ];
}

/** Ours in detail: spread over cases, intervals, other checkpoint rules. */
export function detailTable(table: PaperTable, results: ReadonlyMap<string, RowResult>): Table {
  const rows = table.rows.filter(({ id }) => results.has(id)).map((row): Row => {
    const result = results.get(row.id)!;
    const { dice, hd95 } = result.estimates;
    const other = (rule: "last" | "best-on-test" | "validation", largestComponent: boolean): Cell => {
      const mean = meanOverSeeds(casesOf(result.records, rule, largestComponent), "dice");
      return mean === null ? null : 100 * mean;
    };
    const seconds = result.records.reduce((sum, { cost }) => sum + cost.trainSeconds, 0);
    return {
      cells: [
        labelOf(table, row),
        result.records.map(({ choice }) => choice.seed).join(", "),
        dice.cases,
        withSpread(dice.mean, dice.sdOverCases, 100),
        dice.interval === null ? null : dice.interval.map((value) => (100 * value).toFixed(2)).join(" to "),
        withSpread(hd95.mean, hd95.sdOverCases, 1),
        hd95.missed,
        other("last", true),
        other("validation", false),
        other("best-on-test", false),
        seconds / result.records.length,
      ],
    };
  });
  return withoutEmptyColumns({
    title: `Ours in detail, table ${table.number}`,
    columns: [
      { label: "row" },
      { label: "seeds" },
      { label: "cases", decimals: 0 },
      { label: "Dice ± sd", unit: "%", decimals: 2 },
      { label: "95 % interval" },
      { label: "HD95 ± sd", unit: "voxel", decimals: 2 },
      { label: "missed", decimals: 0 },
      { label: "largest component", decimals: 2, group: "Dice of other evaluations (%)" },
      { label: "validation", decimals: 2, group: "Dice of other evaluations (%)" },
      { label: "best on test", decimals: 2, group: "Dice of other evaluations (%)" },
      { label: "training", unit: "s", decimals: 0 },
    ],
    rows,
    caption: [
      "Standard deviations are over the cases. Other evaluations: the largest component of each mask; the checkpoint " +
      "that was best on validation cases, and on test cases.",
      "Intervals: bootstrap over the cases, 2000 resamples, of their means over the seeds.",
      "Missed: values without a surface distance because the predicted mask was empty; Dice counts them as 0.",
      "Best on test is chosen by looking at the test cases, as the released code does: it is no fair estimate.",
    ],
    footnotes: [],
  });
}

function withoutEmptyColumns(table: Table): Table {
  const isUsed = table.columns.map((_, c) => table.rows.some(({ cells }) => cells[c] !== null));
  return {
    ...table,
    columns: table.columns.filter((_, c) => isUsed[c]),
    rows: table.rows.map((row) => ({ ...row, cells: row.cells.filter((_, c) => isUsed[c]) })),
  };
}

/** A sentence a claim of the text. */
export function claimTable(table: PaperTable, verdicts: readonly Verdict[], scale: Scale): Table {
  const comparisons = verdicts.reduce((sum, verdict) => sum + verdict.comparisons.length, 0);
  return {
    title: `Claims of the text about table ${table.number}`,
    columns: [{ label: "claim" }, { label: "printed numbers" }, { label: "our runs" }, {
      label: "comparisons",
    }],
    rows: verdicts.map(({ claim, verdict, comparisons, missing }): Row => ({
      cells: [
        `${claim.statement} (${claim.source})`,
        printedSupport(claim).broken.length === 0 ? "hold" : printedSupport(claim).broken.join("; "),
        verdict,
        comparisons.length === 0
          ? `no run of ${missing.join(", ")}`
          : comparisons.map(comparisonText).join("; ") +
            (missing.length === 0 ? "" : `; no run of ${missing.join(", ")}`),
      ],
    })),
    caption: [
      `Test: Wilcoxon signed-rank over the test cases (means over the seeds), two-sided, Holm's correction over the ` +
      `${comparisons} comparisons of this table, level ${level}. A claim holds where every comparison is better and ` +
      `significant; better and worse are told by the ranks.`,
      profileRemarks[scale.profile],
    ],
    footnotes: [],
  };
}

/** What the runs of a profile can show. */
export const profileRemarks: Readonly<Record<ProfileName, string>> = {
  smoke: "Profile smoke shows that everything works; its verdicts say nothing about the methods.",
  mini: "The runs are smaller than the paper's: a verdict holds at this scale alone.",
  paper: "The runs have the paper's size.",
};

function comparisonText(
  { metric, than, advantage, isBetter, adjusted }: Verdict["comparisons"][number],
): string {
  const size = advantage === null ? "" : ` by ${Math.abs(advantage).toFixed(2)}`;
  return `${metricNames[metric]} ${isBetter ? "better" : "not better"}${size} than ${than} (p = ${
    pText(adjusted)
  })`;
}

function withSpread(mean: number | null, spread: number | null, factor: number): Cell {
  if (mean === null) return null;
  return { value: factor * mean, ...(spread === null ? {} : { spread: factor * spread }) };
}
