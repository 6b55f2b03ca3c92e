import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { randomStream } from "../../lib/random.ts";
import { type Mesh, meshVolume, surfaceMesh } from "../../lib/volume/surface_mesh.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";

function ball(side: number, radius: number): { mask: Uint8Array; shape: Shape3; voxels: number } {
  const centre = (side - 1) / 2;
  const mask = Uint8Array.from({ length: side ** 3 }, (_, i) => {
    const [x, y, z] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    return Math.hypot(x - centre, y - centre, z - centre) <= radius ? 1 : 0;
  });
  return { mask, shape: [side, side, side], voxels: mask.reduce((sum, value) => sum + value, 0) };
}

/** How often each directed edge occurs. */
function directedEdges({ triangles }: Mesh): Map<string, number> {
  const edges = new Map<string, number>();
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const key = `${triangles[t + k]}>${triangles[t + (k + 1) % 3]}`;
      edges.set(key, (edges.get(key) ?? 0) + 1);
    }
  }
  return edges;
}

describe("surfaceMesh()", () => {
  it("encloses the volume of a ball and lies at its radius", () => {
    const { mask, shape } = ball(41, 15);
    const mesh = surfaceMesh(mask, shape, [0.5, 0.5, 0.5]);
    // Relaxation flattens curved parts by some quarter of a voxel.
    assertAlmostEquals(meshVolume(mesh) / (4 / 3 * Math.PI * 7.5 ** 3), 1, 0.06);
    for (let i = 0; i < mesh.vertices.length; i += 3) {
      const [x, y, z] = [0, 1, 2].map((k) => mesh.vertices[i + k] - 10);
      assertAlmostEquals(Math.hypot(x, y, z), 7.5, 0.45);
    }
  });

  it("is closed and turned outwards for any mask, at the border of the volume too", () => {
    const stream = randomStream(3, "mask");
    const shape: Shape3 = [7, 5, 6];
    const mask = Uint8Array.from({ length: 210 }, () => stream.uniform() < 0.45 ? 1 : 0);
    const mesh = surfaceMesh(mask, shape, [1, 1, 1], { rounds: 0 });
    const edges = directedEdges(mesh);
    for (const [edge, count] of edges) {
      const [from, to] = edge.split(">");
      assertEquals(edges.get(`${to}>${from}`), count, edge);
    }
    assert(meshVolume(mesh) > 0);
  });

  it("keeps each vertex in its cell, so that no voxel changes sides", () => {
    const { mask, shape } = ball(13, 4.2);
    const [still, moved] = [0, 30].map((rounds) => surfaceMesh(mask, shape, [1, 1, 1], { rounds }));
    assertEquals(moved.triangles, still.triangles);
    still.vertices.forEach((value, i) => {
      const cell = Math.floor(value);
      assert(moved.vertices[i] >= cell && moved.vertices[i] <= cell + 1);
    });
  });

  it("of one voxel has 8 vertices and 12 triangles, of an empty mask none", () => {
    const one = surfaceMesh(Uint8Array.of(1), [1, 1, 1], [1, 2, 3], { rounds: 0 });
    assertEquals([one.vertices.length / 3, one.triangles.length / 3], [8, 12]);
    assertAlmostEquals(Math.max(...one.vertices) / 3, 1 / 6, 1e-6);
    assertEquals(surfaceMesh(new Uint8Array(8), [2, 2, 2], [1, 1, 1]).triangles.length, 0);
  });
});
