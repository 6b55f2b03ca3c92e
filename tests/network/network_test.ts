import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { buffersOf, disposeNetwork, type Network, parametersOf } from "../../lib/network/network.ts";
import { createSasNet, type SasNet, sasNetDefaults } from "../../lib/network/sasnet.ts";
import { createVNet } from "../../lib/network/segmenter.ts";
import { evaluationMode, type ForwardMode } from "../../lib/network/unit.ts";
import { randomStream } from "../../lib/random.ts";
import { crossEntropy, diceLoss, regressionLoss } from "../../lib/sasnet/losses.ts";
import { loadStateDict, stateDict } from "../../lib/training/weights.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { assertClose, assertRelToMax, needsGolden, readGolden } from "../golden_set.ts";
import { channelsFirst, channelsLast, randomTensor, torchFilter } from "../tensors.ts";

interface NetworkJson {
  readonly n_filters: number;
  readonly loss: number;
  readonly parameters_without_gradient: readonly string[];
  readonly zero_gradient_by_batchnorm: readonly string[];
  readonly state_dict_order: Readonly<Record<string, readonly number[]>>;
}

interface ComplexityJson {
  readonly models: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters: number;
            readonly conv_macs: number;
            readonly conv_macs_transposed_at_output: number;
            readonly ptflops_style: number;
          }
        >
      >
    >
  >;
}

const golden = readGolden<NetworkJson>("network");
const trainMode: ForwardMode = { training: true, updateStatistics: false };

/** The network of the golden set with its weights. */
function goldenNetwork(): SasNet {
  const width = golden.json.n_filters;
  const network = createSasNet({ ...sasNetDefaults, width, keepUnused: true, dropout: false, seed: 1 });
  loadStateDict(network, readGolden("network_state").tensors, "the golden state");
  return network;
}

/** A golden [n, x, y, z], of bytes or floats. */
function map(name: string): tf.Tensor4D {
  const shape = golden.shape(name) as [number, number, number, number];
  return tf.tensor4d(Float32Array.from(golden.floats(name)), shape);
}

describe("createSasNet() with the golden weights", needsGolden, () => {
  beforeAll(async () => void await startEngine());

  for (const [name, mode] of [["eval", evaluationMode], ["train", trainMode]] as const) {
    it(`full() gives the recorded outputs in ${name} mode`, () => {
      const outputs = goldenNetwork().full(channelsLast(golden, "input"), mode);
      ["high", "low"].forEach((branch, i) => {
        const expected = (head: string) => golden.floats(`out.${name}.${head}_${branch}`);
        assertRelToMax(channelsFirst(outputs[i].logits), expected("seg"), 3e-4, `logits ${branch}`);
        assertRelToMax(channelsFirst(outputs[i].regression!), expected("tanh"), 3e-4, `tanh ${branch}`);
      });
    });
  }

  it("forward() gives the margin and the distance of the full outputs", () => {
    const network = goldenNetwork();
    const image = channelsLast(golden, "input");
    const maps = network.forward(image, evaluationMode);
    network.full(image, evaluationMode).forEach(({ logits, regression }, i) => {
      const [background, foreground] = tf.unstack(logits, 4);
      assertRelToMax(maps[i].margin.dataSync(), tf.sub(foreground, background).dataSync(), 1e-5, "margin");
      const [, distance] = tf.unstack(regression!, 4);
      assertRelToMax(maps[i].distance!.dataSync(), distance.dataSync(), 1e-5, "distance");
    });
  });

  it("gives the recorded loss, gradients and running statistics", () => {
    const network = goldenNetwork();
    const [image, label, target] = [channelsLast(golden, "input"), map("label"), map("target")];
    const parameters = parametersOf(network);
    const { value, gradients } = valueAndGradients(() => {
      const outputs = network.forward(image, { training: true, updateStatistics: true });
      const parts = outputs.flatMap(({ margin, distance }) => [
        diceLoss(margin, label),
        crossEntropy(margin, label),
        regressionLoss(distance!, target),
      ]);
      return { loss: tf.addN(parts) as tf.Scalar };
    }, parameters.map(({ variable }) => variable));
    assertRelToMax(value.loss.dataSync(), [golden.json.loss], 1e-5, "loss");
    const { parameters_without_gradient: without, zero_gradient_by_batchnorm: zero } = golden.json;
    parameters.forEach(({ name, layout, gradient: rule }, i) => {
      const gradient = gradients[i];
      assertEquals(rule, without.includes(name) ? "none" : zero.includes(name) ? "zero" : "computed", name);
      assertEquals(gradient !== undefined, rule === "computed", `${name} has a gradient`);
      const expected = rule === "none" ? [] : golden.floats(`grad.${name}`);
      // The convolutions run without these biases, which normalisation takes out again.
      if (rule === "zero") assertClose(new Float32Array(expected.length), expected, 1e-5, name);
      if (gradient === undefined) return;
      const actual = layout === "filter" ? torchFilter(gradient) : gradient.dataSync();
      assertRelToMax(actual, expected, 5e-4, `gradient of ${name}`);
    });
    for (const { name, variable } of buffersOf(network)) {
      assertRelToMax(variable.dataSync(), golden.floats(`after.${name}`), 1e-5, name);
    }
  });

  it("has the names and shapes of the released state", () => {
    const state = stateDict(goldenNetwork());
    const shapes = Object.fromEntries([...state].map(([name, { shape }]) => [name, [...shape]]));
    assertEquals(shapes, golden.json.state_dict_order as Record<string, number[]>);
  });

  it("of width 1 gives the recorded outputs", () => {
    const mini = readGolden("mini");
    const network = createSasNet({ ...sasNetDefaults, width: 1, keepUnused: true, seed: 1 });
    loadStateDict(network, readGolden("mini_state").tensors, "the small golden state");
    const outputs = network.full(channelsLast(mini, "input"), evaluationMode);
    ["high", "low"].forEach((branch, i) => {
      assertRelToMax(channelsFirst(outputs[i].logits), mini.floats(`out.eval.seg_${branch}`), 3e-4);
      assertRelToMax(channelsFirst(outputs[i].regression!), mini.floats(`out.eval.tanh_${branch}`), 3e-4);
    });
  });
});

describe("createSasNet()", () => {
  beforeAll(async () => void await startEngine());
  const small = { ...sasNetDefaults, width: 2, seed: 3 };
  const image = () => randomTensor<tf.Tensor5D>("image", [1, 16, 32, 16, 1]);

  it("runs with a low-level decoder of three layers", () => {
    const outputs = createSasNet({ ...small, lowLayers: 3 }).forward(image(), evaluationMode);
    assertEquals(outputs.map(({ margin }) => margin.shape), [[1, 16, 32, 16], [1, 16, 32, 16]]);
    assertEquals(outputs.map(({ distance }) => distance!.shape), [[1, 16, 32, 16], [1, 16, 32, 16]]);
  });

  it("runs with one branch alone, equal to that branch of both", () => {
    const both = createSasNet(small).forward(image(), evaluationMode);
    (["high", "low"] as const).forEach((branches, i) => {
      const [alone, ...others] = createSasNet({ ...small, branches }).forward(image(), evaluationMode);
      assertEquals(others.length, 0);
      assertEquals(alone.margin.dataSync(), both[i].margin.dataSync());
    });
  });

  it("draws the same weights from the same seed, others from another", () => {
    const weights = (seed: number) => parametersOf(createSasNet({ ...small, seed }))[0].variable.dataSync();
    assertEquals(weights(3), weights(3));
    assert(weights(3).some((value, i) => value !== weights(4)[i]));
  });

  it("drops channels out in training only, from the given stream", () => {
    const network = createSasNet(small);
    const run = (stream?: string) => {
      const dropout = stream === undefined ? undefined : randomStream(1, stream);
      return network.forward(image(), { ...trainMode, dropout })[0].margin.dataSync();
    };
    assertEquals(run("a"), run("a"));
    assert(run().some((value, i) => value !== run("a")[i]));
  });

  it("leaves the running statistics alone unless told to take the batch in", () => {
    const network = createSasNet(small);
    const statistics = () => buffersOf(network).map(({ variable }) => [...variable.dataSync()]);
    const before = statistics();
    network.forward(image(), evaluationMode);
    network.forward(image(), trainMode);
    assertEquals(statistics(), before);
  });

  it("keeps no tensor of a forward pass but its outputs, and none after disposeNetwork()", () => {
    const start = tf.memory().numTensors;
    const network = createSasNet(small);
    const input = image();
    const before = tf.memory().numTensors;
    tf.dispose(network.forward(input, evaluationMode).flatMap(({ margin, distance }) => [margin, distance!]));
    assertEquals(tf.memory().numTensors, before);
    input.dispose();
    disposeNetwork(network);
    assertEquals(tf.memory().numTensors, start);
  });
});

describe("complexityOf()", () => {
  beforeAll(async () => void await startEngine());

  const sasnet = (keepUnused: boolean) => createSasNet({ ...sasNetDefaults, keepUnused, seed: 1 });
  const models: Record<string, () => Network> = {
    vnet: () => createVNet({ width: 16, dropout: true, seed: 1 }),
    vnet_two_heads: () => createVNet({ width: 16, dropout: true, seed: 1, regression: true }),
    sasnet_without_unused: () => sasnet(false),
    sasnet_with_unused: () => sasnet(true),
  };

  it("counts the paper's parameters", () => {
    const crop: Shape3 = [96, 96, 96];
    assertEquals(complexityOf(models.vnet(), crop).parameters, 9_448_866);
    assertEquals(complexityOf(models.sasnet_without_unused(), crop).parameters, 11_258_376);
    const { parameters, declared } = complexityOf(models.sasnet_with_unused(), crop);
    assertEquals([parameters, declared], [11_258_376, 11_258_376 + 262_528]);
  });

  for (const [name, create] of Object.entries(models)) {
    it(`counts the recorded operations of ${name}`, needsGolden, () => {
      const network = create();
      for (
        const [size, expected] of Object.entries(readGolden<ComplexityJson>("complexity").json.models[name])
      ) {
        const crop = size.split("x").map(Number) as unknown as Shape3;
        const found = complexityOf(network, crop);
        assertEquals(found.declared, expected.parameters, `parameters at ${size}`);
        assertEquals(found.macs, expected.conv_macs, `macs at ${size}`);
        assertEquals(
          found.macsAtOutput,
          expected.conv_macs_transposed_at_output,
          `macs at output at ${size}`,
        );
        assertEquals(found.withElementwise, expected.ptflops_style, `with elementwise operations at ${size}`);
      }
    });
  }
});
