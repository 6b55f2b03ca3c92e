/** What a network is made of, told by its own layers: the input of diagrams and tables. */
import type { Shape3 } from "../volume/volume.ts";
import { complexityOf } from "./complexity.ts";
import { type Layer, voxelsAt } from "./layer.ts";
import type { Network } from "./network.ts";

/** Consecutive layers of one kind in one block. */
export interface BlockOutline {
  /** "encoder", or the decoder's name in the released code, such as "decoder3"; "" where names have no part. */
  readonly part: string;
  /** Without the part, such as "block_two". */
  readonly name: string;
  readonly kind: "convolution" | "down" | "up" | "head";
  readonly layers: number;
  /** Side of the convolution kernels. */
  readonly kernel: number;
  readonly inChannels: number;
  /** Of all maps of a head together. */
  readonly outChannels: number;
  /** Voxels of its output. */
  readonly grid: Shape3;
  readonly parameters: number;
  readonly macs: number;
}

/** A network as its layers tell it. */
export interface NetworkOutline {
  /** Input in voxels. */
  readonly crop: Shape3;
  /** In the order of the released code's state; layers that never run are left out. */
  readonly blocks: readonly BlockOutline[];
  readonly parameters: number;
  /** Multiply–accumulates of a forward pass of one crop. */
  readonly macs: number;
}

/**
 * The outline of a network of convolution units and heads.
 *
 * @param crop shape of its input; each side a multiple of 16.
 */
export function outlineOf(network: Network, crop: Shape3): NetworkOutline {
  const blocks: BlockOutline[] = [];
  for (const layer of network.layers) {
    if (layer.unused) continue;
    const block = blockOf(layer, crop);
    const before = blocks.at(-1);
    if (before === undefined || before.part !== block.part || before.name !== block.name) blocks.push(block);
    else {
      blocks[blocks.length - 1] = {
        ...before,
        layers: before.layers + 1,
        outChannels: block.outChannels,
        parameters: before.parameters + block.parameters,
        macs: before.macs + block.macs,
      };
    }
  }
  const { parameters, macs } = complexityOf(network, crop);
  return { crop, blocks, parameters, macs };
}

/** Level of the grid, from the number of its voxels. */
function levelOf(voxels: number, crop: Shape3): number {
  let level = 0;
  while (level < 5 && voxelsAt(crop, level) !== voxels) level++;
  return level;
}

function blockOf(layer: Layer, crop: Shape3): BlockOutline {
  const filters = layer.parameters.filter(({ layout }) => layout === "filter");
  const [part, name] = placeOf(filters[0].name);
  const cost = layer.cost(crop);
  const parameters = layer.parameters.reduce((sum, { variable }) => sum + variable.size, 0);
  const [kernel, , , from, to] = filters[0].variable.shape;
  const isHead = cost.normalised === undefined;
  const outputs = layer.parameters.find(({ layout }) => layout === "vector")!.variable.size;
  const isTransposed = !isHead && outputs !== to;
  const outChannels = isHead ? filters.length * to : outputs;
  const level = levelOf((isHead ? cost.biased : cost.normalised.values) / outChannels, crop);
  return {
    part,
    name: isHead ? "heads" : name,
    kind: isHead ? "head" : kernel !== 2 ? "convolution" : isTransposed ? "up" : "down",
    layers: 1,
    kernel,
    inChannels: isTransposed ? to : from,
    outChannels,
    grid: [crop[0] >> level, crop[1] >> level, crop[2] >> level],
    parameters,
    macs: cost.macs,
  };
}

/** "decoder3.block_five_up.conv.0.weight" → ["decoder3", "block_five_up"]. */
function placeOf(name: string): [part: string, block: string] {
  const words = name.split(".");
  return /^(block|out_conv)/.test(words[0]) ? ["", words[0]] : [words[0], words[1]];
}
