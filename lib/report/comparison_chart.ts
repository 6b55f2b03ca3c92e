/** The paper's numbers and the kit's own side by side: a row a row of the table, Dice and HD95. */
import { type ComplexityTable, labelOf, type Metric, type PaperTable } from "../experiments/item.ts";
import { measureOf, type RowResult } from "../experiments/results.ts";
import { horizontalAxis, niceDomain, position, type Scale } from "./axis.ts";
import { seriesColours } from "./colour_maps.ts";
import type { Complexity } from "./complexity_report.ts";
import { plotlyAxis, plotlyLayout } from "./plotly_parts.ts";
import {
  element,
  type Figure,
  formatNumber,
  line,
  mutedInk,
  type PlotlySpec,
  text,
  textWidth,
} from "./svg.ts";

/** A mean with the standard deviation over the cases; null where there is none. */
interface Own {
  readonly mean: number;
  readonly spread: number | null;
}

/** One row: its name, and for each panel what is printed and what was measured. */
interface ComparisonRow {
  readonly label: string;
  readonly block: string;
  readonly printed: readonly (number | undefined)[];
  readonly own: readonly (Own | undefined)[];
}

/** A panel: the title of its axis, and whether its domain begins at 0. */
interface ComparisonPanel {
  readonly title: string;
}

const textSize = 7.5;
const rowHeight = 13;
const blockGap = 7;
const gap = 22;
const ownColour = seriesColours[0];
const printedColour = seriesColours[1];

const panels: readonly (ComparisonPanel & { readonly metric: Metric; readonly index: number })[] = [
  { title: "Dice (%)", metric: "dice", index: 0 },
  { title: "HD95 (voxel)", metric: "hd95", index: 2 },
];

/** Printed and measured Dice and HD95 of every row of a table. */
export function tableComparison(
  table: PaperTable,
  results: ReadonlyMap<string, RowResult>,
): Figure {
  const rows = table.rows.map((row): ComparisonRow => ({
    label: labelOf(table, row),
    block: row.block,
    printed: panels.map(({ index }) => row.printed?.[index]),
    own: panels.map(({ metric }): Own | undefined => {
      const estimate = results.get(row.id)?.estimates[metric];
      const factor = measureOf[metric][1];
      return estimate === undefined || estimate.mean === null ? undefined : {
        mean: factor * estimate.mean,
        spread: estimate.sdOverCases === null ? null : factor * estimate.sdOverCases,
      };
    }),
  }));
  return comparisonChart(rows, panels, {
    alt: `Table ${table.number}: printed and measured values`,
    ownName: "ours, mean ± standard deviation over the cases",
  });
}

/** Printed and counted parameters and multiply–accumulates of Table 11. */
export function complexityChart(item: ComplexityTable, counted: readonly Complexity[]): Figure {
  const rows = item.rows.map(({ label, method, parameters, flops }): ComparisonRow => {
    const count = counted.find(({ key }) => key === method);
    const own = (value: number | undefined) =>
      value === undefined ? undefined : { mean: value, spread: null };
    return {
      label,
      block: "",
      printed: [parameters, flops],
      own: [own(count && count.parameters / 1e6), own(count && count.macsAtOutput / 1e9)],
    };
  });
  const titles = [{ title: "Parameters (M)" }, { title: "Multiply–accumulates (G)" }];
  return comparisonChart(rows, titles, {
    alt: `Table ${item.number}: printed and counted size and cost`,
    ownName: "ours, counted",
  });
}

/** One panel a quantity, side by side; a line joins what belongs together. */
function comparisonChart(
  rows: readonly ComparisonRow[],
  shown: readonly ComparisonPanel[],
  { alt, ownName }: { alt: string; ownName: string },
): Figure {
  const left = Math.max(...rows.map(({ label }) => textWidth(label, { size: textSize })), 20) + 8;
  const panelWidth = 165;
  const width = left + shown.length * panelWidth + (shown.length - 1) * gap + 12;
  const top = 18;
  const heights = centres(rows, top);
  const bottom = heights[heights.length - 1] + rowHeight / 2;
  const height = bottom + 28;
  const drawn = shown.map(({ title }, p) => {
    const from = left + p * (panelWidth + gap);
    const values = rows.flatMap(({ printed, own }) => [printed[p], ...ends(own[p])]).filter((value) =>
      value !== undefined
    );
    const [low, high] = niceDomain(values);
    const scale: Scale = { domain: [Math.max(0, low), high], range: [from, from + panelWidth], log: false };
    const marks = rows.map((row, r) => rowMarks(row.printed[p], row.own[p], { scale, y: heights[r] }));
    const lines = heights.map((y) =>
      line(from, y, from + panelWidth, y, { stroke: "#ececec", "stroke-width": 0.5 })
    );
    return element("g", {}, ...lines, ...marks, horizontalAxis(scale, bottom, title, textSize));
  });
  const labels = rows.map(({ label }, r) =>
    text(left - 6, heights[r], label, { size: textSize, anchor: "end", vertical: "middle" })
  );
  return {
    width,
    height,
    alt,
    body: key(left, ownName) + labels.join("") + drawn.join(""),
    plotly: interactive(rows, shown, { width, height, heights }),
  };
}

/** Heights of the rows' centres; blocks stand apart. */
function centres(rows: readonly ComparisonRow[], top: number): number[] {
  let y = top - rowHeight / 2;
  return rows.map(({ block }, r) => {
    y += rowHeight + (r > 0 && block !== rows[r - 1].block ? blockGap : 0);
    return y;
  });
}

function ends(own: Own | undefined): number[] {
  if (own === undefined) return [];
  const spread = own.spread ?? 0;
  return [Math.max(0, own.mean - spread), own.mean + spread];
}

function rowMarks(
  printed: number | undefined,
  own: Own | undefined,
  { scale, y }: { scale: Scale; y: number },
): string {
  const parts: string[] = [];
  const at = (value: number) => position(scale, value);
  if (printed !== undefined && own !== undefined) {
    parts.push(
      line(at(printed), y, at(own.mean), y, {
        stroke: "#9a9a9a",
        "stroke-width": 0.7,
        "stroke-dasharray": "1.5 1.5",
      }),
    );
  }
  if (own !== undefined) {
    const [low, high] = ends(own);
    parts.push(
      line(at(low), y, at(high), y, { stroke: ownColour, "stroke-width": 1 }),
      element("circle", { cx: at(own.mean), cy: y, r: 2.6, fill: ownColour }),
    );
  }
  if (printed !== undefined) {
    parts.push(
      element("path", {
        d: diamond(at(printed), y),
        fill: "#ffffff",
        stroke: printedColour,
        "stroke-width": 1.1,
      }),
    );
  }
  return parts.join("");
}

function diamond(x: number, y: number): string {
  return `M${formatNumber(x)} ${formatNumber(y - 3.4)}l3.4 3.4l-3.4 3.4l-3.4 -3.4z`;
}

function key(left: number, ownName: string): string {
  const style = { size: textSize, vertical: "middle", fill: mutedInk } as const;
  const second = left + 45;
  return element(
    "g",
    { class: "legend" },
    element("path", { d: diamond(left + 4, 8), fill: "#ffffff", stroke: printedColour, "stroke-width": 1.1 }),
    text(left + 11, 8, "paper", style),
    line(second - 3, 8, second + 11, 8, { stroke: ownColour, "stroke-width": 1 }),
    element("circle", { cx: second + 4, cy: 8, r: 2.6, fill: ownColour }),
    text(second + 15, 8, ownName, style),
  );
}

function interactive(
  rows: readonly ComparisonRow[],
  shown: readonly ComparisonPanel[],
  size: { width: number; height: number; heights: readonly number[] },
): PlotlySpec {
  const y = size.heights;
  const labels = rows.map(({ label }) => label);
  const axisOf = (p: number) => p === 0 ? "x" : `x${p + 1}`;
  const share = 1 / shown.length;
  return {
    data: shown.flatMap((_, p) => [
      {
        type: "scatter",
        mode: "markers",
        name: "paper",
        legendgroup: "paper",
        showlegend: p === 0,
        x: rows.map(({ printed }) => printed[p] ?? null),
        y,
        text: labels,
        xaxis: axisOf(p),
        hovertemplate: "%{text}<br>paper %{x:.2f}<extra></extra>",
        marker: { symbol: "diamond-open", size: 9, color: printedColour },
      },
      {
        type: "scatter",
        mode: "markers",
        name: "ours",
        legendgroup: "ours",
        showlegend: p === 0,
        x: rows.map(({ own }) => own[p]?.mean ?? null),
        error_x: {
          type: "data",
          array: rows.map(({ own }) => own[p]?.spread ?? 0),
          thickness: 1.4,
          width: 0,
        },
        y,
        text: labels,
        xaxis: axisOf(p),
        hovertemplate: "%{text}<br>ours %{x:.2f}<extra></extra>",
        marker: { size: 7, color: ownColour },
      },
    ]),
    layout: plotlyLayout({ width: size.width + 40, height: size.height + 40 }, {
      margin: { l: 190, r: 20, t: 40, b: 50 },
      hovermode: "closest",
      legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
      yaxis: plotlyAxis(undefined, {
        tickvals: y,
        ticktext: labels,
        range: [y[y.length - 1] + rowHeight, y[0] - rowHeight],
      }),
      ...Object.fromEntries(shown.map(({ title }, p) => [
        `xaxis${p === 0 ? "" : p + 1}`,
        plotlyAxis(title, { domain: [p * share + (p === 0 ? 0 : 0.02), (p + 1) * share - 0.02] }),
      ])),
    }),
  };
}
