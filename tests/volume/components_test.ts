import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { connectedComponents, largestComponent } from "../../lib/volume/components.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
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

describe("connectedComponents()", () => {
  it("joins over faces, edges or corners as asked", () => {
    // (0,0,0), (0,1,1) share an edge, (0,1,1) and (1,0,0) a corner.
    const mask = Uint8Array.of(1, 0, 0, 1, 1, 0, 0, 0);
    const count = (connectivity: 6 | 18 | 26) => connectedComponents(mask, [2, 2, 2], connectivity).sizes;
    assertEquals(count(6), [2, 1]);
    assertEquals(count(18), [3]);
    assertEquals(count(26), [3]);
  });

  it("refuses a mask that does not fill the grid", () => {
    assertThrows(() => connectedComponents(new Uint8Array(7), [2, 2, 2]), InputError, "7 voxels");
  });
});
