/** Writes volumes: NIfTI (.nii, .nii.gz) and NRRD (.nrrd), told by the name; in the type of the voxel array. */
import { gzipSync } from "node:zlib";
import { InputError } from "../errors.ts";
import { permuteAxes } from "./crop.ts";
import { encodeNifti } from "./nifti_writer.ts";
import { encodeNrrdHeader } from "./nrrd_writer.ts";
import { type Shape3, type Volume, type VoxelArray, voxelCount } from "./volume.ts";
import { writeWhole } from "./whole_file.ts";

/**
 * Writes an image or a label map with its grid. The file appears whole or not at all.
 *
 * @param volume written in its array's type: uint8, uint16, int16, int32 or float32.
 * @throws InputError where the name ends in none of .nii, .nii.gz and .nrrd, the array does not fill the grid, or the
 * folder does not exist.
 */
export async function writeVolume(path: string, volume: Volume<VoxelArray>): Promise<void> {
  const bytes = encodeVolume(volume, path);
  try {
    await writeWhole(path, bytes);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new InputError(`${path}: the folder of the file does not exist; make it first`);
  }
}

/** The bytes of the file that {@link writeVolume} writes; throws as it does. */
export function encodeVolume(volume: Volume<VoxelArray>, path: string): Uint8Array {
  const format = formatOf(path);
  const { shape, data } = volume;
  if (data.length !== voxelCount(shape)) {
    throw new InputError(`${path}: ${data.length} voxels do not fill a grid of ${shape.join("×")}`);
  }
  if (format === ".nrrd") {
    return joined(encodeNrrdHeader(volume), compressed(inFileOrder(data, shape, new Uint8Array())));
  }
  const file = inFileOrder(data, shape, encodeNifti(volume, path));
  return format === ".nii" ? file : compressed(file);
}

/** The voxels behind a header, i first as in files; the kit's arrays run along k first. */
function inFileOrder(data: VoxelArray, shape: Shape3, header: Uint8Array): Uint8Array {
  const file = new Uint8Array(header.length + data.byteLength);
  file.set(header);
  const make = data.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => VoxelArray;
  permuteAxes(data, shape, [2, 1, 0], { destination: new make(file.buffer, header.length, data.length) });
  return file;
}

function formatOf(path: string): ".nii" | ".nii.gz" | ".nrrd" {
  const ending = /\.(nii|nii\.gz|nrrd)$/i.exec(path)?.[0].toLowerCase();
  if (ending === ".nii" || ending === ".nii.gz" || ending === ".nrrd") return ending;
  throw new InputError(`${path}: volumes are written as .nii, .nii.gz or .nrrd; name the file so`);
}

/** Gzip; without a name and a time in it, so that equal volumes are equal files. */
function compressed(bytes: Uint8Array): Uint8Array {
  // Level 4 makes masks smaller by up to a fifth, in twice the time.
  return gzipSync(bytes, { level: 2 });
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const result = new Uint8Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}
