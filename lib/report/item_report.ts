/** The files of one item's report, from records alone. */
import type { ProfileName } from "../data/dataset.ts";
import { paperAudit } from "../experiments/audit.ts";
import { type ComplexityTable, labelOf, type PaperFigure, type PaperTable } from "../experiments/item.ts";
import type { StoredFigure } from "../experiments/figure_data.ts";
import { figureParts } from "../experiments/figure_parts.ts";
import { casesOf, type RowResult, rowResult, tableResults } from "../experiments/results.ts";
import type { Damage, RunRecord } from "../experiments/record.ts";
import { verdictsOf } from "../experiments/verdicts.ts";
import { auditTables } from "./audit_table.ts";
import { caseChart } from "./case_chart.ts";
import { type Complexity, complexityTable } from "./complexity_report.ts";
import { drawFigure, figureCaption } from "./figures/draw.ts";
import { confidenceCharts } from "./figures/figure3.ts";
import { learningCurves } from "./figures/learning_curves.ts";
import { ruleTable, testTable } from "./detail_tables.ts";
import { type PageFigure, pageHtml } from "./page.ts";
import { claimTable, comparisonTable, detailTable, profileRemarks, type ReportScale } from "./paper_table.ts";
import { type Figure, svgDocument } from "./svg.ts";
import type { Table } from "./table.ts";
import { tableCsv, tableLatex, tableMarkdown } from "./table_formats.ts";

/** What reports are made of. */
export interface ReportSource {
  readonly records: readonly RunRecord[];
  readonly damaged: readonly Damage[];
  readonly scale: ReportScale;
  /** Counted networks for Table 11, where there are any. */
  readonly complexity: readonly Complexity[];
  /** Data of figures. */
  readonly stored: readonly StoredFigure[];
}

/** A report: its files by name, its main table, and one line for the terminal. */
export interface ItemReport {
  readonly key: string;
  readonly title: string;
  readonly table: Table;
  readonly line: string;
  readonly files: ReadonlyMap<string, string>;
  /** Drawings of which a PNG belongs beside the SVG, by the name of their files. */
  readonly drawings?: ReadonlyMap<string, Figure>;
}

/** The report of a table with runs. */
export function tableReport(item: PaperTable, source: ReportSource): ItemReport {
  const results = tableResults(item, source.scale, source.records);
  const verdicts = verdictsOf(item, results);
  const main = comparisonTable(item, results, source.scale);
  const tables = [
    main,
    ...(results.size === 0 ? [] : [detailTable(item, results)]),
    claimTable(item, verdicts, source.scale),
    ...(results.size === 0 ? [] : [ruleTable(item, results), testTable(item, results)]),
  ];
  const unequal = [...results.values()].flatMap(({ unequal }) => unequal);
  const used = [...results.values()].flatMap(({ records }) => records);
  const figures = tableFigures(item, results);
  const verdictCount = verdicts.filter(({ verdict }) => verdict !== "not tested").length;
  return {
    key: item.key,
    title: main.title,
    table: main,
    line:
      `${results.size} of ${item.rows.length} rows have runs, ${verdictCount} of ${verdicts.length} claims tested`,
    files: filesOf(item.key, tables, {
      lead: `The paper's numbers beside the kit's own runs of profile ${source.scale.profile}. ` +
        `${results.size} of ${item.rows.length} rows have runs.`,
      facts: [
        ["Command", source.scale.command],
        ["Records", used.length === 0 ? "none" : used.map(({ name }) => name).join(", ")],
        [
          "Engine",
          [...new Set(used.map(({ environment }) => String(environment.engine)))].join(", ") || "none",
        ],
        ...unequal.map((text): [string, string] => ["Left out", text]),
        ...damageFacts(source),
      ],
      figures,
    }),
  };
}

/** Dice of the cases, learning curves and SAR's confidence of the rows that have runs. */
function tableFigures(item: PaperTable, results: ReadonlyMap<string, RowResult>): PageFigure[] {
  const rows = item.rows.filter(({ id }) => results.has(id)).map((row) => ({
    name: labelOf(item, row),
    records: results.get(row.id)!.records,
  }));
  if (rows.length === 0) return [];
  const groups = rows.flatMap(({ name, records }) =>
    casesOf(records, "last", false).slice(0, 1).map((cases) => ({
      name,
      values: cases.map(({ dice }) => dice === null ? null : 100 * dice),
    }))
  );
  const formats = ["svg"] as const;
  const figures: PageFigure[] = [{
    figure: caseChart(groups, { xLabel: "Dice (%)", width: 470 }),
    caption: `Dice of every test case, first seed; the whisker is the mean ± standard deviation.`,
    file: "cases",
    name: "Cases",
    formats,
  }, {
    figure: learningCurves(rows.map(({ name, records: [{ curve }] }) => ({ name, ...curve }))),
    caption:
      "Loss terms during training, first seed; the faint line is every kept step, the strong one a moving mean.",
    file: "learning_curves",
    name: "Losses",
    formats,
  }];
  for (const { name, records: [{ curve }] } of rows) {
    if (curve.values === undefined) continue;
    const figure = confidenceCharts({ steps: curve.steps, values: curve.values });
    if (figure === undefined) continue;
    const caption =
      `Over time (${name}): mean confidence of each branch in the true class of the labelled crops.`;
    return [...figures, { figure, caption, file: "sar_confidence", name: "SAR", formats }];
  }
  return figures;
}

/** The report of Table 11. */
export function complexityReport(item: ComplexityTable, source: ReportSource): ItemReport {
  const table = complexityTable(item, source.complexity);
  const counted =
    item.rows.filter(({ method }) => source.complexity.some(({ key }) => key === method)).length;
  return {
    key: item.key,
    title: table.title,
    table,
    line: `${counted} of ${item.rows.length} methods counted`,
    files: filesOf(item.key, [table], {
      lead: "Parameters and multiply–accumulates as printed, beside what the kit counts on its own networks.",
      facts: [["Command", "npx -y deno@2.9.6 task study table11"]],
      figures: [],
    }),
  };
}

/**
 * A figure of the paper, and the runs that it shows.
 *
 * @param drawn the figure, where it has been drawn already.
 */
export function figureReport(item: PaperFigure, source: ReportSource, drawn?: Figure): ItemReport {
  const parts = figureParts(item, source.scale, source.stored);
  const figure = drawn ?? drawFigure(item, parts);
  const rows = item.runs.map(({ label, run }, i) => {
    const found = rowResult(run, source.scale, source.records);
    return {
      cells: [
        label,
        found === undefined ? "missing" : found.records.map(({ name }) => name).join(", "),
        parts[i].stored?.run ?? "missing",
      ],
    };
  });
  const table: Table = {
    title: `Figure ${item.number}. ${item.caption}`,
    columns: [{ label: "run" }, { label: "record" }, { label: "data of the figure" }],
    rows,
    caption: [`Needs ${item.needs}. Command: ${source.scale.command}`],
    footnotes: [],
  };
  const present = rows.filter(({ cells }) => cells[1] !== "missing").length;
  const withData = parts.filter(({ stored }) => stored !== undefined).length;
  const report = {
    key: item.key,
    title: table.title,
    table,
    line: rows.length === 0
      ? "needs no run"
      : `${present} of ${rows.length} runs present, data of ${withData}`,
  };
  const figures: PageFigure[] = figure === undefined ? [] : [{
    figure,
    caption: figureCaption(item, parts, source.scale.command),
    file: item.key,
    name: `Figure ${item.number}`,
  }];
  return {
    ...report,
    files: filesOf(item.key, [table], {
      lead: figure === undefined ? "No run of this figure has data yet." : "",
      facts: [["Command", source.scale.command], ...damageFacts(source)],
      figures,
      figuresFirst: true,
    }),
    drawings: new Map(figures.map(({ figure, file }) => [file, figure])),
  };
}

function damageFacts({ damaged }: ReportSource): [string, string][] {
  return damaged.map(({ path, reason }) => ["Not used", `${path}: ${reason}`]);
}

/** The audit of the paper's own numbers. */
export function auditReport(): ItemReport {
  const entries = paperAudit();
  const { counts, found, all } = auditTables(entries);
  const open = entries.filter(({ finding }) => finding === "inconsistent" || finding === "impossible").length;
  return {
    key: "paper_audit",
    title: counts.title,
    table: found,
    line: `${entries.length} checks, ${open} do not agree`,
    files: filesOf("paper_audit", [counts, found, all], {
      lead: "What the printed numbers say of each other. No run is needed.",
      facts: [["Command", "npx -y deno@2.9.6 task report audit"]],
      figures: [],
      csv: all,
    }),
  };
}

/** A page with the main table of every report, which links them all. */
export function overviewHtml(reports: readonly ItemReport[], profile: ProfileName): string {
  const table: Table = {
    title: "Reports",
    columns: [{ label: "item" }, { label: "subject" }, { label: "state" }],
    rows: reports.map(({ key, title, line }) => ({ cells: [key, title, line] })),
    caption: [],
    footnotes: [],
  };
  const page = pageHtml({
    title: "SASNet kit: reports",
    lead:
      `Every table of the paper beside the kit's own runs of profile ${profile}; each item has a page of its own with ` +
      `the tests, the claims and the figures. ${profileRemarks[profile]}`,
    facts: [["Command", "npx -y deno@2.9.6 task report"]],
    tables: [table, ...reports.map(({ table }) => table)],
    figures: [],
  });
  return reports.reduce(
    (html, { key }) =>
      html.replace(
        `<th scope="row">${key}</th>`,
        `<th scope="row"><a href="${key}/index.html">${key}</a></th>`,
      ),
    page,
  );
}

function filesOf(
  key: string,
  tables: readonly Table[],
  page: {
    lead: string;
    facts: readonly (readonly [string, string])[];
    figures: readonly PageFigure[];
    csv?: Table;
    figuresFirst?: boolean;
  },
): Map<string, string> {
  const files = new Map([
    ["table.md", tables.map(tableMarkdown).join("\n")],
    ["table.csv", tableCsv(page.csv ?? tables[0])],
    ["table.tex", tableLatex(tables[0], `tab:${key}`)],
    ["index.html", pageHtml({ title: tables[0].title, tables, ...page })],
  ]);
  for (const { figure, file } of page.figures) files.set(`${file}.svg`, svgDocument(figure));
  return files;
}
