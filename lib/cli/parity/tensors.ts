/** Golden files of single operations, losses, and the network. */
import { batchMoments, normalisedRelu, normGradient, reluGradient, unbiased } from "../../engine/batch_norm.ts";
import { conv1, conv3, type Convolution, convolve, downsample2, upsample2 } from "../../engine/convolution.ts";
import { doubleGrid, type Upsampling } from "../../engine/resample.ts";
import { valueAndGradients } from "../../engine/tape.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import { complexityOf } from "../../network/complexity.ts";
import { buffersOf, disposeNetwork, type Network, parametersOf } from "../../network/network.ts";
import { createSasNet, createVNet, type SasNet } from "../../network/sasnet.ts";
import { evaluationMode } from "../../network/unit.ts";
import { crossEntropy, diceLoss, pseudoLabelLoss, type PseudoLabelRule, regressionLoss } from "../../sasnet/losses.ts";
import { gammaRamp } from "../../sasnet/schedule.ts";
import type { SafetensorsEntry } from "../../training/safetensors.ts";
import { fromArray, loadStateDict, toArray } from "../../training/weights.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { ComplexityJson, LossesJson, NetworkJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";

const toLast = [0, 2, 3, 4, 1];
const toFirst = [0, 4, 1, 2, 3];
const operationTolerance = { tolerance: 1e-5 };

/** [n, channel, x, y, z] → [n, x, y, z, channel] */
export function channelsLast(entry: SafetensorsEntry): tf.Tensor5D {
  const shape = entry.shape as [number, number, number, number, number];
  return tidy(() => tf.transpose(tf.tensor5d(entry.data as Float32Array, shape), toLast));
}

/** [n, x, y, z, channel] → values in [n, channel, x, y, z] order */
export function channelsFirst(tensor: tf.Tensor): Float32Array {
  return tidy(() => tf.transpose(tensor, toFirst).dataSync<"float32">());
}

/** Every operation with all of its gradients. */
export function checkOperations(golden: Golden<{ ops: Record<string, unknown> }>, checks: Checks): void {
  const convolutions: Record<string, Convolution> = {
    conv3d_k3_s1_p1: conv3,
    conv3d_k2_s2: downsample2,
    conv3d_k2_s2_odd: downsample2,
    conv3d_k1: conv1,
    conv_transpose3d_k2_s2: upsample2,
  };
  const upsamplings: Record<string, Upsampling> = {
    trilinear_x2_align_true: { trilinear: "alignCorners" },
    trilinear_x2_align_true_one: { trilinear: "alignCorners" },
    trilinear_x2_align_false: { trilinear: "halfPixel" },
    nearest_x2: "nearest",
  };
  const simple: Record<string, (x: tf.Tensor5D) => tf.Tensor> = {
    softmax_channel: (x) => tf.softmax(x),
    tanh: (x) => tf.tanh(x),
    dropout3d: (x) => tf.mul(x, dropoutMask(golden)),
  };
  for (const name of Object.keys(golden.json.ops)) {
    if (name in convolutions) checkConvolution(golden, checks, { name, kind: convolutions[name] });
    else if (name in upsamplings) checkMap(golden, checks, { name, map: (x) => doubleGrid(x, upsamplings[name]) });
    else if (name in simple) checkMap(golden, checks, { name, map: simple[name] });
    else if (name === "batch_norm_train" || name === "batch_norm_eval") checkBatchNorm(golden, checks, name);
    else checks.fail(`ops.${name}: not known`);
  }
}

function dropoutMask(golden: Golden): tf.Tensor5D {
  const { data, shape } = golden.bytes("dropout3d.mask");
  // Kept channels are scaled by 1/(1 − p) with p = 1/2.
  return tf.tensor5d(Float32Array.from(data, (kept) => kept === 0 ? 0 : 2), [shape[0], 1, 1, 1, shape[1]]);
}

function checkMap(
  golden: Golden,
  checks: Checks,
  { name, map }: { name: string; map: (x: tf.Tensor5D) => tf.Tensor },
): void {
  tidy(() => {
    const x = channelsLast(golden.tensor(`${name}.x`));
    const weights = channelsLast(golden.tensor(`${name}.g`));
    const { value, gradients } = valueAndGradients(() => {
      const y = map(x);
      return { loss: tf.sum(tf.mul(y, weights)) as tf.Scalar, y };
    }, [x]);
    checks.compare(`ops.${name}.y`, channelsFirst(value.y), golden.tensor(`${name}.y`).data, operationTolerance);
    const expected = golden.tensor(`${name}.grad_x`).data;
    checks.compare(`ops.${name}.grad_x`, channelsFirst(gradients[0]!), expected, operationTolerance);
  });
}

function checkConvolution(
  golden: Golden,
  checks: Checks,
  { name, kind }: { name: string; kind: Convolution },
): void {
  tidy(() => {
    const x = channelsLast(golden.tensor(`${name}.x`));
    const filter = fromArray(golden.tensor(`${name}.w`), "filter") as tf.Tensor5D;
    const bias = tf.tensor1d(golden.tensor(`${name}.b`).data);
    const weights = channelsLast(golden.tensor(`${name}.g`));
    const { value, gradients } = valueAndGradients(() => {
      const y = convolve(kind, x, filter, bias);
      return { loss: tf.sum(tf.mul(y, weights)) as tf.Scalar, y };
    }, [x, filter, bias]);
    const results: [string, ArrayLike<number>][] = [
      ["y", channelsFirst(value.y)],
      ["grad_x", channelsFirst(gradients[0]!)],
      ["grad_w", toArray(gradients[1]!, "filter").data as Float32Array],
      ["grad_b", gradients[2]!.dataSync()],
    ];
    for (const [part, actual] of results) {
      checks.compare(`ops.${name}.${part}`, actual, golden.tensor(`${name}.${part}`).data, operationTolerance);
    }
  });
}

/** The normalisation without its ReLU: a large offset keeps every value positive, and is taken off again. */
function checkBatchNorm(golden: Golden, checks: Checks, name: "batch_norm_train" | "batch_norm_eval"): void {
  tidy(() => {
    const isTraining = name === "batch_norm_train";
    const x = channelsLast(golden.tensor(`${name}.x`));
    const scale = tf.tensor1d(golden.tensor(`${name}.w`).data);
    const offset = tf.tensor1d(golden.tensor(`${name}.b`).data);
    const running = ["mean", "var"].map((what) => tf.tensor1d(golden.tensor(`batch_norm.running_${what}`).data));
    const moments = isTraining ? batchMoments(x) : { mean: running[0], variance: running[1] };
    const lift = 64;
    const lifted = normalisedRelu(x, moments, { scale, offset: tf.add(offset, lift) });
    const y = tf.sub(lifted, lift);
    // The lift costs five bits of the 24.
    checks.compare(`ops.${name}.y`, channelsFirst(y), golden.tensor(`${name}.y`).data, { tolerance: 1e-5 });
    const dy = reluGradient(channelsLast(golden.tensor(`${name}.g`)), lifted);
    const gradients = normGradient(dy, x, moments, { scale, offset }, isTraining);
    const parts: [string, ArrayLike<number>][] = [
      ["grad_x", channelsFirst(gradients.x)],
      ["grad_w", gradients.scale.dataSync()],
      ["grad_b", gradients.offset.dataSync()],
    ];
    for (const [part, actual] of parts) {
      checks.compare(`ops.${name}.${part}`, actual, golden.tensor(`${name}.${part}`).data, operationTolerance);
    }
    if (!isTraining) return;
    const variance = unbiased(moments.variance, x.size / x.shape[4]);
    [moments.mean, variance].forEach((fresh, i) => {
      const after = tf.add(tf.mul(running[i], 0.9), tf.mul(fresh, 0.1)).dataSync();
      const part = `running_${["mean", "var"][i]}_after`;
      checks.compare(`ops.${name}.${part}`, after, golden.tensor(`${name}.${part}`).data, operationTolerance);
    });
  });
}

/** Loss terms and their gradients by logits and regressions. */
export function checkLosses(golden: Golden<LossesJson>, checks: Checks): void {
  tidy(() => {
    const { json } = golden;
    const logits = golden.tensor("logits");
    const [branches, items, , ...grid] = logits.shape;
    const all = tf.tensor(logits.data, [...logits.shape]);
    const regression = golden.tensor("tanh");
    const tanh = tf.tensor(regression.data, [...regression.shape]);
    const label = golden.bytes("label");
    const labels = tf.tensor4d(Float32Array.from(label.data), label.shape as [number, number, number, number]);
    const labelled = label.shape[0];
    const sdm = tf.tensor4d(golden.tensor("sdm").data, [items, ...grid] as [number, number, number, number]);

    const marginsOf = (x: tf.Tensor) => {
      const [background, foreground] = tf.unstack(x, 2);
      return tf.unstack(tf.sub(foreground, background)) as tf.Tensor4D[];
    };
    const sum = (parts: tf.Scalar[]) => tf.addN(parts) as tf.Scalar;
    const ofLabelled = (x: tf.Tensor) => marginsOf(x).map((margin) => tf.slice(margin, 0, labelled));
    const plc = (x: tf.Tensor, rule: PseudoLabelRule) => {
      const [high, low] = marginsOf(x);
      return pseudoLabelLoss(high, low, rule, json.T);
    };
    const dice = (x: tf.Tensor) => sum(ofLabelled(x).map((margin) => diceLoss(margin, labels)));
    const ce = (x: tf.Tensor) => sum(ofLabelled(x).map((margin) => crossEntropy(margin, labels)));
    const src = (t: tf.Tensor) =>
      sum((tf.unstack(t) as tf.Tensor5D[]).map((branch) => regressionLoss(tf.unstack(branch, 1)[1] as tf.Tensor4D, sdm)));
    const total = (x: tf.Tensor, t: tf.Tensor, variant: string, iteration: number) => {
      const gamma = gammaRamp(iteration, { stepsPerTick: 150 });
      const supervised = variant === "paper" ? tf.add(dice(x), ce(x)) : dice(x);
      return tf.add(tf.mul(supervised, json.beta), tf.mul(tf.add(plc(x, "sharpened"), src(t)), gamma)) as tf.Scalar;
    };
    const terms: Record<string, (x: tf.Tensor, t: tf.Tensor) => tf.Scalar> = {
      dice: (x) => dice(x),
      ce: (x) => ce(x),
      plc: (x) => plc(x, "sharpened"),
      plc_detached: (x) => plc(x, "detached"),
      plc_eq15: (x) => plc(x, "plain"),
      src: (_x, t) => src(t),
      dice_high: (x) => diceLoss(ofLabelled(x)[0], labels),
      ce_high: (x) => crossEntropy(ofLabelled(x)[0], labels),
    };
    for (const [name, expected] of Object.entries(json.values)) {
      const [kind, variant, iteration] = name.split(".");
      const term = kind === "total"
        ? (x: tf.Tensor, t: tf.Tensor) => total(x, t, variant, Number(iteration))
        : terms[name];
      // The two halves of plc are recorded for readers; their sum is what is computed.
      if (/_vs_sharp_/.test(name)) continue;
      if (term === undefined) {
        checks.fail(`losses.${name}: not known`);
        continue;
      }
      const { value, gradients } = valueAndGradients(() => ({ loss: term(all, tanh) }), [all, tanh]);
      const tolerance = { tolerance: 1e-5, variant: variant ?? "" };
      checks.compare(`losses.${name}`, value.loss.dataSync(), [expected], tolerance);
      ["logits", "tanh"].forEach((input, i) => {
        const tensor = `grad.${name}.${input}`;
        if (golden.has(tensor)) checks.compare(`losses.${tensor}`, gradients[i]!.dataSync(), golden.tensor(tensor).data, tolerance);
      });
    }
    const empty = golden.tensor("dice_empty.logits");
    const [background, foreground] = tf.unstack(tf.tensor(empty.data, [...empty.shape]), 1);
    const margin = tf.sub(foreground, background) as tf.Tensor4D;
    const none = diceLoss(margin, tf.zerosLike(margin)).dataSync();
    checks.compare("losses.dice_no_foreground_label", none, [json.dice_no_foreground_label], { tolerance: 1e-5 });
    const nothing = diceLoss(tf.fill(margin.shape, -1e4), tf.zerosLike(margin)).dataSync();
    checks.compare("losses.dice_all_zero", nothing, [json.dice_all_zero], { tolerance: 1e-5, absolute: true });
    for (const [iteration, expected] of Object.entries(json.gamma)) {
      const gamma = gammaRamp(Number(iteration), { stepsPerTick: 150 });
      checks.compare(`losses.gamma.${iteration}`, [gamma], [expected], { tolerance: 1e-12 });
    }
    const probabilities = json.sharpening.p;
    for (const [key, expected] of Object.entries(json.sharpening)) {
      if (key === "p") continue;
      const temperature = Number(key.slice(2));
      const margins = probabilities.map((p) => Math.log(p / (1 - p)));
      const sharp = tf.sigmoid(tf.mul(tf.tensor1d(margins.map((m) => Math.max(-1e4, Math.min(1e4, m)))), 1 / temperature));
      checks.compare(`losses.sharpening.${key}`, sharp.dataSync(), expected, { tolerance: 1e-5, absolute: true });
    }
    if (branches !== 2) checks.fail("losses: expected two branches");
  });
}

/** The network of a golden state, with the layer that the released code never runs. */
export function goldenNetwork(width: number, state: ReadonlyMap<string, SafetensorsEntry>, origin: string): SasNet {
  const network = createSasNet({ width, branches: "both", lowLayers: 4, keepUnused: true, dropout: false, seed: 0 });
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
    const names = new Set([...state.keys()]);
    checks.same("network.state_names", Object.keys(json.state_dict_order).filter((name) => !names.has(name)), []);
    const input = channelsLast(golden.tensor("input"));
    checkOutputs(golden, checks, { name: "network", mode: "eval", network, input });
    checkOutputs(golden, checks, { name: "network", mode: "train", network, input });
    checkNetworkLoss(golden, checks, network, input);
  });
  for (const { name, variable } of buffersOf(network)) {
    const expected = golden.tensor(`after.${name}`).data;
    checks.compare(`network.after.${name}`, variable.dataSync(), expected, { tolerance: 1e-5 });
  }
  disposeNetwork(network);
}

function checkNetworkLoss(golden: Golden<NetworkJson>, checks: Checks, network: Network, input: tf.Tensor5D): void {
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
    const actual = gradient === undefined ? new Float32Array(variable.size) : toArray(gradient, layout).data as Float32Array;
    const tolerance = zero.has(name) ? { tolerance: 1e-5, absolute: true } : { tolerance: 5e-4 };
    checks.compare(`network.grad.${name}`, actual, expected, tolerance);
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
  tidy(() => checkOutputs(golden, checks, { name: "mini", mode: "eval", network, input: channelsLast(golden.tensor("input")) }));
  disposeNetwork(network);
}

function checkOutputs(
  golden: Golden,
  checks: Checks,
  { name, mode, network, input }: { name: string; mode: "eval" | "train"; network: SasNet; input: tf.Tensor5D },
): void {
  const outputs = network.full(input, mode === "eval" ? evaluationMode : { training: true, updateStatistics: false });
  ["high", "low"].forEach((branch, i) => {
    const maps: [string, tf.Tensor][] = [["seg", outputs[i].logits], ["tanh", outputs[i].regression!]];
    for (const [map, tensor] of maps) {
      const key = `out.${mode}.${map}_${branch}`;
      checks.compare(`${name}.${key}`, channelsFirst(tensor), golden.tensor(key).data, { tolerance: 3e-4 });
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
    for (const [input, expected] of Object.entries(inputs)) {
      const found = complexityOf(network, input.split("x").map(Number) as unknown as Shape3);
      checks.same(`complexity.${model}.${input}.parameters`, found.declared, expected.parameters);
      checks.same(`complexity.${model}.${input}.macs`, found.macs, expected.conv_macs);
      checks.same(`complexity.${model}.${input}.macs_at_output`, found.macsAtOutput, expected.conv_macs_transposed_at_output);
      checks.same(`complexity.${model}.${input}.ptflops_style`, found.withElementwise, expected.ptflops_style);
    }
    disposeNetwork(network);
  }
}
