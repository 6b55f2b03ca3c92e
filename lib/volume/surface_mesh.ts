/**
 * The surface of a mask as triangles: constrained elastic surface nets (Gibson, MICCAI 1998). Every cell of 2³ voxel
 * centres that the surface passes holds one vertex; the vertices relax towards their neighbours without leaving their
 * cells, so that the surface is smooth and still separates exactly the voxels of the mask from the others.
 */
import type { Shape3, Triple } from "./volume.ts";

/** A triangle mesh. */
export interface Mesh {
  /** x, y, z, x, y, z, … in millimetres; voxel (0, 0, 0) has its centre at the origin. */
  readonly vertices: Float32Array;
  /** Three vertex numbers a triangle, counter-clockwise as seen from outside of the mask. */
  readonly triangles: Uint32Array;
}

/** How smooth a surface is. */
export interface SurfaceOptions {
  /** Rounds of relaxation (default 12; 0 leaves the vertices in the middle of the crossings). */
  readonly rounds?: number;
}

/** Corners of a cell, bit 4·dx + 2·dy + dz, and its edges as pairs of them. */
const edges = [[0, 1], [2, 3], [4, 5], [6, 7], [0, 2], [1, 3], [4, 6], [5, 7], [0, 4], [1, 5], [2, 6], [
  3,
  7,
]];

/**
 * The surface of a mask; the outside of the volume counts as background.
 *
 * @param mask one byte a voxel, C order; non-zero is inside.
 * @param spacing millimetres between voxel centres.
 */
export function surfaceMesh(
  mask: Uint8Array,
  shape: Shape3,
  spacing: Triple,
  { rounds = 12 }: SurfaceOptions = {},
): Mesh {
  const grid = paddedGrid(mask, shape);
  const { cells, vertexOf, places } = cellVertices(grid);
  const quads = Int32Array.from(facesOf(grid, vertexOf));
  const relaxed = relax(Float64Array.from(places), { cells, quads, rounds });
  const triangles = new Uint32Array(quads.length / 4 * 6);
  const ofQuad = [0, 1, 2, 0, 2, 3];
  for (let i = 0; i < triangles.length; i++) triangles[i] = quads[4 * (i / 6 | 0) + ofQuad[i % 6]];
  const vertices = new Float32Array(relaxed.length);
  for (let i = 0; i < vertices.length; i++) vertices[i] = relaxed[i] * spacing[i % 3];
  return { vertices, triangles };
}

/** A mask with one voxel of background about it; indices in it are one larger than in the mask. */
interface PaddedGrid {
  readonly mask: Uint8Array;
  readonly shape: Shape3;
  readonly strides: Triple;
}

function paddedGrid(mask: Uint8Array, [nx, ny, nz]: Shape3): PaddedGrid {
  const shape: Shape3 = [nx + 2, ny + 2, nz + 2];
  const out = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (let x = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      const from = (x * ny + y) * nz;
      const to = ((x + 1) * shape[1] + y + 1) * shape[2] + 1;
      for (let z = 0; z < nz; z++) out[to + z] = mask[from + z] === 0 ? 0 : 1;
    }
  }
  return { mask: out, shape, strides: [shape[1] * shape[2], shape[2], 1] };
}

/** A vertex for each cell that the surface passes; a cell has the index of its first voxel. */
function cellVertices({ mask, shape: [nx, ny, nz], strides: [sx, sy] }: PaddedGrid) {
  const vertexOf = new Int32Array(mask.length).fill(-1);
  const places: number[] = [];
  const cells: number[] = [];
  for (let x = 0; x < nx - 1; x++) {
    for (let y = 0; y < ny - 1; y++) {
      for (let z = 0, i = x * sx + y * sy; z < nz - 1; z++, i++) {
        const code = mask[i] | mask[i + 1] << 1 | mask[i + sy] << 2 | mask[i + sy + 1] << 3 |
          mask[i + sx] << 4 | mask[i + sx + 1] << 5 | mask[i + sx + sy] << 6 | mask[i + sx + sy + 1] << 7;
        if (code === 0 || code === 255) continue;
        vertexOf[i] = cells.length / 3;
        cells.push(x - 1, y - 1, z - 1);
        places.push(...meanCrossing(code, x - 1, y - 1, z - 1));
      }
    }
  }
  return { cells: Int32Array.from(cells), vertexOf, places };
}

/** Mean of the middles of a cell's edges that the surface crosses. */
function meanCrossing(code: number, x: number, y: number, z: number): Triple {
  let [sumX, sumY, sumZ, count] = [0, 0, 0, 0];
  for (const [a, b] of edges) {
    if ((code >> a & 1) === (code >> b & 1)) continue;
    sumX += ((a >> 2) + (b >> 2)) / 2;
    sumY += ((a >> 1 & 1) + (b >> 1 & 1)) / 2;
    sumZ += ((a & 1) + (b & 1)) / 2;
    count++;
  }
  return [x + sumX / count, y + sumY / count, z + sumZ / count];
}

/** A quadrilateral for each pair of neighbouring voxels of which one is inside: the cells about their common edge. */
function facesOf(
  { mask, shape: [nx, ny, nz], strides: [sx, sy, sz] }: PaddedGrid,
  vertexOf: Int32Array,
): number[] {
  const quads: number[] = [];
  // The cells about the edge from voxel i to i + along, counter-clockwise as seen from its end.
  const face = (i: number, along: number, first: number, second: number) => {
    const isInside = mask[i];
    if (isInside === mask[i + along]) return;
    const [a, b, c, d] = [
      vertexOf[i - first - second],
      vertexOf[i - second],
      vertexOf[i],
      vertexOf[i - first],
    ];
    if (isInside) quads.push(a, b, c, d);
    else quads.push(a, d, c, b);
  };
  for (let x = 0; x < nx - 1; x++) {
    for (let y = 0; y < ny - 1; y++) {
      for (let z = 0, i = x * sx + y * sy; z < nz - 1; z++, i++) {
        face(i, sx, sy, sz);
        face(i, sy, sz, sx);
        face(i, sz, sx, sy);
      }
    }
  }
  return quads;
}

/** Moves each vertex to the mean of its neighbours, as far as its cell allows. */
function relax(
  start: Float64Array,
  { cells, quads, rounds }: { cells: Int32Array; quads: Int32Array; rounds: number },
): Float64Array {
  let places = start;
  let sums: Float64Array = new Float64Array(start.length);
  const degree = new Float64Array(start.length / 3);
  for (const vertex of quads) degree[vertex] += 2;
  for (let round = 0; round < rounds; round++) {
    sums.fill(0);
    for (let q = 0; q < quads.length; q += 4) {
      for (let i = 0; i < 4; i++) {
        const to = 3 * quads[q + i];
        const next = 3 * quads[q + (i + 1 & 3)];
        const before = 3 * quads[q + (i + 3 & 3)];
        sums[to] += places[next] + places[before];
        sums[to + 1] += places[next + 1] + places[before + 1];
        sums[to + 2] += places[next + 2] + places[before + 2];
      }
    }
    for (let vertex = 0; vertex < degree.length; vertex++) {
      for (let i = 3 * vertex; i < 3 * vertex + 3; i++) {
        sums[i] = Math.min(cells[i] + 1, Math.max(cells[i], sums[i] / degree[vertex]));
      }
    }
    [places, sums] = [sums, places];
  }
  return places;
}

/** Volume within a closed mesh in cubic millimetres, by the divergence theorem. */
export function meshVolume({ vertices: v, triangles }: Mesh): number {
  let sum = 0;
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    sum += v[a] * (v[b + 1] * v[c + 2] - v[b + 2] * v[c + 1]) -
      v[a + 1] * (v[b] * v[c + 2] - v[b + 2] * v[c]) +
      v[a + 2] * (v[b] * v[c + 1] - v[b + 1] * v[c]);
  }
  return sum / 6;
}
