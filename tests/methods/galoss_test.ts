import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { gradientAwareCrossEntropy, gradientAwareDice } from "../../lib/methods/galoss.ts";
import { disposeNetwork, parametersOf } from "../../lib/network/network.ts";
import { assertRelToMax } from "../golden_set.ts";
import { disorder } from "../tensors.ts";
import { tinyBatch, tinyRun, tinyStep } from "./tiny.ts";

const shape: [number, number, number, number] = [2, 4, 4, 4];
const margin = () => tf.tensor4d(Float32Array.from(disorder(128, 1), (value) => 4 * value), shape);
const labels = (threshold: number) =>
  tf.tensor4d(Float32Array.from(disorder(128, 2), (value) => value > threshold ? 1 : 0), shape);

type Loss = (margin: tf.Tensor4D, labels: tf.Tensor4D) => tf.Scalar;
const crossEntropyOf = (hardest: number, gamma: number): Loss => (margin, labels) =>
  gradientAwareCrossEntropy(margin, labels, { hardest, gamma });

/** Of cicailalala/GALoss in PyTorch 2.15: the loss, the gradient's absolute sum and its first entries. */
const recorded: readonly [name: string, loss: Loss, threshold: number, numbers: readonly number[]][] = [
  ["GADice", gradientAwareDice, 0.4, [0.49502182, 0.14915472, 0.00124721, 0.00209772, 0.00169576]],
  ["GACE(10)", crossEntropyOf(10, 0.5), 0.4, [4.7749701, 1.2845256, 0, 0, 0]],
  [
    "GACE(100)",
    crossEntropyOf(100, 0.5),
    0.4,
    [1.7791026, 0.75637698, 0.0082653, 0.00593226, 0.00388975],
  ],
  ["GACE(30), γ 0.2", crossEntropyOf(30, 0.2), 0.4, [4.8563032, 1.5886118, 0.0293049, 0, 0]],
  ["GADice", gradientAwareDice, 2, [0.3704325, 0.10053484, 0.000981436, 0.00160436, 0.00124454]],
  ["GACE(10)", crossEntropyOf(10, 0.5), 2, [3.7344673, 0.97574914, 0, 0, 0]],
  ["GACE(100)", crossEntropyOf(100, 0.5), 2, [1.3307724, 0.55021644, 0.00681417, 0.00489075, 0.00320683]],
];

describe("the gradient-aware losses", () => {
  beforeAll(async () => void await startEngine());

  for (const [name, loss, threshold, [value, size, ...first]] of recorded) {
    it(`give the recorded ${name} and its gradient, ${threshold > 1 ? "without" : "with"} foreground`, () => {
      const m = margin();
      const result = valueAndGradients(() => ({ loss: loss(m, labels(threshold)) }), [m]);
      assertAlmostEquals(result.value.loss.dataSync()[0], value, 1e-5);
      const gradient = result.gradients[0]!.dataSync<"float32">();
      assertAlmostEquals(gradient.reduce((sum, entry) => sum + Math.abs(entry), 0), size, 1e-5);
      assertRelToMax(gradient.slice(0, first.length), first, 2e-5);
    });
  }

  it("gradientAwareDice() gives a voxel of an absent class the gradient p/V, not 2p/V", () => {
    const [m, none] = [margin(), tf.zeros(shape) as tf.Tensor4D];
    const { gradients: [gradient] } = valueAndGradients(() => ({ loss: gradientAwareDice(m, none) }), [m]);
    // The background's Dice has a gradient as well: it is taken away by a second pass.
    const p = m.dataSync<"float32">().map((value) => 1 / (1 + Math.exp(-value)));
    const square = p.reduce((sum, value) => sum + (1 - value) ** 2, 0);
    const rest = p.reduce((sum, value) => sum + 1 - value, 0);
    const sizes = square + 128;
    const expected = p.map((value) => {
      const slope = value * (1 - value);
      const background = (2 * sizes - 2 * rest * 2 * (1 - value)) / sizes ** 2;
      return 0.5 * (value / 128 * slope + background * slope);
    });
    assertRelToMax(gradient!.dataSync(), expected, 1e-4);
  });

  it("gradientAwareCrossEntropy() of all voxels is Σ √(n_c/N)·mean_c", () => {
    const [m, y] = [margin(), labels(0.4)];
    const [entropies, classes] = [[[], []] as number[][], y.dataSync()];
    m.dataSync<"float32">().forEach((value, i) =>
      entropies[classes[i]].push(Math.log(1 + Math.exp(classes[i] === 1 ? -value : value)))
    );
    const expected = entropies.reduce(
      (sum, of) =>
        sum + Math.sqrt(of.length / 128) * of.reduce((a, b) => a + b, 0) /
          of.length,
      0,
    );
    assertAlmostEquals(crossEntropyOf(100, 0.5)(m, y).dataSync()[0], expected, 1e-5);
  });

  it("gradientAwareCrossEntropy() shares the last places between voxels of equal cross-entropy", () => {
    // 20 places: 8 voxels are harder, 12 places are left to 40 equal ones, of which 10 are foreground.
    const values = Array.from({ length: 200 }, (_, i) => i < 8 ? 3 : i < 38 ? 1 : i < 48 ? -1 : -5);
    const truth = values.map((_, i) => i >= 38 && i < 48 ? 1 : 0);
    const [m, y] = [values, truth].map((list) => tf.tensor4d(list, [1, 10, 4, 5]));
    const entropy = (value: number) => Math.log(1 + Math.exp(value));
    const [background, foreground] = [8 + 30 * 0.3, 10 * 0.3];
    const expected = (8 * entropy(3) + 9 * entropy(1)) / Math.sqrt(background * 20) +
      3 * entropy(1) / Math.sqrt(foreground * 20);
    const { value, gradients } = valueAndGradients(() => ({ loss: crossEntropyOf(10, 0.5)(m, y) }), [m]);
    assertAlmostEquals(value.loss.dataSync()[0], expected, 1e-5);
    const reached = [...gradients[0]!.dataSync()].map((entry) => entry !== 0);
    assertEquals(reached, values.map((_, i) => i < 48));
  });
});

describe("galoss", () => {
  beforeAll(async () => void await startEngine());

  it("initialises A with variance 2/fan-in, B with 2/(fan-in + fan-out), transposed ones uniformly", () => {
    const run = tinyRun("galoss", [], { width: 16 });
    const weights = (network: string, name: string) =>
      parametersOf(run.networks[network]).find((parameter) => parameter.name === name)!.variable.dataSync<
        "float32"
      >();
    const variance = (values: Float32Array) =>
      values.reduce((sum, value) => sum + value * value, 0) / values.length;
    for (const [network, scale] of [["networkA", 2 / (27 * 128)], ["networkB", 2 / (27 * 256)]] as const) {
      const conv = weights(network, "block_four.conv.0.weight");
      assertAlmostEquals(variance(conv) / scale, 1, 0.02);
      const up = weights(network, "block_five_up.conv.0.weight");
      assertAlmostEquals(variance(up) / (1 / (8 * 128) / 3), 1, 0.02);
      assert(up.every((value) => Math.abs(value) <= 1 / 32));
    }
    const [a, b] = ["networkA", "networkB"].map((network) => weights(network, "block_five_up.conv.0.weight"));
    assert(a.some((value, i) => value !== b[i]), "the networks have the same weights");
    Object.values(run.networks).forEach(disposeNetwork);
  });

  it("predicts with the mean of the logits", () => {
    const run = tinyRun("galoss");
    const { images } = tinyBatch();
    const [a, b] = run.predictBranches!(images).map(({ probability }) => probability.dataSync<"float32">());
    const mean = a.map((p, i) => {
      const logits = Math.log(p / (1 - p)) + Math.log(b[i] / (1 - b[i]));
      return 1 / (1 + Math.exp(-logits / 2));
    });
    assertRelToMax(run.predict(images).dataSync(), mean, 1e-4);
    Object.values(run.networks).forEach(disposeNetwork);
  });

  it("lets each network learn from the other's decision on all crops, never through it", () => {
    const run = tinyRun("galoss");
    const batch = tinyBatch();
    const variables = ["networkA", "networkB"].map((name) => parametersOf(run.networks[name])[0].variable);
    const gradientOf = (term: string) =>
      valueAndGradients(() => ({ loss: run.loss(batch, tinyStep())[term].value }), variables).gradients
        .map((gradient) => gradient!.dataSync<"float32">());
    const before = gradientOf("crossPseudo");
    // B's weights change by so little that none of its decisions does: A's gradient must not move.
    const head = parametersOf(run.networks.networkB).at(-1)!.variable;
    head.assign(tf.add(head, 1e-6));
    const after = gradientOf("crossPseudo");
    assertEquals(after[0], before[0]);
    assert(before.every((gradient) => gradient.some((value) => value !== 0)));
    Object.values(run.networks).forEach(disposeNetwork);
  });
});
