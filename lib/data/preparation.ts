/**
 * What a scan goes through before a network sees it: axes to the patient's, spacing, intensities. Scans that are
 * segmented take the way of the training cases (paper 4.1), without the cut around the label that nobody has drawn.
 */
import { InputError } from "../errors.ts";
import { extremesOf } from "../volume/extremes.ts";
import { reorient, toPatientAxes } from "../volume/orientation.ts";
import { gridWithSpacing, resample } from "../volume/resample.ts";
import { requireRoom } from "../volume/room.ts";
import { mostVoxels } from "../volume/stored_volume.ts";
import type { Geometry, Triple, Volume } from "../volume/volume.ts";
import type { Dataset } from "./dataset.ts";
import {
  type IntensityScaling,
  intensityScaling,
  type ScaledDataset,
  scaleIntensities,
} from "./preprocess.ts";

/** How much of the way a scan has before it: all of it, all but the intensities, or none. */
export const preparations = ["full", "spacing", "none"] as const;
export type Preparation = typeof preparations[number];

/** The data sets whose raw intensities are scaled; phantoms are drawn as networks see them. */
const scaledDatasets: readonly string[] = ["la", "pancreas", "brats"] satisfies ScaledDataset[];

/** Spacings that differ by less are one. */
const sameSpacing = 1e-3;

/** The grid along the patient's axes with this spacing in millimetres, over the box of another grid. */
export function preparedGrid(geometry: Geometry, spacing: Triple): Geometry {
  const { axes, reversed } = toPatientAxes(geometry);
  const along = <V>(values: readonly [V, V, V]) => axes.map((axis) => values[axis]) as [V, V, V];
  const shape = along(geometry.shape);
  const own = along(geometry.spacing);
  const direction = along(geometry.direction).map((axis, a) =>
    axis.map((component) => reversed[a] && component !== 0 ? -component : component)
  ) as unknown as Geometry["direction"];
  // Where an axis is turned round, the grid begins at its other end.
  const reach = shape.map((side, a) => reversed[a] ? (side - 1) * own[a] : 0);
  const at = (c: 0 | 1 | 2) =>
    geometry.origin[c] - direction.reduce((sum, axis, a) => sum + axis[c] * reach[a], 0);
  const turned: Geometry = { shape, spacing: own, direction, origin: [at(0), at(1), at(2)] };
  const isOwn = own.every((side, a) => Math.abs(side / spacing[a] - 1) < sameSpacing);
  return isOwn ? turned : gridWithSpacing(turned, spacing);
}

/**
 * A scan as a network sees it.
 *
 * @param scan true intensities, such as Hounsfield units.
 * @param options.spacing of the training cases in millimetres.
 * @param options.path the file, for messages.
 * @throws InputError where a voxel is not finite, all are alike after the window, or the grid of the wanted spacing has
 * more than 2²⁹ voxels.
 */
export function prepareScan(
  scan: Volume,
  dataset: Dataset,
  { preparation, spacing, path }: { preparation: Preparation; spacing: Triple; path: string },
): Volume {
  const extremes = requireFinite(scan.data, path);
  if (preparation === "none") return scan;
  const isScaled = preparation === "full" && scaledDatasets.includes(dataset.name);
  const scaling = isScaled ? intensityScaling(dataset.name as ScaledDataset, scan) : undefined;
  if (scaling !== undefined) requireVariation(extremes, scaling, path);
  const image = onPreparedGrid(scan, spacing, path);
  if (scaling === undefined) return image;
  const data = image.data === scan.data ? scan.data.slice() : image.data;
  return { ...image, data: scaleIntensities(data, scaling) };
}

/** Turned where the spacing is the wanted one already, else interpolated linearly. */
function onPreparedGrid(scan: Volume, spacing: Triple, path: string): Volume {
  const grid = preparedGrid(scan, spacing);
  const voxels = grid.shape.reduce((product, side) => product * side, 1);
  if (voxels > mostVoxels) {
    throw new InputError(
      `${path}: its box of ${
        scan.shape.map((side, a) => Math.round(side * scan.spacing[a])).join("×")
      } mm has ` +
        `${grid.shape.join("×")} voxels at the training spacing of ${
          spacing.join("×")
        } mm; up to ${mostVoxels} are ` +
        `predicted: cut the scan, or correct the spacing in its header`,
    );
  }
  // The image and its probability at least, in float32.
  requireRoom(8 * voxels, `${path}: its ${grid.shape.join("×")} voxels at the training spacing`);
  const { axes, reversed } = toPatientAxes(scan);
  const isTurned = axes.some((axis, a) => axis !== a) || reversed.includes(true);
  const keepsSpacing = axes.every((axis, a) => grid.spacing[a] === scan.spacing[axis]);
  if (!keepsSpacing) return resample(scan, grid, { interpolation: "linear", outside: "border" });
  return isTurned ? reorient(scan, { axes, reversed }) : scan;
}

/** The voxel side of the challenge's left-atrium scans in millimetres, which some headers leave out. */
const atriumSide = 0.625;

/** A scan of the left-atrium challenge whose header states no voxel size, or 1 mm, with the true one. */
export function withAtriumSpacing(image: Volume): { image: Volume; decisions: string[] } {
  if (image.spacing.some((side) => Math.abs(side - 1) > 1e-6)) return { image, decisions: [] };
  const spacing: Triple = [atriumSide, atriumSide, atriumSide];
  const decision = `the header states no voxel size or 1 mm; the challenge's ${atriumSide} mm was taken`;
  return { image: { ...image, spacing }, decisions: [decision] };
}

/** The least and the greatest value of what is finite. */
function requireFinite(values: Float32Array, path: string): readonly [number, number] {
  const [least, greatest] = extremesOf(values);
  // One NaN makes both NaN.
  if (Number.isFinite(greatest - least)) return [least, greatest];
  const count = values.reduce((sum, value) => Number.isFinite(value) ? sum : sum + 1, 0);
  throw new InputError(
    `${path}: ${count} of ${values.length} voxels are NaN or infinite; all must be finite`,
  );
}

/** A window that holds nothing of the scan tells a scan of another kind, or one that is scaled already. */
function requireVariation(
  [least, greatest]: readonly [number, number],
  { window }: IntensityScaling,
  path: string,
): void {
  const [low, high] = window ?? [-Infinity, Infinity];
  const varies = Math.max(least, low) < Math.min(greatest, high);
  const isLikeScaled = window !== undefined && least >= -10 && greatest <= 10;
  if (varies && !isLikeScaled) return;
  const limits = window === undefined ? "" : ` of Hounsfield units from ${low} to ${high}`;
  throw new InputError(
    `${path}: its intensities do not vary as those${limits} of the training scans do; give a scan of that kind, or ` +
      `--prepare spacing where they are scaled already`,
  );
}
