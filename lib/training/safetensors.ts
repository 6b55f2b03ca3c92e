/**
 * The safetensors format: 8 bytes of header length (little endian), a JSON header, raw little-endian data. Every
 * tool of the PyTorch world reads it with one import.
 */
import { InputError } from "../errors.ts";

/** The kinds of numbers that the kit stores. */
export type Dtype = "F32" | "U8" | "U16" | "I32" | "I64";

/** A named array. */
export interface SafetensorsEntry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Uint16Array | Int32Array | BigInt64Array;
}

const arrays = { F32: Float32Array, U8: Uint8Array, U16: Uint16Array, I32: Int32Array, I64: BigInt64Array };
const maximumHeader = 100_000_000;

/** What a file holds. */
export interface Safetensors {
  readonly tensors: Map<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Encodes named arrays and text metadata. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let offset = 0;
  // Wider numbers first keep every array aligned to its width.
  const ordered = [...tensors].sort(([, a], [, b]) => width(b.dtype) - width(a.dtype));
  for (const [name, { dtype, shape, data }] of ordered) {
    const count = shape.reduce((product, side) => product * side, 1);
    if (!(data instanceof arrays[dtype]) || data.length !== count) {
      throw new RangeError(
        `"${name}": ${data.length} numbers do not fill a ${dtype} array of ${shape.join("×")}`,
      );
    }
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  let text = new TextEncoder().encode(JSON.stringify(header));
  const padding = (8 - (text.length % 8)) % 8;
  text = new TextEncoder().encode(JSON.stringify(header) + " ".repeat(padding));
  const bytes = new Uint8Array(8 + text.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let position = 8 + text.length;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

/**
 * Decodes a file, strictly.
 *
 * @param origin its name, for messages.
 * @throws InputError where it is truncated, has no valid header, or its arrays overlap or leave the file.
 */
export function decodeSafetensors(bytes: Uint8Array, origin: string): Safetensors {
  const fail = (what: string) => new InputError(`${origin} is not a whole safetensors file: ${what}`);
  if (bytes.length < 8) throw fail(`it has ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > maximumHeader || 8 + length > bytes.length) {
    throw fail(`its header would take ${length} of ${bytes.length} bytes`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + length), fail);
  const data = bytes.subarray(8 + length);
  const tensors = new Map<string, SafetensorsEntry>();
  let metadata: Record<string, string> = {};
  const spans: [number, number][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      metadata = value as Record<string, string>;
      continue;
    }
    if (!isEntry(value)) throw fail(`"${name}" is not described by dtype, shape and data_offsets`);
    const { dtype, shape, data_offsets: [begin, end] } = value;
    if (!isDtype(dtype)) {
      throw fail(`"${name}" has the type ${dtype}; known are ${Object.keys(arrays).join(", ")}`);
    }
    const count = shape.reduce((product, side) => product * side, 1);
    if (end - begin !== count * width(dtype) || end > data.length) {
      throw fail(`"${name}" of ${shape.join("×")} lies at bytes ${begin}–${end} of ${data.length}`);
    }
    spans.push([begin, end]);
    // A copy, because the header's length need not align the data.
    const copy = data.slice(begin, end);
    tensors.set(name, { dtype, shape, data: new arrays[dtype](copy.buffer, copy.byteOffset, count) });
  }
  spans.sort(([a], [b]) => a - b);
  let covered = 0;
  for (const [begin, end] of spans) {
    if (begin !== covered) throw fail("its arrays overlap or leave gaps");
    covered = end;
  }
  if (covered !== data.length) throw fail(`${data.length - covered} bytes follow its arrays`);
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array, fail: (what: string) => InputError): Record<string, unknown> {
  try {
    const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null && !Array.isArray(header)) return header;
  } catch {
    // falls through to the one message
  }
  throw fail("its header is not JSON with named arrays");
}

/** An array's description as it stands in the header. */
interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function isEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== "object" || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  return typeof dtype === "string" && isSizes(shape) && isSizes(offsets) && offsets.length === 2;
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(arrays, name);
}

function width(dtype: Dtype): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}
