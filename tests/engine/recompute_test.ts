import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { conv3, convolve } from "../../lib/engine/convolution.ts";
import { instanceMoments, instanceNormRelu } from "../../lib/engine/instance_norm.ts";
import { convolveRecipe, type Recipe } from "../../lib/engine/recompute.ts";
import { enlargeGrid } from "../../lib/engine/resample.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { untaped, valueAndGradients } from "../../lib/engine/tape.ts";
import { tf, tidy } from "../../lib/engine/tensor.ts";
import { assertRelToMax } from "../golden_set.ts";
import { finiteDifferences, randomTensor } from "../tensors.ts";

function weighted(y: tf.Tensor, weights: tf.Tensor): { loss: tf.Scalar } {
  return { loss: tf.sum(tf.mul(y, weights)) as tf.Scalar };
}

describe("instanceNormRelu()", () => {
  beforeAll(async () => void await startEngine());

  /** In plain arithmetic. */
  function expected(x: tf.Tensor5D): Float32Array {
    const values = x.dataSync<"float32">();
    const [items, , , , channels] = x.shape;
    const voxels = values.length / items / channels;
    const result = new Float32Array(values.length);
    for (let item = 0; item < items; item++) {
      for (let channel = 0; channel < channels; channel++) {
        const at = (i: number) => (item * voxels + i) * channels + channel;
        let [mean, square] = [0, 0];
        for (let i = 0; i < voxels; i++) mean += values[at(i)] / voxels;
        for (let i = 0; i < voxels; i++) square += (values[at(i)] - mean) ** 2 / voxels;
        for (let i = 0; i < voxels; i++) {
          result[at(i)] = Math.max(0, (values[at(i)] - mean) / Math.sqrt(square + 1e-5));
        }
      }
    }
    return result;
  }

  for (const items of [1, 3]) {
    it(`normalises each of ${items} items by itself, with the gradient of finite differences`, () => {
      const x = randomTensor<tf.Tensor5D>("x", [items, 2, 4, 3, 2]);
      const normalised = (x: tf.Tensor5D) => instanceNormRelu(x, untaped(() => instanceMoments(x)));
      assertRelToMax(normalised(x).dataSync(), expected(x), 1e-5);
      const weights = randomTensor("weights", x.shape);
      const { gradients: [gradient] } = valueAndGradients(() => weighted(normalised(x), weights), [x]);
      const numbers = finiteDifferences(
        (moved) => weighted(normalised(moved as tf.Tensor5D), weights).loss,
        x,
        { step: 1e-3 },
      );
      assertRelToMax(gradient!.dataSync().slice(0, numbers.length), numbers, 2e-2);
    });
  }

  it("gives the same numbers on an engine without native operations", async () => {
    const engine = tf.getBackend();
    const results: Float32Array[] = [];
    for (const backend of [engine, "cpu"]) {
      assert(await tf.setBackend(backend), `the engine ${backend} does not start`);
      const x = randomTensor<tf.Tensor5D>("x", [2, 3, 4, 2, 3]);
      const { gradients: [gradient] } = valueAndGradients(
        () => weighted(instanceNormRelu(x, untaped(() => instanceMoments(x))), randomTensor("w", x.shape)),
        [x],
      );
      results.push(gradient!.dataSync<"float32">().slice());
    }
    await tf.setBackend(engine);
    assertRelToMax(results[0], results[1], 1e-4);
  });
});

describe("enlargeGrid()", () => {
  beforeAll(async () => void await startEngine());

  it("by 4 equals PyTorch's interpolate, with the adjoint as its gradient", () => {
    const rows = tf.tensor5d([1, 2, 4], [1, 1, 1, 3, 1]);
    const wide = enlargeGrid(rows, 4, { trilinear: "halfPixel" });
    assertEquals(wide.shape, [1, 4, 4, 12, 1]);
    const expected = [1, 1, 1.125, 1.375, 1.625, 1.875, 2.25, 2.75, 3.25, 3.75, 4, 4];
    for (let row = 0; row < 16; row++) {
      assertRelToMax(wide.dataSync().slice(row * 12, row * 12 + 12), expected, 1e-6, `row ${row}`);
    }
    const x = randomTensor<tf.Tensor5D>("x", [2, 2, 3, 2, 2]);
    const weights = randomTensor("weights", [2, 6, 9, 6, 2]);
    const larger = (x: tf.Tensor) => enlargeGrid(x as tf.Tensor5D, 3, { trilinear: "halfPixel" });
    const { gradients: [gradient] } = valueAndGradients(() => weighted(larger(x), weights), [x]);
    const numbers = finiteDifferences((moved) => weighted(larger(moved), weights).loss, x);
    assertRelToMax(gradient!.dataSync().slice(0, numbers.length), numbers, 1e-3);
  });
});

describe("convolveRecipe()", () => {
  beforeAll(async () => void await startEngine());

  const recipe = (a: tf.Tensor5D, b: tf.Tensor5D): Recipe => ({
    ingredients: [a, b],
    make: ([a, b]) => tidy(() => tf.concat([tf.tanh(a), tf.mul(a, b)], 4) as tf.Tensor5D),
  });

  it("equals the convolution of the made tensor, with the same gradients, and leaks nothing", () => {
    const a = randomTensor<tf.Tensor5D>("a", [2, 2, 4, 2, 2]);
    const b = randomTensor<tf.Tensor5D>("b", [2, 2, 4, 2, 2]);
    const filter = randomTensor<tf.Tensor5D>("filter", [3, 3, 3, 4, 2]);
    const weights = randomTensor("weights", [2, 2, 4, 2, 2]);
    const inputs = [a, b, filter];
    const stored = () => convolve(conv3, recipe(a, b).make([a, b]), filter);
    const tensors = tf.memory().numTensors;
    const made = valueAndGradients(
      () => weighted(convolveRecipe(conv3, recipe(a, b), filter), weights),
      inputs,
    );
    assertEquals(tf.memory().numTensors, tensors + 4);
    const kept = valueAndGradients(() => weighted(stored(), weights), inputs);
    assertRelToMax(made.value.loss.dataSync(), kept.value.loss.dataSync(), 1e-6);
    made.gradients.forEach((gradient, i) =>
      assertRelToMax(gradient!.dataSync(), kept.gradients[i]!.dataSync(), 1e-5, `gradient ${i}`)
    );
  });

  it("computes no gradient that is not asked for", () => {
    const [a, b] = ["a", "b"].map((name) => randomTensor<tf.Tensor5D>(name, [1, 2, 2, 2, 2]));
    const filter = randomTensor<tf.Tensor5D>("filter", [3, 3, 3, 4, 1]);
    const { gradients } = valueAndGradients(() => ({
      loss: tf.sum(convolveRecipe(conv3, recipe(untaped(() => tf.neg(a)), b), filter)) as tf.Scalar,
    }), [a, b]);
    assertEquals(gradients.map((gradient) => gradient !== undefined), [false, true]);
  });
});
