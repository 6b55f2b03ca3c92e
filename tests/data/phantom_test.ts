import { describe, it } from "@std/testing/bdd";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { drawPhantom, phantomSource } from "../../lib/data/phantom.ts";
import { InputError } from "../../lib/errors.ts";
import { voxelCount } from "../../lib/volume/volume.ts";

describe("drawPhantom()", () => {
  it("gives the same voxels for the same seed and name, others for others", () => {
    const first = drawPhantom(1, "a");
    assertEquals(drawPhantom(1, "a"), first);
    for (const other of [drawPhantom(2, "a"), drawPhantom(1, "b")]) {
      assert(other.image.data.some((value, i) => value !== first.image.data[i]));
    }
  });

  it("has a normalised image and a binary label of plausible size on one grid", () => {
    const { image, label } = drawPhantom(3, "c");
    assertEquals(image.shape, label.shape);
    assertEquals(image.data.length, voxelCount(image.shape));
    const mean = image.data.reduce((sum, value) => sum + value, 0) / image.data.length;
    const square = image.data.reduce((sum, value) => sum + value * value, 0) / image.data.length;
    assertAlmostEquals(mean, 0, 1e-3);
    assertAlmostEquals(square, 1, 1e-3);
    assert(label.data.every((value) => value <= 1));
    const share = label.data.reduce((sum, value) => sum + value, 0) / label.data.length;
    assertGreater(share, 0.01);
    assertLess(share, 0.3);
  });
});

describe("phantomSource()", () => {
  it("lists as many cases as asked for, and refuses others", async () => {
    const source = phantomSource({ seed: 1, train: 3, test: 2 });
    assertEquals([source.train.length, source.test.length], [3, 2]);
    assertEquals((await source.load(source.test[0])).name, source.test[0]);
    await assertRejects(async () => await source.load("x"), InputError, 'no phantom "x"');
  });
});
