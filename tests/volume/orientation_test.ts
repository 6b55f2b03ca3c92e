import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { affineOf, mapPoint } from "../../lib/volume/geometry.ts";
import { inverseOf, reorient, toPatientAxes } from "../../lib/volume/orientation.ts";
import type { Geometry, Triple, Volume } from "../../lib/volume/volume.ts";

const orders: readonly Triple[] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
/** A small turn, so that no axis is exactly one of the patient's. */
const turn: readonly Triple[] = [[0.96, 0.28, 0], [-0.28, 0.96, 0], [0, 0, 1]];

/** All 48 orders and senses of the axes, and each of them turned. */
function grids(): Geometry[] {
  return orders.flatMap((order) =>
    Array.from({ length: 16 }, (_, code): Geometry => {
      const unit = (axis: number) =>
        (code & 8 ? turn[axis] : [0, 1, 2].map((c) => Number(c === axis))) as Triple;
      const axis = (a: number) => unit(order[a]).map((v) => code >> a & 1 ? 0 - v : v) as unknown as Triple;
      return {
        shape: [2, 3, 4],
        spacing: [0.5, 1, 2],
        direction: [axis(0), axis(1), axis(2)],
        origin: [7, 8, 9],
      };
    })
  );
}

/** Where each value lies in the patient. */
function places({ data, shape, ...geometry }: Volume<Uint8Array>): Map<number, Triple> {
  const map = affineOf({ shape, ...geometry });
  return new Map([...data].map((value, n) => {
    const index: Triple = [
      Math.floor(n / (shape[1] * shape[2])),
      Math.floor(n / shape[2]) % shape[1],
      n % shape[2],
    ];
    return [value, mapPoint(map, index)];
  }));
}

describe("reorient()", () => {
  it("to the patient's axes runs left, back and up, and leaves every voxel in its place", () => {
    for (const geometry of grids()) {
      const volume = { ...geometry, data: Uint8Array.from({ length: 24 }, (_, i) => i) };
      const turned = reorient(volume, toPatientAxes(volume));
      turned.direction.forEach((axis, a) => assertEquals(axis[a] > 0.9, true));
      const [before, after] = [places(volume), places(turned)];
      for (const [value, place] of before) {
        after.get(value)!.forEach((v, c) => assertAlmostEquals(v, place[c], 1e-12));
      }
    }
  });

  it("and back is the volume itself", () => {
    for (const geometry of grids()) {
      const volume = { ...geometry, data: Uint8Array.from({ length: 24 }, (_, i) => i) };
      const there = toPatientAxes(volume);
      const back = reorient(reorient(volume, there), inverseOf(there));
      assertEquals([back.data, back.shape, back.spacing], [volume.data, volume.shape, volume.spacing]);
      back.origin.forEach((v, c) => assertAlmostEquals(v, volume.origin[c], 1e-12));
      back.direction.flat().forEach((v, n) => assertAlmostEquals(v, volume.direction.flat()[n], 1e-12));
    }
  });
});
