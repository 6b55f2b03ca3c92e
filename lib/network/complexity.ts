/** Size and cost of a network, from its layers alone. */
import type { Shape3 } from "../volume/volume.ts";
import type { Layer } from "./layer.ts";
import type { Network } from "./network.ts";

/** Parameters and multiply–accumulates of one forward pass of one crop. */
export interface Complexity {
  /** Weights, biases, scales and offsets of the layers that run. */
  readonly parameters: number;
  /** The same without normalisations, as tools count a network that was built without them. */
  readonly parametersWithoutNormalisation: number;
  /** `parameters` with layers that are declared and never run. */
  readonly declared: number;
  /** Multiplications that are done: a transposed convolution counts at its input voxels. */
  readonly macs: number;
  /**
   * Convolutions by the rule of the counting tool thop, which counts a transposed convolution at its output voxels,
   * 8 times too many. It is what table 11 prints for networks that were counted without their normalisations.
   */
  readonly macsAtOutput: number;
  /** thop's whole rule: `macsAtOutput`, 4 a normalised value with scale and offset, 2 without, 1 a copied value. */
  readonly withNormalisation: number;
  /** The rule of ptflops: `macsAtOutput` and additions of biases, 2 a normalised and 1 an activated value. */
  readonly withElementwise: number;
}

/** Counts a network for a crop whose sides are multiples of 16. */
export function complexityOf(network: Network, crop: Shape3): Complexity {
  const sizeOf = (layers: readonly Layer[]) =>
    layers.flatMap((layer) => layer.parameters).reduce((sum, { variable }) => sum + variable.size, 0);
  const executed = network.layers.filter((layer) => !layer.unused);
  let [macs, macsAtOutput, thop, elementwise] = [0, 0, 0, 0];
  for (const layer of executed) {
    const cost = layer.cost(crop);
    const { values, affine } = cost.normalised ?? { values: 0, affine: true };
    macs += cost.macs;
    macsAtOutput += cost.macsAtOutput;
    thop += values * (affine ? 4 : 2) + (cost.copied ?? 0);
    elementwise += cost.biased + 2 * values + (cost.activated ?? 0);
  }
  const parameters = sizeOf(executed);
  // A running mean has one value a scale and one an offset.
  const affine = executed.reduce(
    (sum, { statistics }) => sum + 2 * (statistics?.buffers[0].variable.size ?? 0),
    0,
  );
  return {
    parameters,
    parametersWithoutNormalisation: parameters - affine,
    declared: sizeOf(network.layers),
    macs,
    macsAtOutput,
    withNormalisation: macsAtOutput + thop,
    withElementwise: macsAtOutput + elementwise,
  };
}
