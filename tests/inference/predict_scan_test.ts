import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { datasets } from "../../lib/data/dataset.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { windowMaps } from "../../lib/inference/predict.ts";
import { mapOn, maskOn, predictScan, type ScanOptions } from "../../lib/inference/predict_scan.ts";
import type { MethodRun } from "../../lib/methods/method.ts";
import { randomStream } from "../../lib/random.ts";
import { reorient } from "../../lib/volume/orientation.ts";
import {
  identityDirection,
  type Shape3,
  type Triple,
  type Volume,
  voxelCount,
} from "../../lib/volume/volume.ts";
import { assertClose } from "../golden_set.ts";
import { tinyRun } from "../methods/tiny.ts";

/** A method whose probability is the intensity times a ramp along the window's first axis, and two branches beside. */
function rampRun({ crop, combination }: { crop: Shape3; combination?: "mean" | "first" }): MethodRun {
  const ramp = tf.tensor4d(Float32Array.from({ length: crop[0] }, (_, i) => 0.5 + 0.5 * i / crop[0]), [
    1,
    crop[0],
    1,
    1,
  ]);
  const times = (images: tf.Tensor5D, factor: number) =>
    tf.mul(tf.mul(tf.squeeze(images, [4]), ramp), factor) as tf.Tensor4D;
  return {
    networks: {},
    trained: [],
    loss: () => ({}),
    predict: (images) => times(images, 1),
    branchNames: ["a", "b"],
    predictBranches: (images) => [
      { name: "b", probability: times(images, 0.75) },
      { name: "a", probability: times(images, 1.25) },
    ],
    ...(combination === undefined ? {} : { combination }),
  };
}

const crop: Shape3 = [4, 4, 4];
const options: ScanOptions = {
  dataset: datasets.phantom,
  preparation: "spacing",
  spacing: [1, 1, 1],
  path: "scan.nii",
  crop,
  stride: [2, 2, 2],
  branches: false,
  mirror: false,
};

function noise(shape: Shape3, spacing: Triple = [1, 1, 1]): Volume {
  const stream = randomStream(4, "scan");
  const data = Float32Array.from({ length: voxelCount(shape) }, () => stream.uniform());
  return { shape, spacing, direction: identityDirection, origin: [10, 20, 30], data };
}

describe("predictScan()", () => {
  beforeAll(async () => void await startEngine());

  it("predicts a turned scan as the scan, turned", async () => {
    const run = rampRun({ crop });
    const scan = noise([7, 6, 5]);
    const straight = await predictScan(run, scan, options);
    const turn = { axes: [2, 0, 1], reversed: [true, false, true] } as const;
    const turned = reorient(scan, turn);
    const maps = await predictScan(run, turned, options);
    const expected = reorient({ ...scan, data: mapOn(scan, straight.probability) }, turn);
    assertClose(mapOn(turned, maps.probability), expected.data, 1e-6);
    assertEquals(maskOn(turned, maps.probability), Uint8Array.from(expected.data, (p) => p > 0.5 ? 1 : 0));
  });

  it("writes the mask of a ball on a fine, oblique grid as the ball lies there", async () => {
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    const grid: Omit<Volume, "data"> = {
      shape: [40, 36, 20],
      spacing: [0.5, 0.5, 1.1],
      direction: [[c, s, 0], [-s, c, 0], [0, 0, -1]],
      origin: [-6, -12, 11],
    };
    const data = new Float32Array(voxelCount(grid.shape));
    const ball = new Uint8Array(data.length);
    for (let i = 0, n = 0; i < 40; i++) {
      for (let j = 0; j < 36; j++) {
        for (let k = 0; k < 20; k++, n++) {
          // 5 mm around the voxel (19, 17, 9); the edge is 3 mm wide, so that the coarse grid holds it.
          const distance = Math.hypot(0.5 * (i - 19), 0.5 * (j - 17), 1.1 * (k - 9));
          data[n] = Math.min(Math.max((6.5 - distance) / 3, 0), 1);
          ball[n] = data[n] > 0.5 ? 1 : 0;
        }
      }
    }
    const identity: MethodRun = {
      ...rampRun({ crop }),
      predict: (images) => tf.squeeze(images, [4]) as tf.Tensor4D,
    };
    const { probability } = await predictScan(identity, { ...grid, data }, options);
    assertEquals(probability.spacing, [1, 1, 1]);
    const mask = maskOn(grid, probability);
    const size = ball.reduce((sum, v) => sum + v, 0);
    const differing = mask.reduce((sum, v, n) => sum + (v === ball[n] ? 0 : 1), 0);
    assert(differing < 0.03 * size, `${differing} of ${size} voxels differ`);
  });

  it("gives the largest difference of the branches' averaged probabilities", async () => {
    const scan = noise([6, 5, 4]);
    for (const combination of [undefined, "mean", "first"] as const) {
      const run = rampRun({ crop, ...(combination && { combination }) });
      const { probability, disagreement } = await predictScan(run, scan, { ...options, branches: true });
      const plain = (await predictScan(run, scan, options)).probability.data;
      assertClose(disagreement!.data, plain.map((p) => 0.5 * p), 1e-6);
      assertClose(probability.data, combination === "first" ? plain.map((p) => 1.25 * p) : plain, 1e-6);
    }
  });

  it("averages over the eight mirrorings of a window", () => {
    const { data } = noise(crop);
    const run = rampRun({ crop });
    const [mean] = windowMaps(run, crop, { branches: false, mirror: true })(data, 1);
    // Of the eight mirrorings four turn the ramp round.
    const expected = data.map((value, i) => {
      const x = Math.floor(i / 16);
      return value * (0.5 + 0.5 * (x + (3 - x)) / 2 / 4);
    });
    assertClose(mean, expected, 1e-6);
  });
});

describe("MethodRun.combination", () => {
  beforeAll(async () => void await startEngine());

  for (const key of ["dtc", "scc", "mc-net-plus", "caussl", "sasnet"]) {
    it(`of ${key} gives its prediction`, () => {
      const run = tinyRun(key);
      const side: Shape3 = [16, 16, 16];
      const { data } = noise(side);
      const [together, ...branches] = windowMaps(run, side, { branches: true, mirror: false })(data, 1);
      const [alone] = windowMaps(run, side, { branches: false, mirror: false })(data, 1);
      assert(run.combination !== undefined);
      assertEquals(branches.length, run.branchNames!.length);
      assertClose(together, alone, 1e-6);
    });
  }
});
