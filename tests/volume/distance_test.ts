import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { randomStream } from "../../lib/random.ts";
import { signedSquaredDistances } from "../../lib/volume/distance.ts";
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
          const mask = Uint8Array.from({ length: voxelCount(shape) }, () => stream.uniform() < density ? 1 : 0);
          mask[0] = 1;
          mask[mask.length - 1] = 0;
          const { squared } = signedSquaredDistances(mask, shape, { spacing });
          assertRelToMax(squared, bruteForce(mask, shape, spacing), 1e-12);
        }
      }
    });
  }

  it("is infinite where the other class does not occur", () => {
    const ofValue = (value: number) => signedSquaredDistances(new Uint8Array(8).fill(value), [2, 2, 2]).squared;
    assert(ofValue(0).every((distance) => distance === Infinity));
    assert(ofValue(1).every((distance) => distance === -Infinity));
    assertEquals(ofValue(1).length, 8);
  });
});
