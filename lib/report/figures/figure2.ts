/** The paper's figure 2: the framework, drawn from the layers of a created network and its maps of a labelled crop. */
import type { View } from "../../data/dataset.ts";
import type { FigureContents, TrainingMoment } from "../../experiments/figure_data.ts";
import type { BlockOutline, NetworkOutline } from "../../network/outline.ts";
import { type Figure, formatNumber, mutedInk, place, text } from "../svg.ts";
import { arrow, box, symbol } from "./diagram.ts";
import { imagePanel, levelPanel, maskPanel, signedPanel } from "./maps.ts";

/** What figure 2 shows beside what is stored. */
export interface Figure2Options {
  /** The data set's views (eq. 10), for the box of the view variance. */
  readonly views?: readonly View[];
}

const panel = 58;
/** Centres of the columns: low-level decoder, encoder, high-level decoder. */
const centres = { low: 84, encoder: 262, high: 440 } as const;
const totalWidth = 524;
const boxHeight = 27;
/** From the first row of boxes up to the heads. */
const headRise = 24;
/** Left edges of the maps of the branches. */
const mapX = {
  low: { distance: 0, segmentation: panel + 14 },
  high: { distance: totalWidth - panel, segmentation: totalWidth - 2 * panel - 14 },
} as const;
const inputX = centres.encoder + panel / 2 + 22;
const lossInk = "#b34a00";
const levelStep = 49;

/** The role of a part of the network in the figure, and its colour. */
const roles = {
  encoder: { title: "Encoder", fill: "#eef1f4" },
  low: { title: "Low-level decoder", fill: "#fdf0d5" },
  high: { title: "High-level decoder", fill: "#dcebf7" },
} as const;
type Role = keyof typeof roles;

/**
 * The framework: the encoder in the middle, the decoders on both sides of it with their maps above them, and what
 * training makes of the maps. Widths of boxes grow with the channels, rows are grids.
 */
export function figure2(
  { network, moment }: FigureContents["figure2"],
  { views }: Figure2Options = {},
): Figure {
  const top = mapRow(moment);
  const networkTop = top.height + 26;
  const levels = levelsOf(network);
  const rowY = (level: number) => networkTop + 24 + level * levelStep;
  const parts: string[] = [top.body];
  const rolesOf = partsOfNetwork(network);
  for (const [part, role] of rolesOf) {
    const blocks = network.blocks.filter((block) => block.part === part);
    parts.push(columnOf(blocks, role, { rowY, crop: network.crop }));
  }
  for (const [part, role] of rolesOf) {
    if (role === "encoder") continue;
    const blocks = network.blocks.filter((block) => block.part === part && block.kind === "convolution");
    parts.push(...skips(blocks, role, { rowY, network }));
  }
  parts.push(
    inputArrow(top.height, rowY(0), views),
    ...([...rolesOf.values()].filter((role) => role !== "encoder") as ("low" | "high")[]).map((role) =>
      mapArrows(role, rowY(0) - headRise - 11, top.height - panelHeight(moment) - 10)
    ),
  );
  const bottom = rowY(levels - 1) + boxHeight + 12;
  parts.push(
    text(
      totalWidth / 2,
      bottom + 8,
      `${thousands(network.parameters)} parameters, ${giga(network.macs)} multiply–accumulates a crop of ${
        network.crop.join("×")
      }. Under each block: grid and parameters. Dashed: added skip connections.`,
      { size: 6.8, anchor: "middle", fill: mutedInk },
    ),
  );
  return {
    width: totalWidth,
    height: bottom + 12,
    alt: `SASNet: a shared encoder and ${rolesOf.size - 1} decoders, ${
      thousands(network.parameters)
    } parameters`,
    body: parts.join(""),
  };
}

/** Which part of the network plays which role: the decoder that starts deeper is the high-level one. */
function partsOfNetwork({ blocks }: NetworkOutline): Map<string, Role> {
  const names = [...new Set(blocks.map(({ part }) => part))];
  const deepest = (part: string) =>
    Math.max(
      ...blocks.filter((block) => block.part === part && block.kind !== "head").map((b) => b.inChannels),
    );
  const decoders = names.filter((name) => name !== "encoder").sort((a, b) => deepest(a) - deepest(b));
  const roles = new Map<string, Role>([["encoder", "encoder"]]);
  decoders.forEach((name, i) => roles.set(name, i === decoders.length - 1 ? "high" : "low"));
  return roles;
}

function levelsOf({ blocks, crop }: NetworkOutline): number {
  return Math.max(...blocks.map(({ grid }) => levelOf(grid, crop))) + 1;
}

function levelOf(grid: readonly number[], crop: readonly number[]): number {
  return Math.round(Math.log2(crop[0] / grid[0]));
}

interface ColumnPlace {
  readonly rowY: (level: number) => number;
  readonly crop: readonly number[];
}

/** Boxes of a part from the full grid downwards, with the arrows of the changes of grid between them. */
function columnOf(blocks: readonly BlockOutline[], role: Role, { rowY, crop }: ColumnPlace): string {
  const x = centres[role];
  const { title, fill } = roles[role];
  const parameters = blocks.reduce((sum, block) => sum + block.parameters, 0);
  const parts = blocks.filter(({ kind }) => kind === "convolution").map((block) => {
    const y = rowY(levelOf(block.grid, crop));
    const width = boxWidth(block.outChannels, blocks);
    return box({
      x: x - width / 2,
      y,
      width,
      height: boxHeight,
      fill,
      lines: [
        `${block.layers} × conv ${block.kernel}³, ${block.outChannels} channels`,
        `${block.grid.join("×")} · ${thousands(block.parameters)}`,
      ],
      style: { size: 6.4 },
    });
  });
  for (const block of blocks) {
    const level = levelOf(block.grid, crop);
    if (block.kind === "down") {
      parts.push(
        arrow([[x, rowY(level - 1) + boxHeight], [x, rowY(level)]]),
        text(x + 5, rowY(level) - (levelStep - boxHeight) / 2, `conv ${block.kernel}³, stride 2`, {
          size: 6,
          vertical: "middle",
          fill: mutedInk,
        }),
      );
    }
    if (block.kind === "up" && rowOfInput(block, blocks)) {
      parts.push(
        arrow([[x, rowY(level + 1)], [x, rowY(level) + boxHeight]]),
        text(x + 5, rowY(level + 1) - (levelStep - boxHeight) / 2, `transposed ${block.kernel}³`, {
          size: 6,
          vertical: "middle",
          fill: mutedInk,
        }),
      );
    }
    if (block.kind === "head") {
      const y = rowY(0) - headRise;
      parts.push(
        arrow([[x, rowY(0)], [x, y + 13]]),
        box({
          x: x - 58,
          y,
          width: 116,
          height: 13,
          fill: "#ffffff",
          lines: [`heads: conv ${block.kernel}³ → ${block.outChannels} maps`],
          style: { size: 6.4 },
        }),
      );
    }
  }
  const isEncoder = role === "encoder";
  const lowest = Math.max(...blocks.map(({ grid }) => levelOf(grid, crop)));
  const y = isEncoder ? rowY(lowest) + boxHeight + 11 : rowY(0) - headRise - 4;
  parts.push(
    text(x, y, `${title}, ${thousands(parameters)} parameters`, { size: 7.5, bold: true, anchor: "middle" }),
  );
  return parts.join("");
}

/** Whether an up-sampling starts from a block of its own part, and not from the encoder. */
function rowOfInput(up: BlockOutline, blocks: readonly BlockOutline[]): boolean {
  return blocks.some(({ kind, outChannels, grid }) =>
    kind === "convolution" && outChannels === up.inChannels && 2 * grid[0] === up.grid[0]
  );
}

function boxWidth(channels: number, blocks: readonly BlockOutline[]): number {
  const fewest = Math.min(...blocks.filter(({ kind }) => kind === "convolution").map((b) => b.outChannels));
  return 98 + 8 * Math.log2(channels / fewest);
}

/** From the encoder's blocks to those of a decoder: its start, and the features that are added on its way up. */
function skips(
  blocks: readonly BlockOutline[],
  role: "low" | "high",
  { rowY, network }: ColumnPlaceOfNetwork,
): string[] {
  const encoder = network.blocks.filter(({ part, kind }) => part === "encoder" && kind === "convolution");
  const side = role === "low" ? -1 : 1;
  const edge = (block: BlockOutline, among: readonly BlockOutline[], centre: number, towards: number) =>
    centre + towards * boxWidth(block.outChannels, among) / 2;
  const ups = network.blocks.filter(({ part, kind }) => part === blocks[0].part && kind === "up");
  const lines = blocks.map((block) => {
    const level = levelOf(block.grid, network.crop);
    const from = encoder.find(({ grid }) => grid.join() === block.grid.join())!;
    const y = rowY(level) + boxHeight / 2;
    const isStart = !ups.some(({ grid }) => grid.join() === block.grid.join());
    return arrow(
      [[edge(from, encoder, centres.encoder, side), y], [edge(block, blocks, centres[role], -side), y]],
      isStart ? { width: 1.2 } : { dash: "3 1.8" },
    );
  });
  // A decoder that starts below its first block rises from the encoder's deepest feature.
  const first = ups.find((up) => !rowOfInput(up, network.blocks.filter(({ part }) => part === up.part)));
  if (first === undefined) return lines;
  const level = levelOf(first.grid, network.crop);
  const from = encoder.find(({ outChannels }) => outChannels === first.inChannels)!;
  const y = rowY(level + 1) + boxHeight / 2;
  const x = centres[role];
  return [
    ...lines,
    arrow([[edge(from, encoder, centres.encoder, side), y], [x, y], [x, rowY(level) + boxHeight]], {
      width: 1.2,
    }),
    text(x + 5, y - 8, `transposed ${first.kernel}³`, { size: 6, fill: mutedInk }),
  ];
}

interface ColumnPlaceOfNetwork {
  readonly rowY: (level: number) => number;
  readonly network: NetworkOutline;
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

/** "9.18 M", "83.2 k" or "444". */
function thousands(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toPrecision(3)} M`;
  return count >= 1e3 ? `${(count / 1e3).toPrecision(3)} k` : String(count);
}

function giga(macs: number): string {
  return macs >= 1e9 ? `${(macs / 1e9).toPrecision(3)} G` : `${(macs / 1e6).toPrecision(3)} M`;
}
