import { beforeAll, describe, it } from "@std/testing/bdd";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { drawPhantom, type PhantomKind, phantomSource } from "../../lib/data/phantom.ts";
import type { Case } from "../../lib/data/source.ts";
import { InputError } from "../../lib/errors.ts";
import { voxelCount } from "../../lib/volume/volume.ts";
import { type Fingerprint, fingerprint, moments } from "./fingerprint.ts";

const kinds: readonly PhantomKind[] = ["atrium", "pancreas", "tumour"];

const drawn = new Map<PhantomKind, Case[]>();
const prints = new Map<PhantomKind, Fingerprint[]>();

beforeAll(() => {
  for (const kind of kinds) {
    const cases = Array.from({ length: 6 }, (_, i) => drawPhantom(11, `case-${i}`, kind));
    drawn.set(kind, cases);
    prints.set(kind, cases.map(fingerprint));
  }
});

/** Whether a number of every case lies in a range. */
function assertRange(
  kind: PhantomKind,
  [low, high]: readonly [number, number],
  pick: (print: Fingerprint) => number,
): void {
  prints.get(kind)!.forEach((print, i) => {
    const value = pick(print);
    assert(value >= low && value <= high, `${kind} ${i}: ${value} is not in ${low} to ${high}: ${pick}`);
  });
}

function assertSides(
  kind: PhantomKind,
  ranges: readonly (readonly [number, number])[],
  pick: (print: Fingerprint) => readonly number[],
): void {
  ranges.forEach((range, axis) => assertRange(kind, range, (print) => pick(print)[axis]));
}

describe("drawPhantom()", () => {
  it("gives the same voxels for the same seed, name and kind, others for others", () => {
    for (const kind of kinds) {
      const first = drawn.get(kind)![0];
      assertEquals(drawPhantom(11, "case-0", kind), first);
      for (const other of [drawPhantom(12, "case-0", kind), drawn.get(kind)![1]]) {
        assert(other.label.data.some((value, i) => value !== first.label.data[i]));
        assert(other.image.data.some((value, i) => value !== first.image.data[i]));
      }
    }
  });

  it("draws cases that differ in size, shape and contrast", () => {
    for (const kind of kinds) {
      const all = prints.get(kind)!;
      assertEquals(new Set(all.map(({ extent }) => extent.join())).size, all.length);
      for (const pick of [(p: Fingerprint) => p.share, (p: Fingerprint) => p.inside]) {
        const values = all.map(pick);
        assertGreater(Math.max(...values) / Math.min(...values), 1.15);
      }
    }
  });

  it("has a finite image and a binary label of one piece on one grid", () => {
    for (const kind of kinds) {
      for (const { image, label } of drawn.get(kind)!) {
        assertEquals([label.shape, label.spacing], [image.shape, image.spacing]);
        assertEquals(image.data.length, voxelCount(image.shape));
        assert(image.data.every(Number.isFinite));
        assert(label.data.every((value) => value <= 1));
      }
      assert(prints.get(kind)!.every(({ connected }) => connected));
    }
  });

  it("draws atria as the public left-atrium volumes at 1.25 mm are", () => {
    assertEquals(drawn.get("atrium")![0].image.spacing, [1.25, 1.25, 1.25]);
    assertSides("atrium", [[74, 122], [62, 82], [44, 44]], ({ shape }) => shape);
    assertSides("atrium", [[61, 105], [33, 65], [22, 36]], ({ extent }) => extent);
    assertRange("atrium", [0.037, 0.13], ({ share }) => share);
    assertRange("atrium", [0.5, 3.9], ({ inside }) => inside);
    assertRange("atrium", [0.15, 0.5], ({ insideDeviation }) => insideDeviation);
    assertRange("atrium", [0.3, 0.75], ({ shell, inside }) => shell / inside);
    assertRange("atrium", [0.08, 0.57], ({ brightShell }) => brightShell);
    assertRange("atrium", [0.12, 0.31], ({ grain }) => grain);
    assertSides("atrium", [[0.35, 0.7], [0.34, 0.64], [0.24, 0.5]], ({ correlation }) => correlation);
  });

  it("lets the atrium's blood go on into ventricle and veins where the label ends", () => {
    assertRange("atrium", [0.1, 0.6], ({ touching }) => touching);
  });

  it("draws pancreases as Pancreas-CT at 2 mm after the paper's preparation", () => {
    assertEquals(drawn.get("pancreas")![0].image.spacing, [2, 2, 2]);
    assertSides("pancreas", [[85, 112], [60, 90], [48, 80]], ({ shape }) => shape);
    for (const { shape, extent } of prints.get("pancreas")!) {
      // 25, 25 and 0 mm around the organ.
      assertEquals(shape.map((side, axis) => side - extent[axis]), [24, 24, 0]);
    }
    assertRange("pancreas", [0.015, 0.032], ({ share }) => share);
    for (const { image } of drawn.get("pancreas")!) {
      const [mean, deviation] = moments(image.data);
      assertAlmostEquals(mean, 0, 1e-3);
      assertAlmostEquals(deviation, 1, 1e-3);
    }
    // Fat around the gland, and neighbours that no threshold tells from it.
    assertRange("pancreas", [-0.6, 0.1], ({ shell }) => shell);
    assertRange("pancreas", [0.6, 1.5], ({ inside }) => inside);
    assertRange("pancreas", [0.08, 0.3], ({ brightShell }) => brightShell);
    assertRange("pancreas", [0.05, 0.2], ({ touching }) => touching);
    assertSides("pancreas", [[0.5, 0.75], [0.5, 0.75], [0.1, 0.5]], ({ correlation }) => correlation);
  });

  it("draws tumours as BraTS at 2 mm", () => {
    assertEquals(drawn.get("tumour")![0].image.spacing, [2, 2, 2]);
    assertSides("tumour", [[64, 80], [78, 94], [64, 78]], ({ shape }) => shape);
    assertRange("tumour", [0.015, 0.07], ({ share }) => share);
    assertRange("tumour", [1, 3.3], ({ inside }) => inside);
    assertRange("tumour", [0.4, 1.5], ({ insideDeviation }) => insideDeviation);
    assertRange("tumour", [0.2, 0.8], ({ grain }) => grain);
    assertSides("tumour", [[0.45, 0.8], [0.75, 0.9], [0.5, 0.85]], ({ correlation }) => correlation);
  });

  it("strips the skull: one dark value around a brain that fills half of its box", () => {
    for (const { image, label } of drawn.get("tumour")!) {
      const background = image.data.reduce((least, value) => Math.min(least, value), Infinity);
      assertLess(background, -3);
      const brain = image.data.filter((value) => value > background);
      assertGreater(brain.length / image.data.length, 0.4);
      assertLess(brain.length / image.data.length, 0.6);
      assert(label.data.every((value, i) => value === 0 || image.data[i] > background));
    }
  });
});

describe("phantomSource()", () => {
  it("lists as many cases as asked for, and refuses others", async () => {
    const source = phantomSource({ seed: 1, train: 3, test: 2 });
    assertEquals([source.train.length, source.test.length], [3, 2]);
    assertEquals((await source.load(source.test[0])).name, source.test[0]);
    await assertRejects(async () => await source.load("x"), InputError, 'no phantom "x"');
  });

  it("names cases after what they show", () => {
    const names = kinds.map((kind) => phantomSource({ kind, seed: 1, train: 1, test: 1 }).train[0]);
    assertEquals(phantomSource({ seed: 1, train: 1, test: 1 }).train[0], "phantom-train-01");
    assertEquals(names, ["phantom-atrium-train-01", "phantom-pancreas-train-01", "phantom-tumour-train-01"]);
  });
});
