import { describe, it } from "@std/testing/bdd";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertThrows,
} from "@std/assert";
import { viewsOf } from "../../lib/sasnet/view.ts";
import {
  confidenceOf,
  createConfidenceMemory,
  type MemoryOptions,
  memoryTensors,
  readConfidence,
  restoreMemory,
  type Visit,
  visitsOf,
  writeConfidence,
} from "../../lib/sasnet/confidence_memory.ts";
import { figure4, turningPoint } from "../../lib/sasnet/figure4.ts";
import { meanConfidence, meanOfBranches, reweight, sarVariants, weigh } from "../../lib/sasnet/sar.ts";
import { type BatchItem, makeBatch } from "../../lib/data/batch.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { randomStream } from "../../lib/random.ts";
import { crop as cutWindow } from "../../lib/volume/crop.ts";
import { type Shape3, type Triple, voxelCount } from "../../lib/volume/volume.ts";
import { InputError } from "../../lib/errors.ts";
import { assertClose, needsGolden, readGolden } from "../golden_set.ts";

interface SarJson {
  readonly figure4: {
    readonly voxels: readonly {
      readonly sum_without_sar: readonly number[];
      readonly sum_with_sar: readonly number[];
      readonly softmax_without: readonly number[];
      readonly softmax_with: readonly number[];
    }[];
  };
  readonly variants: Readonly<
    Record<
      string,
      { readonly index: "item" | "branch"; readonly memory: "two" | "running"; readonly init: number }
    >
  >;
  readonly sequences: Readonly<
    Record<string, {
      readonly patch: Shape3;
      readonly sizes: Readonly<Record<string, Shape3>>;
      readonly alpha: number;
      readonly visits: readonly {
        readonly names: readonly string[];
        readonly views: readonly number[];
        readonly locations: readonly Triple[];
      }[];
    }>
  >;
}

const golden = readGolden<SarJson>("sar");
const datasetKeys: Record<string, string> = { LA: "la", Pancreas_CT: "pancreas" };

/** One class of one branch out of [branch, item, class, voxels]. */
function channelOf(all: Float32Array, branch: number, items: number, voxels: number): Float32Array {
  const out = new Float32Array(items * voxels);
  for (let item = 0; item < items; item++) {
    const from = ((branch * items + item) * 2 + 1) * voxels;
    out.set(all.subarray(from, from + voxels), item * voxels);
  }
  return out;
}

describe("reweight()", () => {
  for (const dataset of ["LA", "Pancreas_CT"]) {
    for (const variant of ["official", "paper", "running_branch", "paper_init0"]) {
      it(`follows the recorded visits of ${dataset}, ${variant}`, needsGolden, () => {
        const { patch, sizes, alpha, visits } = golden.json.sequences[dataset];
        const { index, memory: rule, init } = golden.json.variants[variant];
        const memory = createConfidenceMemory({ rule, initial: init, precision: "float32" });
        const voxels = patch[0] * patch[1] * patch[2];
        visits.forEach(({ names, views, locations }, i) => {
          const step = `${dataset}.${i}`;
          const all = golden.floats(`${step}.probs`);
          const found = reweight(
            memory,
            names.map((name, b): Visit => ({
              case: name,
              shape: sizes[name],
              location: locations[b],
              permutation: viewsOf(datasetKeys[dataset]).find(({ code }) => code === views[b])!.permutation,
            })),
            {
              high: channelOf(all, 0, 2, voxels),
              low: channelOf(all, 1, 2, voxels),
              labels: golden.bytes(`${step}.label`),
              patch,
              alpha,
              index,
              withWeighted: true,
            },
          );
          const ensemble = channelOf(golden.floats(`${step}.${variant}.ensemble`), 0, 2, voxels);
          assertClose(found.foreground, ensemble, 1e-6, `${step} ensemble`);
          // Of the variant that starts from 0 only the ensemble is recorded.
          if (variant === "paper_init0") return;
          assertClose(
            found.weighted!,
            golden.floats(`${step}.${variant}.weighted`),
            1e-6,
            `${step} weighted`,
          );
          for (const name of names) {
            const stored = [...confidenceOf(memory, name, 0), ...confidenceOf(memory, name, 1)];
            assertClose(
              stored,
              golden.floats(`${step}.${variant}.memory.${name}`),
              1e-6,
              `${step} memory ${name}`,
            );
          }
        });
      });
    }
  }

  it("refuses arrays that do not fit the crops", () => {
    const memory = createConfidenceMemory(sarVariants.paper);
    const visit: Visit = { case: "a", shape: [2, 2, 2], location: [0, 0, 0], permutation: [0, 1, 2] };
    const input = { patch: [2, 2, 2] as Shape3, alpha: 0.5, index: "branch" as const };
    const [high, low, labels] = [new Float32Array(8), new Float32Array(7), new Uint8Array(8)];
    assertThrows(
      () => reweight(memory, [visit], { ...input, high, low, labels }),
      RangeError,
      "7 values for 1 crops",
    );
  });
});

describe("figure4()", () => {
  it("prints the paper's sums", () => {
    const [first, second] = figure4();
    assertClose([...first.sum, ...first.weightedSum], [1.5, 0.5, 1.685, 0.565], 1e-12);
    assertClose([...second.sum, ...second.weightedSum], [0.7, 1.3, 0.825, 1.525], 1e-12);
  });

  it("equals the recorded softmax", needsGolden, () => {
    golden.json.figure4.voxels.forEach((expected, i) => {
      const { foreground, weightedForeground } = figure4()[i];
      assertClose(
        [foreground, weightedForeground],
        [expected.softmax_without[1], expected.softmax_with[1]],
        1e-12,
      );
    });
  });

  it("moves the ratio of the sums towards the truth and the softmax away from it", () => {
    for (const { truth, sum, weightedSum, foreground, weightedForeground } of figure4()) {
      const share = (pair: readonly [number, number]) => pair[truth] / (pair[0] + pair[1]);
      assertGreater(share(weightedSum), share(sum));
      const confidence = (p: number) => truth === 1 ? p : 1 - p;
      assertLess(confidence(weightedForeground), confidence(foreground));
    }
  });
});

describe("turningPoint()", () => {
  it("is where the ensemble's decision turns, for every α", () => {
    for (const alpha of [0, 0.25, 0.5, 1]) {
      for (const high of [0.05, 0.3, 0.5, 0.62, 0.8]) {
        const right = (low: number) =>
          weigh(low, low, alpha) + weigh(high, high, alpha) >
            weigh(1 - low, low, alpha) + weigh(1 - high, high, alpha);
        const low = turningPoint(high, alpha);
        assert(right(low + 1e-9) && (low === 0 || !right(low - 1e-9)), `α ${alpha}, high ${high}: ${low}`);
        assert(low <= 1 - high + 1e-12);
      }
    }
  });
});

describe("meanConfidence()", () => {
  it("is the mean probability of the true class, a class apart", () => {
    const { foreground, background } = meanConfidence(
      Float32Array.of(0.9, 0.5, 0.25, 0),
      Uint8Array.of(1, 1, 0, 0),
    );
    assertClose([foreground, background], [0.7, 0.875], 1e-7);
    assert(Number.isNaN(meanConfidence(Float32Array.of(0.5), Uint8Array.of(0)).foreground));
  });
});

describe("visitsOf()", () => {
  it("tells the last two visits apart, and voxels without any", () => {
    const memory = createConfidenceMemory({ rule: "two", initial: 0.5, precision: "float32" });
    const visit: Visit = { case: "a", shape: [2, 1, 2], location: [1, 0, 0], permutation: [0, 1, 2] };
    const patch: Shape3 = [1, 1, 2];
    for (const values of [[0.1, 0.2], [0.3, 0.4], [0.7, 0.8]]) {
      writeConfidence(memory, visit, 1, { patch, values: Float32Array.from(values) });
    }
    const { last, before, visited } = visitsOf(memory, "a", 1);
    assertClose([...last], [0.5, 0.5, 0.7, 0.8], 1e-6);
    assertClose([...before], [0.5, 0.5, 0.3, 0.4], 1e-6);
    assertEquals([...visited], [0, 0, 1, 1]);
    assertThrows(() => visitsOf(memory, "b", 1), InputError, 'no memory of case "b"');
  });
});

describe("weigh() and meanOfBranches()", () => {
  it("follow equations 4 and 8", () => {
    assertAlmostEquals(weigh(0.8, 0.2, 0.5), 0.88, 1e-12);
    assertClose(meanOfBranches(Float32Array.of(0.2, 0.8), Float32Array.of(0.4, 0.4)), [0.3, 0.6], 1e-7);
  });
});

describe("the confidence memory", () => {
  const visit: Visit = { case: "a", shape: [4, 5, 3], location: [1, 2, 0], permutation: [1, 0, 2] };
  const patch: Shape3 = [2, 2, 3];
  const options = (rule: "two" | "running", precision: MemoryOptions["precision"] = "float32") =>
    createConfidenceMemory({ rule, initial: 0.5, precision });
  const remember = (memory: ReturnType<typeof options>, value: number) =>
    writeConfidence(memory, visit, 0, { patch, values: new Float32Array(12).fill(value) });
  const recall = (memory: ReturnType<typeof options>, branch: 0 | 1 = 0) => {
    const out = new Float32Array(12);
    readConfidence(memory, visit, branch, { patch, out });
    return out[0];
  };

  it("two: is the mean of the last two visits, the first of which fills both", () => {
    const memory = options("two");
    assertEquals(recall(memory), 0.5);
    for (const [value, expected] of [[0.2, 0.2], [0.6, 0.4], [1, 0.8]]) {
      remember(memory, value);
      assertAlmostEquals(recall(memory), expected, 1e-6);
    }
    assertEquals(recall(memory, 1), 0.5);
  });

  it("running: is the first visit's value, then the mean of the old and the new", () => {
    const memory = options("running");
    for (const [value, expected] of [[0.2, 0.2], [0.6, 0.4], [1, 0.7]]) {
      remember(memory, value);
      assertAlmostEquals(recall(memory), expected, 1e-6);
    }
  });

  it("knows a remembered confidence of 0 from a voxel that was never visited", () => {
    for (const precision of ["uint8", "uint16", "float32"] as const) {
      const memory = options("two", precision);
      remember(memory, 0);
      assertAlmostEquals(recall(memory), 0, 1e-7);
    }
  });

  it("keeps the stated precision", () => {
    const stream = randomStream(1, "values");
    for (
      const [precision, error] of [["uint8", 1 / 508], ["uint16", 1 / 131068], ["float32", 1e-7]] as const
    ) {
      const memory = options("two", precision);
      for (let i = 0; i < 20; i++) {
        const value = stream.uniform();
        remember(memory, value);
        remember(memory, value);
        assertLess(Math.abs(recall(memory) - value), error * 1.001 + 1e-7);
      }
    }
  });

  it("stores the unpermuted volume", () => {
    const memory = options("two");
    const values = Float32Array.from({ length: 12 }, (_, i) => (i + 1) / 16);
    writeConfidence(memory, visit, 0, { patch, values });
    const volume = confidenceOf(memory, "a", 0);
    for (let x = 0; x < 4; x++) {
      for (let y = 0; y < 5; y++) {
        for (let z = 0; z < 3; z++) {
          const [i, j] = [y - 2, x - 1];
          const inside = i >= 0 && i < 2 && j >= 0 && j < 2;
          assertAlmostEquals(volume[(x * 5 + y) * 3 + z], inside ? values[(i * 2 + j) * 3 + z] : 0.5, 1e-6);
        }
      }
    }
  });

  it("meets the batch's labels at the places that its items tell", async () => {
    const source = phantomSource({ seed: 1, train: 4, test: 1 });
    const crop: Shape3 = [32, 32, 48];
    const memory = createConfidenceMemory({ rule: "two", initial: 0.5, precision: "uint16" });
    const views = viewsOf("la");
    const settings = { seed: 3, labelled: 2, crop, augmentation: "view", views } as const;
    const places = new Map<string, BatchItem>();
    for (let step = 0; step < 3; step++) {
      const { labels, items } = await makeBatch(source, step, settings);
      for (const [position, item] of items.slice(0, 2).entries()) {
        const visit: Visit = { ...item, shape: item.paddedShape };
        const offset = position * voxelCount(crop);
        places.set(item.case, item);
        writeConfidence(memory, visit, 0, { patch: crop, values: Float32Array.from(labels), offset });
      }
    }
    for (const name of source.train.slice(0, 2)) {
      const { label } = await source.load(name);
      const { padding, paddedShape } = places.get(name)!;
      const start: Triple = [-padding[0], -padding[1], -padding[2]];
      const padded = cutWindow(label.data, label.shape, { start, size: paddedShape });
      const remembered = confidenceOf(memory, name, 0);
      assertEquals(remembered.length, padded.length);
      // 0.5 is what was never visited.
      assertEquals(remembered.findIndex((value, i) => value !== 0.5 && value !== padded[i]), -1);
      assertEquals(remembered.some((value) => value === 1), true);
    }
  });

  it("comes back from its tensors bit for bit", () => {
    for (const rule of ["two", "running"] as const) {
      const memory = options(rule, "uint16");
      remember(memory, 0.3);
      remember(memory, 0.7);
      const copy = [...memoryTensors(memory)].map(([name, { shape, data }]) =>
        [name, { shape, data: data.slice() }] as const
      );
      const restored = restoreMemory(memory.options, copy);
      assertEquals(memoryTensors(restored), memoryTensors(memory));
      remember(memory, 0.1);
      remember(restored, 0.1);
      assertEquals(memoryTensors(restored), memoryTensors(memory));
    }
  });

  it("refuses a case that changed its shape, a crop outside, an unknown case and another precision", () => {
    const memory = options("two");
    remember(memory, 0.5);
    const changed = { ...visit, shape: [4, 5, 4] as Shape3 };
    const out = new Float32Array(12);
    assertThrows(() => readConfidence(memory, changed, 0, { patch, out }), InputError, "now it is 4×5×4");
    const outside: Visit = { ...visit, location: [3, 2, 0] };
    assertThrows(
      () => readConfidence(memory, outside, 0, { patch, out }),
      RangeError,
      "leaves its padded volume",
    );
    assertThrows(() => confidenceOf(memory, "b", 0), InputError, "visited cases: a");
    assertThrows(
      () => restoreMemory({ ...memory.options, precision: "uint8" }, memoryTensors(memory)),
      InputError,
      "is not uint8",
    );
  });
});
