import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { boundingBox, crop, permuteAxes, randomCropPadding, readWindow } from "../../lib/volume/crop.ts";
import { InputError } from "../../lib/errors.ts";
import { type Shape3, type Triple, voxelCount } from "../../lib/volume/volume.ts";
import { needsGolden, readGolden } from "../golden_set.ts";

const shape: Shape3 = [3, 4, 5];
const volume = Float32Array.from({ length: voxelCount(shape) }, (_, i) => i + 1);
const at = (x: number, y: number, z: number) =>
  x < 0 || y < 0 || z < 0 || x >= 3 || y >= 4 || z >= 5 ? 0 : volume[(x * 4 + y) * 5 + z];

/** Every voxel of a window, by definition. */
function windowOf([x0, y0, z0]: Triple, size: Shape3): Float32Array {
  return Float32Array.from(
    { length: voxelCount(size) },
    (_, i) =>
      at(x0 + Math.floor(i / (size[1] * size[2])), y0 + Math.floor(i / size[2]) % size[1], z0 + i % size[2]),
  );
}

describe("crop() and readWindow()", () => {
  it("read any window, with zeros outside of the volume", () => {
    for (
      const start of [[0, 0, 0], [1, 2, 3], [-1, -2, -1], [2, 3, 4], [5, 0, 0], [0, -9, 0], [
        0,
        0,
        7,
      ]] as Triple[]
    ) {
      for (const size of [[2, 2, 2], [5, 6, 7], [1, 4, 5]] as Shape3[]) {
        assertEquals(crop(volume, shape, { start, size }), windowOf(start, size));
      }
    }
  });

  it("refuse a destination without room", () => {
    assertThrows(
      () => readWindow(volume, shape, [0, 0, 0], [2, 2, 2], new Float32Array(8), 1),
      RangeError,
      "offset 1",
    );
  });
});

describe("randomCropPadding()", () => {
  it("follows the recorded rule", needsGolden, () => {
    const { random_crop: { cases } } = readGolden<
      { random_crop: { cases: { shape: Shape3; patch: Shape3; pad_each_side: Triple }[] } }
    >("preprocess").json;
    for (const { shape, patch, pad_each_side: expected } of cases) {
      assertEquals(randomCropPadding(shape, patch), expected);
    }
  });
});

describe("permuteAxes()", () => {
  it("puts axis permutation[j] at axis j, for every permutation", () => {
    for (
      const permutation of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] as Triple[]
    ) {
      const { data, shape: permuted } = permuteAxes(volume, shape, permutation);
      assertEquals([...permuted], permutation.map((axis) => shape[axis]));
      data.forEach((value, i) => {
        const index = [
          Math.floor(i / (permuted[1] * permuted[2])),
          Math.floor(i / permuted[2]) % permuted[1],
          i % permuted[2],
        ];
        const source = [0, 0, 0];
        permutation.forEach((axis, j) => source[axis] = index[j]);
        assertEquals(value, at(source[0], source[1], source[2]));
      });
    }
  });

  it("refuses what is no permutation", () => {
    assertThrows(() => permuteAxes(volume, shape, [0, 0, 2]), InputError, "once each");
  });
});

describe("boundingBox()", () => {
  it("is the smallest box, and undefined for an empty mask", () => {
    const mask = new Uint8Array(60);
    assertEquals(boundingBox(mask, shape), undefined);
    mask[(1 * 4 + 3) * 5 + 1] = 1;
    assertEquals(boundingBox(mask, shape), { start: [1, 3, 1], size: [1, 1, 1] });
    mask[(2 * 4 + 0) * 5 + 4] = 1;
    assertEquals(boundingBox(mask, shape), { start: [1, 0, 1], size: [2, 4, 4] });
  });

  it("tells any background from the rest", () => {
    const image = new Float32Array(60).fill(-3.5);
    assertEquals(boundingBox(image, shape, -3.5), undefined);
    image[(1 * 4 + 2) * 5 + 3] = 0;
    assertEquals(boundingBox(image, shape, -3.5), { start: [1, 2, 3], size: [1, 1, 1] });
    assertEquals(boundingBox(image, shape)?.size, [3, 4, 5]);
  });
});
