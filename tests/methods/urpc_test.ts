import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { pyramidConsistency } from "../../lib/methods/urpc.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { disposeNetwork, type Segmenter } from "../../lib/network/network.ts";
import { evaluationMode } from "../../lib/network/unit.ts";
import { assertRelToMax } from "../golden_set.ts";
import { finiteDifferences, randomTensor } from "../tensors.ts";
import { ballBatch, runOf, stepOf, termOf } from "./run_of.ts";

const divergences = ["mean from scale", "scale from mean"] as const;

/** The loss in plain arithmetic, from foreground probabilities [scale][voxel]. */
function expected(scales: readonly number[][], divergence: typeof divergences[number]): number {
  const voxels = scales[0].length;
  const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const mean = Array.from({ length: voxels }, (_, i) => average(scales.map((scale) => scale[i])));
  const kl = (p: number, q: number) => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
  return average(scales.map((scale) => {
    const diverging = scale.map((p, i) => divergence === "mean from scale" ? kl(mean[i], p) : kl(p, mean[i]));
    const certainty = diverging.map((value) => Math.exp(-value));
    // Over both channels, whose squared differences are equal.
    const distance = average(scale.map((p, i) => (p - mean[i]) ** 2 * certainty[i]));
    return distance / (average(certainty) + 1e-8) + average(diverging);
  }));
}

function marginsOf(scales: readonly number[][]): tf.Tensor4D[] {
  return scales.map((scale) => tf.tensor4d(scale.map((p) => Math.log(p / (1 - p))), [1, 1, 1, scale.length]));
}

describe("pyramidConsistency()", () => {
  beforeAll(async () => void await startEngine());

  for (const divergence of divergences) {
    it(`is the closed form with the divergence of the ${divergence}`, () => {
      const scales = [[0.9, 0.6, 0.2], [0.7, 0.5, 0.1], [0.8, 0.1, 0.3], [0.99, 0.4, 0.05]];
      const value = pyramidConsistency(marginsOf(scales), divergence).dataSync()[0];
      assertAlmostEquals(value, expected(scales, divergence), 1e-6);
    });

    it(`reaches every scale with the gradients of finite differences, ${divergence}`, () => {
      const margins = [0, 1, 2, 3].map((scale) => randomTensor<tf.Tensor4D>(`${scale}`, [1, 2, 2, 3]));
      const { gradients } = valueAndGradients(
        () => ({ loss: pyramidConsistency(margins, divergence) }),
        margins,
      );
      margins.forEach((margin, scale) => {
        const loss = (moved: tf.Tensor) =>
          pyramidConsistency(
            margins.map((other, i) => i === scale ? moved as tf.Tensor4D : other),
            divergence,
          );
        assertRelToMax(gradients[scale]!.dataSync(), finiteDifferences(loss, margin), 2e-2, `scale ${scale}`);
      });
    });
  }

  it("diverges by 0.0915 or 0.1047 where a scale says 0.6 and the mean 0.8", () => {
    // The other scale says 1, as nearly as its own divergence can be told.
    const margins = marginsOf([[0.6], [0.999999]]);
    const certain = [0.8 * Math.log(0.8) + 0.2 * Math.log(0.2 / 1e-6), Math.log(1 / 0.8)];
    [0.091516, 0.10465].forEach((diverging, i) => {
      const expected = (0.2 ** 2 + diverging + 0.2 ** 2 + certain[i]) / 2;
      assertAlmostEquals(pyramidConsistency(margins, divergences[i]).dataSync()[0], expected, 1e-3);
    });
  });

  it("is zero for equal scales, and finite for certain and opposite ones", () => {
    const equal = randomTensor<tf.Tensor4D>("equal", [1, 2, 2, 3]);
    assert(Math.abs(pyramidConsistency([equal, equal, equal, equal], divergences[0]).dataSync()[0]) < 1e-6);
    const certain = [200, -200, 30, -30].map((margin) => tf.fill([1, 1, 1, 2], margin) as tf.Tensor4D);
    for (const divergence of divergences) {
      const { value, gradients } = valueAndGradients(
        () => ({ loss: pyramidConsistency(certain, divergence) }),
        certain,
      );
      assert(Number.isFinite(value.loss.dataSync()[0]));
      for (const gradient of gradients) assert(gradient!.dataSync().every(Number.isFinite));
    }
  });
});

describe("urpc on V-Net", () => {
  beforeAll(async () => void await startEngine());

  it("has the pyramid's consistency on four scales of V-Net's decoder, and predicts with the finest", () => {
    const [run, batch] = [runOf("urpc", ["network=vnet"]), ballBatch()];
    const mode = { training: true, updateStatistics: false };
    const network = run.networks.network as Segmenter;
    const margins = network.forward(batch.images, mode).map(({ margin }) =>
      tf.slice(margin, 2) as tf.Tensor4D
    );
    assertEquals(margins.map(({ shape }) => shape), Array(4).fill([2, 16, 16, 16]));
    const { value, gradients } = termOf(run, "consistency", () => run.loss(batch, stepOf(100)));
    assertAlmostEquals(value, pyramidConsistency(margins, "mean from scale").dataSync()[0], 1e-6);
    for (const head of ["out_conv", "dsv2.out_conv", "dsv3.out_conv", "dsv4.out_conv"]) {
      assert(gradients.has(`network/${head}.weight`), head);
    }
    const [{ margin }] = network.forward(batch.images, evaluationMode);
    assertEquals(run.predict(batch.images).dataSync(), tf.sigmoid(margin).dataSync());
  });

  it("adds three heads to V-Net", () => {
    const large = runOf("urpc", ["network=vnet"], { width: 16 });
    const heads = 2 * (32 + 64 + 128) + 3 * 2;
    assertEquals(complexityOf(large.networks.network, [16, 16, 16]).parameters, 9_448_866 + heads);
    disposeNetwork(large.networks.network);
  });
});
