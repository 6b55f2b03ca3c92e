/** The header of NIfTI-1 files, with the grid as sform and, where its axes are at right angles, as qform too. */
import { InputError } from "../errors.ts";
import { affineOf } from "./geometry.ts";
import { bytesOf } from "./scalars.ts";
import { arrayType } from "./array_type.ts";
import type { Geometry, Triple, Volume, VoxelArray } from "./volume.ts";

const codes = { uint8: 2, int16: 4, int32: 8, float32: 16, uint16: 512 } as const;

/** Where the voxels begin: behind the header and four bytes that say that no extension follows. */
const firstVoxel = 352;

/** Codes of the coordinates' meaning. */
const scannerAnatomical = 1;

const millimetresAndSeconds = 2 + 8;

/**
 * The 352 bytes before the voxels.
 *
 * @param path the file, for the message.
 * @param scaling the true value of a voxel v is `slope * v + intercept` (default v).
 * @throws InputError where a side has more voxels than a 16-bit number holds.
 */
export function encodeNifti(
  volume: Volume<VoxelArray>,
  path: string,
  scaling: { readonly slope: number; readonly intercept: number } = { slope: 1, intercept: 0 },
): Uint8Array {
  const { shape, spacing, data } = volume;
  if (shape.some((side) => side > 32767)) {
    throw new InputError(
      `${path}: a side of ${Math.max(...shape)} voxels; NIfTI-1 holds up to 32767; write .nrrd`,
    );
  }
  const type = arrayType(data);
  const view = new DataView(new ArrayBuffer(firstVoxel));
  const integers = (position: number, values: readonly number[]) =>
    values.forEach((value, n) => view.setInt16(position + 2 * n, value, true));
  const reals = (position: number, values: readonly number[]) =>
    values.forEach((value, n) => view.setFloat32(position + 4 * n, value, true));
  view.setInt32(0, 348, true);
  integers(40, [3, ...shape, 1, 1, 1, 1]);
  integers(70, [codes[type], 8 * bytesOf[type]]);
  const { qfac, quaternion } = quaternionOf(volume);
  reals(76, [qfac, ...spacing, 1, 1, 1, 1]);
  reals(108, [firstVoxel, scaling.slope, scaling.intercept]);
  view.setUint8(123, millimetresAndSeconds);
  // The world of NIfTI is RAS.
  const [x, y, z] = affineOf(volume);
  const rows = [x.map((v) => -v), y.map((v) => -v), z];
  integers(252, [quaternion === undefined ? 0 : scannerAnatomical, scannerAnatomical]);
  reals(256, [...quaternion ?? [0, 0, 0], ...rows.map((row) => row[3])]);
  reals(280, rows.flat());
  new Uint8Array(view.buffer).set(new TextEncoder().encode("n+1"), 344);
  return new Uint8Array(view.buffer);
}

/** b, c, d of the axes' rotation in RAS; undefined where they are not at right angles. */
function quaternionOf({ direction }: Geometry): { qfac: 1 | -1; quaternion: Triple | undefined } {
  const [i, j, k] = direction.map(([x, y, z]) => [-x, -y, z]);
  const dots = [[i, j], [j, k], [k, i]].map(([a, b]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
  const handedness = k[0] * (i[1] * j[2] - i[2] * j[1]) + k[1] * (i[2] * j[0] - i[0] * j[2]) +
    k[2] * (i[0] * j[1] - i[1] * j[0]);
  const qfac = handedness < 0 ? -1 : 1;
  if (dots.some((dot) => Math.abs(dot) > 1e-5)) return { qfac, quaternion: undefined };
  return { qfac, quaternion: rotationQuaternion(i, j, k.map((v) => v * qfac)) };
}

/** From the largest of the four components, which is at least a half (Shepperd 1978); the first one not negative. */
function rotationQuaternion(i: number[], j: number[], k: number[]): Triple {
  const squares = [
    1 + i[0] + j[1] + k[2],
    1 + i[0] - j[1] - k[2],
    1 - i[0] + j[1] - k[2],
    1 - i[0] - j[1] + k[2],
  ];
  const largest = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[largest]);
  const [yz, zx, xy] = [j[2] - k[1], k[0] - i[2], i[1] - j[0]];
  const [sumXy, sumXz, sumYz] = [j[0] + i[1], k[0] + i[2], k[1] + j[2]];
  const [a, b, c, d] = [
    [s / 4, yz / s, zx / s, xy / s],
    [yz / s, s / 4, sumXy / s, sumXz / s],
    [zx / s, sumXy / s, s / 4, sumYz / s],
    [xy / s, sumXz / s, sumYz / s, s / 4],
  ][largest];
  return a < 0 ? [-b, -c, -d] : [b, c, d];
}
