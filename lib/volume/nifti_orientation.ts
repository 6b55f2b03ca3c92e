/** The place of a NIfTI grid: the sform where its code is positive, else the qform, else the voxel sizes. */
import { InputError } from "../errors.ts";
import type { Affine } from "./geometry.ts";

/** What a header says of where its grid lies. */
export interface NiftiOrientation {
  readonly shape: readonly number[];
  readonly pixdim: readonly number[];
  /** b, c, d and the offset. */
  readonly quaternion: readonly number[];
  readonly rows: readonly number[];
  readonly qform: number;
  readonly sform: number;
  /** Code of the unit of length. */
  readonly unit: number;
}

/**
 * Voxel indices to LPS millimetres, as nibabel chooses among the header's three ways to say it.
 *
 * @param path the file, for the message.
 * @throws InputError where the quaternion is longer than 1.
 */
export function niftiAffine(orientation: NiftiOrientation, path: string): Affine {
  return inMillimetres(chooseRows(orientation, path), orientation.unit);
}

/** The file's own world is RAS. */
function chooseRows(
  { shape, pixdim, quaternion, rows, qform, sform }: NiftiOrientation,
  path: string,
): Affine {
  if (sform > 0) {
    const [x, y, z] = [0, 4, 8].map((start) => rows.slice(start, start + 4)) as [
      number[],
      number[],
      number[],
    ];
    return toLps([x, y, z]);
  }
  const sizes = pixdim.slice(1).map((size) => size === 0 ? 1 : Math.abs(size));
  if (qform <= 0) {
    // The first axis runs to the left, and the centre of the grid lies at the origin.
    const signed = [-sizes[0], sizes[1], sizes[2]];
    const row = (r: number) =>
      [0, 1, 2].map((c) => c === r ? signed[r] : 0).concat(-signed[r] * (shape[r] - 1) / 2);
    return toLps([row(0), row(1), row(2)]);
  }
  const [b, c, d, ...offset] = quaternion;
  const squared = 1 - (b * b + c * c + d * d);
  // Rounding may leave a little less than nothing, as nibabel allows for single precision.
  if (!(squared > -3.6e-7)) {
    throw new InputError(`${path}: the quaternion (${b}, ${c}, ${d}) of its orientation is longer than 1`);
  }
  const a = Math.sqrt(Math.max(squared, 0));
  const qfac = pixdim[0] === -1 ? -1 : 1;
  const rotation = [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
  ];
  const row = (r: number) => {
    const [x, y, z] = rotation[r];
    return [x * sizes[0], y * sizes[1], z * sizes[2] * qfac, offset[r]];
  };
  return toLps([row(0), row(1), row(2)]);
}

function toLps([x, y, z]: [number[], number[], number[]]): Affine {
  return [x.map((v) => -v), y.map((v) => -v), z] as unknown as Affine;
}

/** Metres and micrometres are converted; what states no unit is in millimetres. */
function inMillimetres(affine: Affine, unit: number): Affine {
  const factor = unit === 1 ? 1000 : unit === 3 ? 0.001 : 1;
  return affine.map((row) => row.map((v) => v * factor)) as unknown as Affine;
}
