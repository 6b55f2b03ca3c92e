import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import {
  atriumBox,
  intensityMoments,
  intensityScaling,
  marginBox,
  normaliseIntensities,
  pancreasWindow,
  type Range3,
  scaleIntensities,
  windowIntensities,
} from "../../lib/data/preprocess.ts";
import { crop } from "../../lib/volume/crop.ts";
import type { Shape3, Triple } from "../../lib/volume/volume.ts";
import { assertClose, needsGolden, readGolden } from "../golden_set.ts";

interface Box {
  readonly foreground_first_last: Range3;
  readonly margins: readonly number[];
  readonly size: Triple;
  readonly box_xyz: Range3;
}

interface PreprocessJson {
  readonly la: { readonly boxes: readonly (Box & { readonly shape: Triple })[]; readonly small: Box };
  readonly pancreas: {
    readonly window: readonly [number, number];
    readonly hu: readonly number[];
    readonly rescaled_0_1: readonly number[];
    readonly boxes: readonly {
      readonly shape: Triple;
      readonly foreground_first_last: Range3;
      readonly margins: Triple;
      readonly box_last_included: Range3;
    }[];
  };
}

const golden = readGolden<PreprocessJson>("preprocess");
const ends = (range: Range3) => range.map((pair) => [...pair]);

describe("atriumBox()", () => {
  it("gives the recorded boxes", needsGolden, () => {
    for (const { shape, foreground_first_last: foreground, margins, size, box_xyz } of golden.json.la.boxes) {
      assertEquals(ends(atriumBox({ foreground, margins, crop: size, shape })), ends(box_xyz));
    }
  });

  it("widens a foreground that is smaller than the crop by half of what it lacks", () => {
    const foreground = [[50, 60], [50, 60], [50, 60]] as const;
    const box = atriumBox({
      foreground,
      margins: [1, 2, 0, 0, 3, 0],
      crop: [20, 21, 4],
      shape: [99, 99, 99],
    });
    assertEquals(ends(box), [[44, 67], [45, 65], [47, 60]]);
  });

  it("stays in the volume", () => {
    const foreground = [[0, 9], [2, 9], [0, 3]] as const;
    const margins = [10, 10, 10, 10, 5, 5];
    const box = atriumBox({ foreground, margins, crop: [8, 8, 8], shape: [10, 12, 5] });
    assertEquals(ends(box), [[0, 10], [0, 12], [0, 5]]);
  });
});

describe("marginBox()", () => {
  it("gives the recorded boxes", needsGolden, () => {
    for (const { shape, foreground_first_last: foreground, margins, ...box } of golden.json.pancreas.boxes) {
      assertEquals(ends(marginBox(foreground, margins, shape)), ends(box.box_last_included));
    }
  });

  it("keeps the last voxel of the foreground", () => {
    const box = marginBox([[3, 4], [0, 0], [9, 9]], [1, 0, 5], [10, 10, 10]);
    assertEquals(ends(box), [[2, 6], [0, 1], [4, 10]]);
  });
});

describe("normaliseIntensities()", () => {
  it("normalises and then crops as recorded", needsGolden, () => {
    const shape = golden.shape("la.image") as unknown as Shape3;
    const image = normaliseIntensities(golden.floats("la.image").slice());
    assertClose(image, golden.floats("la.normalised"), 1e-6);
    const { foreground_first_last: foreground, margins, size } = golden.json.la.small;
    const box = atriumBox({ foreground, margins, crop: size, shape });
    const start = box.map(([first]) => first) as unknown as Triple;
    const sides = box.map(([first, end]) => end - first) as unknown as Shape3;
    assertClose(crop(image, shape, { start, size: sides }), golden.floats("la.cropped_xyz"), 1e-6);
  });

  it("gives mean 0 and population deviation 1, in place", () => {
    const image = Float64Array.of(1, 2, 3, 10);
    assert(normaliseIntensities(image) === image);
    assertClose([image.reduce((sum, v) => sum + v, 0)], [0], 1e-12);
    assertClose([image.reduce((sum, v) => sum + v * v, 0)], [4], 1e-12);
  });

  it("makes a constant image zero", () => {
    assertEquals(normaliseIntensities(Float32Array.of(7, 7, 7)), Float32Array.of(0, 0, 0));
  });
});

describe("intensityScaling()", () => {
  // A ball of 1001 and 1003 in the middle of nothing.
  const shape: Shape3 = [4, 4, 4];
  const brain = new Float32Array(64);
  for (const i of [21, 22, 25, 26]) brain[i] = 1001 + 2 * (i % 2);

  it("scales a brain by what differs from the value of all corners", () => {
    assertEquals(intensityScaling("brats", { data: brain, shape }), { offset: 1002, divisor: 1 });
    const lifted = brain.map((value) => value - 5);
    assertEquals(intensityScaling("brats", { data: lifted, shape }), { offset: 997, divisor: 1 });
    // Where the corners differ, nothing tells the brain apart.
    lifted[0] = 0;
    const { offset } = intensityScaling("brats", { data: lifted, shape });
    assertClose([offset], [lifted.reduce((sum, v) => sum + v, 0) / 64], 1e-9);
  });

  it("scales atria by the whole image, CT by the window, and a constant image not at all", () => {
    const { offset, divisor } = intensityScaling("la", { data: brain, shape });
    const mean = 4 * 1002 / 64;
    const deviation = Math.sqrt(brain.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 64);
    assertClose([offset, divisor], [mean, deviation], 1e-9);
    assertEquals(intensityScaling("la", { data: new Float32Array(64).fill(7), shape }), {
      offset: 7,
      divisor: 1,
    });
    const ct = intensityScaling("pancreas", { data: brain, shape });
    assertEquals([...scaleIntensities(Float32Array.of(-1000, -125, 75, 275, 900), ct)], [0, 0, 0.5, 1, 1]);
  });

  it("loses no digits far from zero", () => {
    const far = Float64Array.from({ length: 1000 }, (_, i) => 1e9 + i % 2);
    const { mean, deviation } = intensityMoments(far);
    assertClose([mean - 1e9, deviation], [0.5, 0.5], 1e-6);
  });
});

describe("windowIntensities()", () => {
  it("clips and scales as recorded", needsGolden, () => {
    const { window, hu, rescaled_0_1 } = golden.json.pancreas;
    assertEquals([...pancreasWindow], [...window]);
    assertClose(windowIntensities(Float32Array.from(hu), pancreasWindow), rescaled_0_1, 1e-6);
    const windowed = windowIntensities(golden.floats("pancreas.hu"), pancreasWindow);
    assertClose(windowed, golden.floats("pancreas.rescaled"), 1e-6);
    assertClose(normaliseIntensities(windowed), golden.floats("pancreas.zscored"), 1e-5);
  });
});
