import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { maskedLoss, midss } from "../../lib/methods/midss.ts";
import { cuboids, fitsCuboids, mixAmplitudes, strongly } from "../../lib/methods/midss/perturbations.ts";
import { disposeNetwork, parametersOf, type Segmenter } from "../../lib/network/network.ts";
import { randomStream } from "../../lib/random.ts";
import { fft3, inverseFft3 } from "../../lib/sasnet/fft.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { assertRelToMax } from "../golden_set.ts";
import { disorder, randomTensor } from "../tensors.ts";
import { tinyBatch, tinyRun, tinyStep } from "./tiny.ts";

const shape: [number, number, number, number] = [2, 4, 4, 4];
const of = (k: number, map: (value: number) => number) =>
  tf.tensor4d(Float32Array.from(disorder(128, k), map), shape);

describe("maskedLoss()", () => {
  beforeAll(async () => void await startEngine());

  it("gives the recorded values and gradients, the background's Dice with or without the mask", () => {
    const margin = of(1, (value) => 4 * value);
    const [labels, mask] = [of(2, (value) => value > 0.4 ? 1 : 0), of(3, (value) => value > -0.2 ? 1 : 0)];
    const parts = (...options: [mask: tf.Tensor4D | undefined, background?: boolean]) =>
      maskedLoss(margin, labels, ...options);
    // MQinghe/MiDSS in PyTorch 2.15, and its Dice with both classes masked; value, absolute sum of the gradient.
    const recorded = [
      [() => parts(mask).crossEntropy, 0.8746984, 0.3552236],
      [() => parts(mask).dice, 0.533849, 0.14949627],
      [() => parts(mask, false).dice, 0.49652612, 0.14859912],
      [() => parts(undefined).dice, 0.49502182, 0.14915472],
    ] as const;
    for (const [loss, value, size] of recorded) {
      const result = valueAndGradients(() => ({ loss: loss() }), [margin]);
      assertAlmostEquals(result.value.loss.dataSync()[0], value, 1e-5);
      const gradient = result.gradients[0]!.dataSync<"float32">();
      assertAlmostEquals(gradient.reduce((sum, entry) => sum + Math.abs(entry), 0), size, 1e-5);
    }
  });

  it("is finite and without gradient where nothing is to be trusted", () => {
    const margin = of(1, (value) => 4 * value);
    const { value, gradients: [gradient] } = valueAndGradients(() => {
      const { crossEntropy, dice } = maskedLoss(
        margin,
        of(2, (value) => value > 0.4 ? 1 : 0),
        tf.zeros(shape),
      );
      return { loss: tf.add(crossEntropy, dice) as tf.Scalar };
    }, [margin]);
    assertEquals(value.loss.dataSync()[0], 0);
    assert(gradient!.dataSync().every((entry) => entry === 0));
  });
});

describe("mixAmplitudes()", () => {
  beforeAll(async () => void await startEngine());

  const images = () => randomTensor<tf.Tensor4D>("images", [2, 6, 9, 8]);
  const others = () => tf.mul(randomTensor<tf.Tensor4D>("others", [2, 6, 9, 8]), 3) as tf.Tensor4D;

  it("leaves images alone with the ratio 0", () => {
    const mixed = mixAmplitudes(images(), others(), { window: 0.01, ratios: [0, 0] });
    assertRelToMax(mixed.dataSync(), images().dataSync(), 1e-5);
  });

  it("mixes the amplitudes of 3³ frequencies, keeps the phases, and stays in the image's range", () => {
    const ratios = [0.3, 0.9];
    const mixed = tf.unstack(mixAmplitudes(images(), others(), { window: 0.01, ratios }));
    const sources = [images(), others()].map((batch) => tf.unstack(batch));
    mixed.forEach((actual, item) => {
      const grid: Shape3 = [6, 9, 8];
      const values = sources[0][item].dataSync<"float32">();
      const [own, other] = sources.map((list) => fft3(list[item].dataSync<"float32">(), grid));
      let changed = 0;
      own.real.forEach((_, i) => {
        const frequency = [Math.floor(i / 72), Math.floor(i / 8) % 9, i % 8];
        if (frequency.some((k, axis) => Math.min(k, grid[axis] - k) > 1)) return;
        changed++;
        const amplitudes = [own, other].map(({ real, imaginary }) => Math.hypot(real[i], imaginary[i]));
        const phase = Math.atan2(own.imaginary[i], own.real[i]);
        const amplitude = amplitudes[0] + ratios[item] * (amplitudes[1] - amplitudes[0]);
        own.real[i] = amplitude * Math.cos(phase);
        own.imaginary[i] = amplitude * Math.sin(phase);
      });
      assertEquals(changed, 27);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      const expected = Float32Array.from(
        inverseFft3(own).real,
        (value) => Math.min(Math.max(value, least), most),
      );
      assertRelToMax(actual.dataSync(), expected, 1e-4, `item ${item}`);
    });
  });
});

describe("cuboids()", () => {
  beforeAll(async () => void await startEngine());

  it("draws one for each item, of 2 to 40 % of the crop and within it", () => {
    const crop: Shape3 = [32, 40, 24];
    const voxels = 32 * 40 * 24;
    const shares: number[] = [];
    for (let draw = 0; draw < 8; draw++) {
      const values = cuboids(2, crop, randomStream(1, "box", draw)).dataSync();
      for (let item = 0; item < 2; item++) {
        const extents = [[Infinity, -1], [Infinity, -1], [Infinity, -1]];
        let count = 0;
        for (let i = 0; i < voxels; i++) {
          if (values[item * voxels + i] === 0) continue;
          count++;
          [Math.floor(i / 960), Math.floor(i / 24) % 40, i % 24].forEach((at, axis) => {
            extents[axis] = [Math.min(extents[axis][0], at), Math.max(extents[axis][1], at)];
          });
        }
        assertEquals(count, extents.reduce((product, [first, last]) => product * (last - first + 1), 1));
        shares.push(count / voxels);
      }
    }
    // Whole voxels make it a little smaller.
    assert(shares.every((share) => share > 0.01 && share <= 0.4), `${shares}`);
    assert(new Set(shares).size > 12);
  });
});

describe("fitsCuboids()", () => {
  it("knows the crops for which no cuboid of two fifths can be drawn", () => {
    const fitting: Shape3[] = [[112, 112, 80], [96, 96, 96], [64, 64, 32], [48, 48, 32], [32, 32, 16], [
      16,
      16,
      16,
    ]];
    const flat: Shape3[] = [[256, 256, 16], [16, 160, 160], [160, 16, 160]];
    assertEquals(fitting.map(fitsCuboids), fitting.map(() => true));
    assertEquals(flat.map(fitsCuboids), flat.map(() => false));
  });
});

describe("strongly()", () => {
  beforeAll(async () => void await startEngine());

  it("scales, changes brightness and contrast, cuts off and blurs", () => {
    const grid: Shape3 = [40, 24, 20];
    const voxels = 40 * 24 * 20;
    const images = randomTensor<tf.Tensor4D>("images", [2, ...grid]);
    const actual = tf.unstack(strongly(images, [0.1, 2], randomStream(1, "strong")));
    const stream = randomStream(1, "strong");
    tf.unstack(images).forEach((image, item) => {
      const [brightness, contrast] = [0.1 + 1.9 * stream.uniform(), 0.1 + 1.9 * stream.uniform()];
      const deviation = 0.1 + 1.9 * stream.uniform();
      const values = Float64Array.from(image.dataSync());
      const least = values.reduce((a, b) => Math.min(a, b));
      const range = values.reduce((a, b) => Math.max(a, b)) - least;
      const cut = (value: number) => Math.min(Math.max(value, 0), 1);
      let result = values.map((value) => cut((value - least) / range * brightness));
      const mean = result.reduce((sum, value) => sum + value, 0) / voxels;
      result = result.map((value) => cut(mean + contrast * (value - mean)));
      [480, 20, 1].forEach((stride, axis) => {
        const [side, radius] = [grid[axis], [2, 1, 1][axis]];
        const blurred = new Float64Array(voxels);
        for (let i = 0; i < voxels; i++) {
          const at = Math.floor(i / stride) % side;
          let total = 0;
          for (let k = -radius; k <= radius; k++) {
            const reflected = at + k < 0 ? -at - k : at + k >= side ? 2 * side - 2 - at - k : at + k;
            const weight = Math.exp(-k * k / 2 / deviation ** 2);
            blurred[i] += weight * result[i + (reflected - at) * stride];
            total += weight;
          }
          blurred[i] /= total;
        }
        result = blurred;
      });
      const expected = result.map((value) => value * range + least);
      assertRelToMax(actual[item].dataSync(), Float32Array.from(expected), 1e-4, `item ${item}`);
    });
  });
});

describe("midss", () => {
  beforeAll(async () => void await startEngine());

  it("teaches mixtures and plain crops where the teacher is confident and agrees with itself", () => {
    const threshold = 0.52;
    const run = tinyRun("midss", [`threshold=${threshold}`], { dropout: false });
    const batch = tinyBatch();
    const step = tinyStep(9);
    const terms = run.loss(batch, step);
    const crop: Shape3 = [16, 16, 16];
    const [known, weak] = tf.split(tf.squeeze(batch.images, [4]), 2, 0) as tf.Tensor4D[];
    const box = cuboids(2, crop, step.stream("box"));
    const stream = step.stream("amplitude");
    const ratios = [stream.uniform() * 8 / 17, stream.uniform() * 8 / 17];
    const moved = mixAmplitudes(known, weak, { window: 0.01, ratios });
    const strong = strongly(weak, [0.1, 2], step.stream("strong"));
    const inBox = box.dataSync();
    const choose = (outside: ArrayLike<number>, inside: ArrayLike<number>) =>
      Float32Array.from(inBox, (value, i) => value === 1 ? inside[i] : outside[i]);
    const tensor = (values: Float32Array) => tf.tensor4d(values, [2, ...crop]);
    const values = (of: tf.Tensor) => of.dataSync<"float32">();
    // The teacher starts as a copy of the student.
    const marginOf = (images: tf.Tensor4D) =>
      (run.networks.teacher as Segmenter).forward(tf.expandDims(images, 4), {
        training: true,
        updateStatistics: false,
      })[0].margin;
    const taught = (images: tf.Tensor4D) => {
      const p = values(tf.sigmoid(marginOf(images)));
      return {
        label: p.map((p) => p > 0.5 ? 1 : 0),
        sure: p.map((p) => Math.max(p, 1 - p) > threshold ? 1 : 0),
      };
    };
    const plain = taught(weak);
    const into = taught(tensor(choose(values(weak), values(known))));
    const onto = taught(tensor(choose(values(known), values(weak))));
    const symmetric = choose(into.label, onto.label);
    const trusted = choose(into.sure, onto.sure)
      .map((sure, i) => sure === 1 && plain.sure[i] === 1 && symmetric[i] === plain.label[i] ? 1 : 0);
    assert(trusted.some((value, i) => value === 0 && plain.sure[i] === 1), "the teacher never disagrees");
    assert(trusted.some((value) => value === 1), "the teacher is never trusted");
    const truth = values(batch.labels);
    const ones = truth.map(() => 1);
    const expected = {
      intoUnlabelled: [
        choose(values(strong), values(moved)),
        choose(plain.label, truth),
        choose(plain.sure, ones),
      ],
      intoLabelled: [
        choose(values(moved), values(strong)),
        choose(truth, plain.label),
        choose(ones, plain.sure),
      ],
      symmetric: [values(strong), symmetric, trusted],
    };
    assertEquals(Object.keys(terms), ["crossEntropy", "dice", ...Object.keys(expected)]);
    for (const [name, [image, label, mask]] of Object.entries(expected)) {
      const loss = maskedLoss(marginOf(tensor(image)), tensor(label), tensor(mask));
      const value = values(loss.crossEntropy)[0] + values(loss.dice)[0];
      assertAlmostEquals(values(terms[name].value)[0], value, 1e-5, name);
    }
    const supervised = maskedLoss(marginOf(known), batch.labels, undefined);
    assertAlmostEquals(values(terms.dice.value)[0], values(supervised.dice)[0], 1e-5);
    assertAlmostEquals(values(terms.crossEntropy.value)[0], values(supervised.crossEntropy)[0], 1e-5);
    // Step 9 of 17 is ⌊8·200/17⌋ = 94 of 200 ticks.
    const lambda = Math.exp(-5 * (1 - 94 / 200) ** 2);
    assertAlmostEquals(terms.intoLabelled.weight, lambda, 1e-9);
    assertAlmostEquals(terms.intoUnlabelled.weight, lambda, 1e-9);
    assertAlmostEquals(terms.symmetric.weight, lambda ** 2, 1e-9);
    Object.values(run.networks).forEach(disposeNetwork);
  });

  it("leaves the background's Dice unmasked as released", () => {
    const valueOf = (settings: string[]) => {
      const run = tinyRun("midss", ["threshold=0.7", ...settings]);
      const value = run.loss(tinyBatch(), tinyStep()).intoLabelled.value.dataSync()[0];
      Object.values(run.networks).forEach(disposeNetwork);
      return value;
    };
    assert(Math.abs(valueOf([]) - valueOf(["maskBackground=false"])) > 1e-3);
    assertEquals(midss.defaults("official").maskBackground, false);
  });

  it("has a teacher that is the student after the first step and follows slowly later", () => {
    const run = tinyRun("midss");
    const [of, copy] = ["student", "teacher"].map((name) => parametersOf(run.networks[name])[0].variable);
    of.assign(tf.add(of, 1));
    run.afterStep!(tinyStep(1));
    assertEquals(copy.dataSync(), of.dataSync());
    const before = copy.dataSync<"float32">().slice();
    of.assign(tf.add(of, 1));
    run.afterStep!(tinyStep(4));
    copy.dataSync<"float32">().forEach((value, i) => assertAlmostEquals(value, before[i] + 0.25, 1e-5));
    Object.values(run.networks).forEach(disposeNetwork);
  });
});
