/**
 * HDF5 volumes in the layout of the public left-atrium files: a dataset `image` (float32) and a dataset `label`
 * (0 and 1), both in C order [x][y][z]. The kit's own files carry the grid as attributes `spacing`, `direction`
 * and `origin` of the file; the public ones carry nothing.
 */
import { InputError } from "../errors.ts";
import { type Hdf5Array, type Hdf5File, hdf5Library, scratch, withHdf5 } from "./hdf5_file.ts";
import type { StoredVolume } from "./stored_volume.ts";
import { type Geometry, identityDirection, type Shape3, type Triple, type Volume } from "./volume.ts";
import { readWhole, writeWhole } from "./whole_file.ts";

/** Which datasets are read, and what holds where the file does not say. */
export interface Hdf5Options {
  /** Name of the image's dataset (default "image"). */
  readonly image?: string;
  /** Name of the label's dataset (default "label"). */
  readonly label?: string;
  /** Voxel size in millimetres for files without a `spacing` attribute (default 1 mm). */
  readonly spacing?: (shape: Shape3) => Triple;
}

/** An image with its label map on the same grid. */
export interface LabelledVolume {
  readonly image: Volume;
  readonly label: Volume<Uint8Array>;
}

/**
 * Reads an image and its label.
 *
 * @throws InputError where the file is missing, is no HDF5 file or is damaged, lacks a dataset, where the shapes
 * are not three-dimensional or differ, where the image has values that are not finite or the label has values
 * other than 0 and 1.
 */
export async function readHdf5(path: string, options: Hdf5Options = {}): Promise<LabelledVolume> {
  return await withHdf5(await readWhole(path), path, (file) => {
    const image = readImage(file, path, options);
    const name = options.label ?? "label";
    const stored = file.array(name);
    if (stored.shape.join() !== image.shape.join()) {
      throw new InputError(
        `${path}: "${name}" is ${stored.shape.join("×")} but the image is ${image.shape.join("×")}; ` +
          `both must have the same grid`,
      );
    }
    return { image, label: { ...image, data: binaryLabel(stored.data, path, name) } };
  });
}

/**
 * Writes an image and its label with gzip and the grid as attributes. The file appears whole or not at all.
 *
 * @param options.image name of the image's dataset (default "image"), `options.label` of the label's.
 * @throws InputError where the shapes differ.
 */
export async function writeHdf5(
  path: string,
  volumes: LabelledVolume,
  options: { image?: string; label?: string } = {},
): Promise<void> {
  await writeWhole(path, await encodeHdf5(volumes, path, options));
}

/** The bytes of the file that {@link writeHdf5} writes; throws as it does. */
export async function encodeHdf5(
  { image, label }: LabelledVolume,
  path: string,
  options: { image?: string; label?: string } = {},
): Promise<Uint8Array> {
  if (image.shape.join() !== label.shape.join()) {
    throw new InputError(
      `${path}: the image of ${image.shape.join("×")} and the label of ${
        label.shape.join("×")
      } differ in shape`,
    );
  }
  const { hdf5, files } = await hdf5Library();
  const file = new hdf5.File(scratch, "w");
  try {
    const [, ny, nz] = image.shape;
    const layout = {
      shape: [...image.shape],
      chunks: [Math.min(16, image.shape[0]), ny, nz],
      compression: "gzip" as const,
      // Level 4 would save another 3 % of the bytes and take half as long again.
      compression_opts: 2,
    };
    file.create_dataset({ name: options.image ?? "image", data: image.data, dtype: "<f4", ...layout });
    file.create_dataset({ name: options.label ?? "label", data: label.data, dtype: "<B", ...layout });
    file.create_attribute("spacing", Float64Array.from(image.spacing), [3], "<d");
    file.create_attribute("direction", Float64Array.from(image.direction.flat()), [3, 3], "<d");
    file.create_attribute("origin", Float64Array.from(image.origin), [3], "<d");
  } finally {
    file.close();
  }
  const bytes = files.readFile(scratch);
  files.unlink(scratch);
  return bytes;
}

/**
 * Reads one dataset from a file's bytes.
 *
 * @param dataset its name.
 * @throws InputError where the file is no HDF5 file or damaged, or the dataset is missing or no volume.
 */
export async function readHdf5Dataset(
  bytes: Uint8Array,
  path: string,
  options: { dataset: string; spacing?: (shape: Shape3) => Triple },
): Promise<StoredVolume> {
  return await withHdf5(bytes, path, (file) => {
    const { shape, dtype, data } = file.array(options.dataset);
    const geometry = geometryOf(file, shape, options);
    return { ...geometry, format: "HDF5", dtype, stored: data, fastest: "k", slope: 1, intercept: 0 };
  });
}

function readImage(file: Hdf5File, path: string, options: Hdf5Options): Volume {
  const name = options.image ?? "image";
  const { shape, data } = file.array(name);
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  const invalid = countNotFinite(values);
  if (invalid > 0) {
    throw new InputError(
      `${path}: "${name}" has ${invalid} of ${values.length} values that are NaN or infinite; all must be finite`,
    );
  }
  return { ...geometryOf(file, shape, options), data: values };
}

function countNotFinite(values: Float32Array): number {
  // Four sums at a time are quicker than a question for each value: a finite value times 0 is 0, another is NaN.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += values[i] * 0;
    b += values[i + 1] * 0;
    c += values[i + 2] * 0;
    d += values[i + 3] * 0;
  }
  if (a + b + c + d === 0 && values.subarray(whole).every(Number.isFinite)) return 0;
  return values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
}

function binaryLabel(data: Hdf5Array["data"], path: string, name: string): Uint8Array {
  if (data instanceof Uint8Array && isBinary(data)) return data;
  const label = data instanceof Uint8Array ? data : new Uint8Array(data.length);
  const other = new Set<number>();
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value !== 0 && value !== 1) other.add(value);
    label[i] = value;
  }
  if (other.size > 0) {
    const values = [...other].sort((a, b) => a - b);
    const listed = values.slice(0, 8).join(", ") + (values.length > 8 ? ", …" : "");
    throw new InputError(
      `${path}: "${name}" has values other than 0 and 1: ${listed}; map the foreground to 1 and the rest to 0`,
    );
  }
  return label;
}

/** Whether every byte is 0 or 1, looked at four at a time. */
function isBinary(bytes: Uint8Array): boolean {
  if (bytes.byteOffset % 4 !== 0) return bytes.every((value) => value <= 1);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let bits = 0;
  for (let i = 0; i < words.length; i++) bits |= words[i];
  return (bits & ~0x01010101) === 0 && bytes.subarray(4 * words.length).every((value) => value <= 1);
}

function geometryOf(file: Hdf5File, shape: Shape3, options: Pick<Hdf5Options, "spacing">): Geometry {
  const spacing = file.attribute("spacing", 3);
  const direction = file.attribute("direction", 9);
  const origin = file.attribute("origin", 3);
  return {
    shape,
    spacing: spacing === undefined ? options.spacing?.(shape) ?? [1, 1, 1] : triple(spacing, 0),
    direction: direction === undefined
      ? identityDirection
      : [triple(direction, 0), triple(direction, 3), triple(direction, 6)],
    origin: origin === undefined ? [0, 0, 0] : triple(origin, 0),
  };
}

function triple(values: readonly number[], offset: number): Triple {
  return [values[offset], values[offset + 1], values[offset + 2]];
}
