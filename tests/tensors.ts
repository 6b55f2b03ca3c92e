/** Between PyTorch's layouts and the kit's, and numerical gradients, for tests that run the engine. */
import { tf } from "../lib/engine/tensor.ts";
import { filterAxes } from "../lib/network/parameter.ts";
import { randomStream } from "../lib/random.ts";
import type { Golden } from "./golden_set.ts";

/** A golden [n, channel, x, y, z] as the kit's [n, x, y, z, channel]. */
export function channelsLast(golden: Golden<unknown>, name: string): tf.Tensor5D {
  return tf.transpose(golden5(golden, name), [0, 2, 3, 4, 1]);
}

/** A golden filter in the kit's layout. */
export function filterOf(golden: Golden<unknown>, name: string): tf.Tensor5D {
  return tf.transpose(golden5(golden, name), [...filterAxes]);
}

/** The numbers of the kit's [n, x, y, z, channel] in PyTorch's order. */
export function channelsFirst(tensor: tf.Tensor): Float32Array {
  return tf.transpose(tensor, [0, 4, 1, 2, 3]).dataSync<"float32">();
}

/** The numbers of a filter of the kit in PyTorch's order. */
export function torchFilter(tensor: tf.Tensor): Float32Array {
  return tf.transpose(tensor, [4, 3, 0, 1, 2]).dataSync<"float32">();
}

/** Normally distributed numbers that depend on the name alone. */
export function randomTensor<T extends tf.Tensor>(name: string, shape: readonly number[]): T {
  const stream = randomStream(1, name);
  const length = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(Float32Array.from({ length }, () => stream.normal()), [...shape]) as T;
}

/** Numbers in [−1, 1) without pattern, which other languages make in the same way. */
export function disorder(length: number, k: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => {
    const value = Math.sin(12.9898 * (i + 1) + 78.233 * k) * 43758.5453;
    return 2 * (value - Math.floor(value)) - 1;
  });
}

/** Central differences of a scalar function at some entries of its argument, by default the first 12. */
export function finiteDifferences(
  f: (x: tf.Tensor) => tf.Scalar,
  x: tf.Tensor,
  { step = 1e-2, entries = 12 }: { step?: number; entries?: number } = {},
): number[] {
  const values = x.dataSync<"float32">();
  const at = (index: number, shift: number) => {
    const moved = values.slice();
    moved[index] += shift;
    return tf.tidy(() => f(tf.tensor(moved, x.shape)).dataSync()[0]);
  };
  return Array.from(
    { length: Math.min(entries, values.length) },
    (_, i) => (at(i, step) - at(i, -step)) / (2 * step),
  );
}

function golden5(golden: Golden<unknown>, name: string): tf.Tensor5D {
  return tf.tensor5d(golden.floats(name), golden.shape(name) as [number, number, number, number, number]);
}
