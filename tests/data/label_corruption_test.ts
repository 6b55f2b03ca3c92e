import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { corruptLabels, scaleLabels } from "../../lib/data/label_corruption.ts";
import { randomStream } from "../../lib/random.ts";
import { signedSquaredDistances } from "../../lib/volume/distance.ts";
import { close, dilate, erode, open } from "../../lib/volume/morphology.ts";
import { type Shape3, voxelCount } from "../../lib/volume/volume.ts";

/** A cylinder along z in the middle planes, with a hole; empty planes below and above. */
const shape: Shape3 = [48, 40, 24];
const map = cylinder();

function cylinder(): Uint8Array {
  const [nx, ny, nz] = shape;
  const map = new Uint8Array(voxelCount(shape));
  for (let i = 0; i < map.length; i++) {
    const [x, y, z] = [Math.floor(i / (ny * nz)), Math.floor(i / nz) % ny, i % nz];
    const hole = (x - nx / 2) ** 2 + (y - ny / 2) ** 2 < 4;
    const inside = (x - nx / 2) ** 2 + (y - ny / 2) ** 2 < 14 ** 2;
    map[i] = z >= 2 && z < nz - 2 && inside && !hole ? 1 : 0;
  }
  return map;
}

function planeOf(volume: Uint8Array, z: number): Uint8Array {
  return Uint8Array.from({ length: shape[0] * shape[1] }, (_, i) => volume[i * shape[2] + z]);
}

function sum(values: Uint8Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

describe("corruptLabels()", () => {
  it("gives a copy where nothing is to be corrupted, the same for the same stream, and leaves its input", () => {
    const before = map.slice();
    const same = corruptLabels(map, shape, { exchange: 0, deform: 0, stream: randomStream(1, "a") });
    assertEquals(same, map);
    assert(same !== map);
    const corrupt = () =>
      corruptLabels(map, shape, { exchange: 0.5, deform: 0.5, stream: randomStream(1, "a") });
    assertEquals(corrupt(), corrupt());
    assertEquals(map, before);
  });

  it("leaves empty planes empty", () => {
    const corrupted = corruptLabels(map, shape, { exchange: 1, deform: 1, stream: randomStream(1, "b") });
    for (const z of [0, 1, 22, 23]) assertEquals(sum(planeOf(corrupted, z)), 0);
  });

  it("corrupts the wanted share of planes", () => {
    let changed = 0;
    for (let repeat = 0; repeat < 20; repeat++) {
      const stream = randomStream(repeat, "share");
      const corrupted = corruptLabels(map, shape, { exchange: 0.2, deform: 0, stream });
      for (let z = 2; z < 22; z++) {
        if (planeOf(corrupted, z).join() !== planeOf(map, z).join()) changed++;
      }
    }
    assert(Math.abs(changed / 400 - 0.2) < 0.06, `${changed} of 400`);
  });

  it("exchanges few voxels, all near the boundary, and about as many in as out", () => {
    const stream = randomStream(1, "exchange");
    const corrupted = corruptLabels(map, shape, { exchange: 1, deform: 0, stream });
    for (let z = 2; z < 22; z++) {
      const [from, to] = [planeOf(map, z), planeOf(corrupted, z)];
      const { squared } = signedSquaredDistances(from, [shape[0], shape[1], 1]);
      let [taken, given] = [0, 0];
      from.forEach((value, i) => {
        if (value === to[i]) return;
        if (value === 1) taken++;
        else given++;
        assert(Math.abs(squared[i]) <= 8 ** 2, `plane ${z}, voxel ${i} lies ${squared[i]} off the boundary`);
      });
      assert(taken > 0 && given > 0, `plane ${z}: ${taken} and ${given}`);
      assert(taken + given <= 8 * sum(from) / 10, `plane ${z}: ${taken} and ${given} of ${sum(from)}`);
      assert(Math.abs(taken - given) <= 0.2 * (taken + given), `plane ${z}: ${taken} and ${given}`);
    }
  });

  it("deforms each plane with one of four operations and a radius of 1 to 4", () => {
    const corrupted = corruptLabels(map, shape, {
      exchange: 0,
      deform: 1,
      stream: randomStream(1, "deform"),
    });
    const seen = new Set<string>();
    for (let z = 2; z < 22; z++) {
      const from = planeOf(map, z);
      const to = planeOf(corrupted, z).join("");
      const match = [erode, dilate, open, close].flatMap((operation) =>
        [1, 2, 3, 4].filter((radius) => operation(from, [shape[0], shape[1], 1], { radius }).join("") === to)
          .map((radius) => `${operation.name} ${radius}`)
      );
      assert(match.length > 0, `plane ${z}`);
      seen.add(match[0].split(" ")[0]);
    }
    assertEquals([...seen].sort(), ["close", "dilate", "erode", "open"]);
  });
});

describe("scaleLabels()", () => {
  it("enlarges and reduces about the centre", () => {
    const side = 31;
    const cube: Shape3 = [side, side, side];
    const ball = Uint8Array.from({ length: side ** 3 }, (_, i) => {
      const [x, y, z] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
      return (x - 15) ** 2 + (y - 15) ** 2 + (z - 15) ** 2 <= 100 ? 1 : 0;
    });
    assertEquals(scaleLabels(ball, cube, 1), ball);
    for (const factor of [0.8, 1.1]) {
      const ratio = sum(scaleLabels(ball, cube, factor)) / sum(ball);
      assert(Math.abs(ratio / factor ** 3 - 1) < 0.05, `${factor}: ${ratio}`);
    }
  });

  it("goes on beyond the edge with the outermost voxels", () => {
    const row = Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    assertEquals(scaleLabels(row, [1, 1, 10], 0.5), Uint8Array.of(1, 1, 1, 0, 0, 0, 0, 0, 0, 0));
    assertEquals(scaleLabels(row, [10, 1, 1], 2), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  });
});
