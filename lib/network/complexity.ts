/** Size and cost of a network, from its units alone. */
import type { Shape3 } from "../volume/volume.ts";
import { type Network, parametersOf } from "./network.ts";
import type { Unit } from "./unit.ts";

/** Parameters and multiply–accumulates of one forward pass of one crop. */
export interface Complexity {
  /** Weights, biases, scales and offsets of the layers that run. */
  readonly parameters: number;
  /** The same with layers that are declared and never run. */
  readonly declared: number;
  /** Multiplications that are done: a transposed convolution counts at its input voxels. */
  readonly macs: number;
  /** The rule of counting tools: a transposed convolution counts at its output voxels, 8 times too many. */
  readonly macsAtOutput: number;
  /** `macsAtOutput` and additions of biases, 2 a normalised and 1 a rectified value. */
  readonly withElementwise: number;
}

/** Counts a network for a crop whose sides are multiples of 16. */
export function complexityOf(network: Network, crop: Shape3): Complexity {
  const executed = network.units.filter((unit) => !unit.spec.unused);
  const sizeOf = (units: readonly Unit[]) =>
    units.flatMap((unit) => unit.parameters).reduce((sum, { variable }) => sum + variable.size, 0);
  const declared = parametersOf(network).reduce((sum, { variable }) => sum + variable.size, 0);
  let [macs, macsAtOutput, elementwise] = [0, 0, 0];
  for (const { spec } of executed) {
    const side = spec.kind === "convolution" ? 3 : 2;
    const atOutput = voxelsAt(crop, spec.level) * side ** 3 * spec.inChannels * spec.outChannels;
    macsAtOutput += atOutput;
    macs += spec.kind === "upsampling" ? atOutput / 8 : atOutput;
    // One addition of the bias, two operations of the normalisation, one of the ReLU a value.
    elementwise += 4 * voxelsAt(crop, spec.level) * spec.outChannels;
  }
  for (const { inChannels, outChannels } of network.heads) {
    macs += voxelsAt(crop, 0) * inChannels * outChannels;
    macsAtOutput += voxelsAt(crop, 0) * inChannels * outChannels;
    elementwise += voxelsAt(crop, 0) * outChannels;
  }
  const parameters = declared - (sizeOf(network.units) - sizeOf(executed));
  return { parameters, declared, macs, macsAtOutput, withElementwise: macsAtOutput + elementwise };
}

function voxelsAt(crop: Shape3, level: number): number {
  return crop.reduce((product, side) => product * (side >> level), 1);
}
