import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { softMask } from "../../lib/methods/dtc.ts";
import { dualTaskTerms } from "../../lib/methods/parts/dual_task.ts";
import type { VNet } from "../../lib/network/segmenter.ts";
import { assertClose } from "../golden_set.ts";
import { ballBatch, runOf, stepOf, termOf } from "./run_of.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe("dualTaskTerms()", () => {
  beforeAll(async () => void await startEngine());

  it("gives Dice and the squared error of the crop's own distances, of labelled crops alone", () => {
    // Probabilities 0.9, 0.6, 0.2, 0.1 …; the second crop is not labelled.
    const probabilities = [0.9, 0.6, 0.2, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5];
    const margins = probabilities.map((p) => Math.log(p / (1 - p)));
    const labels = Uint8Array.of(0, 0, 1, 1, 1, 1, 1, 0, 0);
    const margin = tf.tensor4d([...margins, ...margins], [2, 9, 1, 1]);
    const distance = tf.tensor4d([...Array(9).fill(0.25), ...Array(9).fill(0.5)], [2, 9, 1, 1]);
    const batch = {
      images: tf.zeros([2, 9, 1, 1, 1]) as tf.Tensor5D,
      labels: tf.tensor4d(Float32Array.from(labels), [1, 9, 1, 1]),
      labelBytes: labels,
      items: [],
      labelled: 1,
    };
    const target = [1, 0.5, 0, -2 / 3, -1, -2 / 3, 0, 0.5, 1];
    const { value, gradients } = valueAndGradients(() => {
      const { dice, distance: error } = dualTaskTerms({ margin, distance }, batch, 0.3);
      assertEquals([dice.weight, error.weight], [1, 0.3]);
      return { loss: error.value, dice: dice.value };
    }, [distance]);
    const overlap = 0.2 + 0.1 + 3 * 0.5;
    const squares = probabilities.reduce((sum, p) => sum + p * p, 0);
    assertAlmostEquals(value.dice.dataSync()[0], 1 - (2 * overlap + 1e-5) / (squares + 5 + 1e-5), 1e-6);
    const squared = target.map((t) => (0.25 - t) ** 2);
    assertAlmostEquals(value.loss.dataSync()[0], squared.reduce((sum, v) => sum + v, 0) / 9, 1e-6);
    const expected = [...target.map((t) => 2 * (0.25 - t) / 9), ...Array(9).fill(0)];
    assertClose(gradients[0]!.dataSync(), expected, 1e-6);
  });
});

describe("dtc", () => {
  beforeAll(async () => void await startEngine());

  it("turns a distance into a mask that is soft near zero alone", () => {
    const distances = tf.tensor4d([-0.01, -0.001, 0, 0.001, 0.01], [1, 5, 1, 1]);
    assertClose(softMask(distances, 1500).dataSync(), [0.9999997, 0.817574, 0.5, 0.182426, 3.06e-7], 1e-6);
  });

  it("compares mask and segmentation of all crops, and both heads learn from it", () => {
    const run = runOf("dtc", ["steepness=3"]);
    const batch = ballBatch();
    const mode = { training: true, updateStatistics: false };
    const [{ margin, distance }] = (run.networks.network as VNet).forward(batch.images, mode);
    const [margins, distances] = [margin.dataSync(), distance!.dataSync()];
    let sum = 0;
    for (let i = 0; i < margins.length; i++) sum += (sigmoid(-3 * distances[i]) - sigmoid(margins[i])) ** 2;
    const { value, gradients } = termOf(run, "consistency", () => run.loss(batch, stepOf(100)));
    assertAlmostEquals(value, sum / (4 * 4096), 1e-6);
    assert(gradients.has("network/out_conv.weight") && gradients.has("network/out_conv2.weight"));
  });

  it("ramps the consistency up to 1 over the whole run", () => {
    const [run, batch] = [runOf("dtc"), ballBatch()];
    const weight = (iteration: number) => run.loss(batch, stepOf(iteration, 4000)).consistency.weight;
    // Ticks of 100 steps: e = 0, 10, 20 and 39 of 40.
    const found = [weight(1), weight(1001), weight(2001), weight(4000)];
    assertClose(found, [0.0067, 0.0601, 0.2865, 0.9969], 5e-5);
  });

  it("shows both tasks as branches and predicts with the segmentation", () => {
    const run = runOf("dtc");
    const { images } = ballBatch();
    const branches = run.predictBranches!(images);
    assertEquals(branches.map(({ name }) => name), [...run.branchNames!]);
    assertEquals(branches[0].probability.dataSync(), run.predict(images).dataSync());
  });
});
