/** What the training loop, checkpoints and prediction know of a network. */
import type { tf } from "../engine/tensor.ts";
import type { Head, HeadOutput } from "./head.ts";
import type { Buffer, Parameter } from "./parameter.ts";
import type { ForwardMode, Unit } from "./unit.ts";

/** The two maps of each branch; a network with one decoder has one branch. */
export type BranchOutputs = readonly HeadOutput[];

/** A network of units and heads. */
export interface Network {
  /** In the order of the released code's state. */
  readonly units: readonly Unit[];
  readonly heads: readonly Head[];
  /**
   * One forward pass.
   *
   * @param image [n, x, y, z, 1]; each side a multiple of 16.
   */
  forward(image: tf.Tensor5D, mode: ForwardMode): BranchOutputs;
}

/** All trained tensors of a network. */
export function parametersOf(network: Network): Parameter[] {
  return [
    ...network.units.flatMap((unit) => unit.parameters),
    ...network.heads.flatMap((head) => head.parameters),
  ];
}

/** All running statistics of a network. */
export function buffersOf(network: Network): Buffer[] {
  return network.units.flatMap((unit) => unit.buffers);
}

/** Frees every tensor of a network. */
export function disposeNetwork(network: Network): void {
  for (const { variable } of [...parametersOf(network), ...buffersOf(network)]) variable.dispose();
}
