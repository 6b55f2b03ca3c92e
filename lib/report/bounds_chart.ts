/** The printed pairs of mean Dice and mean Jaccard against what any set of cases allows. */
import { type PrintedPair, printedPairs } from "../experiments/audit_bounds.ts";
import { horizontalAxis, niceDomain, position, type Scale, verticalAxis, verticalAxisWidth } from "./axis.ts";
import { seriesColours } from "./colour_maps.ts";
import { plotlyAxis, plotlyLayout } from "./plotly_parts.ts";
import { element, type Figure, formatNumber, line, mutedInk, type PlotlySpec, text } from "./svg.ts";

const textSize = 7.5;
const [possibleColour, impossibleColour] = seriesColours;

/** The smallest mean Jaccard of cases with a mean Dice, both in per cent: f(D) = D/(2 − D) is convex. */
const leastJaccard = (dice: number) => 100 * (dice / 100) / (2 - dice / 100);
/** How far a printed mean Jaccard lies above the smallest one, in points. */
const gapOf = ({ dice, jaccard }: PrintedPair) => jaccard - leastJaccard(dice);

/** Left: Jaccard over Dice with the bound; right: the gap above the bound, negative where no cases have both numbers. */
export function boundsChart(): Figure {
  const pairs = printedPairs();
  const size = { width: 200, height: 175 };
  const xDomain = niceDomain(pairs.map(({ dice }) => dice));
  const bound = Array.from({ length: 201 }, (_, i) => xDomain[0] + (xDomain[1] - xDomain[0]) * i / 200);
  const left = panel(size, {
    xDomain,
    yDomain: niceDomain(pairs.map(({ jaccard }) => jaccard)),
    yTitle: "Mean Jaccard (%)",
    curve: bound.map((dice) => [dice, leastJaccard(dice)]),
    points: pairs.map((pair) => [pair.dice, pair.jaccard, pair.bounds.possible]),
  });
  const right = panel(size, {
    xDomain,
    yDomain: niceDomain(pairs.map(gapOf)),
    yTitle: "Jaccard above the bound (points)",
    curve: [[xDomain[0], 0], [xDomain[1], 0]],
    points: pairs.map((pair) => [pair.dice, gapOf(pair), pair.bounds.possible]),
  });
  const width = 2 * size.width + 24;
  const impossible = pairs.filter(({ bounds }) => !bounds.possible).length;
  return {
    width,
    height: size.height + 16,
    alt: `Mean Jaccard over mean Dice of ${pairs.length} printed rows; ${impossible} lie below the bound`,
    body: key(pairs.length - impossible, impossible) +
      element("g", { transform: "translate(0 16)" }, left) +
      element("g", { transform: `translate(${size.width + 24} 16)` }, right),
    plotly: interactive(pairs, bound, { width, height: size.height + 16 }),
  };
}

interface PanelContent {
  readonly xDomain: readonly [number, number];
  readonly yDomain: readonly [number, number];
  readonly yTitle: string;
  readonly curve: readonly (readonly [number, number])[];
  readonly points: readonly (readonly [x: number, y: number, possible: boolean])[];
}

function panel({ width, height }: { width: number; height: number }, content: PanelContent): string {
  const bottom = height - 27;
  const y: Scale = { domain: content.yDomain, range: [bottom, 4], log: false };
  const left = verticalAxisWidth(y, content.yTitle, textSize) + 2;
  const x: Scale = { domain: content.xDomain, range: [left, width - 10], log: false };
  const [lowest, highest] = content.yDomain;
  const path = content.curve.filter(([, b]) => b >= lowest && b <= highest).map(([a, b], i) =>
    `${i === 0 ? "M" : "L"}${formatNumber(position(x, a))} ${formatNumber(position(y, b))}`
  ).join("");
  const mark = ([a, b, possible]: PanelContent["points"][number]) => {
    const [cx, cy] = [position(x, a), position(y, b)];
    return possible
      ? element("circle", { cx, cy, r: 1.8, fill: possibleColour, "fill-opacity": 0.6 })
      : element("path", { d: cross(cx, cy), stroke: impossibleColour, "stroke-width": 1.5, fill: "none" });
  };
  const inOrder = [...content.points].sort((one, other) => Number(other[2]) - Number(one[2]));
  return verticalAxis(y, left, { title: content.yTitle, size: textSize, gridTo: width - 10 }) +
    element("path", { d: path, fill: "none", stroke: "#1a1a1a", "stroke-width": 0.9 }) +
    inOrder.map(mark).join("") + horizontalAxis(x, bottom, "Mean Dice (%)", textSize);
}

function cross(x: number, y: number): string {
  return `M${formatNumber(x - 2.6)} ${formatNumber(y - 2.6)}l5.2 5.2m0 -5.2l-5.2 5.2`;
}

function key(possible: number, impossible: number): string {
  const style = { size: textSize, vertical: "middle", fill: mutedInk } as const;
  return element(
    "g",
    { class: "legend" },
    element("circle", { cx: 36, cy: 6, r: 1.8, fill: possibleColour, "fill-opacity": 0.6 }),
    text(42, 6, `${possible} printed rows`, style),
    element("path", { d: cross(116, 6), stroke: impossibleColour, "stroke-width": 1.5, fill: "none" }),
    text(123, 6, `${impossible} that no set of cases has`, style),
    line(230, 6, 248, 6, { "stroke-width": 0.9 }),
    text(253, 6, "least mean Jaccard, D/(2 − D)", style),
  );
}

function interactive(
  pairs: readonly PrintedPair[],
  bound: readonly number[],
  size: { width: number; height: number },
): PlotlySpec {
  const trace = (possible: boolean, gap: boolean) => {
    const shown = pairs.filter(({ bounds }) => bounds.possible === possible);
    return {
      type: "scatter",
      mode: "markers",
      name: possible ? "printed rows" : "no set of cases has both numbers",
      legendgroup: String(possible),
      showlegend: !gap,
      x: shown.map(({ dice }) => dice),
      y: shown.map((pair) => gap ? Number(gapOf(pair).toFixed(3)) : pair.jaccard),
      text: shown.map(({ where, dice, jaccard }) =>
        `${where}<br>Dice ${dice.toFixed(2)}, Jaccard ${jaccard.toFixed(2)}`
      ),
      hovertemplate: "%{text}<extra></extra>",
      ...(gap ? { xaxis: "x2", yaxis: "y2" } : {}),
      marker: possible
        ? { color: possibleColour, size: 6, opacity: 0.6 }
        : { color: impossibleColour, size: 9, symbol: "x-thin", line: { width: 2, color: impossibleColour } },
    };
  };
  const curve = (gap: boolean) => ({
    type: "scatter",
    mode: "lines",
    name: "least mean Jaccard, D/(2 − D)",
    legendgroup: "bound",
    showlegend: !gap,
    x: bound,
    y: bound.map((dice) => gap ? 0 : leastJaccard(dice)),
    hoverinfo: "skip",
    ...(gap ? { xaxis: "x2", yaxis: "y2" } : {}),
    line: { color: "#1a1a1a", width: 1.2 },
  });
  return {
    data: [false, true].flatMap((gap) => [curve(gap), trace(true, gap), trace(false, gap)]),
    layout: plotlyLayout({ width: size.width + 60, height: size.height + 60 }, {
      hovermode: "closest",
      legend: { orientation: "h", y: 1.04, yanchor: "bottom" },
      margin: { l: 60, r: 20, t: 50, b: 50 },
      xaxis: plotlyAxis("Mean Dice (%)", { domain: [0, 0.44] }),
      yaxis: plotlyAxis("Mean Jaccard (%)"),
      xaxis2: plotlyAxis("Mean Dice (%)", { domain: [0.56, 1], anchor: "y2" }),
      yaxis2: plotlyAxis("Jaccard above the bound (points)", { anchor: "x2" }),
    }),
  };
}
