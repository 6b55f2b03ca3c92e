/** Decompression that never makes more bytes than a header asks for: a small file cannot fill the memory. */
import { Buffer } from "node:buffer";
import { constants, gunzipSync, inflateSync } from "node:zlib";
import bzip2 from "seek-bzip";
import { InputError } from "../errors.ts";

/** What compresses. */
export type Compression = "gzip" | "zlib" | "bzip2";

/** What is expected of the data, and the file for messages. */
export interface InflateOptions {
  readonly path: string;
  /** Bytes that there must be at least; more than 1 MiB beyond is refused. */
  readonly needed: number;
}

/** Deflate makes at most 1032 bytes of one. */
const deflateRatio = 1032;
const slack = 2 ** 20;

/**
 * Decompresses all of `bytes`, checksums included.
 *
 * @throws InputError where the data is damaged or truncated, shorter than needed, or more than 1 MiB longer.
 */
export function inflate(bytes: Uint8Array, compression: Compression, options: InflateOptions): Uint8Array {
  const { path, needed } = options;
  if (compression !== "bzip2" && needed > bytes.length * deflateRatio) throw tooShort(options, undefined);
  const result = compression === "bzip2"
    ? unpackBzip2(bytes, options)
    : unpackDeflate(bytes, compression, options);
  if (result.length < needed) throw tooShort(options, result.length);
  if (result.length > needed + slack) throw tooLong(path, needed);
  return result;
}

/** The beginning of a gzip stream, decompressed: what the first 4 KiB hold, so at most 4 MiB; empty where it is damaged. */
export function inflateBeginning(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array();
  }
}

/** Whether these are the first bytes of a gzip stream. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function unpackDeflate(bytes: Uint8Array, compression: "gzip" | "zlib", { path, needed }: InflateOptions) {
  const unpack = compression === "gzip" ? gunzipSync : inflateSync;
  try {
    // One chunk of the final size spares the library the joining of many.
    return unpack(bytes, { chunkSize: needed + 1024, maxOutputLength: needed + slack });
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLong(path, needed);
    throw damaged(path, compression, error);
  }
}

function unpackBzip2(bytes: Uint8Array, { path, needed }: InflateOptions): Uint8Array {
  const limit = needed + slack;
  let buffer = new Uint8Array(Math.min(limit, 2 ** 20));
  let length = 0;
  const output = {
    writeByte(byte: number) {
      if (length === limit) throw tooLong(path, needed);
      if (length === buffer.length) {
        const larger = new Uint8Array(Math.min(limit, 2 * length));
        larger.set(buffer);
        buffer = larger;
      }
      buffer[length++] = byte;
    },
  };
  try {
    bzip2.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), output, true);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw damaged(path, "bzip2", error);
  }
  return buffer.subarray(0, length);
}

function damaged(path: string, compression: Compression, error: unknown): InputError {
  const reason = error instanceof Error ? error.message : String(error);
  return new InputError(
    `${path}: its ${compression} data is truncated or damaged (${reason}); copy or download it again`,
  );
}

function tooShort({ path, needed }: InflateOptions, found: number | undefined): InputError {
  const holds = found === undefined ? "cannot hold" : `holds ${found} of`;
  return new InputError(
    `${path}: the compressed data ${holds} the ${needed} bytes that the header asks for; the file is truncated ` +
      `or its header is wrong`,
  );
}

function tooLong(path: string, needed: number): InputError {
  return new InputError(
    `${path}: the compressed data is longer than the ${needed} bytes that the header asks for; its header is wrong`,
  );
}
