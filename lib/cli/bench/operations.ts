/** How many operations a training step of SASNet asks of its convolutions. */
import { complexityOf } from "../../network/complexity.ts";
import { disposeNetwork } from "../../network/network.ts";
import { createSasNet, sasNetDefaults } from "../../network/sasnet.ts";
import type { BenchTask } from "./task.ts";

/**
 * Multiplications and additions of all convolutions of a step and of their two gradients, in 10⁹; the first layer has
 * no gradient of its input, which is less than 1 % of the sum.
 */
export function stepOperations({ size, width, batch }: Pick<BenchTask, "size" | "width" | "batch">): number {
  const network = createSasNet({ ...sasNetDefaults, width, seed: 1 });
  const { macs } = complexityOf(network, size);
  disposeNetwork(network);
  return 3 * 2 * macs * batch / 1e9;
}
