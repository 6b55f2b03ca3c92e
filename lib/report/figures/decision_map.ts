/** Part b of figure 4: where SAR turns the decision of the ensemble. */
import { horizontalAxis, position, type Scale, verticalAxis } from "../axis.ts";
import { contourColours } from "../colour_maps.ts";
import { turningPoint, type WorkedVoxel } from "../../sasnet/figure4.ts";
import { element, type Figure, formatNumber, line, mutedInk, text } from "../svg.ts";

/** Every pair of true-class probabilities: right without SAR, turned by SAR, wrong. */
export function decisionMap(alpha: number, voxels: readonly WorkedVoxel[]): Figure {
  const side = 128;
  const [x0, y0] = [34, 4];
  const xScale: Scale = { domain: [0, 1], range: [x0, x0 + side], log: false };
  const yScale: Scale = { domain: [0, 1], range: [y0 + side, y0], log: false };
  const at = (high: number, low: number) =>
    `${formatNumber(position(xScale, high))} ${formatNumber(position(yScale, low))}`;
  const steps = Array.from({ length: 101 }, (_, i) => i / 100);
  const curve = (alpha: number) => steps.map((high) => at(high, turningPoint(high, alpha)));
  const band = `M${curve(alpha).join("L")}L${curve(0).reverse().join("L")}Z`;
  const right = `M${curve(0).join("L")}L${at(1, 1)}Z`;
  const border = { fill: "none", stroke: "#1a1a1a", "stroke-width": 0.9 } as const;
  return {
    width: x0 + side + 4,
    height: y0 + side + 27,
    alt: "Decision of the ensemble over the probabilities of both branches",
    body: element("path", { d: right, fill: "#cfe3f1" }) +
      element("path", { d: band, fill: "#d55e00", class: "turned" }) +
      element("path", { ...border, d: `M${curve(alpha).join("L")}` }) +
      element("path", { ...border, d: `M${curve(0).join("L")}`, "stroke-dasharray": "3 2" }) +
      verticalAxis(yScale, x0, { title: "low-level branch", size: 7, gridTo: x0 }) +
      horizontalAxis(xScale, y0 + side, "high-level branch", 7) +
      line(x0, y0, x0 + side, y0, { "stroke-width": 0.5 }) +
      line(x0 + side, y0, x0 + side, y0 + side, { "stroke-width": 0.5 }) +
      text(position(xScale, 0.72), position(yScale, 0.72), "right", { size: 7.5, anchor: "middle" }) +
      text(position(xScale, 0.14), position(yScale, 0.1), "wrong", { size: 7.5, anchor: "middle" }) +
      voxels.map(({ truth, high, low }, i) => {
        const [x, y] = [position(xScale, high[truth]), position(yScale, low[truth])];
        return element("circle", {
          cx: x,
          cy: y,
          r: 2.6,
          fill: contourColours.groundTruth,
          stroke: "#1a1a1a",
          "stroke-width": 0.7,
        }) + text(x + 5, y, String(i + 1), { size: 7, vertical: "middle" });
      }).join(""),
  };
}

/** The key of the map and what follows from it. */
export function decisionNote(
  alpha: number,
  voxels: readonly WorkedVoxel[],
  { x, y }: { x: number; y: number },
): string[] {
  const share = turnedShare(alpha);
  const rows: [string, string][] = [
    ["#cfe3f1", "the ensemble is right without SAR"],
    ["#d55e00", `SAR turns it right: ${(100 * share).toFixed(1)} % of all pairs`],
    ["#ffffff", "it stays wrong"],
  ];
  const names = voxels.map((_, i) => i + 1).join(" and ");
  const lines = [
    "Axes: each branch's probability of the true class. As in the paper's figure,",
    "the remembered confidences are those of the same prediction. The band lies",
    "on one side of the dashed line: SAR makes wrong voxels right and none wrong.",
    `Voxels ${names} stay wrong: the ratio of their channels moves towards the truth,`,
    "as the text says, but the softmax of eq. 6 moves away from it.",
    "The paper prints the sums; which branch has which of the two probabilities",
    "does not follow from them.",
  ];
  return [
    ...rows.map(([fill, label], i) =>
      element("rect", {
        x,
        y: y + i * 13 - 4,
        width: 12,
        height: 8,
        fill,
        stroke: mutedInk,
        "stroke-width": 0.5,
      }) +
      text(x + 17, y + i * 13, label, { size: 7.5, vertical: "middle" })
    ),
    ...lines.map((content, i) => text(x, y + 50 + i * 10.5, content, { size: 7, fill: mutedInk })),
  ];
}

/** Share of all pairs of probabilities that SAR turns right, by the midpoint rule. */
export function turnedShare(alpha: number): number {
  const count = 2000;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const high = (i + 0.5) / count;
    sum += 1 - high - turningPoint(high, alpha);
  }
  return sum / count;
}
