import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { randomStream } from "../../lib/random.ts";
import { componentSizes, connectedComponents, largestComponent } from "../../lib/volume/components.ts";
import { type Shape3, voxelCount } from "../../lib/volume/volume.ts";
import { needsGolden, readGolden } from "../golden_set.ts";

describe("largestComponent()", () => {
  it("equals the recorded component", needsGolden, () => {
    const golden = readGolden("metrics");
    const shape = golden.shape("largest_cc.mask") as unknown as Shape3;
    const largest = largestComponent(golden.bytes("largest_cc.mask"), shape);
    assertEquals(largest, golden.bytes("largest_cc.result"));
  });

  it("takes the first in scan order of equally large ones and leaves an empty mask empty", () => {
    assertEquals(largestComponent(Uint8Array.of(0, 1, 0, 1, 0), [1, 1, 5]), Uint8Array.of(0, 1, 0, 0, 0));
    assertEquals(largestComponent(new Uint8Array(5), [1, 1, 5]), new Uint8Array(5));
  });
});

function floodFill(mask: Uint8Array, [nx, ny, nz]: Shape3, connectivity: 6 | 18 | 26): Int32Array {
  const labels = new Int32Array(mask.length);
  const reach = { 6: 1, 18: 2, 26: 3 }[connectivity];
  const place = (i: number) => [Math.floor(i / (ny * nz)), Math.floor(i / nz) % ny, i % nz];
  const touches = (a: number[], b: number[]) => {
    const steps = a.map((value, axis) => Math.abs(value - b[axis]));
    return Math.max(...steps) === 1 && steps[0] + steps[1] + steps[2] <= reach;
  };
  const places = Array.from({ length: nx * ny * nz }, (_, i) => place(i));
  let label = 0;
  for (let seed = 0; seed < mask.length; seed++) {
    if (mask[seed] === 0 || labels[seed] !== 0) continue;
    labels[seed] = ++label;
    const open = [seed];
    for (let voxel = open.pop(); voxel !== undefined; voxel = open.pop()) {
      for (let i = 0; i < mask.length; i++) {
        if (mask[i] === 0 || labels[i] !== 0 || !touches(places[voxel], places[i])) continue;
        labels[i] = label;
        open.push(i);
      }
    }
  }
  return labels;
}

describe("connectedComponents()", () => {
  it("joins over faces, edges or corners as asked", () => {
    // (0,0,0), (0,1,1) share an edge, (0,1,1) and (1,0,0) a corner.
    const mask = Uint8Array.of(1, 0, 0, 1, 1, 0, 0, 0);
    const count = (connectivity: 6 | 18 | 26) => connectedComponents(mask, [2, 2, 2], connectivity).sizes;
    assertEquals(count(6), [2, 1]);
    assertEquals(count(18), [3]);
    assertEquals(count(26), [3]);
  });

  for (const connectivity of [6, 18, 26] as const) {
    it(`numbers what a flood fill over ${connectivity} neighbours finds`, () => {
      const stream = randomStream(1, "components");
      for (const shape of [[6, 5, 7], [1, 8, 6], [9, 1, 4], [5, 6, 1]] as Shape3[]) {
        for (const density of [0.1, 0.3, 0.6]) {
          const mask = Uint8Array.from(
            { length: voxelCount(shape) },
            () => stream.uniform() < density ? 9 : 0,
          );
          const { labels, sizes } = connectedComponents(mask, shape, connectivity);
          assertEquals(componentSizes(mask, shape, connectivity), sizes);
          assertEquals(labels, floodFill(mask, shape, connectivity));
          assertEquals(sizes, sizes.map((_, i) => labels.filter((label) => label === i + 1).length));
        }
      }
    });
  }

  it("refuses a mask that does not fill the grid", () => {
    assertThrows(() => connectedComponents(new Uint8Array(7), [2, 2, 2]), InputError, "7 voxels");
  });
});
