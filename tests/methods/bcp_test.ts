import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { bcp, boxMask, regionLoss } from "../../lib/methods/bcp.ts";
import { disposeNetwork, parametersOf, type Segmenter } from "../../lib/network/network.ts";
import { randomStream } from "../../lib/random.ts";
import { largestComponent } from "../../lib/volume/components.ts";
import { disorder } from "../tensors.ts";
import { tinyBatch, tinyRun, tinyStep } from "./tiny.ts";

const shape: [number, number, number, number] = [2, 4, 4, 4];
const of = (k: number, map: (value: number) => number) =>
  tf.tensor4d(Float32Array.from(disorder(128, k), map), shape);

describe("boxMask()", () => {
  beforeAll(async () => void await startEngine());

  it("cuts a box of two thirds of each side out, within the crop, at other places each time", () => {
    const [x, y, z] = [112, 112, 80];
    const corners = new Set<number>();
    for (let draw = 0; draw < 3; draw++) {
      const values = boxMask([x, y, z], 2 / 3, randomStream(1, "box", draw)).dataSync();
      const inside = [...values.keys()].filter((i) => values[i] === 0);
      assertEquals(inside.length, 74 * 74 * 53);
      const ranges = [inside.map((i) => Math.floor(i / y / z)), inside.map((i) => Math.floor(i / z) % y)];
      ranges.push(inside.map((i) => i % z));
      const extents = ranges.map((list) =>
        list.reduce((most, i) => Math.max(most, i)) - list.reduce((least, i) => Math.min(least, i)) + 1
      );
      assertEquals(extents, [74, 74, 53]);
      corners.add(inside[0]);
    }
    assert(corners.size === 3);
    assertEquals(
      tf.sum(boxMask([96, 96, 96], 2 / 3, randomStream(1, "box"))).dataSync()[0],
      96 ** 3 - 64 ** 3,
    );
  });
});

describe("regionLoss()", () => {
  beforeAll(async () => void await startEngine());

  it("adds up to the released loss of a mixture, with its gradient", () => {
    const outside = tf.tensor4d(
      Float32Array.from({ length: 64 }, (_, i) => {
        const [x, y, z] = [i >> 4, (i >> 2) & 3, i & 3];
        return x >= 1 && x < 3 && y < 2 && z >= 1 && z < 3 ? 0 : 1;
      }),
      [1, 4, 4, 4],
    );
    const margin = of(1, (value) => 4 * value);
    const [a, b] = [of(2, (value) => value > 0.4 ? 1 : 0), of(3, (value) => value > 0 ? 1 : 0)];
    // Values and absolute sums of the gradient from DeepMed-Lab-ECNU/BCP in PyTorch 2.15.
    for (
      const [weights, value, size] of [
        [[1, 0.5], 1.4133108, 0.50368088],
        [[0.5, 1], 1.3753603, 0.48970008],
      ] as const
    ) {
      const result = valueAndGradients(() => {
        const parts = [regionLoss(margin, a, outside), regionLoss(margin, b, tf.sub(1, outside))];
        const terms = parts.flatMap(({ dice, crossEntropy }, i) =>
          [dice, crossEntropy].map((term) => tf.mul(term, weights[i] / 2))
        );
        return { loss: tf.addN(terms) as tf.Scalar };
      }, [margin]);
      assertAlmostEquals(result.value.loss.dataSync()[0], value, 1e-5);
      const gradient = result.gradients[0]!.dataSync<"float32">();
      assertAlmostEquals(gradient.reduce((sum, entry) => sum + Math.abs(entry), 0), size, 1e-5);
    }
  });
});

/** `region[voxel] ? first : second` of one item each. */
function mixed(first: Float32Array, second: Float32Array, region: ArrayLike<number>): Float32Array {
  return first.map((value, i) => region[i] === 1 ? value : second[i]);
}

/** Dice and cross-entropy of one item in plain arithmetic, over the voxels where the region is 1. */
function expectedOf(margin: ArrayLike<number>, labels: ArrayLike<number>, region: ArrayLike<number>) {
  let [voxels, p, y, both, entropy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < margin.length; i++) {
    if (region[i] !== 1) continue;
    const probability = 1 / (1 + Math.exp(-margin[i]));
    voxels++;
    p += probability;
    y += labels[i];
    both += probability * labels[i];
    entropy += Math.log(1 + Math.exp(margin[i])) - labels[i] * margin[i];
  }
  const foreground = (2 * both + 1e-5) / (p + y + 1e-5);
  const background = (2 * (voxels - p - y + both) + 1e-5) / (2 * voxels - p - y + 1e-5);
  return { dice: 1 - (foreground + background) / 2, crossEntropy: entropy / voxels };
}

describe("bcp", () => {
  beforeAll(async () => void await startEngine());

  for (const largest of [true, false]) {
    it(`learns from mixtures in both directions, ${largest ? "with" : "without"} the largest component`, () => {
      const run = tinyRun("bcp", [`largestComponent=${largest}`], { dropout: false });
      const { images, labels } = tinyBatch();
      const step = tinyStep();
      const terms = run.loss({ ...tinyBatch(), images, labels }, step);
      const student = run.networks.student as Segmenter;
      const mode = { training: true, updateStatistics: false };
      const marginOf = (image: Float32Array) =>
        student.forward(tf.tensor5d(image, [1, 16, 16, 16, 1]), mode)[0].margin.dataSync<"float32">();
      const outside = boxMask([16, 16, 16], 2 / 3, step.stream("box")).dataSync<"float32">();
      const inside = outside.map((value) => 1 - value);
      const items = tf.unstack(images).map((item) => item.dataSync<"float32">());
      const truth = tf.unstack(labels).map((item) => item.dataSync<"float32">());
      // The teacher starts as a copy of the student.
      const pseudo = items.slice(2).map((item) => {
        const mask = Uint8Array.from(marginOf(item), (margin) => margin >= 0 ? 1 : 0);
        return largest ? largestComponent(mask, [16, 16, 16]) : mask;
      });
      assert(pseudo.some((mask) => mask.some((value) => value === 1)), "the teacher finds nothing");
      const inward = marginOf(mixed(items[0], items[2], outside));
      const outward = marginOf(mixed(items[3], items[1], outside));
      const known = [expectedOf(inward, truth[0], outside), expectedOf(outward, truth[1], inside)];
      const taught = [expectedOf(inward, pseudo[0], inside), expectedOf(outward, pseudo[1], outside)];
      const expected = {
        dice: [0.5, known[0].dice + known[1].dice],
        crossEntropy: [0.5, known[0].crossEntropy + known[1].crossEntropy],
        pseudoDice: [0.25, taught[0].dice + taught[1].dice],
        pseudoCrossEntropy: [0.25, taught[0].crossEntropy + taught[1].crossEntropy],
      };
      assertEquals(Object.keys(terms), Object.keys(expected));
      for (const [name, [weight, value]] of Object.entries(expected)) {
        assertEquals(terms[name].weight, weight, name);
        assertAlmostEquals(terms[name].value.dataSync()[0], value, 1e-4, name);
      }
      Object.values(run.networks).forEach(disposeNetwork);
    });
  }

  it("spends 2 of 17 steps on labelled mixtures, after which the teacher is the student", () => {
    const run = tinyRun("bcp", [], { dropout: false });
    const [phase, ...others] = run.phases!;
    assertEquals(others, []);
    assertEquals([phase.name, phase.steps, phase.extra], ["preTraining", 2, undefined]);
    assertEquals(tinyRun("bcp", ["preTraining=0"]).phases, []);
    const batch = tinyBatch();
    const step = tinyStep(1, 2);
    const [objective] = phase.objectives;
    const terms = objective.loss(batch, step, 0);
    const outside = boxMask([16, 16, 16], 2 / 3, step.stream("box")).dataSync();
    const items = tf.unstack(batch.images).map((item) => item.dataSync<"float32">());
    const truth = tf.unstack(batch.labels).map((item) => item.dataSync<"float32">());
    const student = run.networks.student as Segmenter;
    const image = tf.tensor5d(mixed(items[0], items[1], outside), [1, 16, 16, 16, 1]);
    const margin = student.forward(image, { training: true, updateStatistics: false })[0].margin.dataSync();
    const everywhere = new Float32Array(4096).fill(1);
    const expected = expectedOf(margin, mixed(truth[0], truth[1], outside), everywhere);
    assertAlmostEquals(terms.dice.value.dataSync()[0], expected.dice, 1e-4);
    assertAlmostEquals(terms.crossEntropy.value.dataSync()[0], expected.crossEntropy, 1e-4);
    assertEquals([terms.dice.weight, terms.crossEntropy.weight], [0.5, 0.5]);
    const [of, copy] = ["student", "teacher"].map((name) => parametersOf(run.networks[name])[0].variable);
    of.assign(tf.add(of, 1));
    phase.end!();
    assertEquals(copy.dataSync(), of.dataSync());
    Object.values(run.networks).forEach(disposeNetwork);
  });

  it("moves the teacher by a hundredth of the way, from the first step on", () => {
    const run = tinyRun("bcp");
    const [of, copy] = ["student", "teacher"].map((name) => parametersOf(run.networks[name])[0].variable);
    const before = copy.dataSync<"float32">().slice();
    of.assign(tf.add(of, 1));
    run.afterStep!(tinyStep(1));
    copy.dataSync<"float32">().forEach((value, i) => assertAlmostEquals(value, before[i] + 0.01, 1e-6));
    Object.values(run.networks).forEach(disposeNetwork);
  });

  it("refuses batches without halves", () => {
    const setting = { labelledPerBatch: 3 } as Parameters<NonNullable<typeof bcp.refuses>>[0];
    assert(bcp.refuses!(setting)!.includes("3 labelled crops have no halves"));
    assertEquals(bcp.refuses!({ ...setting, labelledPerBatch: 4 }), undefined);
  });
});
