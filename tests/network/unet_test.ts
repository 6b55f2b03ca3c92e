import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { pyramidConsistency } from "../../lib/methods/urpc.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { disposeNetwork, parametersOf } from "../../lib/network/network.ts";
import { createPlainUNet, createUNet } from "../../lib/network/unet.ts";
import { evaluationMode, type ForwardMode } from "../../lib/network/unit.ts";
import { randomStream } from "../../lib/random.ts";
import type { SafetensorsEntry } from "../../lib/training/safetensors.ts";
import { loadStateDict, stateDict } from "../../lib/training/weights.ts";
import { assertRelToMax } from "../golden_set.ts";
import { disorder, randomTensor, torchFilter } from "../tensors.ts";

const trainMode: ForwardMode = { training: true, updateStatistics: true };

/**
 * Numbers of the released network (unet_3D_dv_semi of HiLab-git/SSL4MIS in PyTorch 2.15 on a CPU, width 2, without
 * dropout) with the weights and the image below. The image is one of those with which no ReLU and no maximum changes
 * sides for rounding errors.
 */
const recorded = {
  entries: [0, 777, 5000, 32767, 40000, 65535],
  margins: [
    { values: [-2.41393, -2.1212, -3.39564, 0.25841, 0.25841, 0.25841], meanSize: 1.011749267578125 },
    { values: [1.26315, 0.3919, -0.65702, 1.72762, 1.77548, 2.76555], meanSize: 0.9992465972900391 },
    { values: [-1.25313, -1.23988, -1.32977, -1.31768, -1.68322, -2.02209], meanSize: 1.245041847229004 },
    { values: [-1.13878, -0.02732, 0.0785, -1.08114, -1.03673, -0.45173], meanSize: 0.6204994916915894 },
  ],
  /** Of both items, KL(mean ‖ scale) and KL(scale ‖ mean). */
  consistency: { "mean from scale": 0.15840984880924225, "scale from mean": 0.13425388932228088 },
  /** Of the first: the sum of the gradient's absolute values and its first entries. */
  gradients: {
    "conv1.conv1.0.weight": [0.384757, -0.011566, 0.0058994, 0.01833],
    "conv3.conv2.0.weight": [2.46303, 0.0016434, 0.001146, -0.001292],
    "center.conv1.0.weight": [6.6551, -1.2565e-05, 0.00024172, 0.00042072],
    "up_concat4.conv.conv1.0.weight": [18.7836, -0.0013731, -0.0017644, -0.00038278],
    "up_concat1.conv.conv1.0.weight": [0.342854, 0.0041952, 0.0015971, 0.004494],
    "dsv4.dsv.0.weight": [0.15927, 0.0009505, 0.0024724, 0.0047641],
    "dsv1.bias": [0.0251212, 0.012561, -0.012561],
  } as Readonly<Record<string, readonly number[]>>,
};

/** Weights in PyTorch's layout and order, within ±√(6/fan-in); the fan-in of a bias is taken as 4. */
function setWeights(network: ReturnType<typeof createUNet>): void {
  const state = new Map<string, SafetensorsEntry>();
  [...stateDict(network)].forEach(([name, { shape }], k) => {
    const length = shape.reduce((product, side) => product * side, 1);
    const fanIn = shape.length > 1 ? length / shape[0] : 4;
    const data = Float32Array.from(disorder(length, k), (value) => value * Math.sqrt(6 / fanIn));
    state.set(name, { dtype: "F32", shape, data });
  });
  loadStateDict(network, state, "the test");
}

function image(): tf.Tensor5D {
  const values = Float32Array.from(
    disorder(2 * 32 ** 3, 105),
    (value, i) => value + Math.sin(i * 0.013 + 1),
  );
  return tf.tensor5d(values, [2, 32, 32, 32, 1]);
}

describe("createUNet()", () => {
  beforeAll(async () => void await startEngine());

  it("gives the recorded margins of the four scales", () => {
    const network = createUNet({ width: 2, dropout: false, seed: 1 });
    setWeights(network);
    for (const mode of [trainMode, evaluationMode]) {
      network.forward(image(), mode).forEach(({ margin }, scale) => {
        const values = margin.dataSync<"float32">();
        const expected = recorded.margins[scale];
        assertRelToMax(recorded.entries.map((i) => values[i]), expected.values, 2e-4, `margins ${scale}`);
        const meanSize = values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
        assertRelToMax([meanSize], [expected.meanSize], 1e-4, `mean size ${scale}`);
      });
    }
  });

  it("gives the recorded gradients of the pyramid consistency", () => {
    const network = createUNet({ width: 2, dropout: false, seed: 1 });
    setWeights(network);
    const x = image();
    const parameters = parametersOf(network);
    const { value, gradients } = valueAndGradients(() => {
      const margins = network.forward(x, trainMode).map(({ margin }) => margin);
      return { loss: pyramidConsistency(margins, "mean from scale") };
    }, parameters.map(({ variable }) => variable));
    assertRelToMax(value.loss.dataSync(), [recorded.consistency["mean from scale"]], 1e-4);
    let compared = 0;
    parameters.forEach(({ name, layout, gradient: rule }, i) => {
      assertEquals(gradients[i] !== undefined, rule === "computed", `${name} has a gradient`);
      const expected = recorded.gradients[name];
      if (expected === undefined) return;
      const values = layout === "filter" ? torchFilter(gradients[i]!) : gradients[i]!.dataSync<"float32">();
      const total = values.reduce((sum, value) => sum + Math.abs(value), 0);
      assertRelToMax([total], [expected[0]], 2e-3, `size of the gradient of ${name}`);
      const largest = Math.max(...values.map(Math.abs));
      expected.slice(1).forEach((number, j) =>
        assert(Math.abs(values[j] - number) < 2e-3 * largest, `${name}[${j}] is ${values[j]}, not ${number}`)
      );
      compared++;
    });
    assertEquals(compared, Object.keys(recorded.gradients).length);
    const margins = network.forward(x, trainMode).map(({ margin }) => margin);
    const reverse = pyramidConsistency(margins, "scale from mean").dataSync();
    assertRelToMax(reverse, [recorded.consistency["scale from mean"]], 1e-4);
  });

  it("counts 5,884,504 parameters, and 69.36 G by thop's rule at 112×112×80", () => {
    const complexity = complexityOf(createUNet({ width: 16, dropout: true, seed: 1 }), [112, 112, 80]);
    assertEquals(complexity.parameters, 5_884_504);
    assertEquals(Math.round(complexity.macsAtOutput / 1e5), 691892);
    assertEquals(Math.round(complexity.withNormalisation / 1e5), 693600);
    assertEquals(complexity.macs, complexity.macsAtOutput);
  });

  it("has a plain form with one head: 5,884,050 parameters, 69.35 G by thop's rule", () => {
    const complexity = complexityOf(createPlainUNet({ width: 16, dropout: true, seed: 1 }), [112, 112, 80]);
    assertEquals(complexity.parameters, 5_884_050);
    assertEquals(Math.round(complexity.macs / 1e5), 691787);
    assertEquals(Math.round(complexity.withNormalisation / 1e5), 693495);
  });

  it("is, with one head, the pyramid's full grid, and drops single values out in training only", () => {
    const [pyramid, plain] = [createUNet, createPlainUNet].map((create) =>
      create({ width: 2, dropout: true, seed: 1 })
    );
    const of = (network: typeof plain) => new Map(parametersOf(network).map((p) => [p.name, p.variable]));
    const [source, target] = [of(pyramid), of(plain)];
    for (const [name, variable] of target) variable.assign(source.get(name.replace("final", "dsv1"))!);
    const run = (network: typeof plain, stream?: string) => {
      const dropout = stream === undefined ? undefined : randomStream(1, stream);
      return network.forward(image(), { ...trainMode, dropout })[0].margin.dataSync<"float32">();
    };
    assertEquals(run(plain), run(pyramid));
    assertEquals(run(plain, "a"), run(plain, "a"));
    assertNotEquals(run(plain, "a"), run(plain, "b"));
    // With a silent deepest stage and a head that shows one channel, the last dropout is seen: 3 of 10 values go.
    for (const [name, variable] of target) {
      if (name.startsWith("center")) variable.assign(tf.zerosLike(variable));
      if (!name.startsWith("final")) continue;
      variable.assign(name.endsWith("weight") ? tf.tensor([[[[[0, 1], [0, 0]]]]]) : tf.zerosLike(variable));
    }
    const [dropped, without] = [run(plain, "a"), run(plain)];
    let [alive, gone] = [0, 0];
    without.forEach((value, i) => {
      if (value === 0) return;
      alive++;
      if (dropped[i] === 0) gone++;
    });
    assert(Math.abs(gone / alive - 0.3) < 0.02, `${gone} of ${alive}`);
  });

  it("drops channels out in training only, from the given stream", () => {
    const network = createUNet({ width: 2, dropout: true, seed: 1 });
    const run = (name?: string) => {
      const dropout = name === undefined ? undefined : randomStream(1, name);
      return network.forward(image(), { ...trainMode, dropout })[0].margin.dataSync();
    };
    assertEquals(run("a"), run("a"));
    assert(run().some((value, i) => value !== run("a")[i]));
    const without = createUNet({ width: 2, dropout: false, seed: 1 });
    const dropout = randomStream(1, "a");
    assertEquals(without.forward(image(), { ...trainMode, dropout })[0].margin.dataSync(), run());
  });

  it("draws its filters normally with variance 2/fan-in", () => {
    const network = createUNet({ width: 16, dropout: true, seed: 1 });
    const [filter] = parametersOf(network).filter(({ name }) => name === "up_concat2.conv.conv1.0.weight");
    const values = filter.variable.dataSync<"float32">();
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    assert(Math.abs(square * 27 * 96 / 2 - 1) < 0.02, `variance ${square}`);
    assert(values.some((value) => Math.abs(value) > 3 * Math.sqrt(square)), "a uniform distribution");
  });

  it("keeps no tensor of a pass but its outputs, and none after disposeNetwork()", () => {
    const start = tf.memory().numTensors;
    const network = createUNet({ width: 2, dropout: true, seed: 1 });
    const input = randomTensor<tf.Tensor5D>("image", [2, 16, 32, 16, 1]);
    const before = tf.memory().numTensors;
    tf.dispose(network.forward(input, evaluationMode).map(({ margin }) => margin));
    assertEquals(tf.memory().numTensors, before);
    const { value, gradients } = valueAndGradients(() => {
      const margins = network.forward(input, { ...trainMode, dropout: randomStream(1, "dropout") });
      return { loss: tf.addN(margins.map(({ margin }) => tf.mean(margin))) as tf.Scalar };
    }, parametersOf(network).map(({ variable }) => variable));
    tf.dispose([value.loss, ...gradients.filter((gradient) => gradient !== undefined)]);
    assertEquals(tf.memory().numTensors, before);
    input.dispose();
    disposeNetwork(network);
    assertEquals(tf.memory().numTensors, start);
  });
});
