/** MetaImage volumes: header and voxels in one file (.mha) or in two (.mhd and another). The world is LPS. */
import { InputError } from "../errors.ts";
import { geometryFromAxes } from "./geometry.ts";
import { inflate } from "./inflate.ts";
import { besideOf, type ReadFile } from "./nrrd.ts";
import { bytesOf, decodeScalars, type ScalarName, type StoredArray } from "./scalars.ts";
import { requireReadableShape, type StoredVolume } from "./stored_volume.ts";
import { parseNumbers } from "./text_numbers.ts";
import { type Geometry, type Triple, voxelCount } from "./volume.ts";

const types: Readonly<Record<string, ScalarName>> = {
  MET_CHAR: "int8",
  MET_UCHAR: "uint8",
  MET_SHORT: "int16",
  MET_USHORT: "uint16",
  MET_INT: "int32",
  MET_UINT: "uint32",
  MET_LONG: "int32",
  MET_ULONG: "uint32",
  MET_LONG_LONG: "int64",
  MET_ULONG_LONG: "uint64",
  MET_FLOAT: "float32",
  MET_DOUBLE: "float64",
};

/** Headers are text of a few hundred bytes; their last field is looked for in this many. */
const longestHeader = 2 ** 20;

/** Whether a file begins as MetaImage does: with `Key = value` lines, among them the number of dimensions. */
export function isMetaImage(beginning: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(beginning.subarray(0, 4096));
  return /^\s*(ObjectType|NDims|Comment)\s*=/.test(text) && /^\s*NDims\s*=/m.test(text);
}

/**
 * Reads a file's bytes.
 *
 * @param path the file, for messages and to find a separate data file.
 * @param readFile reads that one.
 * @throws InputError where the header or the data are damaged or of a kind that is not read.
 */
export async function readMetaImage(
  bytes: Uint8Array,
  path: string,
  readFile: ReadFile,
): Promise<StoredVolume> {
  if (!isMetaImage(bytes)) throw new InputError(`${path}: not a MetaImage file (no line "NDims = 3")`);
  const { fields, end } = splitFields(bytes, path);
  const dataFile = fields.get("elementdatafile") ?? "";
  if (/^LIST\b/i.test(dataFile) || dataFile.includes("%")) {
    throw new InputError(
      `${path}: its voxels are in several files ("${dataFile}"); join them to one file first`,
    );
  }
  const channels = fields.get("elementnumberofchannels") ?? "1";
  if (channels !== "1") throw new InputError(`${path}: ${channels} numbers a voxel; one was expected`);
  const typeName = fields.get("elementtype") ?? "";
  const dtype = types[typeName];
  if (dtype === undefined) {
    throw new InputError(
      `${path}: its header states ElementType "${typeName}"; expected a number type such as MET_SHORT`,
    );
  }
  const geometry = geometryOf(fields, path);
  const data = dataFile === "LOCAL" ? bytes.subarray(end) : await readFile(besideOf(path, dataFile));
  const stored = decode(data, { fields, dtype, count: voxelCount(geometry.shape) }, path);
  return { ...geometry, format: "MetaImage", dtype, stored, fastest: "i", slope: 1, intercept: 0 };
}

type Fields = ReadonlyMap<string, string>;

function splitFields(bytes: Uint8Array, path: string): { fields: Fields; end: number } {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, longestHeader));
  const fields = new Map<string, string>();
  for (let start = 0; start < text.length;) {
    const stop = text.indexOf("\n", start);
    const line = text.slice(start, stop === -1 ? undefined : stop).trim();
    start = stop === -1 ? text.length : stop + 1;
    const parts = /^(\w+)\s*=\s*(.*)$/.exec(line);
    if (parts === null) {
      if (line === "") continue;
      throw new InputError(
        `${path}: "${line.slice(0, 40).replace(/[^ -~]/g, "?")}" in its header is no "Key = value"`,
      );
    }
    fields.set(parts[1].toLowerCase(), parts[2]);
    // The data follow this line.
    if (parts[1].toLowerCase() === "elementdatafile") return { fields, end: start };
  }
  throw new InputError(`${path}: its header has no ElementDataFile; the file is truncated`);
}

interface Encoding {
  readonly fields: Fields;
  readonly dtype: ScalarName;
  readonly count: number;
}

function decode(data: Uint8Array, { fields, dtype, count }: Encoding, path: string): StoredArray {
  const isTrue = (name: string) => /^(true|1)$/i.test(fields.get(name) ?? "");
  const needed = count * bytesOf[dtype];
  const headerSize = Number(fields.get("headersize") ?? 0);
  if (!Number.isSafeInteger(headerSize) || headerSize < -1) {
    throw new InputError(
      `${path}: its header states HeaderSize ${fields.get("headersize")}; expected a whole number from -1 on`,
    );
  }
  const isText = /^(false|0)$/i.test(fields.get("binarydata") ?? "true");
  if (isText) return parseNumbers(data.subarray(Math.max(headerSize, 0)), count, dtype, path);
  const body = headerSize === -1
    ? data.subarray(Math.max(0, data.length - needed))
    : data.subarray(headerSize);
  const plain = isTrue("compresseddata") ? inflate(body, "zlib", { path, needed }) : body;
  if (plain.length < needed) {
    throw new InputError(
      `${path}: there are ${plain.length} of the ${needed} bytes of voxels that its header asks for; the file is ` +
        `truncated or its header is wrong`,
    );
  }
  const isBigEndian = isTrue("binarydatabyteordermsb") || isTrue("elementbyteordermsb");
  return decodeScalars(plain.subarray(0, needed), dtype, !isBigEndian);
}

function geometryOf(fields: Fields, path: string): Geometry {
  const dimensions = Number(fields.get("ndims"));
  const sizes = numbersOf(fields, ["dimsize"], path);
  if (sizes === undefined || sizes.length !== dimensions) {
    throw new InputError(
      `${path}: its header states ${dimensions} dimensions and the sizes "${fields.get("dimsize") ?? ""}"`,
    );
  }
  const extra = sizes.slice(3);
  if (dimensions < 2 || extra.some((size) => size !== 1)) {
    throw new InputError(
      `${path}: ${dimensions} axes (${sizes.join("×")}); one volume with three axes was expected`,
    );
  }
  const shape = requireReadableShape([...sizes, 1].slice(0, 3), path);
  const spacing = numbersOf(fields, ["elementspacing", "elementsize"], path) ?? [];
  const origin = numbersOf(fields, ["offset", "position", "origin"], path) ?? [];
  const matrix = numbersOf(fields, ["transformmatrix", "orientation", "rotation"], path);
  if (matrix !== undefined && matrix.length !== dimensions ** 2) {
    throw new InputError(
      `${path}: its TransformMatrix has ${matrix.length} numbers; expected ${dimensions ** 2}`,
    );
  }
  const axis = (a: number): Triple => {
    const step = a < dimensions ? spacing[a] ?? 1 : 1;
    const component = (c: number) =>
      matrix !== undefined && a < dimensions && c < dimensions ? matrix[a * dimensions + c] : Number(a === c);
    return [component(0) * step, component(1) * step, component(2) * step];
  };
  const at = (c: number) => c < dimensions ? origin[c] ?? 0 : 0;
  return geometryFromAxes([axis(0), axis(1), axis(2)], [at(0), at(1), at(2)], { shape, path });
}

function numbersOf(fields: Fields, names: readonly string[], path: string): number[] | undefined {
  const name = names.find((candidate) => fields.has(candidate));
  if (name === undefined) return undefined;
  const text = fields.get(name) ?? "";
  const numbers = text.split(/\s+/).filter((word) => word !== "").map(Number);
  if (!numbers.every(Number.isFinite)) {
    throw new InputError(`${path}: its header has "${text.slice(0, 40)}" as ${name}; expected numbers`);
  }
  return numbers;
}
