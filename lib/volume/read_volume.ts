/** Reads a volume of any format. What a file is, is told by its content; its name only helps where that says nothing. */
import { InputError } from "../errors.ts";
import { readDicomFile, readDicomFolder } from "./dicom_series.ts";
import { isDicom } from "./dicom_slice.ts";
import { readHdf5Dataset } from "./hdf5.ts";
import { isHdf5 } from "./hdf5_file.ts";
import { inflateBeginning, isGzip } from "./inflate.ts";
import { isMetaImage, readMetaImage } from "./meta_image.ts";
import { isNifti, readNifti } from "./nifti.ts";
import { type ReadFile, readNrrd } from "./nrrd.ts";
import { isNrrd } from "./nrrd_header.ts";
import { imageOf, labelOf, type StoredVolume } from "./stored_volume.ts";
import type { Shape3, Triple, Volume } from "./volume.ts";
import { readWhole } from "./whole_file.ts";

/** How HDF5 files are read, which hold several arrays and may not state their grid. */
export interface ReadOptions {
  /** The dataset of an HDF5 file (default "image" for images, "label" for label maps). */
  readonly dataset?: string;
  /** Voxel size in millimetres of an HDF5 file that does not state it (default 1 mm). */
  readonly spacing?: (shape: Shape3) => Triple;
}

/**
 * Reads an image: NIfTI, NRRD, MetaImage, HDF5, a DICOM slice, or a folder with one DICOM series.
 *
 * @returns true intensities in float32, C order, on the file's own grid in LPS millimetres.
 * @throws InputError, one line with the path, where it is missing, damaged, or of a format or kind that is not read.
 */
export async function readVolume(path: string, options: ReadOptions = {}): Promise<Volume> {
  return imageOf(await readStored(path, options));
}

/**
 * Reads a label map, of the same formats.
 *
 * @returns whole numbers from 0 to 255.
 * @throws InputError as {@link readVolume}, and where a voxel holds no such number.
 */
export async function readLabel(path: string, options: ReadOptions = {}): Promise<Volume<Uint8Array>> {
  return labelOf(await readStored(path, { dataset: "label", ...options }), path);
}

/** Reads a volume as its file holds it, before scaling; throws as {@link readVolume}. */
export async function readStored(path: string, options: ReadOptions = {}): Promise<StoredVolume> {
  const isFolder = (await Deno.stat(path).catch(() => undefined))?.isDirectory === true;
  if (isFolder) return await readDicomFolder(path, readWhole);
  return await decodeVolume(await readWhole(path), path, { readFile: readWhole, ...options });
}

/**
 * Reads a volume from a file's bytes.
 *
 * @param path the file, for messages and to find a separate data file.
 * @param options.readFile reads that one.
 * @throws InputError as {@link readVolume}.
 */
export async function decodeVolume(
  bytes: Uint8Array,
  path: string,
  options: ReadOptions & { readFile: ReadFile },
): Promise<StoredVolume> {
  const { dataset = "image", readFile, spacing } = options;
  if (isHdf5(bytes)) return await readHdf5Dataset(bytes, path, { dataset, ...(spacing && { spacing }) });
  if (isNrrd(bytes)) return await readNrrd(bytes, path, readFile);
  if (isDicom(bytes)) return readDicomFile(bytes, path);
  if (isNifti(isGzip(bytes) ? inflateBeginning(bytes) : bytes)) return readNifti(bytes, path);
  if (isMetaImage(bytes)) return await readMetaImage(bytes, path, readFile);
  throw unknownFormat(bytes, path);
}

/** Formats by the endings of names, for files whose content is none of them. */
const endings: readonly (readonly [string, RegExp])[] = [
  ["NIfTI", /\.(nii|hdr|img)(\.gz)?$/i],
  ["NRRD", /\.(nrrd|nhdr)$/i],
  ["MetaImage", /\.(mha|mhd)$/i],
  ["HDF5", /\.(h5|hdf5)$/i],
  ["DICOM", /\.(dcm|ima)$/i],
];

function unknownFormat(bytes: Uint8Array, path: string): InputError {
  const named = endings.find(([, pattern]) => pattern.test(path))?.[0];
  if (named === undefined) {
    return new InputError(
      `${path}: not a volume that is read; expected NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd), ` +
        `HDF5 (.h5), or DICOM (a file or a folder with one series)`,
    );
  }
  const gzip = isGzip(bytes) ? "damaged gzip data, or " : "";
  return new InputError(
    `${path}: ${gzip}not a ${named} file, although its name says so; copy or download it again, or convert it`,
  );
}
