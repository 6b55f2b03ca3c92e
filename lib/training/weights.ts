/** A network's state as named arrays in PyTorch's layouts, as the released code's `state_dict` has it, and back. */
import { tf, tidy } from "../engine/tensor.ts";
import { InputError } from "../errors.ts";
import type { RunningStatistics } from "../network/layer.ts";
import { buffersOf, type Network, parametersOf } from "../network/network.ts";
import { filterAxes, type Layout } from "../network/parameter.ts";
import type { SafetensorsEntry } from "./safetensors.ts";

/** PyTorch's axes, in the kit's numbering: [out, in, x, y, z] from [x, y, z, in, out], [out, in] from [in, out]. */
const torchAxes: Readonly<Record<Exclude<Layout, "vector">, number[]>> = {
  filter: [4, 3, 0, 1, 2],
  matrix: [1, 0],
};

/** The state in PyTorch's layouts, with the batch counters of the normalisations. */
export function stateDict(network: Network): Map<string, SafetensorsEntry> {
  const entries = new Map<string, SafetensorsEntry>();
  for (const { name, variable, layout } of parametersOf(network)) {
    entries.set(name, toArray(variable, layout));
  }
  for (const { name, variable } of buffersOf(network)) entries.set(name, toArray(variable, "vector"));
  for (const statistics of statisticsOf(network)) {
    entries.set(counterName(statistics), {
      dtype: "I64",
      shape: [],
      data: BigInt64Array.of(BigInt(statistics.batches)),
    });
  }
  return entries;
}

/**
 * Puts a state into a network, strictly: every tensor there, none besides, every shape right.
 *
 * @param origin what the state was read from, for messages.
 * @throws InputError that names the tensors that do not fit; the network is then unchanged.
 */
export function loadStateDict(
  network: Network,
  state: ReadonlyMap<string, SafetensorsEntry>,
  origin: string,
): void {
  const expected = new Map<string, readonly number[]>();
  for (const { name, variable, layout } of parametersOf(network)) {
    expected.set(name, torchShape(variable, layout));
  }
  for (const { name, variable } of buffersOf(network)) expected.set(name, variable.shape);
  for (const statistics of statisticsOf(network)) expected.set(counterName(statistics), []);
  requireSame(expected, state, origin);
  for (const { name, variable, layout } of parametersOf(network)) assign(variable, state.get(name)!, layout);
  for (const { name, variable } of buffersOf(network)) assign(variable, state.get(name)!, "vector");
  for (const statistics of statisticsOf(network)) {
    statistics.batches = Number((state.get(counterName(statistics))!.data as BigInt64Array)[0]);
  }
}

/** A tensor of the kit as an array in PyTorch's layout. */
export function toArray(tensor: tf.Tensor, layout: Layout): SafetensorsEntry {
  return tidy(() => {
    const ordered = layout === "vector" ? tensor : tf.transpose(tensor, torchAxes[layout]);
    return { dtype: "F32", shape: ordered.shape, data: ordered.dataSync<"float32">() };
  });
}

/** A tensor of the kit from an array in PyTorch's layout; the caller owns it. */
export function fromArray(entry: SafetensorsEntry, layout: Layout): tf.Tensor {
  return tidy(() => {
    const tensor = tf.tensor(entry.data as Float32Array, [...entry.shape]);
    if (layout === "vector") return tensor;
    return tf.transpose(tensor, layout === "filter" ? [...filterAxes] : [1, 0]);
  });
}

function assign(variable: tf.Variable, entry: SafetensorsEntry, layout: Layout): void {
  const tensor = fromArray(entry, layout);
  variable.assign(tensor);
  tensor.dispose();
}

function torchShape(variable: tf.Variable, layout: Layout): number[] {
  return layout === "vector" ? variable.shape : torchAxes[layout].map((axis) => variable.shape[axis]);
}

function statisticsOf(network: Network): RunningStatistics[] {
  return network.layers.flatMap(({ statistics }) => statistics ?? []);
}

function counterName({ buffers }: RunningStatistics): string {
  return buffers[0].name.replace(/running_mean$/, "num_batches_tracked");
}

function requireSame(
  expected: ReadonlyMap<string, readonly number[]>,
  state: ReadonlyMap<string, SafetensorsEntry>,
  origin: string,
): void {
  const missing = [...expected.keys()].filter((name) => !state.has(name));
  const surplus = [...state.keys()].filter((name) => !expected.has(name));
  const reshaped = [...expected].filter(([name, shape]) =>
    state.has(name) && state.get(name)!.shape.join() !== shape.join()
  );
  if (missing.length + surplus.length + reshaped.length === 0) return;
  const parts: string[] = [];
  if (missing.length > 0) parts.push(`${missing.length} tensors are missing (first: ${missing[0]})`);
  if (surplus.length > 0) parts.push(`${surplus.length} do not belong (first: ${surplus[0]})`);
  if (reshaped.length > 0) {
    const [name, shape] = reshaped[0];
    const found = state.get(name)!.shape.join("×");
    parts.push(
      `${reshaped.length} have another shape (first: ${name} is ${found}, expected ${shape.join("×")})`,
    );
  }
  throw new InputError(
    `${origin} holds the weights of another network: ${parts.join("; ")}; ` +
      `use the method, width and settings that wrote it`,
  );
}
