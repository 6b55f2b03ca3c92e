/** What the training loop, checkpoints and cost counts know of a network: its layers. */
import type { tf } from "../engine/tensor.ts";
import type { HeadOutput } from "./head.ts";
import type { Layer } from "./layer.ts";
import type { Buffer, Parameter } from "./parameter.ts";
import type { ForwardMode } from "./unit.ts";

/** A set of named weights; anything that is trained, averaged or stored is one. */
export interface Network {
  /** In the order of the released code's state. */
  readonly layers: readonly Layer[];
}

/** The maps of each branch; a network with one decoder has one branch. */
export type BranchOutputs = readonly HeadOutput[];

/** A network that segments. */
export interface Segmenter extends Network {
  /**
   * One forward pass.
   *
   * @param image [n, x, y, z, 1]; each side a multiple of 16.
   */
  forward(image: tf.Tensor5D, mode: ForwardMode): BranchOutputs;
}

/** All trained tensors of a network. */
export function parametersOf(network: Network): Parameter[] {
  return network.layers.flatMap((layer) => layer.parameters);
}

/** All running statistics of a network. */
export function buffersOf(network: Network): Buffer[] {
  return network.layers.flatMap((layer) => layer.statistics?.buffers ?? []);
}

/** Frees every tensor of a network. */
export function disposeNetwork(network: Network): void {
  for (const { variable } of [...parametersOf(network), ...buffersOf(network)]) variable.dispose();
}
