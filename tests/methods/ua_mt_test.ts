import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { datasets } from "../../lib/data/dataset.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { methodOf } from "../../lib/methods/mod.ts";
import { warmedDecay, withNoise } from "../../lib/methods/parts/teacher.ts";
import { certainSquare, gateOf, uaMt } from "../../lib/methods/ua_mt.ts";
import { parametersOf } from "../../lib/network/network.ts";
import { assertClose } from "../golden_set.ts";
import {
  createRun,
  crossEntropyByHand,
  disturb,
  noiseBatch,
  probabilitiesOf,
  settingOf,
  squaredDiceByHand,
  stepOf,
  valuesOf,
  voxels,
} from "./one_step.ts";

const method = methodOf("ua-mt");

/** Σ mask·Σ_c (p_c − q_c)² / (2·Σ mask + 1e-16), mask = entropy of `mean` below the gate. */
function consistencyByHand(p: Float32Array, q: Float32Array, gate: number, mean = q) {
  let [total, certain] = [0, 0];
  p.forEach((p, i) => {
    const [m, n] = [mean[i], 1 - mean[i]];
    const uncertainty = -m * Math.log(m + 1e-6) - n * Math.log(n + 1e-6);
    if (uncertainty >= gate) return;
    total += (p - q[i]) ** 2 + (1 - p - (1 - q[i])) ** 2;
    certain++;
  });
  return { value: total / (2 * certain + 1e-16), share: certain / p.length };
}

describe("uaMt", () => {
  beforeAll(async () => void await startEngine());

  for (const [consistencyOn, first] of [["unlabelled", 2], ["all", 0]] as const) {
    it(`compares ${consistencyOn} crops with a certain teacher`, () => {
      // Without noise and dropout the eight predictions of the teacher are one.
      const run = createRun(method, ["noise=0", `consistencyOn=${consistencyOn}`]);
      disturb(run, "teacher", 0.3);
      const batch = noiseBatch();
      const step = stepOf(60);
      const student = probabilitiesOf(run, "student", batch.images);
      const teacher = probabilitiesOf(run, "teacher", tf.slice(batch.images, first));
      const expected = consistencyByHand(student.subarray(first * voxels), teacher, gateOf(step));
      assert(expected.share > 0.02 && expected.share < 0.98, `certain: ${expected.share}`);
      const values = valuesOf(run, batch, step);
      assertAlmostEquals(values.consistency, expected.value, 1e-3 * expected.value);
      const ofLabelled = student.subarray(0, 2 * voxels);
      assertAlmostEquals(values.crossEntropy, crossEntropyByHand(ofLabelled, batch.labelBytes), 1e-5);
      assertAlmostEquals(values.dice, squaredDiceByHand(ofLabelled, batch.labelBytes), 1e-5);
    });
  }

  it("takes the entropy of the mean of predictions, two a pass, the target not among them", () => {
    const run = createRun(method, ["samples=4", "noise=0.2"]);
    disturb(run, "teacher", 0.3);
    const batch = noiseBatch();
    const step = stepOf(60);
    const unlabelled = tf.slice(batch.images, 2);
    const ask = (images: tf.Tensor5D, pass: string) => {
      const noise = { deviation: 0.2, limit: 0.4 };
      return probabilitiesOf(run, "teacher", withNoise(images, step.stream(`noise ${pass}`), noise));
    };
    const passes = ["0", "1"].map((pass) => ask(tf.concat([unlabelled, unlabelled]), pass));
    const half = 2 * voxels;
    const mean = Float32Array.from(
      { length: half },
      (_, i) => passes.reduce((sum, values) => sum + values[i] + values[half + i], 0) / 4,
    );
    const target = ask(unlabelled, "target");
    const student = probabilitiesOf(run, "student", batch.images).subarray(half);
    const expected = consistencyByHand(student, target, gateOf(step), mean).value;
    const of = valuesOf(run, batch, step).consistency;
    assertAlmostEquals(of, expected, 1e-3 * expected);
  });

  it("asks a teacher whose inputs are noisy and whose channels drop out", () => {
    const batch = noiseBatch();
    const of = (settings: string[], dropout: boolean) => {
      const run = method.create({ ...settingOf(method, settings), dropout });
      disturb(run, "teacher", 0.3);
      return valuesOf(run, batch, stepOf(100)).consistency;
    };
    assertEquals(of(["noise=0", "samples=2"], false), of(["noise=0", "samples=8"], false));
    assert(of(["samples=2"], false) !== of(["samples=8"], false));
    assert(of(["noise=0", "samples=2"], true) !== of(["noise=0", "samples=8"], true));
  });

  it("weights the consistency by 0.1 and the ramp of 40 ticks", () => {
    const run = createRun(method);
    const weights = [1, 101].map((iteration) => run.loss(noiseBatch(), stepOf(iteration)).consistency.weight);
    assertClose(weights, [0.1 * Math.exp(-5), 0.1], 1e-9);
  });

  it("copies the student into the teacher after the first step, then averages", () => {
    const run = createRun(method);
    disturb(run, "student");
    const of = (network: string) =>
      parametersOf(run.networks[network]).map(({ variable }) => variable.dataSync());
    run.afterStep!(stepOf(1));
    const copied = of("teacher");
    assertEquals(copied, of("student"));
    disturb(run, "student");
    run.afterStep!(stepOf(100));
    of("student").forEach((values, i) =>
      assertClose(of("teacher")[i], values.map((value, j) => 0.99 * copied[i][j] + 0.01 * value), 1e-6)
    );
    assertClose([1, 2, 50, 100, 1000].map((iteration) => warmedDecay(iteration, 0.99)), [
      0,
      0.5,
      0.98,
      0.99,
      0.99,
    ], 1e-12);
  });

  it("has the optimisers of the published scripts as its own recipe", () => {
    const of = (name: "la" | "pancreas" | "brats") => uaMt.nativeOptimiser!(datasets[name]);
    assertEquals([of("la"), of("pancreas"), of("brats")].map(({ kind, rule }) => `${kind} ${rule}`), [
      "sgd step",
      "adam constant",
      "sgd poly",
    ]);
  });
});

describe("gateOf()", () => {
  it("opens from 3/4 of ln 2 to ln 2", () => {
    const gates = [0, 0.25, 0.5, 0.75, 1].map((share) => gateOf(stepOf(1 + 400 * share, 400)));
    assertClose(gates, [0.5210, 0.5303, 0.5695, 0.6466, 0.6931], 5e-5);
  });
});

describe("certainSquare()", () => {
  beforeAll(async () => void await startEngine());
  const p = [0.9, 0.5, 0.2, 0.7];
  const q = [0.8, 0.1, 0.6, 0.7];

  it("averages over certain voxels, with the gradient 2(p − q)/n there and none elsewhere", () => {
    const student = tf.variable(tf.tensor1d(p));
    const mask = tf.tensor1d([true, false, true, true], "bool");
    const { value, gradients } = valueAndGradients(
      () => ({ loss: certainSquare(student, tf.tensor1d(q), mask) }),
      [student],
    );
    assertAlmostEquals(value.loss.dataSync()[0], (0.01 + 0.16 + 0) / 3, 1e-7);
    assertClose(gradients[0]!.dataSync(), [2 * 0.1 / 3, 0, -2 * 0.4 / 3, 0], 1e-6);
  });

  it("is 0 where no voxel is certain", () => {
    const none = tf.tensor1d([false, false, false, false], "bool");
    assertEquals(certainSquare(tf.tensor1d(p), tf.tensor1d(q), none).dataSync()[0], 0);
  });
});
