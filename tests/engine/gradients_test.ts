import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { type Activation, convolveActivation, materialise, normalised } from "../../lib/engine/activation.ts";
import { batchNormRelu } from "../../lib/engine/batch_norm.ts";
import { conv1, conv1OfItems, conv3 } from "../../lib/engine/convolution.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { untaped, valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { meanSquare } from "../../lib/sasnet/losses.ts";
import { assertRelToMax } from "../golden_set.ts";
import { finiteDifferences, randomTensor } from "../tensors.ts";

await startEngine();

const weigh = (y: tf.Tensor) => tf.sum(tf.mul(y, randomTensor(`weights ${y.shape}`, y.shape))) as tf.Scalar;

describe("replaceGradients()", () => {
  const operations: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
    sigmoid: tf.sigmoid,
    tanh: tf.tanh,
    softplus: tf.softplus,
    "sum of all": (x) => tf.sum(x),
    "sum along an axis": (x) => tf.sum(x, 1),
    "sum along axes that stay": (x) => tf.sum(x, [-1, 0], true),
    "mean of all": (x) => tf.mean(x),
    "mean along axes": (x) => tf.mean(x, [0, 2]),
    "mean along the last axis, which stays": (x) => tf.mean(x, -1, true),
  };
  for (const [name, operation] of Object.entries(operations)) {
    it(`gives ${name} the gradient of finite differences`, () => {
      const x = randomTensor("x", [2, 3, 2]);
      const { gradients } = valueAndGradients(() => ({ loss: weigh(operation(x)) }), [x]);
      assertEquals(gradients[0]!.shape, x.shape);
      const expected = finiteDifferences((x) => weigh(operation(x)), x);
      assertRelToMax(gradients[0]!.dataSync(), expected, 2e-3);
    });
  }
});

describe("meanSquare()", () => {
  it("has the gradients of finite differences for both arguments", () => {
    const [a, b] = [randomTensor("a", [2, 3, 2]), randomTensor("b", [2, 3, 2])];
    const { gradients } = valueAndGradients(() => ({ loss: meanSquare(a, tf.tanh(b)) }), [a, b]);
    const ofA = finiteDifferences((a) => meanSquare(a, tf.tanh(b)), a);
    const ofB = finiteDifferences((b) => meanSquare(a, tf.tanh(b)), b);
    assertRelToMax(gradients[0]!.dataSync(), ofA, 2e-3);
    assertRelToMax(gradients[1]!.dataSync(), ofB, 2e-3);
  });
});

describe("normalised()", () => {
  /** Larger than what is kept for the backward pass, and smaller. */
  const sides = { "is kept": [2, 4, 4, 4, 2], "is computed again": [2, 112, 112, 100, 2] } as const;
  const affine = { scale: tf.tensor1d([0.8, 1.2]), offset: tf.tensor1d([0.3, -0.2]) };

  /** The activation of a raw output with its own moments. */
  function activationOf(raw: tf.Tensor5D): Activation {
    const { output, moments } = untaped(() => batchNormRelu(raw, affine));
    return { terms: [normalised({ raw, moments, affine, fromBatch: true }, output)] };
  }

  for (const [name, shape] of Object.entries(sides)) {
    it(`gives an activation that ${name} and serves three layers the sum of their gradients, and leaves nothing`, () => {
      const raw = randomTensor<tf.Tensor5D>("raw", shape);
      const filters = [1, 3, 1].map((side, i) =>
        randomTensor<tf.Tensor5D>(`filter ${i}`, [side, side, side, 2, 2])
      );
      const kinds = [conv1, conv3, conv1];
      const layers = (input: (i: number) => tf.Tensor5D) =>
        tf.mean(tf.addN(filters.map((_, i) => tf.square(input(i))))) as tf.Scalar;
      const before = tf.memory().numTensors;
      const shared = valueAndGradients(() => {
        const activation = activationOf(raw);
        return { loss: layers((i) => convolveActivation(kinds[i], activation, filters[i])) };
      }, [raw, affine.scale]);
      assertEquals(tf.memory().numTensors, before + 3);
      const apart = valueAndGradients(() => ({
        loss: layers((i) => convolveActivation(kinds[i], activationOf(raw), filters[i])),
      }), [raw, affine.scale]);
      assertRelToMax(shared.value.loss.dataSync(), apart.value.loss.dataSync(), 1e-5);
      shared.gradients.forEach((gradient, i) =>
        assertRelToMax(gradient!.dataSync(), apart.gradients[i]!.dataSync(), 1e-4, `gradient ${i}`)
      );
      tf.dispose([shared, apart].map(({ value, gradients }) => [value.loss, ...gradients as tf.Tensor[]]));
      raw.dispose();
    });
  }

  it("leaves nothing where no gradient of the activation is asked for", () => {
    const raw = randomTensor<tf.Tensor5D>("raw", sides["is computed again"]);
    const filter = randomTensor<tf.Tensor5D>("filter", [1, 1, 1, 2, 2]);
    const before = tf.memory().numTensors;
    const { value, gradients } = valueAndGradients(
      () => ({ loss: tf.mean(convolveActivation(conv1, activationOf(raw), filter)) as tf.Scalar }),
      [filter],
    );
    assertEquals(tf.memory().numTensors, before + 2);
    tf.dispose([value.loss, gradients[0]!, raw]);
  });
});

describe("conv1OfItems", () => {
  it("with masked filters equals the 1³ convolution of masked features, with its gradients", () => {
    const raw = randomTensor<tf.Tensor5D>("raw", [2, 4, 4, 4, 3]);
    const filter = randomTensor<tf.Tensor5D>("filter", [1, 1, 1, 3, 2]);
    const mask = tf.tensor5d([2, 0, 2, 0, 2, 2], [2, 1, 1, 1, 3]);
    const affine = { scale: tf.ones([3]) as tf.Tensor1D, offset: tf.zeros([3]) as tf.Tensor1D };
    const moments = { mean: tf.zeros([3]) as tf.Tensor1D, variance: tf.ones([3]) as tf.Tensor1D };
    const terms = () => [normalised({ raw, moments, affine, fromBatch: false })];
    const ofFeatures = () => convolveActivation(conv1, { terms: terms(), mask }, filter);
    const ofFilters = () => {
      const filters = tf.mul(tf.reshape(mask, [2, 1, 1, 3, 1]), filter) as tf.Tensor5D;
      return convolveActivation(conv1OfItems, { terms: terms() }, filters);
    };
    assertRelToMax(ofFilters().dataSync(), ofFeatures().dataSync(), 1e-6);
    assertRelToMax(
      ofFeatures().dataSync(),
      tf.conv3d(materialise({ terms: terms(), mask }), filter, 1, "same").dataSync(),
      1e-6,
    );
    const [a, b] = [ofFilters, ofFeatures].map((output) =>
      valueAndGradients(() => ({ loss: weigh(output()) }), [raw, filter]).gradients
    );
    a.forEach((gradient, i) => assertRelToMax(gradient!.dataSync(), b[i]!.dataSync(), 1e-5));
  });
});
