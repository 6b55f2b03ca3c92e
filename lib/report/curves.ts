/** Line charts: losses and Dice over iterations. */
import { horizontalAxis, niceDomain, position, type Scale, verticalAxis, verticalAxisWidth } from "./axis.ts";
import { seriesColours, seriesDashes } from "./colour_maps.ts";
import {
  element,
  type Figure,
  formatNumber,
  line,
  mutedInk,
  type ReadoutSeries,
  text,
  textWidth,
} from "./svg.ts";
import { InputError } from "../errors.ts";

/** One line of a chart. A value that is not finite leaves a gap. */
export interface Series {
  readonly name: string;
  readonly steps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** Which entry of the palette and of the dashes; default: the position in the chart. */
  readonly style?: number;
}

/** What a chart shows beside its series. */
export interface ChartOptions {
  title?: string;
  xLabel?: string;
  yLabel?: string;
  xLog?: boolean;
  yLog?: boolean;
  /** Default: the values' own, widened to nice numbers. */
  yDomain?: readonly [number, number];
  /** Length of a centred moving mean in samples; the raw line stays visible behind it. Default 1: none. */
  smoothing?: number;
  /** Points; default 250 × 180, of which the legend takes what it needs. */
  width?: number;
  height?: number;
  alt?: string;
}

const textSize = 7.5;
const largestPolyline = 700;

/**
 * A line chart. The legend stands above the plot, so it never covers data.
 *
 * @throws InputError when a series has as many steps as values no longer, or a logarithmic axis gets no positive value.
 */
export function lineChart(series: readonly Series[], options: ChartOptions = {}): Figure {
  for (const one of series) {
    if (one.steps.length !== one.values.length) {
      throw new InputError(
        `series "${one.name}" has ${one.steps.length} steps and ${one.values.length} values, expected as many of both`,
      );
    }
  }
  const width = options.width ?? 250;
  const height = options.height ?? 180;
  const smoothing = Math.max(1, Math.round(options.smoothing ?? 1));
  const drawn = series.map((one) =>
    smoothing > 1 ? movingMean(one.values, smoothing) : Float64Array.from(one.values)
  );

  const yLog = options.yLog ?? false;
  const xLog = options.xLog ?? false;
  const yDomain = options.yDomain ?? niceDomain(series.flatMap((one) => Array.from(one.values)), yLog);
  const xDomain = stepDomain(series, xLog);

  const titleHeight = options.title === undefined ? 0 : 14;
  const legend = legendRows(series, width - 8);
  const top = titleHeight + legend.height + 6;
  const bottom = height - (options.xLabel === undefined ? 16 : 27);
  const yScale: Scale = { domain: yDomain, range: [bottom, top], log: yLog };
  const left = verticalAxisWidth(yScale, options.yLabel, textSize) + 2;
  const right = width - 10;
  const xScale: Scale = { domain: xDomain, range: [left, right], log: xLog };

  const marks = series.map((one, i) => {
    const look = seriesLook(one, i);
    const raw = smoothing > 1
      ? polylines(thin(one.steps, Float64Array.from(one.values), "extremes"), xScale, yScale)
        .map((points) => path(points, { stroke: look.colour, "stroke-width": 0.5, opacity: 0.28 })).join("")
      : "";
    const lines = polylines(thin(one.steps, drawn[i], "mean"), xScale, yScale);
    const few = one.values.length <= 30;
    return raw +
      lines.map((points) =>
        path(points, { stroke: look.colour, "stroke-width": 1.2, "stroke-dasharray": look.dash })
      )
        .join("") +
      (few
        ? lines.flat().map(([cx, cy]) => element("circle", { cx, cy, r: 1.6, fill: look.colour })).join("")
        : "");
  });

  const names = series.map((one) => one.name).join(", ");
  return {
    width,
    height,
    alt: options.alt ??
      `Line chart${options.title === undefined ? "" : ` "${options.title}"`} of ${names} over ` +
        `${options.xLabel ?? "steps"}`,
    readouts: [{
      x: left,
      y: top,
      width: right - left,
      height: bottom - top,
      xDomain,
      xLog,
      xLabel: options.xLabel ?? "step",
      ...(options.yLabel !== undefined && { yLabel: options.yLabel }),
      ...(options.title !== undefined && { title: options.title }),
      yLog,
      series: series.map((one, i) => readoutSeries(one, drawn[i], seriesLook(one, i))),
    }],
    body: (options.title === undefined ? "" : text(left, 10, options.title, { size: 8.5, bold: true })) +
      element(
        "g",
        { transform: `translate(${formatNumber(left)} ${formatNumber(titleHeight)})` },
        legend.body,
      ) +
      verticalAxis(yScale, left, { title: options.yLabel, size: textSize, gridTo: right }) +
      element("g", { class: "series", fill: "none", "stroke-linejoin": "round" }, ...marks) +
      horizontalAxis(xScale, bottom, options.xLabel, textSize),
  };
}

/** Mean over a centred window of `length` samples, cut symmetrically at the ends; gaps count as missing. */
export function movingMean(values: ArrayLike<number>, length: number): Float64Array {
  const half = Math.floor(length / 2);
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const reach = Math.min(half, i, values.length - 1 - i);
    let sum = 0;
    let count = 0;
    for (let j = i - reach; j <= i + reach; j++) {
      if (!Number.isFinite(values[j])) continue;
      sum += values[j];
      count++;
    }
    out[i] = count === 0 || !Number.isFinite(values[i]) ? NaN : sum / count;
  }
  return out;
}

function seriesLook(series: Series, index: number): { colour: string; dash: string | undefined } {
  const style = series.style ?? index;
  return {
    colour: seriesColours[style % seriesColours.length],
    dash: seriesDashes[style % seriesDashes.length],
  };
}

function stepDomain(series: readonly Series[], log: boolean): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const one of series) {
    for (let i = 0; i < one.steps.length; i++) {
      if (log && one.steps[i] <= 0) continue;
      low = Math.min(low, one.steps[i]);
      high = Math.max(high, one.steps[i]);
    }
  }
  if (low > high) return log ? [1, 10] : [0, 1];
  return low === high ? (log ? [low / 2, high * 2] : [low - 1, high + 1]) : [low, high];
}

/** Samples of a long series in at most `largestPolyline` points: the mean, or both extremes, of each run. */
function thin(steps: ArrayLike<number>, values: Float64Array, keep: "mean" | "extremes"): [number, number][] {
  const stride = Math.ceil(values.length / (keep === "mean" ? largestPolyline : largestPolyline / 2));
  const out: [number, number][] = [];
  for (let from = 0; from < values.length; from += stride) {
    const to = Math.min(values.length, from + stride);
    if (stride === 1) {
      out.push([steps[from], values[from]]);
      continue;
    }
    let sum = 0, count = 0, low = from, high = from;
    for (let i = from; i < to; i++) {
      if (!Number.isFinite(values[i])) continue;
      sum += values[i];
      count++;
      if (!(values[i] >= values[low])) low = i;
      if (!(values[i] <= values[high])) high = i;
    }
    if (keep === "mean") out.push([(steps[from] + steps[to - 1]) / 2, count === 0 ? NaN : sum / count]);
    else for (const i of low < high ? [low, high] : [high, low]) out.push([steps[i], values[i]]);
  }
  return out;
}

/** Runs of drawable points on the page; values beyond the vertical domain stop at the frame. */
function polylines(samples: readonly [number, number][], xScale: Scale, yScale: Scale): [number, number][][] {
  const [low, high] = yScale.domain;
  const runs: [number, number][][] = [];
  let run: [number, number][] = [];
  for (const [step, value] of samples) {
    if (!Number.isFinite(value) || (xScale.log && step <= 0) || (yScale.log && value <= 0)) {
      if (run.length > 0) runs.push(run);
      run = [];
      continue;
    }
    run.push([position(xScale, step), position(yScale, Math.min(high, Math.max(low, value)))]);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

function path(
  points: readonly [number, number][],
  attributes: Record<string, string | number | undefined>,
): string {
  const d = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${formatNumber(x)} ${formatNumber(y)}`).join("");
  return element("path", { d, fill: "none", ...attributes });
}

function legendRows(series: readonly Series[], width: number): { body: string; height: number } {
  if (series.length < 2) return { body: "", height: 0 };
  let x = 0;
  let row = 0;
  const entries = series.map((one, i) => {
    const look = seriesLook(one, i);
    const entryWidth = 22 + textWidth(one.name, { size: textSize }) + 10;
    if (x > 0 && x + entryWidth > width - 20) {
      x = 0;
      row++;
    }
    const y = 6 + row * 11;
    const entry =
      line(x, y, x + 18, y, { stroke: look.colour, "stroke-width": 1.4, "stroke-dasharray": look.dash }) +
      text(x + 22, y, one.name, { size: textSize, vertical: "middle", fill: mutedInk });
    x += entryWidth;
    return entry;
  });
  return { body: element("g", { class: "legend" }, ...entries), height: (row + 1) * 11 + 2 };
}

function readoutSeries(
  series: Series,
  values: Float64Array,
  { colour, dash }: { colour: string; dash: string | undefined },
): ReadoutSeries {
  const samples = thin(series.steps, values, "mean");
  return {
    name: series.name,
    colour,
    ...(dash !== undefined && { dash }),
    steps: samples.map(([step]) => Number(step.toPrecision(6))),
    values: samples.map(([, value]) => Number.isFinite(value) ? Number(value.toPrecision(4)) : null),
  };
}
