import { beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf, tidy } from "../../lib/engine/tensor.ts";
import { createClassVectors } from "../../lib/network/class_vector.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { createDiscriminator } from "../../lib/network/discriminator.ts";
import { disposeNetwork, type Network, parametersOf } from "../../lib/network/network.ts";
import { initialiser } from "../../lib/network/parameter.ts";
import { createStridedConvolution } from "../../lib/network/strided.ts";
import { randomStream } from "../../lib/random.ts";
import { loadStateDict, stateDict } from "../../lib/training/weights.ts";
import { assertClose, assertRelToMax } from "../golden_set.ts";
import { finiteDifferences, randomTensor, torchFilter } from "../tensors.ts";

/** Fills a network with 0.15·sin(1.3i + 0.7k): entry i in PyTorch's layout of the k-th tensor by name. */
function fill(network: Network): void {
  const state = stateDict(network);
  [...state.keys()].sort().forEach((name, k) => {
    const { data } = state.get(name)!;
    for (let i = 0; i < data.length; i++) data[i] = 0.15 * Math.sin(1.3 * i + 0.7 * k);
  });
  loadStateDict(network, state, "the test");
}

/** f(step·i) as [2, 16, 32, 16], i from 0. */
function wave(f: (x: number) => number, step: number): tf.Tensor4D {
  return tf.tensor4d(Float32Array.from({ length: 16384 }, (_, i) => f(step * i)), [2, 16, 32, 16]);
}

/** Some entries and the sum of the magnitudes. */
function digest(gradient: tf.Tensor): number[] {
  const values = gradient.dataSync<"float32">();
  const entries = [0, 100, 1000, 8000, 9000, 16000].map((i) => values[i]);
  return [...entries, values.reduce((sum, value) => sum + Math.abs(value), 0)];
}

describe("createDiscriminator()", () => {
  beforeAll(async () => void await startEngine());

  it("gives the margins and gradients that PyTorch gives", () => {
    const discriminator = createDiscriminator({ width: 1, seed: 1 });
    fill(discriminator);
    const names = parametersOf(discriminator).map(({ name }) => name);
    const variables = parametersOf(discriminator).map(({ variable }) => variable);
    const [distance, image] = [wave(Math.sin, 0.011), wave(Math.cos, 0.0007)];
    const { value, gradients } = valueAndGradients(() => {
      const margin = discriminator.margin(distance, tf.expandDims(image, 4) as tf.Tensor5D);
      return { loss: tf.sum(tf.mul(margin, tf.tensor1d([1, -2]))) as tf.Scalar, margin };
    }, [distance, ...variables]);
    // Recorded with PyTorch 2.15 in float64, as are the numbers below.
    assertClose(value.margin.dataSync(), [-0.30186806395443355, -0.2948721732569578], 1e-5);
    const [ofDistance, ...others] = gradients;
    assertRelToMax(digest(ofDistance!), [
      7.4539603330379396e-06,
      7.44624846602952e-05,
      0.00023952001958319798,
      1.053854835915817e-05,
      0.000753138619428227,
      -0.00012560022168948309,
      11.211837086498804,
    ], 1e-5);
    assertRelToMax(digest(ofDistance!).slice(0, 6), [
      7.4539603330379396e-06,
      7.44624846602952e-05,
      0.00023952001958319798,
      1.053854835915817e-05,
      0.000753138619428227,
      -0.00012560022168948309,
    ], 1e-4);
    assertRelToMax(torchFilter(others[names.indexOf("conv1.weight")]!).slice(0, 4), [
      -0.004732849715760875,
      0.012607044873814872,
      0.012779807055348343,
      0.022265932195665666,
    ], 1e-3);
    assertRelToMax(others[names.indexOf("conv0.bias")]!.dataSync(), [
      0.009615890901134606,
      -0.05214028725242587,
      0.021843453085483078,
      -0.009244760513471728,
    ], 1e-4);
    const magnitudes = tf.sum(tf.abs(others[names.indexOf("conv3.weight")]!)).dataSync();
    assertRelToMax(magnitudes, [42.17693903700754], 1e-5);
  });

  it("has the released size and cost", () => {
    const discriminator = createDiscriminator({ width: 16, seed: 1 });
    const { parameters, macs } = complexityOf(discriminator, [112, 112, 80]);
    assertEquals(parameters, 11_020_290);
    // 4³ filters: 2→64 on 56×56×40, 64→128 on 28×28×20, 128→256 on 14×14×10, 256→512 on 7×7×5; 512→2
    const expected = 64 *
        (125_440 * 2 * 64 + 15_680 * 64 * 128 + 1_960 * 128 * 256 + 245 * 256 * 512) + 1024;
    assertEquals(macs, expected);
    assertEquals((expected / 1e9).toFixed(2), "15.41");
    disposeNetwork(discriminator);
  });
});

describe("createClassVectors()", () => {
  beforeAll(async () => void await startEngine());

  it("gives the vectors and gradients that PyTorch gives", () => {
    const classifier = createClassVectors({ width: 1, seed: 1 });
    fill(classifier);
    const map = wave(Math.sin, 0.011);
    const { value, gradients } = valueAndGradients(() => {
      const vectors = classifier.of(map);
      return { loss: tf.sum(tf.slice(vectors, [0, 0], [2, 1])) as tf.Scalar, vectors };
    }, [map]);
    assertClose(
      value.vectors.dataSync(),
      [0.36779781337977757, 0.6322021866202224, 0.3680251602215022, 0.6319748397784978],
      1e-6,
    );
    const expected = [
      1.7111992003055323e-06,
      -9.600418893181836e-08,
      4.7679685063996e-06,
      3.962230325707776e-07,
      1.3698304281144257e-05,
      -1.2184350379260556e-07,
    ];
    assertRelToMax(digest(gradients[0]!).slice(0, 6), expected, 1e-3);
    assertRelToMax(digest(gradients[0]!).slice(6), [0.332827030023523], 1e-4);
  });

  it("has the released size", () => {
    const classifier = createClassVectors({ width: 16, seed: 1 });
    assertEquals(complexityOf(classifier, [112, 112, 80]).parameters, 11_278_786);
    disposeNetwork(classifier);
  });
});

describe("createStridedConvolution()", () => {
  beforeAll(async () => void await startEngine());
  const create = () =>
    createStridedConvolution(
      { names: ["a"], inChannels: 3, outChannels: 5, level: 1 },
      initialiser(2),
    );

  it("has the gradients of its numbers, with channels dropped out", () => {
    const layer = create();
    const x = randomTensor<tf.Tensor5D>("x", [2, 4, 6, 2, 3]);
    const weights = randomTensor<tf.Tensor5D>("weights", [2, 2, 3, 1, 5]);
    const loss = (x: tf.Tensor) =>
      tf.sum(tf.mul(layer.apply(x as tf.Tensor5D, randomStream(1, "mask")), weights)) as tf.Scalar;
    const [filter, bias] = layer.parameters.map(({ variable }) => variable);
    const { gradients } = valueAndGradients(() => ({ loss: loss(x) }), [x, filter, bias]);
    // A larger step would cross the bends of LeakyReLU.
    const step = 1e-3;
    assertClose(gradients[0]!.dataSync().slice(0, 12), finiteDifferences(loss, x, { step }), 2e-3);
    for (const [variable, gradient] of [[filter, gradients[1]!], [bias, gradients[2]!]] as const) {
      const original = variable.clone();
      const at = (values: tf.Tensor) =>
        tidy(() => {
          variable.assign(values);
          return loss(x);
        });
      const expected = finiteDifferences(at, original, { step, entries: 100 });
      variable.assign(original);
      assertClose(gradient.dataSync().slice(0, 100), expected, 2e-3, "a parameter's gradient");
    }
  });

  it("drops whole channels out and doubles the others", () => {
    const layer = create();
    const x = randomTensor<tf.Tensor5D>("x", [3, 4, 4, 4, 3]);
    const plain = layer.apply(x).dataSync();
    const dropped = layer.apply(x, randomStream(1, "mask")).dataSync();
    const factors = Array.from({ length: 15 }, () => new Set<number>());
    dropped.forEach((value, i) => {
      const [item, channel] = [Math.floor(i / 40), i % 5];
      factors[5 * item + channel].add(Math.round(value / plain[i]));
    });
    assertEquals(factors.every((found) => found.size === 1), true);
    assertEquals(new Set(factors.flatMap((found) => [...found])), new Set([0, 2]));
  });

  it("refuses a grid that cannot be halved", () => {
    assertThrows(() => create().apply(tf.zeros([1, 4, 3, 4, 3])), RangeError, "4×3×4");
  });
});
