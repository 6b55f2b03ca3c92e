import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { randomStream } from "../../lib/random.ts";
import {
  borrowedSquaredDistances,
  signedSquaredDistances,
  squaredDistancesAt,
} from "../../lib/volume/distance.ts";
import { teamFor } from "../../lib/volume/distance_team.ts";
import { type Shape3, type Triple, voxelCount } from "../../lib/volume/volume.ts";
import { assertRelToMax } from "../golden_set.ts";

/** Nearest voxel of the other class, of all pairs. */
function bruteForce(mask: Uint8Array, [nx, ny, nz]: Shape3, spacing: Triple): Float64Array {
  const place = (i: number) => [Math.floor(i / (ny * nz)), Math.floor(i / nz) % ny, i % nz];
  return Float64Array.from({ length: nx * ny * nz }, (_, i) => {
    let best = Infinity;
    const a = place(i);
    for (let j = 0; j < mask.length; j++) {
      if ((mask[j] === 0) === (mask[i] === 0)) continue;
      const b = place(j);
      const squares = spacing.map((step, axis) => ((a[axis] - b[axis]) * step) ** 2);
      best = Math.min(best, squares[0] + squares[1] + squares[2]);
    }
    return mask[i] === 0 ? best : -best;
  });
}

describe("signedSquaredDistances()", () => {
  for (const spacing of [[1, 1, 1], [0.7, 1.3, 2]] as Triple[]) {
    it(`equals all pairs at a spacing of ${spacing.join("×")}`, () => {
      const stream = randomStream(1, "masks");
      for (const density of [0.01, 0.2, 0.6, 0.98]) {
        for (const shape of [[7, 6, 5], [1, 9, 4], [3, 1, 8]] as Shape3[]) {
          const mask = Uint8Array.from(
            { length: voxelCount(shape) },
            () => stream.uniform() < density ? 1 : 0,
          );
          mask[0] = 1;
          mask[mask.length - 1] = 0;
          const { squared } = signedSquaredDistances(mask, shape, { spacing });
          assertRelToMax(squared, bruteForce(mask, shape, spacing), 1e-12);
        }
      }
    });
  }

  it("is infinite where the other class does not occur", () => {
    const ofValue = (value: number) =>
      signedSquaredDistances(new Uint8Array(8).fill(value), [2, 2, 2]).squared;
    assert(ofValue(0).every((distance) => distance === Infinity));
    assert(ofValue(1).every((distance) => distance === -Infinity));
    assertEquals(ofValue(1).length, 8);
  });
});

describe("borrowedSquaredDistances()", () => {
  const isAlone = navigator.hardwareConcurrency < 2;

  it(
    "gives the same from several threads, for volumes of one size and another",
    { ignore: isAlone },
    async () => {
      const stream = randomStream(3, "masks");
      // The second volume is too large for the team of the first, the third needs only a part of its memory.
      for (const shape of [[40, 41, 42], [64, 50, 48], [41, 40, 43]] as Shape3[]) {
        while (teamFor(voxelCount(shape)) === undefined) await new Promise((done) => setTimeout(done, 1));
        for (const density of [0, 0.001, 0.5, 0.9999, 1]) {
          const mask = Uint8Array.from(
            { length: voxelCount(shape) },
            () => stream.uniform() < density ? 1 : 0,
          );
          assertEquals(borrowedSquaredDistances(mask, shape), signedSquaredDistances(mask, shape));
        }
      }
    },
  );

  it("refuses a mask that does not fill the grid", () => {
    assertThrows(
      () => borrowedSquaredDistances(new Uint8Array(7), [2, 2, 2]),
      InputError,
      "mask of 7 voxels",
    );
  });
});

describe("squaredDistancesAt()", () => {
  /** Every voxel's squared distance to the foreground, asked for in one call. */
  function everywhere(mask: Uint8Array, shape: Shape3, spacing: Triple): Float64Array {
    return squaredDistancesAt(Int32Array.from(mask.keys()), mask, shape, { spacing });
  }

  for (const spacing of [[1, 1, 1], [0.7, 1.3, 2]] as Triple[]) {
    it(`equals the transform of the whole volume at a spacing of ${spacing.join("×")}`, () => {
      const shape: Shape3 = [9, 8, 7];
      const stream = randomStream(2, "masks");
      // From a few voxels the distances are large and the searches give way to the second pass.
      for (const density of [0.004, 0.05, 0.5, 1]) {
        const mask = Uint8Array.from(
          { length: voxelCount(shape) },
          () => stream.uniform() < density ? 1 : 0,
        );
        mask[200] = 1;
        const { squared } = signedSquaredDistances(mask, shape, { spacing });
        assertRelToMax(everywhere(mask, shape, spacing), squared.map((value) => Math.max(value, 0)), 1e-12);
      }
    });
  }

  it("keeps the order of the voxels and is infinite for an empty mask", () => {
    const mask = Uint8Array.of(1, 0, 0, 0);
    assertEquals(squaredDistancesAt(Int32Array.of(3, 0, 1), mask, [1, 1, 4]), Float64Array.of(9, 0, 1));
    assert(everywhere(new Uint8Array(8), [2, 2, 2], [1, 1, 1]).every((distance) => distance === Infinity));
  });

  it("refuses a mask that does not fill the grid and a spacing that is not positive", () => {
    const voxels = Int32Array.of(0);
    assertThrows(
      () => squaredDistancesAt(voxels, new Uint8Array(7), [2, 2, 2]),
      InputError,
      "mask of 7 voxels",
    );
    assertThrows(
      () => squaredDistancesAt(voxels, new Uint8Array(8), [2, 2, 2], { spacing: [1, 0, 1] }),
      InputError,
      "[1,0,1] must be three positive numbers",
    );
  });
});
