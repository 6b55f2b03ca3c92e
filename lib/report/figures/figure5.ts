/** The paper's figure 5: from a predicted mask to the signed distance map. */
import type { FigureContents, StoredPlane } from "../../experiments/figure_data.ts";
import { niceStep } from "../axis.ts";
import { sdmStages } from "../../sasnet/sdm.ts";
import { colourBar } from "../montage.ts";
import { largestPlane, takePlane } from "../planes.ts";
import { contourLooks, slicePanel } from "../slices.ts";
import { type Figure, formatNumber, mutedInk, place, text } from "../svg.ts";
import { arrow, symbol, symbolWidth } from "./diagram.ts";
import { levelPanel, maskPanel, signedPanel } from "./maps.ts";

const width = 84;
/** Left edges of the columns. */
const columns = [0, 140, 276, 404];
const rowGap = 24;

/** The pipeline on the mask that the ensemble predicts for a test case, in the slice where the mask is largest. */
export function figure5(
  { case: { case: name, shape, spacing, image, slice }, mask }: FigureContents["figure5"],
): Figure {
  const { positive, negative, boundary, sdm } = sdmStages(mask, shape);
  const at = largestPlane({ data: mask, shape, spacing }, 2);
  const plane = (data: Float32Array | Uint8Array): StoredPlane =>
    finite(takePlane({ data, shape, spacing }, 2, at));
  const raw = plane(negative.map((outside, i) => boundary[i] === 1 ? 0 : outside - positive[i]));
  const range = roundUp(Math.max(1, largestOf(raw), -smallestOf(raw)));
  const distances = (data: Float32Array) => {
    const shown = plane(data);
    const largest = Math.max(1, largestOf(shown));
    return levelPanel(shown, { width, corner: `0 – ${formatNumber(largest, 1)} voxels` }, largest);
  };

  const panels = {
    mask: maskPanel(plane(mask), { width, alt: "Predicted mask" }),
    positive: distances(positive),
    negative: distances(negative),
    border: maskPanel(plane(boundary), { width }),
    raw: signedPanel(raw, { width }, range),
    normalised: signedPanel(plane(sdm), { width }),
  };
  const { height } = panels.mask;
  const rowY = [14, 14 + height + rowGap, 14 + 2 * (height + rowGap)];
  const middle = (row: number) => rowY[row] + height / 2;
  const forks = [0, 1, 2];
  const fork = columns[0] + width + 12;
  const join = columns[1] + width + 12;
  const parts = [
    place(panels.mask, columns[0], rowY[1]),
    place(panels.positive, columns[1], rowY[0]),
    place(panels.negative, columns[1], rowY[1]),
    place(panels.border, columns[1], rowY[2]),
    place(panels.raw, columns[2], rowY[1]),
    place(panels.normalised, columns[3], rowY[1]),
    ...forks.map((row) =>
      arrow([[columns[0] + width, middle(1)], [fork, middle(1)], [fork, middle(row)], [
        columns[1],
        middle(row),
      ]])
    ),
    ...forks.map((row) =>
      arrow([[columns[1] + width, middle(row)], [join, middle(row)], [join, middle(1)], [
        columns[2],
        middle(1),
      ]])
    ),
    arrow([[columns[2] + width, middle(1)], [columns[3], middle(1)]]),
    ...["DT", "~DT", "FB"].map((label, row) =>
      text(fork + 4, middle(row) - 4, label, { size: 7.5, bold: true })
    ),
    ...["−", "+", "0"].map((sign, row) => text(columns[1] + width + 3, middle(row) - 4, sign, { size: 8.5 })),
    title("P_seg", "predicted mask", columns[0], rowY[1]),
    title("Posdis", "distance inside", columns[1], rowY[0]),
    title("Negdis", "distance outside", columns[1], rowY[1]),
    title("Border", "inner boundary", columns[1], rowY[2]),
    title("SDM", "Negdis − Posdis, 0 on Border", columns[2], rowY[1]),
    title("P_SDM", "sides by their largest", columns[3], rowY[1]),
    text((columns[2] + width + columns[3]) / 2, middle(1) - 5, "normalise", { size: 7, anchor: "middle" }),
    ...context(image, { slice, x: columns[0], y: rowY[2] }, at === slice ? plane(mask) : undefined),
  ];
  const barY = rowY[2] + 8;
  parts.push(
    place(
      colourBar({ map: "cividis", domain: [0, 1], label: "distance / the map's largest", width: 104 }),
      columns[2] - 10,
      barY,
    ),
    place(
      colourBar({ map: "diverging", domain: [-range, range], label: "SDM (voxels)", width: 104 }),
      columns[2] - 10,
      barY + 36,
    ),
    place(
      colourBar({ map: "diverging", domain: [-1, 1], label: "normalised SDM", width: 104 }),
      columns[3] - 10,
      barY + 36,
    ),
  );
  return {
    width: columns[3] + width + 8,
    height: Math.max(rowY[2] + height + 4, barY + 66),
    alt: `From the mask predicted for ${name} to its signed distance map`,
    body: parts.join(""),
  };
}

/** The image below the mask, with the mask's outline where both are the same slice. */
function context(
  image: StoredPlane,
  { slice, x, y }: { slice: number; x: number; y: number },
  mask: StoredPlane | undefined,
): string[] {
  const panel = slicePanel(image, {
    width,
    scaleBar: true,
    contours: mask === undefined ? [] : [{ plane: mask, ...contourLooks.prediction }],
  });
  return [place(panel, x, y), title("Image", `slice ${slice}`, x, y)];
}

function title(name: string, explanation: string, x: number, y: number): string {
  return symbol(x, y - 4, name, { size: 7.5, bold: true }) +
    text(x + symbolWidth(name, { size: 7.5, bold: true }) + 4, y - 4, explanation, {
      size: 6.3,
      fill: mutedInk,
    });
}

/** A mask without foreground or background has no distances. */
function finite(plane: StoredPlane): StoredPlane {
  return { ...plane, data: plane.data.map((value) => Number.isFinite(value) ? value : 0) };
}

/** To a number whose half is round, for the ticks of a colour bar. */
function roundUp(range: number): number {
  const step = niceStep(range, 2);
  return Math.ceil(range / step) * step;
}

function largestOf({ data }: StoredPlane): number {
  return data.reduce((largest, value) => Math.max(largest, value), -Infinity);
}

function smallestOf({ data }: StoredPlane): number {
  return data.reduce((smallest, value) => Math.min(smallest, value), Infinity);
}
