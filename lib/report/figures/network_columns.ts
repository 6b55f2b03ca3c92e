/** The network of figure 2: blocks as boxes, a column for the encoder and for each decoder, a row for each grid. */
import type { BlockOutline, NetworkOutline } from "../../network/outline.ts";
import { mutedInk, text } from "../svg.ts";
import { arrow, box } from "./diagram.ts";

/** Centres of the columns: low-level decoder, encoder, high-level decoder. */
export const centres = { low: 84, encoder: 262, high: 440 } as const;
const boxHeight = 27;
/** From the first row of boxes up to the heads. */
export const headRise = 24;
const levelStep = 49;

/** The role of a part of the network in the figure, and its colour. */
const roles = {
  encoder: { title: "Encoder", fill: "#eef1f4" },
  low: { title: "Low-level decoder", fill: "#fdf0d5" },
  high: { title: "High-level decoder", fill: "#dcebf7" },
} as const;
export type Role = keyof typeof roles;

/** The columns of a network, and where they end. */
export interface NetworkColumns {
  readonly body: string;
  /** Upper edge of the first row of boxes, and lower end of everything. */
  readonly top: number;
  readonly bottom: number;
  readonly roles: readonly Role[];
}

/** Draws the columns from `y` on: titles and heads of the decoders first. */
export function networkColumns(network: NetworkOutline, y: number): NetworkColumns {
  const levels = levelsOf(network);
  const rowY = (level: number) => y + 24 + level * levelStep;
  const parts: string[] = [];
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
  return {
    body: parts.join(""),
    top: rowY(0),
    bottom: rowY(levels - 1) + boxHeight + 12,
    roles: [...rolesOf.values()],
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

/** "9.18 M", "83.2 k" or "444". */
export function thousands(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toPrecision(3)} M`;
  return count >= 1e3 ? `${(count / 1e3).toPrecision(3)} k` : String(count);
}

export function giga(macs: number): string {
  return macs >= 1e9 ? `${(macs / 1e9).toPrecision(3)} G` : `${(macs / 1e6).toPrecision(3)} M`;
}
