import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import {
  affineOf,
  geometryFromAffine,
  gridDifference,
  mapPoint,
  voxelMap,
} from "../../lib/volume/geometry.ts";
import type { Geometry } from "../../lib/volume/volume.ts";

const grid: Geometry = {
  shape: [10, 20, 30],
  spacing: [0.5, 1, 2],
  direction: [[0, 0, 1], [0.6, 0.8, 0], [-0.8, 0.6, 0]],
  origin: [1, -2, 3],
};

describe("geometryFromAffine()", () => {
  it("undoes affineOf()", () => {
    const found = geometryFromAffine(affineOf(grid), grid.shape, "scan");
    found.spacing.forEach((v, a) => assertAlmostEquals(v, grid.spacing[a], 1e-12));
    found.direction.flat().forEach((v, n) => assertAlmostEquals(v, grid.direction.flat()[n], 1e-12));
    assertEquals([found.origin, found.shape], [grid.origin, grid.shape]);
  });

  it("refuses axes in one plane and numbers that are not finite", () => {
    const flat = [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]] as const;
    assertThrows(() => geometryFromAffine(flat, grid.shape, "scan"), InputError, "scan: the axes");
    const infinite = [[1, 0, 0, Infinity], [0, 1, 0, 0], [0, 0, 1, 0]] as const;
    assertThrows(() => geometryFromAffine(infinite, grid.shape, "scan"), InputError, "scan: the axes");
  });
});

describe("voxelMap()", () => {
  it("leads from voxel to voxel through the patient", () => {
    const other: Geometry = {
      ...grid,
      spacing: [2, 0.25, 1],
      direction: [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
      origin: [9, 9, 9],
    };
    const index = [3, 5, 7] as const;
    const there = mapPoint(voxelMap(grid, other), index);
    const [a, b] = [mapPoint(affineOf(grid), index), mapPoint(affineOf(other), there)];
    a.forEach((v, c) => assertAlmostEquals(v, b[c], 1e-9));
  });
});

describe("gridDifference()", () => {
  it("lets rounding pass, and measures what is more than a tenth of a voxel", () => {
    assertEquals(gridDifference(grid, grid), undefined);
    assertEquals(gridDifference(grid, { ...grid, origin: [1.00001, -2, 3] }), undefined);
    assertStringIncludes(gridDifference(grid, { ...grid, origin: [1.2, -2, 3] })!, "lie up to 0.2 mm apart");
    assertStringIncludes(
      gridDifference(grid, { ...grid, spacing: [0.5, 1, 2.1] })!,
      "lie up to 2.9 mm apart",
    );
    assertStringIncludes(
      gridDifference(grid, { ...grid, shape: [10, 20, 31] })!,
      "shapes 10×20×30 and 10×20×31",
    );
    const slice: Geometry = { ...grid, shape: [10, 20, 1] };
    assertStringIncludes(gridDifference(slice, { ...slice, spacing: [0.5, 1, 5] })!, "spacing (0.5, 1, 2)");
  });
});
