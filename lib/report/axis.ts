/** Scales and ticks of plots. */
import { element, formatNumber, ink, line, text, textWidth } from "./svg.ts";

/** A mapping from values to points on the page. */
export interface Scale {
  /** Smallest and largest value. */
  readonly domain: readonly [number, number];
  /** Where they lie, in points; the second may be the smaller one. */
  readonly range: readonly [number, number];
  /** Whether equal factors have equal lengths. */
  readonly log: boolean;
}

/** Where a value lies, in points. Values outside the domain lie outside the range. */
export function position(scale: Scale, value: number): number {
  const [low, high] = scale.domain;
  const fraction = scale.log
    ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))
    : (value - low) / (high - low);
  return scale.range[0] + fraction * (scale.range[1] - scale.range[0]);
}

/** The step of 1, 2 or 5 times a power of ten that cuts `span` into at most `count` parts. */
export function niceStep(span: number, count: number): number {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 5]) if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/** Multiples of a nice step within a domain. */
export function linearTicks(domain: readonly [number, number], count: number): number[] {
  const step = niceStep(domain[1] - domain[0], count);
  const ticks: number[] = [];
  for (let i = Math.ceil(domain[0] / step - 1e-6); i * step <= domain[1] + step * 1e-6; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

/** Powers of ten within a domain; with fewer than two of them, also their multiples by 2 and 5. */
function logTicks(domain: readonly [number, number]): number[] {
  const inside = (value: number) => value >= domain[0] * (1 - 1e-9) && value <= domain[1] * (1 + 1e-9);
  const from = Math.floor(Math.log10(domain[0]));
  const to = Math.ceil(Math.log10(domain[1]));
  const powers = Array.from({ length: to - from + 1 }, (_, i) => Number(`1e${from + i}`));
  const tens = powers.filter(inside);
  if (tens.length >= 3) return tens.filter((_, i) => i % Math.ceil(tens.length / 7) === 0);
  return powers.flatMap((power) => [1, 2, 5].map((factor) => Number((factor * power).toPrecision(6))))
    .filter(inside);
}

/** The ticks of a scale, about one in `spacing` points. */
function scaleTicks(scale: Scale, spacing: number): number[] {
  if (scale.log) return logTicks(scale.domain);
  return linearTicks(
    scale.domain,
    Math.max(2, Math.round(Math.abs(scale.range[1] - scale.range[0]) / spacing)),
  );
}

/** A domain that holds the values, widened to nice numbers. Without a finite value it is 0 to 1. */
export function niceDomain(values: Iterable<number>, log = false): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (log && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.08, high * 1.08];
  if (low === high) {
    const half = Math.abs(low) * 0.1 || 0.5;
    return [low - half, high + half];
  }
  const step = niceStep(high - low, 5);
  return [Math.floor(low / step + 1e-6) * step, Math.ceil(high / step - 1e-6) * step];
}

/** Tick labels with the same number of decimals; thousands become "k" where all ticks allow it. */
export function tickLabels(ticks: readonly number[], log = false): string[] {
  const largest = Math.max(...ticks.map(Math.abs), 0);
  if (largest >= 10000 && ticks.every((tick) => tick % 100 === 0)) {
    return ticks.map((tick) => tick === 0 ? "0" : `${formatNumber(tick / 1000)}k`);
  }
  if (log) {
    return ticks.map((tick) => minus(tick >= 1e-4 && tick < 1e5 ? String(tick) : tick.toExponential(0)));
  }
  const decimals = Math.max(0, ...ticks.map((tick) => (formatNumber(tick, 6).split(".")[1] ?? "").length));
  return ticks.map((tick) => minus(tick.toFixed(decimals)));
}

/** The number with a true minus sign. */
function minus(content: string): string {
  return content.replaceAll("-", "−");
}

/** How much room the labels of a vertical axis need to the left of its line, in points. */
export function verticalAxisWidth(scale: Scale, title: string | undefined, size: number): number {
  const labels = tickLabels(scaleTicks(scale, 26), scale.log);
  return Math.max(...labels.map((label) => textWidth(label, { size })), 0) + 6 +
    (title === undefined ? 0 : size + 5);
}

/** A horizontal axis below a plot: line, ticks, labels, title. */
export function horizontalAxis(scale: Scale, y: number, title: string | undefined, size: number): string {
  const ticks = scaleTicks(scale, 48);
  const labels = tickLabels(ticks, scale.log);
  const [left, right] = scale.range;
  return element(
    "g",
    {},
    line(left, y, right, y, { stroke: ink }),
    ...ticks.map((tick, i) => {
      const x = position(scale, tick);
      return line(x, y, x, y + 3) + text(x, y + 5, labels[i], { size, anchor: "middle", vertical: "top" });
    }),
    title === undefined
      ? ""
      : text((left + right) / 2, y + 8 + size * 1.1, title, { size, anchor: "middle", vertical: "top" }),
  );
}

/** A vertical axis at the left of a plot, with light grid lines that reach to `gridTo`. */
export function verticalAxis(
  scale: Scale,
  x: number,
  style: { title?: string | undefined; size: number; gridTo: number },
): string {
  const ticks = scaleTicks(scale, 26);
  const labels = tickLabels(ticks, scale.log);
  const [bottom, top] = scale.range;
  const room = verticalAxisWidth(scale, style.title, style.size);
  const middle = (bottom + top) / 2;
  return element(
    "g",
    {},
    ...ticks.map((tick, i) => {
      const y = position(scale, tick);
      return line(x, y, style.gridTo, y, { stroke: "#e2e2e2", "stroke-width": 0.5 }) + line(x - 3, y, x, y) +
        text(x - 5, y, labels[i], { size: style.size, anchor: "end", vertical: "middle" });
    }),
    line(x, bottom, x, top),
    style.title === undefined ? "" : text(x - room + style.size / 2, middle, style.title, {
      size: style.size,
      anchor: "middle",
      vertical: "middle",
      rotate: -90,
    }),
  );
}
