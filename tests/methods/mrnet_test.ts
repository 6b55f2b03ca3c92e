import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertStrictEquals } from "@std/assert";
import { makeBatch } from "../../lib/data/batch.ts";
import { phantom } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { materialise, normalised } from "../../lib/engine/activation.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import type { Variant } from "../../lib/methods/method.ts";
import { hyperparametersOf, methodOf } from "../../lib/methods/mod.ts";
import { binaryCrossEntropy, deviation, drawConditions, weighted } from "../../lib/methods/mrnet/maps.ts";
import { raterCount, syntheticRaters } from "../../lib/methods/mrnet/raters.ts";
import { reconstructionLoss } from "../../lib/methods/mrnet/reconstruction.ts";
import { paperSgd } from "../../lib/methods/optimiser_settings.ts";
import { createConditionedVNet } from "../../lib/network/conditioned_vnet.ts";
import { createConditioning } from "../../lib/network/conditioning.ts";
import type { Layer } from "../../lib/network/layer.ts";
import { disposeNetwork, parametersOf } from "../../lib/network/network.ts";
import { initialiser } from "../../lib/network/parameter.ts";
import { createRefiner } from "../../lib/network/refiner.ts";
import { attention, gaussian, softened } from "../../lib/network/soft_attention.ts";
import { evaluationMode } from "../../lib/network/unit.ts";
import { randomStream } from "../../lib/random.ts";
import { createTrainer, type Trainer } from "../../lib/training/trainer.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { channelsFirst, randomTensor } from "../tensors.ts";

const crop: Shape3 = [16, 16, 16];
const source = phantomSource({ seed: 3, train: 4, test: 1 });

/** sin(step · (1 + i)) over the elements in scan order. */
function wave(shape: readonly number[], step: number, scale = 1): tf.Tensor {
  const length = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(Float32Array.from({ length }, (_, i) => scale * Math.sin(step * (i + 1))), [...shape]);
}

function assertAllClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-5): void {
  expected.forEach((value, i) => assertAlmostEquals(actual[i], value, tolerance));
}

function sizeOf(layers: readonly Layer[]): number {
  return parametersOf({ layers }).reduce((sum, { variable }) => sum + variable.size, 0);
}

function create(settings: readonly string[], variant: Variant = "paper"): Trainer {
  const method = methodOf("mrnet");
  const run = method.create({
    hyperparameters: hyperparametersOf(method, variant, settings),
    dataset: phantom,
    width: 2,
    seed: 5,
    iterations: 4,
    crop,
    labelledCases: 2,
    labelledPerBatch: 2,
    dropout: true,
  });
  return createTrainer(run, { seed: 5, iterations: 4, crop, optimiser: paperSgd });
}

async function firstStep(settings: readonly string[], variant: Variant = "paper") {
  const trainer = create(settings, variant);
  const before = parametersOf(trainer.run.networks.coarse).map(({ variable }) => variable.dataSync().slice());
  const batch = await makeBatch(source, 0, {
    seed: 5,
    labelled: 2,
    crop,
    augmentation: "flips",
    views: phantom.views,
  });
  const result = trainer.step(batch, 1);
  const after = parametersOf(trainer.run.networks.coarse).map(({ variable }) => variable.dataSync().slice());
  const moves = after.map((values, i) => values.map((value, j) => value - before[i][j]));
  trainer.dispose();
  return { ...result, moves };
}

describe("syntheticRaters()", () => {
  const shape: Shape3 = [16, 16, 16];
  const labels = new Uint8Array(2 * 16 ** 3);
  // A block with a thin plate at its side and a narrow hole, and an empty item.
  for (let x = 4; x < 12; x++) {
    for (let y = 4; y < 12; y++) {
      for (let z = 4; z < 12; z++) labels[(x * 16 + y) * 16 + z] = 1;
    }
  }
  for (let x = 4; x < 12; x++) for (let y = 12; y < 15; y++) labels[(x * 16 + y) * 16 + 7] = 1;
  labels[(8 * 16 + 8) * 16 + 8] = 0;
  const masks = syntheticRaters(shape, 1)(labels);
  const of = (rater: number) => Array.from({ length: 16 ** 3 }, (_, i) => masks[i * raterCount + rater]);
  const [truth, cautious, generous, opened, closed, bent] = Array.from(
    { length: raterCount },
    (_, r) => of(r),
  );
  const sizeOfMask = (mask: readonly number[]) => mask.reduce((sum, value) => sum + value, 0);

  it("draw the truth, inside of it, around it, and without thin parts and gaps", () => {
    assertEquals(truth, Array.from(labels.subarray(0, 16 ** 3)));
    const inside = (a: readonly number[], b: readonly number[]) => a.every((value, i) => value <= b[i]);
    assert(inside(cautious, truth) && inside(truth, generous), "eroded and dilated");
    assert(inside(opened, truth) && inside(truth, closed), "opened and closed");
    const at = (x: number, y: number, z: number) => (x * 16 + y) * 16 + z;
    assertEquals([truth, opened, closed].map((mask) => mask[at(8, 13, 7)]), [1, 0, 1]);
    assertEquals([truth, opened, closed].map((mask) => mask[at(8, 8, 8)]), [0, 0, 1]);
    assertEquals(sizeOfMask(cautious) < sizeOfMask(truth), true);
  });

  it("bend boundaries by a few voxels, always in the same way", () => {
    const different = bent.filter((value, i) => value !== truth[i]).length;
    assert(different > 20 && different < 0.7 * sizeOfMask(truth), `${different} voxels differ`);
    assertEquals(syntheticRaters(shape, 1)(labels), masks);
  });

  it("draw nothing where there is nothing", () => {
    assert(masks.subarray(16 ** 3 * raterCount).every((value) => value === 0));
  });
});

describe("MRNet's maps", () => {
  beforeAll(async () => void await startEngine());

  it("drawConditions() gives equal weights, whole parts, and one rater", () => {
    const [equal, random, single] = drawConditions(3, randomStream(1, "conditions")).map((condition) =>
      condition.arraySync()
    );
    for (const rows of [equal, random, single]) {
      for (const row of rows) assertAlmostEquals(row.reduce((sum, part) => sum + part, 0), 1, 1e-6);
    }
    assertAllClose(equal.flat(), new Array(18).fill(1 / 6));
    for (const row of single) assertEquals(row.filter((part) => part !== 0), [1]);
    assert(new Set(random.flat()).size > 6);
    for (const row of random) assert(Math.max(...row) / Math.min(...row) <= 10.001);
  });

  it("weighted() sums the raters' masks of each item with its own weights", () => {
    const masks = tf.tensor([1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1], [2, 1, 1, 1, 6]) as tf.Tensor5D;
    const condition = tf.tensor2d([[0.1, 0.2, 0.3, 0.1, 0.1, 0.2], [0, 0, 1, 0, 0, 0]]);
    assertAllClose(weighted(masks, condition).dataSync(), [0.5, 0]);
  });

  it("deviation() divides by one less than the number of raters", () => {
    const mean = (0.2 + 0.5 + 0.9) / 3;
    const squares = [0.2, 0.5, 0.9].reduce((sum, p) => sum + (p - mean) ** 2, 0);
    assertAllClose(deviation(tf.tensor([0.2, 0.5, 0.9, 0.4, 0.4, 0.4], [1, 1, 1, 2, 3])).dataSync(), [
      Math.sqrt(squares / 2),
      0,
    ]);
  });

  it("binaryCrossEntropy() takes soft targets and weights", () => {
    const one = (x: number, y: number) =>
      -y * Math.log(1 / (1 + Math.exp(-x))) - (1 - y) * Math.log(1 / (1 + Math.exp(x)));
    const [logits, target] = [tf.tensor1d([1, -2]), tf.tensor1d([0.3, 0.8])];
    const [first, second] = [one(1, 0.3), one(-2, 0.8)];
    assertAlmostEquals(binaryCrossEntropy(logits, target).dataSync()[0], (first + second) / 2, 1e-6);
    const loss = binaryCrossEntropy(logits, target, tf.tensor1d([0.5, 1]));
    assertAlmostEquals(loss.dataSync()[0], (first / 2 + second) / 2, 1e-6);
  });
});

describe("soft attention", () => {
  beforeAll(async () => void await startEngine());
  const mapOf = () => tf.tidy(() => tf.add(0.5, tf.mul(0.5, wave([2, 4, 5, 6], 0.7)))) as tf.Tensor4D;
  const kernels = () => [
    gaussian(5),
    tf.tensor1d([0.1, 0.2, 0.4, 0.2, 0.1]),
    tf.tensor1d([0, 0.5, 0.3, 0.2, 0]),
  ];

  it("gaussian() is the released kernel's axis", () => {
    // √(differences of SciPy's normal distribution function), scaled to 1
    assertAllClose(gaussian(5).dataSync(), [0.0237412761, 0.2358474503, 0.4808225472, 0.2358474503], 1e-7);
    const values = gaussian(13).dataSync<"float32">();
    assertAllClose(values, [0.00381889722, 0.01253099292, 0.033097123, 0.07040146911, 0.1206590145], 1e-7);
    assertAlmostEquals(values.reduce((sum, value) => sum + value, 0), 1, 1e-6);
  });

  it("softened() is PyTorch's convolution with the outer product, zero outside", () => {
    const map = mapOf();
    const soft = softened(map, kernels());
    assertEquals(soft.shape, map.shape);
    const at = (...place: number[]) => tf.slice(soft, place, [1, 1, 1, 1]).dataSync()[0];
    assertAllClose([at(1, 2, 3, 4), at(0, 0, 0, 0)], [0.437869933, 0.151090079]);
    assertAlmostEquals(tf.sum(soft).dataSync()[0], 76.6217316, 1e-3);
  });

  it("attention() is the larger of the map and its stretched softening", () => {
    const result = attention(mapOf(), kernels());
    const at = (...place: number[]) => tf.slice(result, place, [1, 1, 1, 1]).dataSync()[0];
    assertAllClose([at(1, 2, 3, 4), at(0, 0, 0, 0)], [0.841694280, 0.822108844]);
    assertAlmostEquals(tf.sum(result).dataSync()[0], 165.130735, 1e-3);
  });

  it("attention() of agreeing raters is nothing", () => {
    assert(attention(tf.zeros([1, 4, 4, 4]), kernels()).dataSync().every((value) => value === 0));
  });

  it("trains the Gaussian", () => {
    const [map, trained] = [mapOf(), kernels()];
    const { gradients } = valueAndGradients(() => ({
      loss: tf.sum(tf.mul(attention(map, trained), wave(map.shape, 0.3))) as tf.Scalar,
    }), trained);
    const at = (step: number) => {
      const moved = [tf.add(trained[0], tf.tensor1d([0, step, 0, 0, 0])) as tf.Tensor1D, ...trained.slice(1)];
      return tf.sum(tf.mul(attention(map, moved), wave(map.shape, 0.3))).dataSync()[0];
    };
    const slope = (at(1e-3) - at(-1e-3)) / 2e-3;
    assertAlmostEquals(gradients[0]!.dataSync()[1], slope, 2e-2 * Math.abs(slope) + 1e-2);
  });
});

describe("createConditioning()", () => {
  beforeAll(async () => void await startEngine());

  it("is PyTorch's convolutional LSTM step, values and gradients", () => {
    const conditioning = createConditioning({ channels: 2, raters: 3, level: 4 }, initialiser(1));
    const steps: Readonly<Record<string, number>> = {
      "condition": 0.31,
      "lstm.input": 0.17,
      "lstm.state": 0.23,
    };
    for (const { name, variable } of parametersOf(conditioning)) {
      const step = steps[name.replace(/\.(weight|bias)$/, "")];
      if (name.endsWith("bias")) variable.assign(wave(variable.shape, step + 0.05, 0.3));
      else {
        const torch = [4, 3, 0, 1, 2].map((axis) => variable.shape[axis]);
        variable.assign(tf.transpose(wave(torch, step, 0.3), [2, 3, 4, 1, 0]));
      }
    }
    const raw = tf.transpose(wave([2, 2, 2, 3, 2], 0.9), [0, 2, 3, 4, 1]) as tf.Tensor5D;
    const pair = (value: number) => tf.fill([2], value) as tf.Tensor1D;
    const conditions = [tf.tensor2d([[1 / 3, 1 / 3, 1 / 3], [0, 1, 0]])];
    const variables = parametersOf(conditioning).map(({ variable }) => variable);
    const { value, gradients } = valueAndGradients(() => {
      const feature = normalised({
        raw,
        moments: { mean: pair(0.1), variance: pair(0.5) },
        affine: { scale: pair(1.5), offset: pair(0.2) },
        fromBatch: false,
      });
      const output = materialise({ terms: conditioning.apply(feature, conditions) });
      const weights = tf.transpose(wave([2, 2, 2, 3, 2], 0.5), [0, 2, 3, 4, 1]);
      return { loss: tf.sum(tf.mul(output, weights)) as tf.Scalar, output };
    }, [raw, ...variables]);
    const expected = [0.5465809180, 0.5908849846, 0.7062266446, 0.7187060630, 0.5333092552, 0.4922582437];
    assertAllClose(channelsFirst(value.output), expected);
    assertAlmostEquals(tf.sum(value.output).dataSync()[0], 15.9700926508, 1e-4);
    const ofRaw = channelsFirst(gradients[0]!);
    assertAllClose(ofRaw, [0.4478119573, 0.4363523231, 0.3529098196, 0, 0, 0]);
    assertAlmostEquals(ofRaw.reduce((sum, slope) => sum + Math.abs(slope), 0), 7.2603907369, 1e-4);
    const ofCondition = tf.transpose(gradients[1]!, [4, 3, 0, 1, 2]).dataSync();
    assertAllClose(ofCondition, [-0.0988956679, -0.2460300300, -0.1471343622, -0.3670942809]);
    assertAlmostEquals(tf.sum(tf.abs(gradients[5]!)).dataSync()[0], 18.1829949948, 1e-3);
  });
});

describe("MRNet's networks", () => {
  beforeAll(async () => void await startEngine());

  it("have the parameters of V-Net, the conditioning, and the refiner", () => {
    const coarse = createConditionedVNet({
      width: 16,
      inChannels: 1,
      outChannels: 1,
      raters: 6,
      dropout: true,
      seed: 1,
    });
    const plain = 9_448_866 - 17;
    const conditioning = (6 * 27 + 1) * 256 + 2 * (256 * 27 + 1) * 1024;
    assertEquals(sizeOf(coarse.layers), plain + conditioning);
    const refiner = createRefiner({ width: 16, softening: 13, seed: 1 });
    assertEquals(sizeOf(refiner.layers), 2 * (16 * 27 * 16 + 3 * 16) + 3 * 13 + 32 * 27 + 1);
    disposeNetwork(coarse);
    disposeNetwork(refiner);
  });

  it("answer differently under different conditions, from one encoder", () => {
    const network = createConditionedVNet({
      width: 2,
      inChannels: 1,
      outChannels: 1,
      raters: 6,
      dropout: false,
      seed: 1,
    });
    const conditions = drawConditions(2, randomStream(1, "conditions"));
    const image = randomTensor<tf.Tensor5D>("image", [2, ...crop, 1]);
    const mode = { training: true, updateStatistics: false };
    const together = network.forward(image, conditions, mode).map(({ logits }) => logits.dataSync());
    const alone = conditions.map((condition) =>
      network.forward(image, [condition], mode)[0].logits.dataSync()
    );
    together.forEach((values, i) => assertAllClose(values, Array.from(alone[i])));
    assert(together[0].some((value, i) => Math.abs(value - together[2][i]) > 1e-3));
    disposeNetwork(network);
  });

  it("refine with the features alone where raters agree and nothing is found", () => {
    const refiner = createRefiner({ width: 2, softening: 5, seed: 1 });
    const features = randomTensor<tf.Tensor5D>("features", [1, 4, 4, 4, 2]);
    const none = tf.zeros([1, 4, 4, 4]) as tf.Tensor4D;
    const margin = refiner.forward(features, [none, none], evaluationMode);
    // Twice the features into the last convolution, which sees them once in the sum of its two halves.
    const [head] = refiner.layers.slice(-1);
    const [filter, bias] = head.parameters.map(({ variable }) => variable);
    const halves = tf.split(filter, 2, 3);
    const units = refiner.layers.slice(0, 2) as unknown as readonly {
      apply(input: unknown, mode: unknown): never;
    }[];
    const second = units[1].apply({ terms: [units[0].apply(features, evaluationMode)] }, evaluationMode);
    const values = materialise({ terms: [second] });
    const expected = tf.add(tf.conv3d(values, tf.add(halves[0], halves[1]) as tf.Tensor5D, 1, "same"), bias);
    assertAllClose(margin.dataSync(), Array.from(expected.dataSync()));
    disposeNetwork(refiner);
  });

  it("reconstruct: the loss is 0 for equal maps, the released mean otherwise, and its target is constant", () => {
    const rater = createConditionedVNet({
      width: 2,
      inChannels: 2,
      outChannels: 6,
      raters: 6,
      dropout: false,
      seed: 1,
    });
    const [a, b] = ["a", "b"].map((name) => randomTensor<tf.Tensor5D>(name, [2, ...crop, 2]));
    assertStrictEquals(reconstructionLoss(rater, a, a).dataSync()[0], 0);
    const { value, gradients } = valueAndGradients(() => ({ loss: reconstructionLoss(rater, a, b) }), [a, b]);
    const mode = { training: true, updateStatistics: false };
    const levels = [a, b].map((input) =>
      rater.encode(input, mode).map((feature) => materialise({ terms: [feature] }))
    );
    let expected = 0;
    levels[0].forEach((feature, level) => {
      const [first, second] = [feature.dataSync(), levels[1][level].dataSync()];
      let sum = 0;
      first.forEach((entry, i) => sum += (entry - second[i]) ** 2);
      // squared length along the last axis, mean over items, channels and the other axes
      expected += sum / (first.length / feature.shape[3]) / 1000;
    });
    assertAlmostEquals(value.loss.dataSync()[0], expected, 1e-4 * expected);
    assert(gradients[0]!.dataSync().some((slope) => slope !== 0));
    assertEquals(gradients[1], undefined);
    disposeNetwork(rater);
  });
});

describe("mrnet", () => {
  beforeAll(async () => void await startEngine());

  it("weights a, p and m as 3 : 2 : 1, fit and reconstruction as 0.7 and 0.3", async () => {
    const { weights, terms, total } = await firstStep([]);
    const ramped = 0.1 * Math.exp(-5);
    const expected = {
      "equal": 0.7 * 3 / 6,
      "random": 0.7 * 2 / 6,
      "single": 0.7 / 6,
      "reconstruction": 0.3,
      "agreement": ramped,
      "rater.raters": 1,
      "refiner.equal": 3 / 6,
      "refiner.random": 2 / 6,
      "refiner.single": 1 / 6,
      "refiner.agreement": ramped,
    };
    assertEquals(Object.keys(weights), Object.keys(expected));
    Object.entries(expected).forEach(([name, weight]) => assertAlmostEquals(weights[name], weight, 1e-12));
    const names = ["equal", "random", "single", "reconstruction", "agreement"];
    const sum = names.reduce((all, name) => all + weights[name] * terms[name], 0);
    assertAlmostEquals(sum, total, 1e-5 * total);
  });

  it("moves the coarse network by the reconstruction, unless it is as released", async () => {
    const alone = ["fit=0", "agreement=0"];
    const moved = (
      { moves }: { moves: readonly ArrayLike<number>[] },
      without: readonly ArrayLike<number>[],
    ) => moves.some((values, i) => Array.from(values).some((value, j) => value !== without[i][j]));
    const decayOnly = await firstStep([...alone, "reconstruction=0"]);
    const flowing = await firstStep(alone);
    const inert = await firstStep([...alone, "inertReconstruction=true"]);
    assert(moved(flowing, decayOnly.moves));
    assert(!moved(inert, decayOnly.moves));
    assertEquals(inert.terms.reconstruction, flowing.terms.reconstruction);
  });

  it("refines from the random condition's prediction where it is as released", async () => {
    const intended = await firstStep([]);
    const swapped = await firstStep(["swappedRefinement=true"]);
    const differs = Object.keys(intended.terms).filter((name) =>
      intended.terms[name] !== swapped.terms[name]
    );
    assertEquals(differs, ["refiner.equal"]);
  });

  it("shows the rater network logits where it is as released", async () => {
    const { terms } = await firstStep([]);
    const logits = await firstStep(["raterInput=logit"]);
    assertEquals(logits.terms.equal, terms.equal);
    assert(logits.terms.reconstruction !== terms.reconstruction);
    assertEquals((await firstStep([], "official")).terms.reconstruction, logits.terms.reconstruction);
  });

  it("is supervised and has no pseudo-raters in its strict form", async () => {
    const trainer = create(["form=strict"]);
    assertEquals(Object.keys(trainer.run.networks), ["coarse", "rater", "refiner"]);
    trainer.dispose();
    const { terms } = await firstStep(["form=strict"]);
    assertEquals(Object.keys(terms).filter((name) => name.includes("agreement")), []);
  });
});
