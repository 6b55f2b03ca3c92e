/** The paper's figure 4: the worked example of SAR, and where SAR turns a decision. */
import { figure4 as workedExample, type WorkedVoxel } from "../../sasnet/figure4.ts";
import { element, type Figure, formatNumber, mutedInk, text } from "../svg.ts";
import { decisionMap, decisionNote } from "./decision_map.ts";
import { groupHeading, symbol, valueCell } from "./diagram.ts";

/** Settings of {@link figure4}. */
export interface Figure4Options {
  /** α of eq. 4 (default 0.5, the paper's). */
  readonly alpha?: number;
}

interface Column {
  /** See `symbol`. */
  readonly head: string;
  /** The two channels, background first, or one value for both. */
  readonly values: (voxel: WorkedVoxel) => readonly [number, number] | string;
  /** The value at full shade; absent for no shade. */
  readonly full?: number;
  readonly digits?: number;
}

const probabilities = { full: 1, digits: 1 };

function columns(alpha: number): { title: string; columns: readonly Column[] }[] {
  const weighted = (branch: "low" | "high") => (voxel: WorkedVoxel): [number, number] => {
    const factor = 1 + alpha * voxel[branch][voxel.truth];
    return [factor * voxel[branch][0], factor * voxel[branch][1]];
  };
  const confidence = (branch: "low" | "high") => (voxel: WorkedVoxel): [number, number] => {
    const value = voxel[branch][voxel.truth];
    return [value, value];
  };
  const prediction = (foreground: number) => foreground > 0.5 ? "1" : "0";
  return [
    {
      title: "Branches",
      columns: [
        { head: "GT", values: ({ truth }) => String(truth) },
        { head: "Prob_l", values: ({ low }) => low, ...probabilities },
        { head: "Prob_h", values: ({ high }) => high, ...probabilities },
      ],
    },
    {
      title: "Without SAR",
      columns: [
        { head: "Sum", values: ({ sum }) => sum, full: 2, digits: 1 },
        {
          head: "P_ensemble",
          values: ({ foreground }) => [1 - foreground, foreground],
          full: 1,
          digits: 3,
        },
        { head: "Pred", values: ({ foreground }) => prediction(foreground) },
      ],
    },
    {
      title: `With SAR, α = ${formatNumber(alpha)}`,
      columns: [
        { head: "C^l_1", values: confidence("low"), ...probabilities },
        { head: "C^h_1", values: confidence("high"), ...probabilities },
        { head: "P′_l", values: weighted("low"), full: 2, digits: 3 },
        { head: "P′_h", values: weighted("high"), full: 2, digits: 3 },
        { head: "Sum", values: ({ weightedSum }) => weightedSum, full: 2, digits: 3 },
        {
          head: "P_ensemble",
          values: ({ weightedForeground: p }) => [1 - p, p],
          full: 1,
          digits: 3,
        },
        { head: "Pred", values: ({ weightedForeground }) => prediction(weightedForeground) },
      ],
    },
  ];
}

const cell = { width: 30, height: 15 } as const;
const left = 74;
const groupGap = 9;

/**
 * The worked example: the two voxels whose sums the paper prints, with every number on the way, and a map of all pairs
 * of probabilities with the band in which SAR turns a wrong decision into a right one.
 */
export function figure4({ alpha = 0.5 }: Figure4Options = {}): Figure {
  const voxels = workedExample(alpha);
  const groups = columns(alpha);
  const parts: string[] = [];
  let x = left;
  const rowY = (voxel: number) => 42 + voxel * (2 * cell.height + 22);
  for (const { title, columns } of groups) {
    const from = x;
    for (const { head, values, full, digits = 0 } of columns) {
      parts.push(symbol(x + cell.width / 2, 36, head, { anchor: "middle" }));
      voxels.forEach((voxel, v) => {
        const shown = values(voxel);
        if (typeof shown === "string") {
          parts.push(
            valueCell({
              x,
              y: rowY(v),
              width: cell.width,
              height: 2 * cell.height,
              label: shown,
              bold: true,
            }),
          );
          return;
        }
        shown.forEach((value, channel) =>
          parts.push(valueCell({
            x,
            y: rowY(v) + channel * cell.height,
            width: cell.width,
            height: cell.height,
            label: value.toFixed(digits),
            ...(full === undefined ? {} : { shade: Math.min(1, value / full) }),
          }))
        );
      });
      x += cell.width;
    }
    parts.push(groupHeading(from, x, 22, title));
    x += groupGap;
  }
  const width = x - groupGap;
  voxels.forEach((voxel, v) => parts.push(rowLabels(voxel, v, rowY(v)), changes(voxel, rowY(v), width)));
  const mapTop = rowY(voxels.length) + 8;
  const map = decisionMap(alpha, voxels);
  parts.push(
    text(0, 14, "a", { size: 9, bold: true }),
    text(0, mapTop + 6, "b", { size: 9, bold: true }),
    element("g", { transform: `translate(14 ${formatNumber(mapTop)})` }, map.body),
    ...decisionNote(alpha, voxels, { x: 14 + map.width + 22, y: mapTop + 12 }),
  );
  return {
    width,
    height: mapTop + map.height,
    alt: `Worked example of SAR at α = ${formatNumber(alpha)}: ` +
      voxels.map(({ sum, weightedSum, truth }) =>
        `sums ${pair(sum, 1)} become ${pair(weightedSum, 3)} where the truth is ${truth}`
      ).join("; "),
    body: parts.join(""),
  };
}

function rowLabels({ truth }: WorkedVoxel, index: number, y: number): string {
  const place = index === 0 ? "row 1, position 2" : "row 1, position 3";
  return text(0, y + 7.5, `Voxel ${index + 1}`, { size: 7.5, bold: true, vertical: "middle" }) +
    text(0, y + 17, place, { size: 6.2, vertical: "middle", fill: mutedInk }) +
    text(0, y + 25.5, `truth: ${truth === 1 ? "foreground" : "background"}`, {
      size: 6.2,
      vertical: "middle",
      fill: mutedInk,
    }) +
    ["ch 1", "ch 2"].map((name, channel) =>
      text(left - 3, y + (channel + 0.5) * cell.height, name, {
        size: 5.8,
        anchor: "end",
        vertical: "middle",
        fill: mutedInk,
      })
    ).join("");
}

/** The statement of the text below a voxel. */
function changes(
  { sum, weightedSum, foreground, weightedForeground }: WorkedVoxel,
  y: number,
  width: number,
) {
  const ratio = (sums: readonly [number, number]) => (sums[0] / sums[1]).toFixed(3);
  const content = `channel 1 / channel 2: ${pair(sum, 1)} → ${pair(weightedSum, 3)}; ratio ${ratio(sum)} → ${
    ratio(weightedSum)
  }; softmax of the foreground ${foreground.toFixed(3)} → ${weightedForeground.toFixed(3)}`;
  return text(width, y + 2 * cell.height + 9, content, { size: 6.6, anchor: "end", fill: mutedInk });
}

function pair([first, second]: readonly [number, number], digits: number): string {
  return `${first.toFixed(digits)}/${second.toFixed(digits)}`;
}
