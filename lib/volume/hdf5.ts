/**
 * HDF5 volumes in the layout of the public left-atrium files: a dataset `image` (float32) and a dataset `label`
 * (0 and 1), both in C order [x][y][z]. The kit's own files carry the grid as attributes `spacing`, `direction`
 * and `origin` of the file; the public ones carry nothing.
 */
import type { Dataset, File, Group } from "h5wasm";
import { InputError } from "../errors.ts";
import {
  type Geometry,
  identityDirection,
  type Shape3,
  type Triple,
  type Volume,
  voxelCount,
} from "./volume.ts";

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
  return await withFile(path, (file) => {
    const image = readImage(file, path, options);
    const name = options.label ?? "label";
    const stored = arrayOf(file, path, name);
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
  { image, label }: LabelledVolume,
  options: { image?: string; label?: string } = {},
): Promise<void> {
  if (image.shape.join() !== label.shape.join()) {
    throw new InputError(
      `${path}: the image of ${image.shape.join("×")} and the label of ${
        label.shape.join("×")
      } differ in shape`,
    );
  }
  const { hdf5, files } = await library();
  const file = new hdf5.File(scratch, "w");
  try {
    const [, ny, nz] = image.shape;
    const layout = {
      shape: [...image.shape],
      chunks: [Math.min(16, image.shape[0]), ny, nz],
      compression: "gzip" as const,
      compression_opts: 4,
    };
    file.create_dataset({ name: options.image ?? "image", data: image.data, dtype: "<f4", ...layout });
    file.create_dataset({ name: options.label ?? "label", data: label.data, dtype: "<B", ...layout });
    file.create_attribute("spacing", Float64Array.from(image.spacing), [3], "<f8");
    file.create_attribute("direction", Float64Array.from(image.direction.flat()), [3, 3], "<f8");
    file.create_attribute("origin", Float64Array.from(image.origin), [3], "<f8");
  } finally {
    file.close();
  }
  const bytes = files.readFile(scratch);
  files.unlink(scratch);
  await writeWhole(path, bytes);
}

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** The file's name in the library's own memory. Everything between opening and closing is synchronous. */
const scratch = "/volume.h5";

/** The part of Emscripten's file system that is used. */
interface MemoryFiles {
  writeFile(path: string, data: Uint8Array, options: { canOwn: boolean }): void;
  readFile(path: string): Uint8Array;
  unlink(path: string): void;
}

async function library() {
  const hdf5 = await import("h5wasm");
  const module = await hdf5.ready;
  // Without this the library prints its error stack instead of throwing it.
  module.activate_throwing_error_handler();
  return { hdf5, files: module.FS as unknown as MemoryFiles };
}

/** Opens a file in memory for `read` and forgets it afterwards, whatever happens. */
async function withFile<T>(path: string, read: (file: File) => T): Promise<T> {
  const bytes = await readBytes(path);
  const { hdf5, files } = await library();
  files.writeFile(scratch, bytes, { canOwn: true });
  try {
    const file = openFile(() => new hdf5.File(scratch, "r"), path);
    try {
      return read(file);
    } finally {
      file.close();
    }
  } finally {
    files.unlink(scratch);
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "does not exist"
      : `cannot be read (${String(error)})`;
    throw new InputError(`${path}: the file ${reason}`);
  }
  if (signature.some((byte, i) => bytes[i] !== byte)) {
    throw new InputError(`${path}: not an HDF5 file (its first bytes are not the HDF5 signature)`);
  }
  return bytes;
}

function openFile(open: () => File, path: string): File {
  try {
    return open();
  } catch {
    throw new InputError(`${path}: the HDF5 file is truncated or damaged; copy or download it again`);
  }
}

function readImage(file: File, path: string, options: Hdf5Options): Volume {
  const name = options.image ?? "image";
  const { shape, data } = arrayOf(file, path, name);
  const values = data instanceof Float32Array ? data : Float32Array.from(data, Number);
  const invalid = countNotFinite(values);
  if (invalid > 0) {
    throw new InputError(
      `${path}: "${name}" has ${invalid} of ${values.length} values that are NaN or infinite; all must be finite`,
    );
  }
  return { ...geometryOf(file, shape, options), data: values };
}

/** A dataset's numbers; `Number` converts 64-bit integers, which the library gives as bigint. */
interface StoredArray {
  readonly shape: Shape3;
  readonly data: Exclude<ReturnType<typeof numbersOf>, undefined>;
}

function arrayOf(file: File, path: string, name: string): StoredArray {
  const names = file.keys();
  if (!names.includes(name)) {
    throw new InputError(
      `${path}: no dataset "${name}"; the file has ${names.map((n) => `"${n}"`).join(", ") || "none"}`,
    );
  }
  const dataset = file.get(name) as Dataset;
  const shape = dataset.type === "Dataset" ? dataset.shape ?? [] : undefined;
  if (shape === undefined) throw new InputError(`${path}: "${name}" is not a dataset`);
  if (shape.length !== 3 || shape.some((side) => side < 1)) {
    throw new InputError(
      `${path}: "${name}" has shape [${shape.join(", ")}]; a volume with three axes was expected`,
    );
  }
  const data = numbersOf(readValue(dataset, path, name));
  if (data === undefined || data.length !== voxelCount(shape as unknown as Shape3)) {
    throw new InputError(
      `${path}: "${name}" does not hold numbers (its type is ${JSON.stringify(dataset.dtype)})`,
    );
  }
  return { shape: shape as unknown as Shape3, data };
}

function readValue(dataset: Dataset, path: string, name: string): unknown {
  try {
    return dataset.value;
  } catch {
    throw new InputError(
      `${path}: the data of "${name}" is truncated or damaged; copy or download the file again`,
    );
  }
}

function numbersOf(value: unknown) {
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return undefined;
  return value as Float32Array | Float64Array | Uint8Array | Int16Array | BigInt64Array;
}

function countNotFinite(values: Float32Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) count++;
  return count;
}

function binaryLabel(data: StoredArray["data"], path: string, name: string): Uint8Array {
  const label = data instanceof Uint8Array ? data : new Uint8Array(data.length);
  const other = new Set<number>();
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
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

function geometryOf(file: File, shape: Shape3, options: Hdf5Options): Geometry {
  const spacing = attribute(file, "spacing", 3);
  const direction = attribute(file, "direction", 9);
  const origin = attribute(file, "origin", 3);
  return {
    shape,
    spacing: spacing === undefined ? options.spacing?.(shape) ?? [1, 1, 1] : triple(spacing, 0),
    direction: direction === undefined
      ? identityDirection
      : [triple(direction, 0), triple(direction, 3), triple(direction, 6)],
    origin: origin === undefined ? [0, 0, 0] : triple(origin, 0),
  };
}

function attribute(group: Group, name: string, length: number): Float64Array | undefined {
  const value = group.attrs[name]?.value;
  // A list of lists where the attribute has two axes, a typed array or a list where it has one.
  const numbers = ArrayBuffer.isView(value) || Array.isArray(value)
    ? [...value as Iterable<number>].flat()
    : [];
  return numbers.length === length ? Float64Array.from(numbers) : undefined;
}

function triple(values: Float64Array, offset: number): Triple {
  return [values[offset], values[offset + 1], values[offset + 2]];
}

/** Writes beside, flushes, renames. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.tmp`;
  const file = await Deno.open(beside, { write: true, create: true, truncate: true });
  try {
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(beside, path);
}
