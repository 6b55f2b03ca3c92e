import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { createIndependenceMaps, type Kernels, kernelsOf } from "../../lib/network/independence.ts";
import { parametersOf } from "../../lib/network/network.ts";
import { createVNet } from "../../lib/network/segmenter.ts";
import { createOptimiser } from "../../lib/training/optimiser.ts";
import { assertClose } from "../golden_set.ts";
import { finiteDifferences, randomTensor } from "../tensors.ts";

/** Three branches of two layers. */
function branches(): Kernels[] {
  return ["a", "b", "c"].map((name) => [
    tf.variable(randomTensor(`${name}0`, [3, 3, 3, 2, 4])),
    tf.variable(randomTensor(`${name}1`, [1, 1, 1, 5, 2])),
  ]);
}

describe("createIndependenceMaps()", () => {
  beforeAll(async () => void await startEngine());

  it("measures the mean squared cosine of kernels and mapped kernels of the others", () => {
    const kernels = branches();
    const maps = createIndependenceMaps(kernels, 1);
    const state = parametersOf(maps);
    // Branch 2: kernel o of a filter [.., in, out] is its column o; the others' columns stand side by side.
    let expected = 0;
    [[54, 4], [5, 2]].forEach(([rows, count], layer) => {
      const [a, b, c] = kernels.map((ofBranch) => ofBranch[layer].dataSync());
      const map = state[2 * 1 + layer].variable.dataSync();
      for (let kernel = 0; kernel < count; kernel++) {
        let [dot, own, mapped] = [0, 0, 0];
        for (let row = 0; row < rows; row++) {
          let value = 0;
          for (let other = 0; other < count; other++) {
            value += a[row * count + other] * map[other * count + kernel];
            value += c[row * count + other] * map[(count + other) * count + kernel];
          }
          const target = b[row * count + kernel];
          dot += value * target;
          own += target * target;
          mapped += value * value;
        }
        expected += dot * dot / own / mapped / count / 2;
      }
    });
    assertAlmostEquals(maps.dependence(1).dataSync()[0], expected, 1e-5);
    assertEquals(state.map(({ variable }) => variable.shape), [[8, 4], [4, 2], [8, 4], [4, 2], [8, 4], [
      4,
      2,
    ]]);
  });

  it("is 1 where the kernels are the mapped ones, and 0 where they are orthogonal to the others", () => {
    const first = tf.variable(randomTensor("w", [1, 1, 1, 6, 3]));
    const mixing = randomTensor("mixing", [3, 3]);
    const mixed = tf.reshape(tf.matMul(tf.reshape(first, [6, 3]), mixing as tf.Tensor2D), [1, 1, 1, 6, 3]);
    const dependent = createIndependenceMaps([[tf.variable(mixed)], [first]], 1);
    dependent.layers[0].parameters[0].variable.assign(mixing);
    assertAlmostEquals(dependent.dependence(0).dataSync()[0], 1, 1e-5);
    const unit = (axes: number[]) =>
      tf.variable(tf.transpose(tf.oneHot(tf.tensor1d(axes, "int32"), 6)).toFloat().reshape([1, 1, 1, 6, 3]));
    const orthogonal = createIndependenceMaps([[unit([0, 1, 2])], [unit([3, 4, 5])]], 1);
    assertAlmostEquals(orthogonal.dependence(0).dataSync()[0], 0, 1e-12);
  });

  it("gives a gradient to the branch's own kernels and maps, none to the others, and none to its own if detached", () => {
    const kernels = branches();
    const maps = createIndependenceMaps(kernels, 1);
    const variables = [...kernels.flat(), ...parametersOf(maps).map(({ variable }) => variable)];
    const reached = (detached: boolean) => {
      const { gradients } = valueAndGradients(() => ({ loss: maps.dependence(0, detached) }), variables);
      return gradients.flatMap((gradient, i) => gradient === undefined ? [] : [i]);
    };
    assertEquals(reached(false), [0, 1, 6, 7]);
    assertEquals(reached(true), [6, 7]);
    const [own] = valueAndGradients(() => ({ loss: maps.dependence(0) }), variables).gradients;
    const original = kernels[0][0].clone();
    const expected = finiteDifferences((values) => {
      kernels[0][0].assign(values);
      return maps.dependence(0);
    }, original);
    assertClose(own!.dataSync().slice(0, 12), expected, 1e-4);
  });

  it("rises as the maps are fitted and falls as the kernels are", () => {
    const kernels = branches();
    const maps = createIndependenceMaps(kernels, 1);
    const settings = { kind: "adam", rule: "constant", learningRate: 2e-2, betas: [0.9, 0.999] } as const;
    const fit = (sign: number, variables: readonly tf.Variable[]) => {
      const parameters = variables.map((variable) =>
        ({ name: variable.name, variable, layout: "vector", gradient: "computed" }) as const
      );
      const optimiser = createOptimiser(parameters, { ...settings, weightDecay: 0 });
      for (let step = 0; step < 30; step++) {
        const { gradients } = valueAndGradients(
          () => ({ loss: tf.mul(maps.dependence(0), sign) as tf.Scalar }),
          variables,
        );
        optimiser.apply(gradients);
      }
      return maps.dependence(0).dataSync()[0];
    };
    const start = maps.dependence(0).dataSync()[0];
    const fitted = fit(-1, parametersOf(maps).slice(0, 2).map(({ variable }) => variable));
    const freed = fit(1, kernels[0]);
    assert(fitted > start + 0.1, `${start} rises to ${fitted}`);
    assert(freed < fitted - 0.1, `${fitted} falls to ${freed}`);
  });
});

describe("kernelsOf()", () => {
  beforeAll(async () => void await startEngine());

  it("finds the thirty kernels of a V-Net: 21 convolutions, 4 of each change of grid, the head", () => {
    assertEquals(kernelsOf(createVNet({ width: 1, dropout: false, seed: 1 })).length, 30);
  });
});
