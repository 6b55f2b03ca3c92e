import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { randomStream } from "../../lib/random.ts";
import { sdmStages, signedDistanceMap } from "../../lib/sasnet/sdm.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { assertClose, needsGolden, readGolden } from "../golden_set.ts";

const golden = readGolden<{ cases: Record<string, unknown> }>("sdm");

describe("signedDistanceMap()", () => {
  it("equals the recorded maps and boundaries", needsGolden, () => {
    for (const name of Object.keys(golden.json.cases)) {
      // Without background the reference has no defined answer.
      if (name === "full") continue;
      const shape = golden.shape(`${name}.mask`) as unknown as Shape3;
      const mask = golden.bytes(`${name}.mask`);
      assertClose(signedDistanceMap(mask, shape), golden.floats(`${name}.sdm`), 1e-6, name);
      assertEquals(sdmStages(mask, shape).boundary, golden.bytes(`${name}.boundary`), name);
    }
  });

  it("gives the values worked out by hand for a line, a block at the face of the crop and a voxel", () => {
    const line = signedDistanceMap(Uint8Array.of(0, 0, 1, 1, 1, 1, 1, 0, 0), [9, 1, 1]);
    assertClose(line, [1, 0.5, 0, -2 / 3, -1, -2 / 3, 0, 0.5, 1], 1e-6);
    // Foreground [0..2]×[1..3]×[1..3] of 5³: the face of the crop is no boundary.
    const mask = new Uint8Array(125);
    for (let i = 0; i < 125; i++) {
      const [x, y, z] = [Math.floor(i / 25), Math.floor(i / 5) % 5, i % 5];
      mask[i] = x <= 2 && y >= 1 && y <= 3 && z >= 1 && z <= 3 ? 1 : 0;
    }
    const { sdm, boundary } = sdmStages(mask, [5, 5, 5]);
    assertClose([0, 1, 2, 3, 4].map((x) => sdm[25 * x + 12]), [-1, -1, 0, 1 / 6 ** 0.5, 2 / 6 ** 0.5], 1e-6);
    assertEquals(boundary.reduce((sum, value) => sum + value, 0), 25);
    assertClose([sdm.reduce((sum, value) => sum + value, 0)], [55.3589], 1e-4);
    const voxel = signedDistanceMap(new Uint8Array(27).fill(1, 13, 14), [3, 3, 3]);
    assertClose([13, 12, 0].map((i) => voxel[i]), [0, 3 ** -0.5, 1], 1e-6);
  });

  it("is negative inside, zero on the inner boundary, positive outside, and reaches both ends", () => {
    const shape: Shape3 = [9, 8, 7];
    const stream = randomStream(1, "masks");
    for (let trial = 0; trial < 20; trial++) {
      const side = 3 + stream.integer(3);
      const mask = new Uint8Array(9 * 8 * 7);
      for (let i = 0; i < mask.length; i++) {
        const [x, y, z] = [Math.floor(i / 56), Math.floor(i / 7) % 8, i % 7];
        mask[i] = Math.max(x, y, z) < side || stream.uniform() < 0.03 ? 1 : 0;
      }
      const { sdm, boundary } = sdmStages(mask, shape);
      sdm.forEach((value, i) => {
        if (mask[i] === 0) assert(value > 0 && value <= 1);
        else if (boundary[i] === 1) assert(value === 0);
        else assert(value < 0 && value >= -1);
      });
      assertEquals(Math.max(...sdm), 1);
      assertEquals(Math.min(...sdm), -1);
    }
  });

  it("is zero where foreground or background is missing", () => {
    for (const value of [0, 1]) {
      assert(
        signedDistanceMap(new Uint8Array(27).fill(value), [3, 3, 3]).every((distance) => distance === 0),
      );
    }
  });
});
