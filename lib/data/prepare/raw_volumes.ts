/** A raw case in memory: image and label on one grid, checked. */
import { InputError } from "../../errors.ts";
import { boundingBox, type Box } from "../../volume/crop.ts";
import { extremesOf } from "../../volume/extremes.ts";
import { readDicomFolder } from "../../volume/dicom_series.ts";
import { readHdf5Dataset } from "../../volume/hdf5.ts";
import type { ReadFile } from "../../volume/nrrd.ts";
import { reorient, toPatientAxes } from "../../volume/orientation.ts";
import { decodeVolume } from "../../volume/read_volume.ts";
import { foregroundOf, imageOf, type StoredVolume } from "../../volume/stored_volume.ts";
import type { Geometry, Volume } from "../../volume/volume.ts";
import { withAtriumSpacing } from "../preparation.ts";
import { laSpacing } from "../source.ts";
import { alignByVoxel, type AlignedLabel, alignPancreas } from "./align_label.ts";
import type { RawCase } from "./archive.ts";
import type { PreparedName } from "./record.ts";

/** Image and label of a case on one grid. */
export interface RawVolumes {
  readonly format: string;
  /** True intensities. */
  readonly image: Volume;
  /** Least and greatest of them. */
  readonly extremes: readonly [number, number];
  /** 0 and 1. */
  readonly label: Volume<Uint8Array>;
  /** The smallest box of the label's voxels. */
  readonly labelBox: Box;
  /** Cut and normalised already. */
  readonly isReady: boolean;
  readonly decisions: readonly string[];
  readonly cautions: readonly string[];
}

/** Label values that each archive may hold beside the background 0; all of them are foreground. */
const foreground: Readonly<Record<PreparedName, readonly number[]>> = {
  la: [1, 255],
  pancreas: [1],
  // Necrosis and non-enhancing core, oedema, (until 2016) non-enhancing core alone, enhancing core.
  brats: [1, 2, 3, 4],
};

/**
 * Reads image and label of a case.
 *
 * @param readFile reads each file, once.
 * @throws InputError, one line with the path, where a file is missing or damaged, the image is constant or has values
 * that are not finite, the label is empty or has values that its archive does not know, or both are not on one grid.
 */
export async function readRawCase(
  dataset: PreparedName,
  raw: RawCase,
  readFile: ReadFile,
): Promise<RawVolumes> {
  if (raw.label === undefined) {
    throw new InputError(`${raw.image}: this case has no label; add its label file or take the case away`);
  }
  if (raw.isPrepared) return await readPreparedCase(raw.image, readFile);
  const isSeries = (await Deno.stat(raw.image).catch(() => undefined))?.isDirectory === true;
  const stored = isSeries
    ? await readDicomFolder(raw.image, readFile)
    : await decodeVolume(await readFile(raw.image), raw.image, { readFile });
  const { shape, spacing, direction, origin } = stored;
  const { image, decisions } = dataset === "la"
    ? withAtriumSpacing(imageOf(stored))
    : { image: inPatientAxes(imageOf(stored)), decisions: [] };
  const extremes = requireVariation(image.data, raw.image);
  const file = await decodeVolume(await readFile(raw.label), raw.label, { readFile });
  const label = labelOfCase(file, raw.label, foreground[dataset]);
  const aligned = align(dataset, dataset === "brats" ? inPatientAxes(label) : label, {
    image,
    stated: { shape, spacing, direction, origin },
    path: raw.label,
  });
  return {
    format: stored.format,
    image,
    extremes,
    label: aligned.label,
    labelBox: boundingBox(aligned.label.data, image.shape)!,
    isReady: false,
    decisions: [...decisions, ...aligned.decisions],
    cautions: aligned.cautions,
  };
}

/** The public left-atrium files: cut and normalised already. */
async function readPreparedCase(path: string, readFile: ReadFile): Promise<RawVolumes> {
  const bytes = await readFile(path);
  // The library takes the bytes over that it reads from.
  const stored = await readHdf5Dataset(bytes.slice(), path, { dataset: "image", spacing: laSpacing });
  const image = imageOf(stored);
  const extremes = requireVariation(image.data, path);
  const file = await readHdf5Dataset(bytes, path, { dataset: "label", spacing: laSpacing });
  const label = labelOfCase(file, path, foreground.la);
  const { decisions, cautions } = alignByVoxel(label, image, { path, strict: true });
  const decision = "the file was cut and normalised by its publisher; neither was done again";
  return {
    format: stored.format,
    image,
    extremes,
    label,
    labelBox: boundingBox(label.data, image.shape)!,
    isReady: true,
    decisions: [decision, ...decisions],
    cautions,
  };
}

function align(
  dataset: PreparedName,
  label: Volume<Uint8Array>,
  { image, stated, path }: { image: Volume; stated: Geometry; path: string },
): AlignedLabel {
  if (dataset === "pancreas") return alignPancreas(label, image, path);
  if (dataset === "brats") return alignByVoxel(label, image, { path, strict: true });
  return alignByVoxel(label, image, { path, strict: false, stated });
}

function inPatientAxes<T extends Float32Array | Uint8Array>(volume: Volume<T>): Volume<T> {
  const change = toPatientAxes(volume);
  const isSame = change.axes.join() === "0,1,2" && !change.reversed.includes(true);
  return isSame ? volume : reorient(volume, change);
}

/** Least and greatest of an image that is finite and not constant. */
function requireVariation(data: Float32Array, path: string): [number, number] {
  const [least, greatest] = extremesOf(data);
  // One NaN makes both NaN.
  if (!Number.isFinite(greatest - least)) {
    const notFinite = data.reduce((count, value) => Number.isFinite(value) ? count : count + 1, 0);
    throw new InputError(`${path}: ${notFinite} voxels of the image are NaN or infinite; all must be finite`);
  }
  if (least === greatest) {
    throw new InputError(`${path}: every voxel of the image is ${least}; export the scan again`);
  }
  return [least, greatest];
}

function labelOfCase(file: StoredVolume, path: string, values: readonly number[]): Volume<Uint8Array> {
  const label = foregroundOf(file, { values, path });
  if (!label.data.includes(1)) {
    throw new InputError(`${path}: the label is empty; a training case needs a foreground`);
  }
  return label;
}
