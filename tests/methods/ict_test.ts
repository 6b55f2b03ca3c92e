import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { betaDeviate, blendedPrediction } from "../../lib/methods/ict.ts";
import { methodOf } from "../../lib/methods/mod.ts";
import { randomStream } from "../../lib/random.ts";
import { assertClose } from "../golden_set.ts";
import {
  createRun,
  crossEntropyByHand,
  disturb,
  noiseBatch,
  probabilitiesOf,
  squaredDiceOfBothByHand,
  stepOf,
  valuesOf,
  voxels,
} from "./one_step.ts";

const method = methodOf("ict");

describe("ict", () => {
  beforeAll(async () => void await startEngine());

  for (const blend of ["probabilities", "logits"] as const) {
    it(`compares the prediction of the blend with the teacher's blended ${blend}`, () => {
      // alpha 1 draws shares from the middle, too, where the two blends differ most.
      const run = createRun(method, [`blend=${blend}`, "alpha=1"]);
      disturb(run, "teacher", 0.3);
      const batch = noiseBatch();
      const step = stepOf(3);
      const share = betaDeviate(1, step.stream("blend"));
      assert(share > 0.1 && share < 0.9, `${share}`);
      const [first, second] = [2, 3].map((item) => tf.slice(batch.images, item, 1));
      const mixed = tf.add(tf.mul(first, 1 - share), tf.mul(second, share));
      const input = tf.concat([tf.slice(batch.images, 0, 2), mixed]) as tf.Tensor5D;
      const student = probabilitiesOf(run, "student", input);
      // Each crop has a pass and batch statistics of its own.
      const [a, b] = [first, second].map((crop) => probabilitiesOf(run, "teacher", crop));
      const logit = (p: number) => Math.log(p / (1 - p));
      let sum = 0;
      for (let i = 0; i < voxels; i++) {
        const target = blend === "logits"
          ? 1 / (1 + Math.exp(-(1 - share) * logit(a[i]) - share * logit(b[i])))
          : (1 - share) * a[i] + share * b[i];
        const p = student[2 * voxels + i];
        sum += ((p - target) ** 2 + (1 - p - (1 - target)) ** 2) / 2;
      }
      const values = valuesOf(run, batch, step);
      assertAlmostEquals(values.consistency, sum / voxels, 1e-4 * sum / voxels);
      const ofLabelled = student.subarray(0, 2 * voxels);
      assertAlmostEquals(values.crossEntropy, crossEntropyByHand(ofLabelled, batch.labelBytes), 1e-5);
      assertAlmostEquals(values.dice, squaredDiceOfBothByHand(ofLabelled, batch.labelBytes), 1e-5);
    });
  }

  it("weights the consistency by 0.1 and a ramp over the whole run", () => {
    const run = createRun(method);
    const weights = [1, 51, 101].map((iteration) =>
      run.loss(noiseBatch(), stepOf(iteration)).consistency.weight
    );
    assertClose(weights, [0.1 * Math.exp(-5), 0.1 * Math.exp(-5 / 4), 0.1], 1e-9);
  });
});

describe("blendedPrediction()", () => {
  beforeAll(async () => void await startEngine());

  it("gives either crop's prediction at the ends", () => {
    const [a, b] = [tf.tensor1d([-2, 0.5]), tf.tensor1d([3, -1])];
    for (const blend of ["probabilities", "logits"] as const) {
      assertClose(blendedPrediction(a, b, 0, blend).dataSync(), tf.sigmoid(a).dataSync(), 1e-7);
      assertClose(blendedPrediction(a, b, 1, blend).dataSync(), tf.sigmoid(b).dataSync(), 1e-7);
    }
  });
});

describe("betaDeviate()", () => {
  for (const alpha of [0.1, 0.2, 1]) {
    it(`has the mean and the variance of Beta(${alpha}, ${alpha})`, () => {
      const stream = randomStream(1, "beta");
      const values = Array.from({ length: 40000 }, () => betaDeviate(alpha, stream));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      assertAlmostEquals(mean, 0.5, 0.01);
      assertAlmostEquals(variance, 1 / (4 * (2 * alpha + 1)), 0.004);
      assert(values.every((value) => value >= 0 && value <= 1));
    });
  }
});
