/** One value a case: horizontal dots or bars, a row a method, with a whisker for the spread. */
import { horizontalAxis, niceDomain, position, type Scale } from "./axis.ts";
import { seriesColours } from "./colour_maps.ts";
import { stripPlotly } from "./plotly_parts.ts";
import { element, type Figure, formatNumber, ink, line, mutedInk, text, textWidth } from "./svg.ts";

/** The cases of one method. */
export interface CaseGroup {
  readonly name: string;
  /** A value a case; `null` where it is not defined (shown as a count, never as a zero). */
  readonly values: readonly (number | null)[];
}

/** What a chart of cases shows beside its groups. */
export interface CaseChartOptions {
  title?: string;
  xLabel?: string;
  domain?: readonly [number, number];
  /** "dot": every case and a whisker. "bar": a bar to the mean and a whisker. Default "dot". */
  mark?: "dot" | "bar";
  /** What the whisker spans: mean ± standard deviation (n − 1), or median and quartiles. Default "mean". */
  summary?: "mean" | "median";
  /** Joins the values of the same case in neighbouring groups; the groups then list the same cases. Default false. */
  paired?: boolean;
  /** Points; default 360. */
  width?: number;
  alt?: string;
}

const textSize = 7.5;
const rowHeight = 30;

/** A horizontal chart with one row a group. */
export function caseChart(groups: readonly CaseGroup[], options: CaseChartOptions = {}): Figure {
  const width = options.width ?? 360;
  const summary = options.summary ?? "mean";
  const finite = groups.map((group) =>
    group.values.filter((value) => value !== null && Number.isFinite(value))
  );
  const all = finite.flat() as number[];
  const domain = options.domain ?? niceDomain(options.mark === "bar" ? [0, ...all] : all);

  const left = Math.max(...groups.map((group) => textWidth(group.name, { size: textSize })), 20) + 10;
  const statements = finite.map((values) => statement(values as number[], summary));
  const right = width - Math.max(...statements.map((one) => textWidth(one, { size: textSize })), 20) - 14;
  const top = options.title === undefined ? 4 : 18;
  const bottom = top + groups.length * rowHeight;
  const height = bottom + (options.xLabel === undefined ? 16 : 28);
  const scale: Scale = { domain, range: [left, right], log: false };

  const dots = groups.map((group, row) => {
    const centre = top + (row + 0.5) * rowHeight;
    const offsets = swarm(group.values.map((value) => value === null ? NaN : position(scale, value)), 4.2);
    return group.values.map((value, i) =>
      value === null || !Number.isFinite(value)
        ? undefined
        : { x: position(scale, value), y: centre + offsets[i] * 2.6 - 3 }
    );
  });

  const rows = groups.map((group, row) => {
    const centre = top + (row + 0.5) * rowHeight;
    const colour = seriesColours[row % seriesColours.length];
    const values = finite[row] as number[];
    const missing = group.values.length - values.length;
    const bar = options.mark === "bar" && values.length > 0
      ? element("rect", {
        x: position(scale, Math.max(domain[0], 0)),
        y: centre - 7,
        width: Math.max(
          0,
          position(scale, middle(values, summary)) - position(scale, Math.max(domain[0], 0)),
        ),
        height: 14,
        fill: colour,
        opacity: 0.55,
      })
      : "";
    const marks = options.mark === "bar"
      ? ""
      : dots[row].map((dot) =>
        dot === undefined ? "" : element("circle", {
          cx: dot.x,
          cy: dot.y,
          r: 2.1,
          fill: colour,
          "fill-opacity": 0.75,
          stroke: "#ffffff",
          "stroke-width": 0.4,
        })
      ).join("");
    return bar + marks + whisker(values, summary, scale, options.mark === "bar" ? centre : centre + 9) +
      text(left - 7, centre, group.name, { size: textSize, anchor: "end", vertical: "middle" }) +
      text(width - 2, missing > 0 ? centre - 5 : centre, statements[row], {
        size: textSize,
        anchor: "end",
        vertical: "middle",
        fill: mutedInk,
      }) +
      (missing > 0
        ? text(width - 2, centre + 5, `${missing} undefined`, {
          size: textSize - 1,
          anchor: "end",
          vertical: "middle",
          fill: mutedInk,
        })
        : "");
  });

  const grid = Array.from(
    { length: groups.length + 1 },
    (_, row) =>
      line(left, top + row * rowHeight, right, top + row * rowHeight, {
        stroke: "#e2e2e2",
        "stroke-width": 0.5,
      }),
  ).join("");
  return {
    width,
    height,
    alt: options.alt ?? `${options.xLabel ?? "Values"} of each case: ` +
        groups.map((group, i) => `${group.name} ${statements[i]}`).join("; "),
    plotly: stripPlotly(groups, seriesColours, { width, height, xLabel: options.xLabel }),
    body: (options.title === undefined ? "" : text(left, 10, options.title, { size: 8.5, bold: true })) +
      grid +
      (options.paired && options.mark !== "bar" ? pairs(dots) : "") + rows.join("") +
      horizontalAxis(scale, bottom, options.xLabel, textSize),
  };
}

/** Quantile of a sample by linear interpolation between order statistics. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = fraction * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
}

/** Mean and standard deviation with n − 1; the deviation of one value is 0. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}

function middle(values: readonly number[], summary: "mean" | "median"): number {
  return summary === "mean" ? meanAndDeviation(values).mean : quantile(values, 0.5);
}

function statement(values: readonly number[], summary: "mean" | "median"): string {
  if (values.length === 0) return "no value";
  const decimals = Math.max(...values.map(Math.abs)) < 2 ? 3 : 1;
  if (summary === "median") {
    return `${quantile(values, 0.5).toFixed(decimals)} (${quantile(values, 0.25).toFixed(decimals)}–${
      quantile(values, 0.75).toFixed(decimals)
    })`;
  }
  const { mean, deviation } = meanAndDeviation(values);
  return `${mean.toFixed(decimals)} ± ${deviation.toFixed(decimals)}`;
}

function whisker(values: readonly number[], summary: "mean" | "median", scale: Scale, y: number): string {
  if (values.length === 0) return "";
  const { mean, deviation } = meanAndDeviation(values);
  const [low, centre, high] = summary === "mean"
    ? [mean - deviation, mean, mean + deviation]
    : [quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)];
  const at = (value: number) => position(scale, Math.min(scale.domain[1], Math.max(scale.domain[0], value)));
  const cap = (x: number) => line(x, y - 2.2, x, y + 2.2, { "stroke-width": 0.9 });
  return element(
    "g",
    { class: "whisker" },
    line(at(low), y, at(high), y, { "stroke-width": 0.9 }),
    cap(at(low)),
    cap(at(high)),
    element("path", {
      d: `M${formatNumber(at(centre))} ${formatNumber(y - 3)}l3 3l-3 3l-3 -3z`,
      fill: ink,
      stroke: "#ffffff",
      "stroke-width": 0.5,
    }),
  );
}

/** Levels (0, 1, −1, 2, …) that keep neighbouring dots apart; the order of the values decides, nothing random. */
function swarm(positions: readonly number[], gap: number): number[] {
  const order = positions.map((_, i) => i).sort((a, b) => positions[a] - positions[b]);
  const levels = positions.map(() => 0);
  const last = new Map<number, number>();
  const candidates = [0, -1, 1, -2, 2];
  for (const i of order) {
    const free = candidates.find((level) => positions[i] - (last.get(level) ?? -Infinity) >= gap);
    levels[i] = free ?? 0;
    last.set(levels[i], positions[i]);
  }
  return levels;
}

function pairs(dots: readonly (readonly ({ x: number; y: number } | undefined)[])[]): string {
  const lines: string[] = [];
  for (let row = 0; row + 1 < dots.length; row++) {
    for (let i = 0; i < Math.min(dots[row].length, dots[row + 1].length); i++) {
      const from = dots[row][i];
      const to = dots[row + 1][i];
      if (from === undefined || to === undefined) continue;
      lines.push(line(from.x, from.y, to.x, to.y, { stroke: "#b5b5b5", "stroke-width": 0.5 }));
    }
  }
  return element("g", { class: "pairs" }, ...lines);
}
