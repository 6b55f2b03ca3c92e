import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { makeBatch } from "../../lib/data/batch.ts";
import { phantom } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { hyperparametersOf, methodOf } from "../../lib/methods/mod.ts";
import { paperSgd } from "../../lib/methods/optimiser_settings.ts";
import { gaussianContrast, gaussianOf } from "../../lib/methods/plgcl/contrast.ts";
import { hardNegatives } from "../../lib/methods/plgcl/hard_negatives.ts";
import { choosePatches } from "../../lib/methods/plgcl/patches.ts";
import { createQueues } from "../../lib/methods/plgcl/queues.ts";
import { disposeNetwork, parametersOf } from "../../lib/network/network.ts";
import { createProjector } from "../../lib/network/projector.ts";
import { randomStream } from "../../lib/random.ts";
import { createTrainer, type Trainer } from "../../lib/training/trainer.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";

const crop: Shape3 = [32, 32, 32];
const iterations = 6;
const source = phantomSource({ seed: 3, train: 4, test: 1 });

function waves(n: number, dimension: number, step: number): tf.Tensor2D {
  const values = Float32Array.from({ length: n * dimension }, (_, i) => {
    const [row, column] = [Math.floor(i / dimension), i % dimension];
    return Math.sin(step * (row + 1) * (column + 2) + column);
  });
  return tf.tensor2d(values, [n, dimension]);
}

/** Unit vectors around a centre. */
function cloud(name: string, n: number, centre: readonly number[], spread: number): Float32Array {
  const stream = randomStream(1, name);
  const data = new Float32Array(n * centre.length);
  for (let i = 0; i < n; i++) {
    const row = centre.map((value) => value + spread * stream.normal());
    const length = Math.hypot(...row);
    row.forEach((value, k) => data[i * centre.length + k] = value / length);
  }
  return data;
}

function createTrainerWith(settings: readonly string[]): Trainer {
  const method = methodOf("plgcl");
  const run = method.create({
    hyperparameters: hyperparametersOf(method, "paper", settings),
    dataset: phantom,
    width: 2,
    seed: 5,
    iterations,
    crop,
    labelledCases: 2,
    labelledPerBatch: 2,
    dropout: true,
  });
  return createTrainer(run, { seed: 5, iterations, crop, optimiser: paperSgd });
}

async function stepsOf(trainer: Trainer, count: number) {
  const results = [];
  for (let step = 0; step < count; step++) {
    const batch = await makeBatch(source, step, {
      seed: 5,
      labelled: 2,
      crop,
      augmentation: "flips",
      views: phantom.views,
    });
    results.push(trainer.step(batch, step + 1));
  }
  return results;
}

describe("gaussianContrast()", () => {
  beforeAll(async () => void await startEngine());

  it("has the value and gradient that PyTorch computes", () => {
    const [background, foreground] = [waves(5, 3, 0.7), waves(4, 3, 1.3)].map(gaussianOf);
    const anchors = waves(3, 3, 0.4);
    const both = [background, foreground];
    const { value, gradients } = valueAndGradients(() => ({
      loss: gaussianContrast(anchors, [2, 1], [both, both], { temperature: 0.5, lambda: 4, psi: 3 }),
    }), [anchors]);
    assertAlmostEquals(value.loss.dataSync()[0], 9.361972490830766, 1e-4);
    const expected = [1.855615673, 1.760755595, -2.028248694, 3.602043287, -0.732550039, -2.713884984];
    expected.push(3.331976198, -3.981271547, 2.836743569);
    gradients[0]!.dataSync().forEach((slope, i) => assertAlmostEquals(slope, expected[i], 1e-4));
  });

  it("is the cross-entropy of prototypes where there is no covariance", () => {
    const anchors = tf.tensor2d([[0.6, 0.8], [0, 1], [1, 0]]);
    const point = (x: number, y: number) => ({
      mean: tf.tensor1d([x, y]),
      covariance: tf.zeros([2, 2]) as tf.Tensor2D,
    });
    const both = [point(0, 1), point(1, 0)];
    const loss = gaussianContrast(anchors, [2, 1], [both, both], { temperature: 0.2, lambda: 0, psi: 2 });
    // ψ/K = 1; similarities to the own and the other prototype, over τ
    const terms = [[0.8, 0.6], [1, 0], [1, 0]].map(([own, other]) =>
      Math.log(Math.exp(own / 0.2) + Math.exp(other / 0.2)) - own / 0.2
    );
    assertAlmostEquals(loss.dataSync()[0], (terms[0] + terms[1] + terms[2]) / 3, 1e-6);
  });

  it("holds the anchors of one class alone to the spread of that class", () => {
    const anchors = tf.tensor2d([[1, 0]]);
    const gaussian = { mean: tf.tensor1d([0.5, 0]), covariance: tf.tensor2d([[0.1, 0], [0, 0.2]]) };
    const options = { temperature: 0.5, lambda: 4, psi: 1 };
    const loss = gaussianContrast(anchors, [0, 1], [[undefined, gaussian], [undefined, gaussian]], options);
    assertAlmostEquals(loss.dataSync()[0], 4 / (2 * 0.25) * 0.1, 1e-6);
  });
});

describe("gaussianOf()", () => {
  it("divides by the number of rows", () => {
    const { mean, covariance } = gaussianOf(tf.tensor2d([[1, 2], [3, 6]]));
    assertEquals([...mean.dataSync()], [2, 4]);
    assertEquals([...covariance.dataSync()], [1, 2, 2, 4]);
  });
});

describe("choosePatches()", () => {
  // Two items with 2 × 1 × 2 deepest voxels: four cells each.
  const maps = {
    shape: [2, 2, 1, 2] as const,
    foreground: Float32Array.of(1, 0.5, 0.1, 0, 0.25, 0, 0, 0.75),
    entropy: Float32Array.of(0.2, 0.3, 0.3, 0.1, 0.5, 0.4, 0.05, 0.6),
    foregroundEntropy: Float32Array.of(0.2, 0.1, 0.2, 0, 0.1, 0, 0, 0.3),
  };
  const options = { grid: 2, shares: [0.6, 0.25], inverted: false, kept: 1 } as const;

  /** The voxels that the rows average. */
  const voxels = (weights: Float32Array) =>
    Array.from({ length: weights.length / 8 }, (_, row) => weights.subarray(8 * row, 8 * row + 8).indexOf(1));

  it("takes the cells that a class fills, those of least entropy first", () => {
    const { counts, weights } = choosePatches(maps, options);
    assertEquals(counts, [5, 4]);
    // Entropy over the class's part: background 2: 0.1/0.9, 3: 0.1, 4: 0.4/0.75, 5: 0.4, 6: 0.05;
    // foreground 0: 0.2, 1: 0.1/0.5, 4: 0.1/0.25, 7: 0.3/0.75.
    assertEquals(voxels(weights), [6, 3, 2, 5, 4, 0, 1, 4, 7]);
  });

  it("keeps the surer half", () => {
    const { counts, weights } = choosePatches(maps, { ...options, kept: 0.5 });
    assertEquals(counts, [3, 2]);
    assertEquals(voxels(weights), [6, 3, 2, 0, 1]);
  });

  it("takes, with the released filter, the cells that lie below their share and hold some of the class", () => {
    const { counts, weights } = choosePatches(maps, { ...options, inverted: true });
    assertEquals(counts, [2, 1]);
    // Entropy over the background's part: 1: 0.2/0.5, 7: 0.3/0.25.
    assertEquals(voxels(weights), [1, 7, 2]);
  });

  it("averages over the class's part of a larger cell", () => {
    const { counts, weights } = choosePatches(maps, { ...options, grid: 1, shares: [1, 0.4] });
    assertEquals(counts, [0, 1]);
    const expected = [1, 0.5, 0.1, 0, 0, 0, 0, 0].map((share) => share / 1.6);
    weights.forEach((weight, i) => assertAlmostEquals(weight, expected[i], 1e-6));
  });

  it("needs some of a class even where no share is asked for", () => {
    const { counts } = choosePatches(maps, { ...options, shares: [0, 0] });
    assertEquals(counts, [7, 5]);
  });
});

describe("hardNegatives()", () => {
  const own = { data: cloud("own", 60, [1, 0, 0], 0.2), dimension: 3 };
  const other = { data: cloud("other", 60, [0, 1, 0], 0.2), dimension: 3 };
  const meanOf = (data: Float32Array, k: number) => {
    const column = data.filter((_, i) => i % 3 === k);
    return column.reduce((sum, value) => sum + value, 0) / column.length;
  };

  it("lie nearer to the anchors than the class that they stand for", () => {
    const count = 40;
    const rows = hardNegatives(own, own, other, { count, stream: randomStream(1, "hard") })!;
    assertEquals(rows.length, 3 * count);
    for (let i = 0; i < count; i++) {
      assertAlmostEquals(Math.hypot(...rows.subarray(3 * i, 3 * i + 3)), 1, 1e-6);
    }
    assert(meanOf(rows, 0) > meanOf(other.data, 0) + 0.05, `${meanOf(rows, 0)} and ${meanOf(other.data, 0)}`);
    assert(meanOf(rows, 1) < meanOf(other.data, 1));
  });

  it("are none where the classes touch", () => {
    const stream = randomStream(1, "hard");
    const touching = { data: other.data.slice(0, 3), dimension: 3 };
    const single = { data: other.data.slice(0, 3), dimension: 3 };
    assertEquals(hardNegatives(touching, own, single, { count: 5, stream }), undefined);
  });
});

describe("createQueues()", () => {
  it("keeps the newest of each class and restores them", () => {
    const settings = { dimension: 2, capacity: 2, hardNegatives: 0 };
    const queues = createQueues(settings);
    queues.push(tf.tensor2d([[1, 2], [3, 4], [5, 6]]), [1, 2]);
    queues.push(tf.tensor2d([[7, 8]]), [0, 1]);
    const state = queues.save();
    assertEquals([...state.get("queue.0")!.data], [1, 2]);
    assertEquals([...state.get("queue.1")!.data], [5, 6, 7, 8]);
    assertEquals(state.get("queue.1")!.shape, [2, 2]);
    const restored = createQueues(settings);
    restored.load(state);
    assertEquals(restored.save(), state);
  });
});

describe("createProjector()", () => {
  it("has the parameters of the released head without biases, and gives unit vectors", () => {
    const projector = createProjector({ inChannels: 256, outChannels: 128, seed: 1 });
    const size = parametersOf(projector).reduce((sum, { variable }) => sum + variable.size, 0);
    assertEquals(size, 256 * 256 + 256 * 128 + 2 * 256 + 2 * 128);
    const embeddings = projector.embed(tf.randomNormal([5, 256], 0, 1, "float32", 1) as tf.Tensor2D);
    assertEquals(embeddings.shape, [5, 128]);
    tf.norm(embeddings, 2, 1).dataSync().forEach((length) => assertAlmostEquals(length, 1, 1e-5));
    disposeNetwork(projector);
  });
});

describe("plgcl", () => {
  beforeAll(async () => void await startEngine());

  it("contrasts labelled crops alone for a third of the run, then adds consistency with weight 4", async () => {
    const trainer = createTrainerWith([]);
    const results = await stepsOf(trainer, 4);
    const names = results.map(({ terms }) => Object.keys(terms).join(" "));
    const first = "crossEntropy contrast";
    assertEquals(names, [first, first, `${first} consistency`, `${first} consistency`]);
    assertEquals(results[2].weights, { crossEntropy: 1, contrast: 0.5, consistency: 4 });
    assertEquals(trainer.steps, iterations);
    trainer.dispose();
  });

  it("ramps the consistency where that is asked for", async () => {
    const trainer = createTrainerWith(["ramped=true", "consistency=0.1", "contrast=0"]);
    const results = await stepsOf(trainer, iterations);
    const weights = results.slice(2).map(({ weights }) => weights.consistency);
    assertAlmostEquals(weights[0], 0.1 * Math.exp(-5), 1e-9);
    assert(weights.every((weight, i) => i === 0 || weight > weights[i - 1]), `${weights}`);
    trainer.dispose();
  });

  it("contrasts against hard negatives where they are asked for", async () => {
    const contrastOf = async (setting: string) => {
      const trainer = createTrainerWith([setting]);
      const results = await stepsOf(trainer, 2);
      trainer.dispose();
      return results.map(({ terms }) => terms.contrast);
    };
    const [plain, hard] = [await contrastOf("hardNegatives=0"), await contrastOf("hardNegatives=16")];
    assert(hard.every(Number.isFinite) && hard[1] !== plain[1], `${hard} and ${plain}`);
  });
});
