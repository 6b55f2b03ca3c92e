/**
 * Bodies on a grid: fields that hold, a voxel, about the distance to a surface in voxels (negative inside). Balls,
 * ellipsoids and tubes are joined to them, planes cut them, noise makes them uneven; then they are painted.
 */
import { type Shape3, type Triple, voxelCount } from "../../volume/volume.ts";

/** A window of the space that the bodies live in: voxel (i, j, k) lies at `start` + (i, j, k). */
export interface Grid {
  readonly shape: Shape3;
  readonly start: Triple;
}

/** About the distance to a surface in voxels, negative inside; `far` where nothing is near. */
export interface Field extends Grid {
  readonly data: Float32Array;
}

/** An ellipsoid with half axes in voxels. */
export interface Ellipsoid {
  readonly centre: Triple;
  readonly radii: Triple;
  /** Rotation about the z axis, from x towards y, in radians; default 0. */
  readonly turn?: number;
  /** Rotation about the y axis before that, from x towards z, in radians; default 0. */
  readonly lean?: number;
}

/** A place on the centre line of a tube, and the tube's radius there, in voxels. */
export type Bead = readonly [x: number, y: number, z: number, radius: number];

/** How a body is painted. */
export interface Paint {
  /** Voxels over which the surface fades; default 1.2. */
  readonly softness?: number;
  /** Shifts the surface outwards by so many voxels; default 0. */
  readonly grow?: number;
  /** A pattern on the same grid that is added, times `contrast`. */
  readonly texture?: Float32Array;
  readonly contrast?: number;
}

/** The distance of voxels that are near no body. */
export const far = 1e3;

/** Voxels around a body in which its distance is computed. */
const reach = 6;

/** A field without a body. */
export function emptyField({ shape, start }: Grid): Field {
  return { shape, start, data: new Float32Array(voxelCount(shape)).fill(far) };
}

/** Joins an ellipsoid; `blend` is the radius in voxels of the fillet between it and what is there. */
export function joinEllipsoid(field: Field, body: Ellipsoid, blend = 0): void {
  const { centre, radii, turn = 0, lean = 0 } = body;
  const { shape: [, ny, nz], start, data } = field;
  const [ct, st, cl, sl] = [Math.cos(turn), Math.sin(turn), Math.cos(lean), Math.sin(lean)];
  const [rx, ry, rz] = radii;
  const halves = [
    Math.hypot(ct * cl * rx, st * ry, ct * sl * rz),
    Math.hypot(st * cl * rx, ct * ry, st * sl * rz),
    Math.hypot(sl * rx, cl * rz),
  ];
  const low = centre.map((c, axis) => c - halves[axis]) as unknown as Triple;
  const high = centre.map((c, axis) => c + halves[axis]) as unknown as Triple;
  const [x0, x1, y0, y1, z0, z1] = windowAround(field, low, high, blend + reach);
  const smallest = Math.min(rx, ry, rz);
  for (let i = x0; i < x1; i++) {
    const dx = i + start[0] - centre[0];
    for (let j = y0; j < y1; j++) {
      const dy = j + start[1] - centre[1];
      const along = ct * dx + st * dy;
      const v = (ct * dy - st * dx) / ry;
      const vv = v / ry;
      let at = (i * ny + j) * nz + z0;
      for (let k = z0; k < z1; k++, at++) {
        const dz = k + start[2] - centre[2];
        const u = (cl * along + sl * dz) / rx;
        const w = (cl * dz - sl * along) / rz;
        const uu = u / rx, ww = w / rz;
        const r = Math.sqrt(u * u + v * v + w * w);
        const slope = Math.sqrt(uu * uu + vv * vv + ww * ww);
        const distance = slope > 1e-6 ? r * (r - 1) / slope : -smallest;
        data[at] = union(data[at], distance, blend);
      }
    }
  }
}

/** Joins a tube along straight pieces from bead to bead, with round ends. */
export function joinTube(field: Field, beads: readonly Bead[], blend = 0): void {
  const { shape: [, ny, nz], start, data } = field;
  for (let piece = 1; piece < beads.length; piece++) {
    const [ax, ay, az, first] = beads[piece - 1];
    const [bx, by, bz, second] = beads[piece];
    const [lx, ly, lz] = [bx - ax, by - ay, bz - az];
    const length2 = Math.max(lx * lx + ly * ly + lz * lz, 1e-6);
    const margin = Math.max(first, second) + blend + reach;
    const [x0, x1, y0, y1, z0, z1] = windowAround(field, [ax, ay, az], [bx, by, bz], margin);
    for (let i = x0; i < x1; i++) {
      const dx = i + start[0] - ax;
      for (let j = y0; j < y1; j++) {
        const dy = j + start[1] - ay;
        let at = (i * ny + j) * nz + z0;
        for (let k = z0; k < z1; k++, at++) {
          const dz = k + start[2] - az;
          let t = (dx * lx + dy * ly + dz * lz) / length2;
          t = t < 0 ? 0 : t > 1 ? 1 : t;
          const ex = dx - t * lx, ey = dy - t * ly, ez = dz - t * lz;
          const distance = Math.sqrt(ex * ex + ey * ey + ez * ez) - first - t * (second - first);
          data[at] = union(data[at], distance, blend);
        }
      }
    }
  }
}

/** Joins another field of the same grid. */
export function joinField(field: Field, other: Field, blend = 0): void {
  for (let i = 0; i < field.data.length; i++) {
    field.data[i] = union(field.data[i], other.data[i], blend);
  }
}

/** Takes away what lies beyond a plane: on the side to which `normal` points. */
export function cutBeyond(field: Field, through: Triple, normal: Triple): void {
  const { shape: [nx, ny, nz], start, data } = field;
  const length = Math.hypot(...normal);
  const [a, b, c] = normal.map((component) => component / length);
  for (let i = 0, at = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      const level = a * (i + start[0] - through[0]) + b * (j + start[1] - through[1]);
      for (let k = 0; k < nz; k++, at++) {
        const beyond = level + c * (k + start[2] - through[2]);
        if (beyond > data[at]) data[at] = beyond;
      }
    }
  }
}

/** Takes away what lies within another field of the same grid, and `gap` voxels around it. */
export function subtract(field: Field, other: Field, gap = 0): void {
  for (let i = 0; i < field.data.length; i++) {
    const outside = gap - other.data[i];
    if (outside > field.data[i]) field.data[i] = outside;
  }
}

/** Keeps what lies at least `depth` voxels within another field of the same grid. */
export function keepWithin(field: Field, other: Field, depth = 0): void {
  for (let i = 0; i < field.data.length; i++) {
    const outside = other.data[i] + depth;
    if (outside > field.data[i]) field.data[i] = outside;
  }
}

/** Moves the surface outwards and inwards by a pattern of the same grid, times `amplitude` voxels. */
export function roughen(field: Field, pattern: Float32Array, amplitude: number): void {
  const { data } = field;
  for (let i = 0; i < data.length; i++) {
    if (data[i] < far) data[i] -= amplitude * pattern[i];
  }
}

/** Lets the image fade to `value` inside of the body. */
export function paint(image: Float32Array, field: Field, value: number, options: Paint = {}): void {
  const { softness = 1.2, grow = 0, texture, contrast = 1 } = options;
  const { data } = field;
  const edge = grow + softness / 2;
  for (let i = 0; i < data.length; i++) {
    if (data[i] >= edge) continue;
    const cover = Math.min((edge - data[i]) / softness, 1);
    const target = texture === undefined ? value : value + contrast * texture[i];
    image[i] += cover * (target - image[i]);
  }
}

/** 1 inside of the body, 0 elsewhere. */
export function insideOf({ data }: Field): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) mask[i] = data[i] <= 0 ? 1 : 0;
  return mask;
}

/** A curve through the beads (Catmull–Rom), `pieces` pieces from bead to bead. */
export function smoothBeads(beads: readonly Bead[], pieces = 4): Bead[] {
  const curve: Bead[] = [];
  for (let i = 0; i + 1 < beads.length; i++) {
    const [a, b, c, d] = [beads[Math.max(i - 1, 0)], beads[i], beads[i + 1], beads[i + 2] ?? beads[i + 1]];
    for (let piece = 0; piece < pieces; piece++) {
      const t = piece / pieces;
      const at = (axis: number) =>
        b[axis] + 0.5 * t * (c[axis] - a[axis] +
            t * (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis] +
                t * (3 * (b[axis] - c[axis]) + d[axis] - a[axis])));
      curve.push([at(0), at(1), at(2), at(3)]);
    }
  }
  return [...curve, beads[beads.length - 1]];
}

/** First and end index along each axis of the box around two points, widened and clipped to the grid. */
function windowAround({ shape, start }: Grid, a: Triple, b: Triple, margin: number): number[] {
  return [0, 1, 2].flatMap((axis) => {
    const low = Math.floor(Math.min(a[axis], b[axis]) - margin - start[axis]);
    const high = Math.ceil(Math.max(a[axis], b[axis]) + margin - start[axis]) + 1;
    return [Math.min(Math.max(low, 0), shape[axis]), Math.min(Math.max(high, 0), shape[axis])];
  });
}

/** The smaller distance; within `blend` of equality a polynomial fillet below both. */
function union(a: number, b: number, blend: number): number {
  const smaller = a < b ? a : b;
  if (blend === 0) return smaller;
  const near = blend - Math.abs(a - b);
  return near > 0 ? smaller - near * near / (4 * blend) : smaller;
}
