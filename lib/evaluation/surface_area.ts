/**
 * The area of the surface in a cube of eight voxel centres, for each of the 256 ways that they lie inside or outside:
 * the polygons of marching cubes (Lorensen and Cline 1987) through the middles of the edges.
 */
import type { Triple } from "../volume/volume.ts";

/** A corner of the cube, 0 to 7: bit 4 is x, bit 2 is y, bit 1 is z. */
type Corner = number;

/** An edge of the cube by its two corners, the smaller one first: `8 * first + second`. */
type Edge = number;

/**
 * Areas by code; bit `4 dx + 2 dy + dz` of a code says that the voxel at that corner is inside.
 *
 * @param spacing distance of voxel centres; the areas are in its square.
 */
export function surfaceAreas(spacing: Triple): Float64Array {
  return Float64Array.from({ length: 256 }, (_, code) => {
    // Inside and outside have the same surface; the side with fewer corners is cut off.
    const cutOff = bitCount(code) > 4 ? 255 - code : code;
    return polygons(cutOff).reduce((sum, polygon) => sum + polygonArea(polygon, spacing), 0);
  });
}

/** The closed polygons that separate the corners of a code from the others, as the edges that they pass. */
function polygons(code: number): Edge[][] {
  const next = new Map<Edge, Edge[]>();
  const connect = (a: Edge, b: Edge) => {
    next.set(a, [...next.get(a) ?? [], b]);
    next.set(b, [...next.get(b) ?? [], a]);
  };
  for (const face of faces) {
    const inside = face.map((corner) => (code >> corner & 1) === 1);
    const edges = face.map((corner, n) => edgeOf(corner, face[(n + 1) % 4]));
    const crossed = edges.filter((_, n) => inside[n] !== inside[(n + 1) % 4]);
    if (crossed.length === 2) connect(crossed[0], crossed[1]);
    // Two corners inside that face each other across a diagonal are cut off one by one.
    if (crossed.length === 4) face.forEach((_, n) => inside[n] && connect(edges[(n + 3) % 4], edges[n]));
  }
  const found: Edge[][] = [];
  const seen = new Set<Edge>();
  for (const start of next.keys()) {
    if (seen.has(start)) continue;
    const polygon: Edge[] = [];
    for (let edge: Edge | undefined = start; edge !== undefined;) {
      polygon.push(edge);
      seen.add(edge);
      edge = next.get(edge)!.find((neighbour) => !seen.has(neighbour));
    }
    found.push(polygon);
  }
  return found;
}

const faces: readonly (readonly Corner[])[] = [4, 2, 1].flatMap((axis) => {
  const [a, b] = [4, 2, 1].filter((other) => other !== axis);
  const around = [0, a, a + b, b];
  return [around, around.map((corner) => corner + axis)];
});

/**
 * The polygons are not flat in general, and their area depends on how they are split into triangles. As the tables of
 * marching cubes do, the split is taken whose area is largest in the unit cube; splits that share it agree.
 */
function polygonArea(polygon: readonly Edge[], spacing: Triple): number {
  let [largest, area] = [-1, 0];
  for (const triangles of triangulations(0, polygon.length - 1)) {
    const total = (scale: Triple) =>
      triangles.reduce(
        (sum, triangle) => sum + triangleArea(triangle.map((n) => middle(polygon[n], scale))),
        0,
      );
    const unit = total([1, 1, 1]);
    if (unit > largest + 1e-9) [largest, area] = [unit, total(spacing)];
  }
  return area;
}

/** All ways to split the polygon with the corners `first` to `last` into triangles. */
function triangulations(first: number, last: number): number[][][] {
  if (last - first < 2) return [[]];
  const all: number[][][] = [];
  for (let between = first + 1; between < last; between++) {
    for (const left of triangulations(first, between)) {
      for (const right of triangulations(between, last)) {
        all.push([...left, ...right, [first, between, last]]);
      }
    }
  }
  return all;
}

function triangleArea([a, b, c]: readonly Triple[]): number {
  const [u, v] = [b, c].map((point) => point.map((value, axis) => value - a[axis]));
  return Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
}

function middle(edge: Edge, spacing: Triple): Triple {
  const [a, b] = [edge >> 3, edge & 7];
  const along = (bit: number, axis: 0 | 1 | 2) => ((a >> bit & 1) + (b >> bit & 1)) / 2 * spacing[axis];
  return [along(2, 0), along(1, 1), along(0, 2)];
}

function edgeOf(a: Corner, b: Corner): Edge {
  return a < b ? 8 * a + b : 8 * b + a;
}

function bitCount(code: number): number {
  let count = 0;
  for (let rest = code; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}
