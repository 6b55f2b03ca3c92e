/** The surface of a label map as triangles: naive surface nets (Gibson, 1998), smoothed after Taubin (1995). */
import type { Shape3, Triple } from "../volume/volume.ts";

/** A triangle mesh whose triangles run counter-clockwise as seen from outside, in right-handed axes. */
export interface Mesh {
  /** x, y, z of each vertex in millimetres; voxel (0, 0, 0) has its centre at the origin. */
  readonly positions: Float32Array;
  /** Three vertex indices a triangle. */
  readonly triangles: Uint32Array;
}

/**
 * The boundary of the voxels that are not 0. Every cell of eight voxel centres that holds both kinds has a
 * vertex, at the mean of the edge crossings; every edge between unlike voxels has a quadrilateral. Voxels
 * outside of the volume count as 0, so the mesh is closed.
 *
 * @param smoothing rounds of Taubin's λ|μ smoothing, which rounds stair steps and keeps the volume; default 10.
 */
export function labelSurface(
  label: Uint8Array,
  grid: { shape: Shape3; spacing: Triple; smoothing?: number },
): Mesh {
  const [nx, ny, nz] = grid.shape;
  // Cell (i, j, k) spans the voxels i − 1 … i and so on: one cell more than voxels along each axis.
  const cells: Shape3 = [nx + 1, ny + 1, nz + 1];
  const vertexOf = new Int32Array(cells[0] * cells[1] * cells[2]).fill(-1);
  const inside = (x: number, y: number, z: number) =>
    x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz && label[(x * ny + y) * nz + z] !== 0;
  const positions: number[] = [];
  const corner = new Uint8Array(8);
  let cell = 0;
  for (let i = 0; i < cells[0]; i++) {
    for (let j = 0; j < cells[1]; j++) {
      for (let k = 0; k < cells[2]; k++, cell++) {
        let count = 0;
        for (let c = 0; c < 8; c++) {
          corner[c] = inside(i - 1 + (c >> 2), j - 1 + (c >> 1 & 1), k - 1 + (c & 1)) ? 1 : 0;
          count += corner[c];
        }
        if (count === 0 || count === 8) continue;
        vertexOf[cell] = positions.length / 3;
        positions.push(...cellVertex(corner, [i - 1, j - 1, k - 1]));
      }
    }
  }

  const triangles: number[] = [];
  const steps = [cells[1] * cells[2], cells[2], 1];
  for (let axis = 0; axis < 3; axis++) {
    const u = (axis + 1) % 3;
    const v = (axis + 2) % 3;
    const from = [0, 0, 0];
    for (from[0] = axis === 0 ? -1 : 0; from[0] < nx; from[0]++) {
      for (from[1] = axis === 1 ? -1 : 0; from[1] < ny; from[1]++) {
        for (from[2] = axis === 2 ? -1 : 0; from[2] < nz; from[2]++) {
          const here = inside(from[0], from[1], from[2]);
          const there = inside(
            from[0] + (axis === 0 ? 1 : 0),
            from[1] + (axis === 1 ? 1 : 0),
            from[2] + (axis === 2 ? 1 : 0),
          );
          if (here === there) continue;
          // The four cells around the edge from this voxel to its neighbour.
          const base = (from[0] * cells[1] + from[1]) * cells[2] + from[2] + steps[axis];
          const a = vertexOf[base];
          const b = vertexOf[base + steps[u]];
          const c = vertexOf[base + steps[u] + steps[v]];
          const d = vertexOf[base + steps[v]];
          if (here) triangles.push(a, b, c, a, c, d);
          else triangles.push(a, c, b, a, d, c);
        }
      }
    }
  }
  const mesh = { positions: Float32Array.from(positions), triangles: Uint32Array.from(triangles) };
  smooth(mesh, grid.smoothing ?? 10);
  for (let i = 0; i < mesh.positions.length; i++) mesh.positions[i] *= grid.spacing[i % 3];
  return mesh;
}

/** Volume within a closed mesh in cubic millimetres (divergence theorem). */
export function meshVolume(mesh: Mesh): number {
  const { positions: p, triangles } = mesh;
  let sum = 0;
  for (let t = 0; t < triangles.length; t += 3) {
    const a = 3 * triangles[t], b = 3 * triangles[t + 1], c = 3 * triangles[t + 2];
    sum += p[a] * (p[b + 1] * p[c + 2] - p[b + 2] * p[c + 1]) +
      p[a + 1] * (p[b + 2] * p[c] - p[b] * p[c + 2]) +
      p[a + 2] * (p[b] * p[c + 1] - p[b + 1] * p[c]);
  }
  return sum / 6;
}

/** Mean of the crossings of a cell's twelve edges; each crossing lies in the middle of its edge. */
function cellVertex(corner: Uint8Array, origin: readonly [number, number, number]): [number, number, number] {
  const sum = [0, 0, 0];
  let count = 0;
  for (let c = 0; c < 8; c++) {
    for (const bit of [4, 2, 1]) {
      if ((c & bit) !== 0 || corner[c] === corner[c | bit]) continue;
      sum[0] += (c >> 2) + (bit === 4 ? 0.5 : 0);
      sum[1] += (c >> 1 & 1) + (bit === 2 ? 0.5 : 0);
      sum[2] += (c & 1) + (bit === 1 ? 0.5 : 0);
      count++;
    }
  }
  return [origin[0] + sum[0] / count, origin[1] + sum[1] / count, origin[2] + sum[2] / count];
}

function smooth(mesh: Mesh, rounds: number): void {
  const { positions, triangles } = mesh;
  const vertices = positions.length / 3;
  const sums = new Float64Array(positions.length);
  const counts = new Uint32Array(vertices);
  for (let round = 0; round < 2 * rounds; round++) {
    const weight = round % 2 === 0 ? 0.5 : -0.53;
    sums.fill(0);
    counts.fill(0);
    for (let t = 0; t < triangles.length; t += 3) {
      for (let side = 0; side < 3; side++) {
        const a = triangles[t + side];
        const b = triangles[t + (side + 1) % 3];
        counts[a]++;
        for (let k = 0; k < 3; k++) sums[3 * a + k] += positions[3 * b + k];
      }
    }
    for (let v = 0; v < vertices; v++) {
      for (let k = 0; k < 3; k++) {
        const at = 3 * v + k;
        positions[at] += weight * (sums[at] / counts[v] - positions[at]);
      }
    }
  }
}
