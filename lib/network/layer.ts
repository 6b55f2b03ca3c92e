/** A layer with weights: what the optimisers, checkpoints and cost counts know of it. */
import type { Shape3 } from "../volume/volume.ts";
import type { Buffer, Parameter } from "./parameter.ts";

/** Running statistics of a normalisation. */
export interface RunningStatistics {
  /** Mean and variance. */
  readonly buffers: readonly Buffer[];
  /** How many batches they have taken in. */
  batches: number;
}

/** What one layer costs in a forward pass of one crop. */
export interface LayerCost {
  /** Multiplications that are done. */
  readonly macs: number;
  /** The same where a transposed convolution is counted at its output voxels, 8 times too many. */
  readonly macsAtOutput: number;
  /** Values to which a bias is added. */
  readonly biased: number;
  /** Values that are normalised, with and without a scale and offset of their own. */
  readonly normalised?: { readonly values: number; readonly affine: boolean };
  /** Values that the nearest ones are copied to, which thop counts; it leaves trilinear interpolation out. */
  readonly copied?: number;
  /** Values that pass an activation function. */
  readonly activated?: number;
}

/** A layer with weights. */
export interface Layer {
  readonly parameters: readonly Parameter[];
  readonly statistics?: RunningStatistics;
  /** True for a layer that the released network declares and never runs. */
  readonly unused?: boolean;
  /** @param crop shape of the network's input. */
  cost(crop: Shape3): LayerCost;
}

/** Voxels of a crop after it was halved `level` times. */
export function voxelsAt(crop: Shape3, level: number): number {
  return crop.reduce((product, side) => product * (side >> level), 1);
}
