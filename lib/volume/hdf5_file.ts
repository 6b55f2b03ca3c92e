/** HDF5 files in memory: their datasets and attributes, with one clear line for whatever is wrong with them. */
import type { Dataset, File } from "h5wasm";
import { InputError } from "../errors.ts";
import type { ScalarName, StoredArray } from "./scalars.ts";
import { shown } from "./shown.ts";
import { requireReadableShape } from "./stored_volume.ts";
import { type Shape3, voxelCount } from "./volume.ts";

/** A dataset with three axes, in C order; 64-bit integers become float64. */
export interface Hdf5Array {
  readonly shape: Shape3;
  readonly dtype: ScalarName;
  readonly data: StoredArray;
}

/** What can be asked of an open file. */
export interface Hdf5File {
  /** Names of the datasets and groups at its top. */
  readonly names: readonly string[];
  /** @throws InputError where there is no such dataset, or it is damaged or no array of numbers with three axes. */
  array(name: string): Hdf5Array;
  /** The numbers of an attribute of the file; undefined where there is none of this length. */
  attribute(name: string, length: number): number[] | undefined;
}

/** Whether a file begins as HDF5 does. */
export function isHdf5(beginning: Uint8Array): boolean {
  return [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => beginning[i] === byte);
}

/**
 * Opens a file for `read` and forgets it afterwards, whatever happens.
 *
 * @param path the file, for messages.
 * @throws InputError where the bytes are no HDF5 file or damaged.
 */
export async function withHdf5<T>(bytes: Uint8Array, path: string, read: (file: Hdf5File) => T): Promise<T> {
  if (!isHdf5(bytes)) {
    throw new InputError(`${path}: not an HDF5 file (its first bytes are not the HDF5 signature)`);
  }
  const library = await hdf5Library();
  if (library.isBroken) {
    throw new InputError(
      `${path}: not read, because a damaged HDF5 file before it broke the reader; run again without that file`,
    );
  }
  const { hdf5, files } = library;
  try {
    // Everything from here to the end is synchronous: two files never meet under this name.
    files.writeFile(scratch, bytes, { canOwn: true });
    const file = new hdf5.File(scratch, "r");
    try {
      return read(openFile(file, bytes.length, path));
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) library.isBroken = true;
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: the HDF5 file is truncated or damaged; copy or download it again`);
  } finally {
    files.unlink(scratch);
  }
}

/** A file's name in the library's own memory. */
export const scratch = "/volume.h5";

/** The part of Emscripten's file system that is used. */
interface MemoryFiles {
  writeFile(path: string, data: Uint8Array, options: { canOwn: boolean }): void;
  readFile(path: string): Uint8Array;
  unlink(path: string): void;
}

/** The library and its memory. */
export interface Hdf5Library {
  readonly hdf5: typeof import("h5wasm");
  readonly files: MemoryFiles;
  /** One damaged file in thousands makes it overrun its memory; nothing that it says afterwards can be trusted. */
  isBroken: boolean;
}

let loaded: Promise<Hdf5Library> | undefined;

/** The library, loaded when it is first needed. */
export async function hdf5Library(): Promise<Hdf5Library> {
  return await (loaded ??= loadLibrary());
}

async function loadLibrary(): Promise<Hdf5Library> {
  const hdf5 = await import("h5wasm");
  const module = await hdf5.ready;
  // Without this the library prints its error stack instead of throwing it.
  module.activate_throwing_error_handler();
  return { hdf5, files: module.FS as unknown as MemoryFiles, isBroken: false };
}

function openFile(file: File, size: number, path: string): Hdf5File {
  const names = file.keys();
  return {
    names,
    array: (name) => arrayOf(file, name, { names, size, path }),
    attribute(name, length) {
      const value = file.attrs[name]?.value;
      // A list of lists where the attribute has two axes, a typed array or a list where it has one.
      const isList = ArrayBuffer.isView(value) || Array.isArray(value);
      const numbers = isList ? [...value as Iterable<number>].flat() : [];
      return numbers.length === length ? numbers.map(Number) : undefined;
    },
  };
}

interface Place {
  readonly names: readonly string[];
  /** Bytes of the file. */
  readonly size: number;
  readonly path: string;
}

function arrayOf(file: File, name: string, { names, size, path }: Place): Hdf5Array {
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
  const grid = requireReadableShape(shape, path);
  // Its compression makes at most 1032 bytes of one.
  const needed = voxelCount(grid) * dataset.metadata.size;
  if (needed > 1032 * size) {
    throw new InputError(`${path}: a file of ${size} bytes cannot hold the ${needed} bytes of "${name}"`);
  }
  requireReadableNumbers(dataset, path, name);
  const found = numbersOf(readValue(dataset, path, name));
  if (found === undefined || found.data.length !== voxelCount(grid)) {
    throw new InputError(
      `${path}: "${name}" does not hold numbers (its type is ${JSON.stringify(dataset.dtype)})`,
    );
  }
  return { shape: grid, ...found };
}

/** Filters that the library brings along; 1 is gzip, 2 and 3 go with it, the others come with HDF5 itself. */
const ownFilters = [1, 2, 3, 4, 5, 6];

/** The library's own message for these would be that the data is damaged. */
function requireReadableNumbers(dataset: Dataset, path: string, name: string) {
  const other = dataset.filters.find(({ id }) => !ownFilters.includes(id));
  if (other !== undefined) {
    throw new InputError(
      `${path}: "${name}" is compressed with ${shown(other.name)}, which is not read; write it with gzip`,
    );
  }
  const { type, size } = dataset.metadata;
  if (type === floatClass && size !== 4 && size !== 8) {
    throw new InputError(`${path}: "${name}" holds ${8 * size}-bit floats; those of 32 and 64 bits are read`);
  }
}

/** HDF5's number for the class of floats. */
const floatClass = 1;

function readValue(dataset: Dataset, path: string, name: string): unknown {
  try {
    return dataset.value;
  } catch {
    throw new InputError(
      `${path}: the data of "${name}" is truncated or damaged; copy or download the file again`,
    );
  }
}

function numbersOf(value: unknown): Pick<Hdf5Array, "dtype" | "data"> | undefined {
  if (value instanceof Float32Array) return { dtype: "float32", data: value };
  if (value instanceof Float64Array) return { dtype: "float64", data: value };
  if (value instanceof Uint8Array) return { dtype: "uint8", data: value };
  if (value instanceof Int8Array) return { dtype: "int8", data: value };
  if (value instanceof Uint16Array) return { dtype: "uint16", data: value };
  if (value instanceof Int16Array) return { dtype: "int16", data: value };
  if (value instanceof Uint32Array) return { dtype: "uint32", data: value };
  if (value instanceof Int32Array) return { dtype: "int32", data: value };
  if (value instanceof BigInt64Array) return { dtype: "int64", data: Float64Array.from(value, Number) };
  if (value instanceof BigUint64Array) return { dtype: "uint64", data: Float64Array.from(value, Number) };
  return undefined;
}
