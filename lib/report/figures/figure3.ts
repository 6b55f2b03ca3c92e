/** The paper's figure 3: SAR at one visit of a labelled crop, from the memory of a run, and its confidence over time. */
import type { BranchMoment, FigureContents, History, TrainingMoment } from "../../experiments/figure_data.ts";
import { lineChart } from "../curves.ts";
import { arrange, colourBar } from "../montage.ts";
import { element, type Figure, formatNumber, ink, mutedInk, place, placeReadouts, text } from "../svg.ts";
import { arrow, box, symbol } from "./diagram.ts";
import { imagePanel, levelPanel, maskPanel } from "./maps.ts";

const width = 60;
const gap = 21;
const rowGap = 34;
const columnOf = (index: number) => 14 + index * (width + gap);

/** SAR at visit i of one labelled crop (eq. 4–8), a row a branch, above the confidences of the whole training. */
export function figure3({ moment, history }: FigureContents["figure3"]): Figure {
  const diagram = sarDiagram(moment);
  const charts = confidenceCharts(history);
  if (charts === undefined) return diagram;
  const y = diagram.height + 16;
  return {
    width: Math.max(diagram.width, charts.width),
    height: y + charts.height,
    alt: `${diagram.alt}. ${charts.alt}`,
    body: diagram.body + place(charts, 0, y),
    readouts: placeReadouts(charts, 0, y),
    isDiagram: true,
  };
}

function sarDiagram(moment: TrainingMoment): Figure {
  const { alpha, image, truth, ensemble } = moment;
  const isRunning = moment.memory === "running";
  const { height } = imagePanel(image, { width });
  const rowY = { low: 26, high: 26 + 2 * (height + rowGap) };
  const centreY = (rowY.low + rowY.high) / 2;
  const largest = 1 + alpha;
  const parts: string[] = [];
  const branchRow = (name: "low" | "high", branch: BranchMoment) => {
    const y = rowY[name];
    const middle = y + height / 2;
    const letter = name[0];
    const titles = [
      `C^${letter}_i−2`,
      `C^${letter}_i−1`,
      `P_${letter}seg`,
      `P′_${letter}seg`,
    ];
    const panels = [
      levelPanel(branch.before, { width, truth }),
      levelPanel(branch.last, { width, truth }),
      levelPanel(branch.probability, { width, truth }),
      levelPanel(branch.weighted, { width, truth }, largest),
    ];
    panels.forEach((panel, column) => {
      if (column === 0 && isRunning) return;
      parts.push(
        place(panel, columnOf(column), y),
        symbol(columnOf(column) + width / 2, y - 5, titles[column], { anchor: "middle", size: 8 }),
      );
    });
    parts.push(
      text(7, middle, name === "low" ? "low-level branch" : "high-level branch", {
        size: 7.5,
        rotate: -90,
        anchor: "middle",
        vertical: "middle",
      }),
      isRunning ? "" : operator(columnOf(0) + width, middle, "+"),
      hadamard(columnOf(1) + width + gap / 2, middle),
      arrow([[columnOf(2) + width, middle], [columnOf(3), middle]]),
      place(levelPanel(branch.confidence, { width, truth }), columnOf(5), y),
      symbol(columnOf(5) + width / 2, y - 5, `C^${letter}_i`, { anchor: "middle", size: 8 }),
    );
    // The new confidence is the current probability at the true class; it is remembered for the next visit.
    const outer = name === "low" ? y - 16 : y + height + 7;
    const edge = name === "low" ? y : y + height;
    parts.push(
      arrow([
        [columnOf(2) + width * 0.8, edge - (name === "low" ? 12 : 0)],
        [columnOf(2) + width * 0.8, outer],
        [columnOf(5) + width * 0.25, outer],
        [columnOf(5) + width * 0.25, edge - (name === "low" ? 12 : 0)],
      ], { dash: "2.5 1.6" }),
    );
    const from: [number, number] = [columnOf(3) + width, middle];
    const joint = columnOf(3) + width + gap * 0.55;
    parts.push(
      arrow([from, [joint, middle], [joint, centreY + height / 2], [columnOf(4), centreY + height / 2]]),
    );
  };
  branchRow("low", moment.low);
  branchRow("high", moment.high);
  const middle = centreY + height / 2;
  parts.push(
    place(imagePanel(image, { width, truth }), columnOf(1), centreY),
    place(maskPanel(truth, { width }), columnOf(2), centreY),
    place(levelPanel(ensemble, { width, truth }), columnOf(4), centreY),
    symbol(columnOf(1) + width / 2, centreY - 5, "image", { anchor: "middle", size: 8 }),
    symbol(columnOf(2) + width / 2, centreY - 5, "GT", { anchor: "middle", size: 8 }),
    symbol(columnOf(4) + width / 2, centreY - 5, "P_ensemble", { anchor: "middle", size: 8 }),
    text(columnOf(4) + width / 2, centreY + height + 9, "softmax of the sum", {
      size: 6.5,
      anchor: "middle",
      fill: mutedInk,
    }),
    ...["low", "high"].map((name) => {
      const [from, to] = name === "low" ? [centreY, rowY.low + height] : [centreY + height, rowY.high];
      const x = columnOf(5) + width / 2;
      return arrow([[columnOf(2) + width + 6, middle], [
        columnOf(2) + width + 6,
        from + (name === "low" ? -15 : 15),
      ], [
        x,
        from + (name === "low" ? -15 : 15),
      ], [x, to - (name === "low" ? 0 : 12)]], { dash: "1 1.4", colour: "#8c8c8c" });
    }),
    arrow([[columnOf(2) + width, middle], [columnOf(2) + width + 6, middle]], {
      head: false,
      dash: "1 1.4",
      colour: "#8c8c8c",
    }),
    box({
      x: columnOf(0) - 2,
      y: centreY + 4,
      width: width + 4,
      height: height - 8,
      stroke: "#8c8c8c",
      lines: [
        "P′ = (1 + α·C) · P",
        ...(isRunning ? ["C: running mean", "of the visits"] : ["C: mean of the two", "remembered visits"]),
        `α = ${formatNumber(alpha)}`,
      ],
      style: { size: 6.3 },
    }),
  );
  const bottom = rowY.high + height + 20;
  parts.push(
    place(
      colourBar({ map: "cividis", domain: [0, 1], label: "probability, confidence in the true class" }),
      columnOf(1),
      bottom,
    ),
    place(
      colourBar({ map: "cividis", domain: [0, largest], label: "weighted probability P′" }),
      columnOf(3) - 20,
      bottom,
    ),
  );
  return {
    width: columnOf(5) + width,
    height: bottom + 30,
    alt:
      `SAR at the last visit of a crop of ${moment.case}: remembered confidences of both branches, their ` +
      "probabilities, the weighted ones, the ensemble and the new confidences",
    body: parts.join(""),
  };
}

/** The sign of the product voxel by voxel, which the font lacks. */
function hadamard(x: number, y: number): string {
  return element("circle", { cx: x, cy: y, r: 3.6, fill: "none", stroke: ink, "stroke-width": 0.9 }) +
    element("circle", { cx: x, cy: y, r: 1.1, fill: ink });
}

function operator(x: number, y: number, sign: string): string {
  return text(x + gap / 2, y, sign, { size: 10, anchor: "middle", vertical: "middle", bold: true });
}

/** Mean confidence in the true class of each step's labelled crops, a chart a class; undefined without any. */
export function confidenceCharts({ steps, values }: History): Figure | undefined {
  const classes = ["foreground", "background"] as const;
  const charts = classes.flatMap((name) => {
    const series = (["low", "high"] as const).flatMap((branch) => {
      const numbers = values[`confidence.${branch}.${name}`];
      if (numbers === undefined) return [];
      return [{
        name: `${branch}-level branch`,
        steps,
        values: numbers.map((value) => value ?? NaN),
      }];
    });
    if (series.length === 0) return [];
    return [lineChart(series, {
      title: `Confidence in the ${name}`,
      xLabel: "Step",
      yLabel: "mean over its voxels",
      yDomain: [0, 1],
      smoothing: Math.max(1, Math.round(steps.length / 25)),
      width: 238,
      height: 140,
    })];
  });
  if (charts.length === 0) return undefined;
  return arrange(charts, {
    columns: 2,
    gap: 12,
    alt:
      "Confidence of both branches in the true class over the steps of training, for foreground and background",
  });
}
