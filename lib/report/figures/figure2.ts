/** The paper's figure 2: the framework, drawn from the layers of a created network and its maps of a labelled crop. */
import type { View } from "../../data/dataset.ts";
import type { FigureContents, TrainingMoment } from "../../experiments/figure_data.ts";
import { type Figure, formatNumber, mutedInk, place, text } from "../svg.ts";
import { arrow, box, symbol } from "./diagram.ts";
import { centres, giga, headRise, networkColumns, thousands } from "./network_columns.ts";
import { imagePanel, levelPanel, maskPanel, signedPanel } from "./maps.ts";

/** What figure 2 shows beside what is stored. */
export interface Figure2Options {
  /** The data set's views (eq. 10), for the box of the view variance. */
  readonly views?: readonly View[];
}

const panel = 58;
const totalWidth = 524;
/** Left edges of the maps of the branches. */
const mapX = {
  low: { distance: 0, segmentation: panel + 14 },
  high: { distance: totalWidth - panel, segmentation: totalWidth - 2 * panel - 14 },
} as const;
const inputX = centres.encoder + panel / 2 + 22;
const lossInk = "#b34a00";

/**
 * The framework: the encoder in the middle, the decoders on both sides of it with their maps above them, and what
 * training makes of the maps. Widths of boxes grow with the channels, rows are grids.
 */
export function figure2(
  { network, moment }: FigureContents["figure2"],
  { views }: Figure2Options = {},
): Figure {
  const maps = mapRow(moment);
  const columns = networkColumns(network, maps.height + 26);
  const decoders = columns.roles.filter((role) => role !== "encoder");
  const parameters = thousands(network.parameters);
  const note =
    `${parameters} parameters, ${giga(network.macs)} multiply–accumulates a crop of ${
      network.crop.join("×")
    }. ` +
    "Under each block: grid and parameters. Dashed: added skip connections.";
  return {
    width: totalWidth,
    height: columns.bottom + 12,
    alt: `SASNet: a shared encoder and ${decoders.length} decoders, ${parameters} parameters`,
    body: [
      maps.body,
      columns.body,
      inputArrow(maps.height, columns.top, views),
      ...decoders.map((role) =>
        mapArrows(role, columns.top - headRise - 11, maps.height - panelHeight(moment) - 10)
      ),
      text(totalWidth / 2, columns.bottom + 8, note, { size: 6.8, anchor: "middle", fill: mutedInk }),
    ].join(""),
  };
}

/** The maps of both branches with what training makes of them, and the input below. */
function mapRow(moment: TrainingMoment): Figure {
  const { image, truth, low, high, ensemble, sdm } = moment;
  const height = panelHeight(moment);
  const y = 26;
  const second = y + height + 29;
  const middle = y + height / 2;
  const centre = centres.encoder - panel / 2;
  const placed: readonly [x: number, y: number, name: string, figure: Figure][] = [
    [mapX.low.distance, y, "P_lreg", signedPanel(low.distance, { width: panel })],
    [mapX.low.segmentation, y, "P_lseg", levelPanel(low.probability, { width: panel, truth })],
    [centre, y, "P_ensemble", levelPanel(ensemble, { width: panel, truth })],
    [mapX.high.segmentation, y, "P_hseg", levelPanel(high.probability, { width: panel, truth })],
    [mapX.high.distance, y, "P_hreg", signedPanel(high.distance, { width: panel })],
    [centre - panel - 22, second, "GT", maskPanel(truth, { width: panel })],
    [centre, second, "P_sdm", signedPanel(sdm, { width: panel })],
    [inputX, second, "input crop", imagePanel(image, { width: panel, truth })],
  ];
  const segmentations = [mapX.low.segmentation, mapX.high.segmentation];
  const top = 9;
  const parts = [
    ...placed.map(([x, y, name, figure]) =>
      place(figure, x, y) + symbol(x + panel / 2, y - 4, name, { anchor: "middle", size: 7.5 })
    ),
    arrow([[mapX.low.segmentation + panel, middle], [centre, middle]]),
    arrow([[mapX.high.segmentation, middle], [centre + panel, middle]]),
    ...[mapX.low.segmentation + panel, centre + panel].map((from, i) =>
      text(from + (i === 0 ? centre - from : mapX.high.segmentation - from) / 2, middle - 4, "SAR", {
        size: 7,
        bold: true,
        anchor: "middle",
      })
    ),
    arrow([[centres.encoder, y + height], [centres.encoder, second - 12]]),
    text(centres.encoder + 5, y + height + 11, "distance transform", { size: 6, fill: mutedInk }),
    ...segmentations.map((x) =>
      arrow([[centres.encoder, top], [x + panel / 2, top], [x + panel / 2, y - 12]], { colour: lossInk })
    ),
    loss(centres.encoder, top, "L_plc"),
    ...segmentations.map((x) => loss(x + 13, y + height + 10, "L_seg", "GT")),
    ...[mapX.low.distance, mapX.high.distance].map((x) => loss(x + 13, y + height + 10, "L_src", "P_sdm")),
  ];
  return { width: totalWidth, height: second + height, alt: "", body: parts.join("") };
}

/** A loss, and what it compares the map above with. */
function loss(x: number, y: number, name: string, against?: string): string {
  return box({ x: x - 12, y: y - 5.5, width: 24, height: 11, fill: "#fbe3d6", stroke: lossInk }) +
    symbol(x, y + 2.2, name, { anchor: "middle", size: 6.5 }) +
    (against === undefined ? "" : symbol(x + 15, y + 2.2, against, { size: 6.5, fill: lossInk }));
}

/** From the input to the encoder's first block. */
function inputArrow(from: number, to: number, views: readonly View[] | undefined): string {
  const x = inputX + panel / 2;
  const turn = to - 12;
  const content = views === undefined ? "" : `: ${views.map(viewText).join(", ")}`;
  return arrow([[x, from], [x, turn], [centres.encoder, turn], [centres.encoder, to]]) + box({
    x: x - 106,
    y: from + 7,
    width: 132,
    height: 14,
    lines: [`FT → rotate → inverse FT${content}`],
    style: { size: 6.2 },
  });
}

function panelHeight({ image }: TrainingMoment): number {
  return imagePanel(image, { width: panel }).height;
}

/** From a decoder's heads to its two maps. */
function mapArrows(role: "low" | "high", from: number, to: number): string {
  const x = centres[role];
  const fork = from - 9;
  return [mapX[role].segmentation, mapX[role].distance].map((target) =>
    arrow([[x, from], [x, fork], [target + panel / 2, fork], [target + panel / 2, to]])
  ).join("");
}

function viewText({ permutation, probability }: View): string {
  return `${permutation.map((axis) => "xyz"[axis]).join("")} ${formatNumber(100 * probability, 0)} %`;
}
