/**
 * Typed arrays within JSON, small enough for git: masks as bits, bytes as they are, real numbers as 256 levels between
 * their smallest and largest value (error ≤ range/510), each deflated.
 */
import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** A packed array. */
interface Packed {
  readonly packed: "bits" | "bytes" | "levels";
  readonly length: number;
  /** Values of the first and the last level. */
  readonly range?: readonly [low: number, high: number];
  /** Base64 of the deflated bytes. */
  readonly data: string;
}

/** The value with each typed array in it packed. */
export function pack(value: unknown): unknown {
  if (value instanceof Uint8Array || value instanceof Float32Array) return packArray(value);
  if (Array.isArray(value)) return value.map(pack);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, pack(inner)]));
}

/**
 * The value with each packed array as a typed array again.
 *
 * @throws RangeError where an array has another length than stated, Error where its bytes are damaged.
 */
export function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== "object" || value === null) return value;
  if ("packed" in value) return unpackArray(value as Packed);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpack(inner)]));
}

function packArray(array: Uint8Array | Float32Array): Packed {
  const { length } = array;
  if (array instanceof Float32Array) {
    const range = rangeOf(array);
    const scale = range[1] > range[0] ? 255 / (range[1] - range[0]) : 0;
    const levels = Uint8Array.from(array, (value) => Math.round((value - range[0]) * scale));
    return { packed: "levels", length, range, data: deflated(levels) };
  }
  if (array.some((value) => value > 1)) return { packed: "bytes", length, data: deflated(array) };
  const bits = new Uint8Array(Math.ceil(length / 8));
  for (let i = 0; i < length; i++) bits[i >> 3] |= array[i] << (i & 7);
  return { packed: "bits", length, data: deflated(bits) };
}

function unpackArray({ packed, length, range, data }: Packed): Uint8Array | Float32Array {
  const bytes = new Uint8Array(inflateRawSync(Buffer.from(data, "base64")));
  const expected = packed === "bits" ? Math.ceil(length / 8) : length;
  if (bytes.length !== expected) {
    throw new RangeError(`a packed array has ${bytes.length} bytes, expected ${expected}`);
  }
  if (packed === "bytes") return bytes;
  // Plain loops: masks of the paper's size have millions of voxels.
  if (packed === "bits") {
    const mask = new Uint8Array(length);
    for (let i = 0; i < length; i++) mask[i] = bytes[i >> 3] >> (i & 7) & 1;
    return mask;
  }
  const [low, high] = range!;
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = low + (high - low) * bytes[i] / 255;
  return values;
}

function deflated(bytes: Uint8Array): string {
  return deflateRawSync(bytes, { level: 9 }).toString("base64");
}

function rangeOf(values: Float32Array): [number, number] {
  if (values.length === 0) return [0, 0];
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
