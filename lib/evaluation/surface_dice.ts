/**
 * The surface Dice at a tolerance (Nikolov et al. 2021, "Clinically applicable segmentation …"): the share of both
 * surfaces, by area, that lies within the tolerance of the other one. A surface is made of elements, one for each
 * cube of eight neighbouring voxel centres that holds inside and outside; the outside of the volume is background.
 */
import { InputError } from "../errors.ts";
import { squaredDistancesAt } from "../volume/distance.ts";
import type { Shape3, Triple } from "../volume/volume.ts";
import { cropToUnion, requireSameGrid } from "./metrics.ts";
import { surfaceAreas } from "./surface_area.ts";

/** The unit of the distances, and how far apart surfaces may be. */
export interface SurfaceDiceOptions {
  /** Distance of voxel centres in millimetres. */
  readonly spacing: Triple;
  /** Millimetres, from 0 on. */
  readonly tolerance: number;
}

/**
 * The surface Dice of two masks on one grid.
 *
 * @returns from 0 to 1; 0 where one mask is empty; null where both are: there is no surface then.
 * @throws InputError where the masks do not fill the shape or the tolerance is no number from 0 on.
 */
export function surfaceDice(
  prediction: Uint8Array,
  reference: Uint8Array,
  shape: Shape3,
  { spacing, tolerance }: SurfaceDiceOptions,
): number | null {
  requireSameGrid(prediction, reference, shape);
  if (!(tolerance >= 0 && tolerance < Infinity)) {
    throw new InputError(`a tolerance of ${tolerance} mm; expected a number from 0 on`);
  }
  const pair = cropToUnion(prediction, reference, shape);
  if (pair.prediction.length === 0) return null;
  const areas = surfaceAreas(spacing);
  const [a, b] = [pair.prediction, pair.reference].map((mask) => surfaceElements(mask, pair.shape));
  const forward = within(a, b, { areas, spacing, tolerance });
  const backward = within(b, a, { areas, spacing, tolerance });
  return (forward.near + backward.near) / (forward.all + backward.all);
}

/** The surface of a mask: the cubes that it passes, on the grid of cubes, which has one more along each axis. */
interface SurfaceElements {
  readonly shape: Shape3;
  /** Linear indices of the cubes. */
  readonly cubes: Int32Array;
  /** Which corners are inside, see {@link surfaceAreas}. */
  readonly codes: Uint8Array;
  /** The cubes as a mask. */
  readonly mask: Uint8Array;
}

function surfaceElements(mask: Uint8Array, [nx, ny, nz]: Shape3): SurfaceElements {
  const shape: Shape3 = [nx + 1, ny + 1, nz + 1];
  const [sx, sy] = [shape[1] * shape[2], shape[2]];
  const code = new Uint8Array(shape[0] * sx);
  for (let x = 0, i = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      for (let z = 0; z < nz; z++, i++) {
        if (mask[i] === 0) continue;
        // A voxel is the last corner of the cube with its own indices, and the first one of the cube behind.
        const cube = x * sx + y * sy + z;
        code[cube] |= 128;
        code[cube + 1] |= 64;
        code[cube + sy] |= 32;
        code[cube + sy + 1] |= 16;
        code[cube + sx] |= 8;
        code[cube + sx + 1] |= 4;
        code[cube + sx + sy] |= 2;
        code[cube + sx + sy + 1] |= 1;
      }
    }
  }
  const isSurface = new Uint8Array(code.length);
  let count = 0;
  for (let i = 0; i < code.length; i++) {
    if (code[i] !== 0 && code[i] !== 255) isSurface[i] = 1;
    count += isSurface[i];
  }
  const cubes = new Int32Array(count);
  for (let i = 0, n = 0; n < count; i++) if (isSurface[i] !== 0) cubes[n++] = i;
  return { shape, cubes, codes: Uint8Array.from(cubes, (cube) => code[cube]), mask: isSurface };
}

interface Reach extends SurfaceDiceOptions {
  readonly areas: Float64Array;
}

/** Area of a surface, and how much of it lies within the tolerance of the other one. */
function within(from: SurfaceElements, to: SurfaceElements, { areas, spacing, tolerance }: Reach) {
  const squares = squaredDistancesAt(from.cubes, to.mask, from.shape, { spacing });
  // Distances such as three times 0.1 mm must not miss a tolerance of 0.3 mm by their rounding, nor by that of voxel
  // sizes, which NIfTI files hold in single precision.
  const limit = (tolerance * (1 + 1e-6)) ** 2;
  let [near, all] = [0, 0];
  for (let i = 0; i < squares.length; i++) {
    const area = areas[from.codes[i]];
    all += area;
    if (squares[i] <= limit) near += area;
  }
  return { near, all };
}
