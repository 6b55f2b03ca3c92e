/** The network: outputs, statistics, loss, gradients, size. */
import { valueAndGradients } from "../../engine/tape.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import { complexityOf } from "../../network/complexity.ts";
import type { LayerCost } from "../../network/layer.ts";
import { buffersOf, disposeNetwork, type Network, parametersOf } from "../../network/network.ts";
import { createSasNet, type SasNet } from "../../network/sasnet.ts";
import { createVNet } from "../../network/segmenter.ts";
import { evaluationMode } from "../../network/unit.ts";
import { crossEntropy, diceLoss, regressionLoss } from "../../sasnet/losses.ts";
import type { SafetensorsEntry } from "../../training/safetensors.ts";
import { loadStateDict, stateDict, toArray } from "../../training/weights.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { ComplexityJson, NetworkJson, StatisticsJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";
import { channelsFirst, channelsLast } from "./layout.ts";
import { compareStatistics } from "./statistics.ts";

/** The network of a golden state, with the layer that the released code never runs. */
function goldenNetwork(
  width: number,
  state: ReadonlyMap<string, SafetensorsEntry>,
  origin: string,
): SasNet {
  const network = createSasNet({
    width,
    branches: "both",
    lowLayers: 4,
    keepUnused: true,
    dropout: false,
    seed: 0,
  });
  loadStateDict(network, state, origin);
  return network;
}

/** Outputs, statistics, loss and gradients of the network. */
export function checkNetwork(
  golden: Golden<NetworkJson>,
  state: ReadonlyMap<string, SafetensorsEntry>,
  checks: Checks,
): void {
  const { json } = golden;
  const network = goldenNetwork(json.n_filters, state, "network_state.safetensors");
  for (const [name, { data }] of state) {
    if (!golden.has(name)) continue;
    checks.compare(`network.state.${name}`, data as Float32Array, golden.tensor(name).data, { tolerance: 0 });
  }
  tidy(() => {
    const shapes = [...stateDict(network)].map(([name, { shape }]) => [name, shape]);
    checks.same("network.state", shapes.sort(byName), Object.entries(json.state_dict_order).sort(byName));
    checkCounters(checks, network, "before", json.num_batches_tracked.before);
    const input = channelsLast(golden.tensor("input"));
    for (const mode of ["eval", "train"] as const) {
      checkOutputs(golden, checks, {
        name: "network",
        mode,
        network,
        input,
        recorded: json.output_stats[mode],
      });
    }
    checkNetworkLoss(golden, checks, network, input);
    checkCounters(checks, network, "after", json.num_batches_tracked.after);
  });
  for (const { name, variable } of buffersOf(network)) {
    const expected = golden.tensor(`after.${name}`).data;
    checks.compare(`network.after.${name}`, variable.dataSync(), expected, { tolerance: 1e-5 });
  }
  disposeNetwork(network);
}

function byName([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

/** The normalisations' counters of training batches; the layer that never runs stays at 0. */
function checkCounters(checks: Checks, network: SasNet, when: string, expected: number): void {
  const counters = [...stateDict(network)].filter(([name]) => /num_batches_tracked$/.test(name));
  const counts = counters.filter(([name]) => !name.startsWith("decoder2.block_five_up."));
  const found = counts.map(([, { data }]) => Number(data[0]));
  checks.compare(`network.num_batches_tracked.${when}`, found, found.map(() => expected), {
    tolerance: 0,
    absolute: true,
  });
}

function checkNetworkLoss(
  golden: Golden<NetworkJson>,
  checks: Checks,
  network: SasNet,
  input: tf.Tensor5D,
): void {
  const { json } = golden;
  const label = golden.bytes("label");
  const shape = label.shape as [number, number, number, number];
  const labels = tf.tensor4d(Float32Array.from(label.data), shape);
  const target = tf.tensor4d(golden.tensor("target").data, shape);
  const parameters = parametersOf(network);
  const { value, gradients } = valueAndGradients(() => {
    const outputs = network.forward(input, { training: true, updateStatistics: true });
    const parts = outputs.flatMap(({ margin, distance }) => [
      diceLoss(margin, labels),
      crossEntropy(margin, labels),
      regressionLoss(distance!, target),
    ]);
    return { loss: tf.addN(parts) as tf.Scalar };
  }, parameters.map(({ variable }) => variable));
  checks.compare("network.loss", value.loss.dataSync(), [json.loss], { tolerance: 1e-5 });
  const zero = new Set(json.zero_gradient_by_batchnorm);
  const none = new Set(json.parameters_without_gradient);
  parameters.forEach(({ name, layout, variable }, i) => {
    const gradient = gradients[i];
    if (none.has(name)) return checks.same(`network.grad.${name}`, gradient === undefined, true);
    const expected = golden.tensor(`grad.${name}`).data;
    const actual = gradient === undefined
      ? new Float32Array(variable.size)
      : toArray(gradient, layout).data as Float32Array;
    const tolerance = zero.has(name) ? { tolerance: 1e-5, absolute: true } : { tolerance: 5e-4 };
    checks.compare(`network.grad.${name}`, actual, expected, tolerance);
    if (zero.has(name)) return;
    compareStatistics(checks, `network.gradient_stats.${name}`, actual, {
      statistics: json.gradient_stats[name],
      tolerance: { values: 5e-4, l2: 5e-4 },
    });
  });
}

/** The plain state dict of base width 1 and its outputs. */
export function checkMini(
  golden: Golden<{ n_filters: number; parameters: number }>,
  state: ReadonlyMap<string, SafetensorsEntry>,
  checks: Checks,
): void {
  const network = goldenNetwork(golden.json.n_filters, state, "mini_state.safetensors");
  const parameters = parametersOf(network).reduce((sum, { variable }) => sum + variable.size, 0);
  checks.same("mini.parameters", parameters, golden.json.parameters);
  tidy(() =>
    checkOutputs(golden, checks, {
      name: "mini",
      mode: "eval",
      network,
      input: channelsLast(golden.tensor("input")),
    })
  );
  disposeNetwork(network);
}

function checkOutputs(
  golden: Golden,
  checks: Checks,
  { name, mode, network, input, recorded }: {
    name: string;
    mode: "eval" | "train";
    network: SasNet;
    input: tf.Tensor5D;
    recorded?: Readonly<Record<string, StatisticsJson>>;
  },
): void {
  const outputs = network.full(
    input,
    mode === "eval" ? evaluationMode : { training: true, updateStatistics: false },
  );
  ["high", "low"].forEach((branch, i) => {
    const maps: [string, tf.Tensor][] = [["seg", outputs[i].logits], ["tanh", outputs[i].regression!]];
    for (const [map, tensor] of maps) {
      const key = `out.${mode}.${map}_${branch}`;
      const values = channelsFirst(tensor);
      checks.compare(`${name}.${key}`, values, golden.tensor(key).data, { tolerance: 3e-4 });
      const statistics = recorded?.[`${map}_${branch}`];
      if (statistics === undefined) continue;
      compareStatistics(checks, `${name}.output_stats.${mode}.${map}_${branch}`, values, {
        statistics,
        tolerance: { values: 3e-4, l2: 3e-4 },
      });
    }
  });
}

/** Parameters and multiply–accumulates. */
export function checkComplexity(golden: Golden<ComplexityJson>, checks: Checks): void {
  const base = { width: 16, dropout: false, seed: 0 };
  const sas = { ...base, branches: "both", lowLayers: 4 } as const;
  const makers: Record<string, () => Network> = {
    vnet: () => createVNet(base),
    vnet_two_heads: () => createVNet({ ...base, regression: true }),
    sasnet_with_unused: () => createSasNet({ ...sas, keepUnused: true }),
    sasnet_without_unused: () => createSasNet({ ...sas, keepUnused: false }),
  };
  for (const [model, inputs] of Object.entries(golden.json.models)) {
    if (!(model in makers)) {
      checks.fail(`complexity.${model}: not known`);
      continue;
    }
    const network = makers[model]();
    const filters = parametersOf(network).filter(({ layout }) => layout === "filter");
    const weights = filters.reduce((sum, { variable }) => sum + variable.size, 0);
    for (const [input, expected] of Object.entries(inputs)) {
      const crop = input.split("x").map(Number) as unknown as Shape3;
      const found = complexityOf(network, crop);
      const costs = network.layers.filter((layer) => !layer.unused).map((layer) => layer.cost(crop));
      const sum = (of: (cost: LayerCost) => number) => costs.reduce((total, cost) => total + of(cost), 0);
      const pairs: [string, number, number][] = [
        ["parameters", found.declared, expected.parameters],
        ["conv_weights", weights, expected.conv_weights],
        ["macs", found.macs, expected.conv_macs],
        ["macs_at_output", found.macsAtOutput, expected.conv_macs_transposed_at_output],
        ["bias_adds", sum((cost) => cost.biased), expected.bias_adds],
        ["batchnorm_ops", sum((cost) => 2 * (cost.normalised?.values ?? 0)), expected.batchnorm_ops],
        ["relu_ops", sum((cost) => cost.activated ?? 0), expected.relu_ops],
        ["ptflops_style", found.withElementwise, expected.ptflops_style],
      ];
      for (const [what, actual, wanted] of pairs) {
        checks.same(`complexity.${model}.${input}.${what}`, actual, wanted);
      }
    }
    disposeNetwork(network);
  }
}
