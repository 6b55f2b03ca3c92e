import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Batch } from "../../lib/data/batch.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { certainSquare, certaintyOf, reconstructionLosses } from "../../lib/methods/auss.ts";
import type { MethodRun } from "../../lib/methods/method.ts";
import { methodOf } from "../../lib/methods/mod.ts";
import { paperSgd } from "../../lib/methods/optimiser_settings.ts";
import { parametersOf } from "../../lib/network/network.ts";
import type { ShapeAutoencoder } from "../../lib/network/shape_autoencoder.ts";
import { evaluationMode } from "../../lib/network/unit.ts";
import { createTrainer, type Trainer } from "../../lib/training/trainer.ts";
import { assertClose } from "../golden_set.ts";
import {
  createRun,
  crossEntropyByHand,
  disturb,
  noiseBatch,
  probabilitiesOf,
  squaredDiceByHand,
  stepOf,
  valuesOf,
  voxels,
} from "./one_step.ts";

const method = methodOf("auss");
const small = "bottleneck=16";
const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

function weightsOf(run: MethodRun, network: string): Float32Array[] {
  return parametersOf(run.networks[network]).map(({ variable }) => variable.dataSync<"float32">());
}

/** The batch as the trainer takes it. */
function batch(): Batch {
  const { images, labelBytes, items } = noiseBatch();
  return { images: images.dataSync<"float32">(), labels: labelBytes, items };
}

function trainerOf(run: MethodRun): Trainer {
  return createTrainer(run, { seed: 5, iterations: 100, crop: [16, 16, 16], optimiser: paperSgd });
}

describe("auss", () => {
  beforeAll(async () => void await startEngine());

  it("weights the squared difference of all crops by the reconstruction's plausibility", () => {
    const run = createRun(method, [small, "noise=0", "bottleneckNoise=0", "gamma=3"]);
    disturb(run, "teacher", 0.3);
    const batch = noiseBatch();
    const student = probabilitiesOf(run, "student", batch.images);
    const teacher = probabilitiesOf(run, "teacher", batch.images);
    const hard = tf.tensor5d(teacher.map((q) => q > 0.5 ? 1 : 0), [4, 16, 16, 16, 1]);
    const logits = (run.networks.autoencoder as ShapeAutoencoder).reconstruct(hard, evaluationMode)
      .dataSync();
    let [total, weight] = [0, 0];
    student.forEach((p, i) => {
      for (const c of [0, 1]) {
        const ofClass = (p: number) => c === 1 ? p : 1 - p;
        const certainty = Math.exp(-3 * (sigmoid(logits[2 * i + c]) - ofClass(teacher[i])) ** 2);
        total += certainty * (ofClass(p) - ofClass(teacher[i])) ** 2;
        weight += certainty;
      }
    });
    const values = valuesOf(run, batch, stepOf(1));
    const expected = total / (2 * weight + 1e-16);
    assertAlmostEquals(values.consistency, expected, 1e-4 * expected);
    const ofLabelled = student.subarray(0, 2 * voxels);
    assertAlmostEquals(values.crossEntropy, crossEntropyByHand(ofLabelled, batch.labelBytes), 1e-5);
    assertAlmostEquals(values.dice, squaredDiceByHand(ofLabelled, batch.labelBytes), 1e-5);
  });

  it("disturbs the teacher's inputs and the code", () => {
    const of = (...settings: string[]) => {
      const run = createRun(method, [small, "initial=pytorch", ...settings]);
      disturb(run, "teacher", 0.3);
      const autoencoder = run.networks.autoencoder as ShapeAutoencoder;
      // Running statistics that fit, without which nothing of the code passes the decoder.
      for (let i = 0; i < 60; i++) {
        tf.tidy(() =>
          autoencoder.reconstruct(noiseBatch().images, { training: true, updateStatistics: true }).dispose()
        );
      }
      return [20, 21].map((step) => valuesOf(run, noiseBatch(), stepOf(step)).consistency);
    };
    const still = of("noise=0", "bottleneckNoise=0");
    assertEquals(still[0], still[1]);
    for (const setting of ["noise=0", "bottleneckNoise=0"]) {
      const [first, second] = of(setting);
      assert(first !== second, setting);
    }
  });

  it("weights the consistency by 0.1 and the ramp of 40 ticks", () => {
    const run = createRun(method, [small]);
    const weights = [1, 101].map((iteration) => run.loss(noiseBatch(), stepOf(iteration)).consistency.weight);
    assertClose(weights, [0.1 * Math.exp(-5), 0.1], 1e-9);
  });

  it("trains the auto-encoder first, alone, on top of the budget, and then freezes it", () => {
    const run = createRun(method, [small, "autoencoderSteps=0.04"]);
    const trainer = trainerOf(run);
    assertEquals(trainer.steps, 104);
    assertEquals(trainer.groups.map(({ name }) => name), ["autoencoder", "training"]);
    const before = { student: weightsOf(run, "student"), autoencoder: weightsOf(run, "autoencoder") };
    for (let step = 1; step <= 4; step++) {
      assertEquals(Object.keys(trainer.step(batch(), step).terms), ["reconstruction", "reconstructionDice"]);
    }
    assertEquals(weightsOf(run, "student"), before.student);
    const trained = weightsOf(run, "autoencoder");
    assert(trained.every((values, i) => values.some((value, j) => value !== before.autoencoder[i][j])));
    const statistics = stateOfStatistics(run);
    assertEquals(Object.keys(trainer.step(batch(), 5).terms), ["crossEntropy", "dice", "consistency"]);
    assertEquals(weightsOf(run, "autoencoder"), trained);
    assertEquals(stateOfStatistics(run), statistics);
    assert(weightsOf(run, "student").some((values, i) => values[0] !== before.student[i][0]));
    trainer.dispose();
  });

  it("learns to mend label maps", () => {
    const run = createRun(method, [small, "autoencoderSteps=0.6", "initial=pytorch"]);
    const trainer = trainerOf(run);
    const totals = Array.from({ length: 60 }, (_, i) => trainer.step(batch(), i + 1).total);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [first, last] = [mean(totals.slice(0, 5)), mean(totals.slice(-5))];
    assert(last < 0.5 * first, `${first} and ${last}`);
    trainer.dispose();
  });
});

function stateOfStatistics(run: MethodRun): Float32Array[] {
  return run.networks.autoencoder.layers.flatMap(({ statistics }) =>
    (statistics?.buffers ?? []).map(({ variable }) => variable.dataSync<"float32">())
  );
}

describe("certaintyOf() and certainSquare()", () => {
  beforeAll(async () => void await startEngine());
  const teacher = [0.8, 0.1, 0.6];
  const student = [0.9, 0.5, 0.2];
  const logit = (p: number) => Math.log(p / (1 - p));

  it("are certain, and half of the mean square, where the reconstruction is the teacher's prediction", () => {
    const same = tf.tensor5d(teacher.flatMap((p) => [logit(1 - p), logit(p)]), [1, 3, 1, 1, 2]);
    const q = tf.tensor4d(teacher, [1, 3, 1, 1]);
    const certainty = certaintyOf(same, q, 1);
    assertClose(certainty.dataSync(), [2, 2, 2], 1e-6);
    const value = certainSquare(tf.tensor4d(student, [1, 3, 1, 1]), q, certainty).dataSync()[0];
    assertAlmostEquals(value, (0.1 ** 2 + 0.4 ** 2 + 0.4 ** 2) / 3 / 2, 1e-7);
  });

  it("fall with γ and the difference of each class", () => {
    const logits = tf.tensor5d([logit(0.5), logit(0.9)], [1, 1, 1, 1, 2]);
    const certainty = certaintyOf(logits, tf.tensor4d([0.8], [1, 1, 1, 1]), 2).dataSync()[0];
    assertAlmostEquals(certainty, Math.exp(-2 * 0.3 ** 2) + Math.exp(-2 * 0.1 ** 2), 1e-6);
  });

  it("move the student alone, by C·(p − q)/Σ C", () => {
    const p = tf.variable(tf.tensor1d(student));
    const { gradients } = valueAndGradients(
      () => ({ loss: certainSquare(p, tf.tensor1d(teacher), tf.tensor1d([2, 1, 0.5])) }),
      [p],
    );
    const expected = [2 * 0.1, 0.4, -0.5 * 0.4].map((value) => value / 3.5);
    assertClose(gradients[0]!.dataSync(), expected, 1e-6);
  });
});

describe("reconstructionLosses()", () => {
  beforeAll(async () => void await startEngine());

  it("give the mean square over both classes and the foreground's Dice", () => {
    const p = [0.9, 0.6, 0.2, 0.1];
    const background = [0.2, 0.5, 0.7, 0.4];
    const y = [1, 1, 0, 0];
    const logit = (p: number) => Math.log(p / (1 - p));
    const logits = tf.tensor5d(p.flatMap((p, i) => [logit(background[i]), logit(p)]), [1, 4, 1, 1, 2]);
    const { square, dice } = reconstructionLosses(logits, tf.tensor4d(y, [1, 4, 1, 1]));
    const expected = p.reduce((sum, p, i) => sum + (p - y[i]) ** 2 + (background[i] - (1 - y[i])) ** 2, 0) /
      8;
    assertAlmostEquals(square.dataSync()[0], expected, 1e-6);
    assertAlmostEquals(dice.dataSync()[0], 0.068323, 1e-6);
  });
});
