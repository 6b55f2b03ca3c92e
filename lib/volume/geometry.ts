/** Where a grid lies in the patient: affine maps between voxels and LPS millimetres, and whether two grids agree. */
import { InputError } from "../errors.ts";
import type { Box } from "./crop.ts";
import type { Geometry, Shape3, Triple } from "./volume.ts";

/** Three rows of four numbers: `world[r] = m[r][0] i + m[r][1] j + m[r][2] k + m[r][3]`. */
export type Affine = readonly [Row, Row, Row];
type Row = readonly [number, number, number, number];

/** The map from voxel indices to LPS millimetres. */
export function affineOf({ spacing, direction, origin }: Geometry): Affine {
  const row = (r: 0 | 1 | 2): Row => [
    spacing[0] * direction[0][r],
    spacing[1] * direction[1][r],
    spacing[2] * direction[2][r],
    origin[r],
  ];
  return [row(0), row(1), row(2)];
}

/**
 * The grid of a map from voxel indices to LPS millimetres.
 *
 * @param path the file, for the message.
 * @throws InputError where a number is not finite or the axes do not span the space.
 */
export function geometryFromAffine(affine: Affine, shape: Shape3, path: string): Geometry {
  const column = (c: 0 | 1 | 2): Triple => [affine[0][c], affine[1][c], affine[2][c]];
  return geometryFromAxes([column(0), column(1), column(2)], column4(affine), { shape, path });
}

/**
 * The grid of three axis vectors (one step along i, j, k in LPS millimetres) and an origin.
 *
 * @throws InputError where a number is not finite or the axes do not span the space.
 */
export function geometryFromAxes(
  axes: readonly [Triple, Triple, Triple],
  origin: Triple,
  { shape, path }: { shape: Shape3; path: string },
): Geometry {
  const spacing = axes.map((axis) => Math.hypot(...axis)) as unknown as Triple;
  const unit = axes.map((axis, a) => axis.map((v) => v / spacing[a])) as unknown as Geometry["direction"];
  const isSound = [...origin, ...spacing].every(Number.isFinite) && spacing.every((s) => s > 0) &&
    Math.abs(determinant(unit)) > 1e-3;
  if (!isSound) {
    const listed = axes.map((axis) => `(${axis.join(", ")})`).join(" ");
    throw new InputError(
      `${path}: the axes ${listed} with origin (${origin.join(", ")}) place no volume in space; ` +
        `correct the orientation in its header`,
    );
  }
  return {
    shape,
    spacing,
    direction: unit.map((axis) => axis.map(plain)) as never,
    origin: origin.map(plain) as never,
  };
}

/** The grid of a box of voxels. */
export function boxGeometry({ spacing, direction, origin }: Geometry, { start, size }: Box): Geometry {
  const at = (r: 0 | 1 | 2) =>
    origin[r] + start.reduce((sum, first, axis) => sum + direction[axis][r] * spacing[axis] * first, 0);
  return { shape: size, spacing, direction, origin: [at(0), at(1), at(2)] };
}

/** The map from the voxels of one grid to those of another, both placed in LPS millimetres. */
export function voxelMap(from: Geometry, to: Geometry): Affine {
  const a = affineOf(from);
  const inverse = inverseOf(affineOf(to));
  const row = (r: 0 | 1 | 2): Row => {
    const sum = (c: 0 | 1 | 2 | 3) =>
      inverse[r][0] * a[0][c] + inverse[r][1] * a[1][c] + inverse[r][2] * a[2][c];
    return [sum(0), sum(1), sum(2), sum(3) + inverse[r][3]];
  };
  return [row(0), row(1), row(2)];
}

/** Applies a map to a point. */
export function mapPoint(map: Affine, [x, y, z]: Triple): Triple {
  const at = (r: 0 | 1 | 2) => map[r][0] * x + map[r][1] * y + map[r][2] * z + map[r][3];
  return [at(0), at(1), at(2)];
}

/**
 * Why two grids are not one and the same, or `undefined` where they are: shapes must be equal, and no corner may lie
 * further away from its counterpart than a tenth of the finest voxel side, which leaves room for rounded headers.
 */
export function gridDifference(a: Geometry, b: Geometry): string | undefined {
  if (a.shape.join() !== b.shape.join()) return `shapes ${a.shape.join("×")} and ${b.shape.join("×")}`;
  const [mapA, mapB] = [affineOf(a), affineOf(b)];
  let apart = 0;
  for (let corner = 0; corner < 8; corner++) {
    const index = a.shape.map((side, axis) => (corner >> axis) & 1 ? side - 1 : 0) as unknown as Triple;
    const [p, q] = [mapPoint(mapA, index), mapPoint(mapB, index)];
    apart = Math.max(apart, Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
  }
  // One voxel along an axis says nothing by its corners about the spacing along it.
  const ratio = Math.max(...a.spacing.map((s, axis) => Math.abs(s / b.spacing[axis] - 1)));
  if (apart <= 0.1 * Math.min(...a.spacing, ...b.spacing) && ratio <= 0.01) return undefined;
  const text = (g: Geometry) =>
    `spacing ${short(g.spacing)}, origin ${short(g.origin)}, axes ${g.direction.map(short).join(" ")}`;
  return `the grids lie up to ${Number(apart.toPrecision(3))} mm apart (${text(a)}; against ${text(b)})`;
}

function inverseOf(m: Affine): Affine {
  const d = determinant([[m[0][0], m[0][1], m[0][2]], [m[1][0], m[1][1], m[1][2]], [
    m[2][0],
    m[2][1],
    m[2][2],
  ]]);
  const cofactor = (r: number, c: number) => {
    const [r1, r2] = [(r + 1) % 3, (r + 2) % 3];
    const [c1, c2] = [(c + 1) % 3, (c + 2) % 3];
    return (m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]) / d;
  };
  const row = (r: number): Row => {
    const [x, y, z] = [cofactor(0, r), cofactor(1, r), cofactor(2, r)];
    return [x, y, z, -(x * m[0][3] + y * m[1][3] + z * m[2][3])];
  };
  return [row(0), row(1), row(2)];
}

function determinant([a, b, c]: readonly [Triple, Triple, Triple]): number {
  return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) +
    a[2] * (b[0] * c[1] - b[1] * c[0]);
}

function column4(affine: Affine): Triple {
  return [affine[0][3], affine[1][3], affine[2][3]];
}

/** Without the sign of zero, which headers and negations leave behind. */
function plain(value: number): number {
  return value === 0 ? 0 : value;
}

function short(triple: Triple): string {
  return `(${triple.map((v) => Number(v.toPrecision(6))).join(", ")})`;
}
