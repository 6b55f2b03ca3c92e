/** NRRD volumes: header and voxels in one file (.nrrd) or in two (.nhdr and another). */
import { dirname, isAbsolute, join } from "node:path";
import { InputError } from "../errors.ts";
import { inflate } from "./inflate.ts";
import { type NrrdHeader, parseNrrdHeader } from "./nrrd_header.ts";
import { bytesOf, decodeScalars, type StoredArray } from "./scalars.ts";
import type { StoredVolume } from "./stored_volume.ts";
import { parseNumbers } from "./text_numbers.ts";
import { voxelCount } from "./volume.ts";

/** Reads another file whole. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/**
 * Reads a file's bytes.
 *
 * @param path the file, for messages and to find the data of a detached header.
 * @param readFile reads the data file of a detached header.
 * @throws InputError where the header or the data are damaged or of a kind that is not read.
 */
export async function readNrrd(bytes: Uint8Array, path: string, readFile: ReadFile): Promise<StoredVolume> {
  const header = parseNrrdHeader(bytes, path);
  const { dataFile, end, geometry, dtype } = header;
  const data = dataFile === undefined ? bytes.subarray(end) : await readFile(besideOf(path, dataFile));
  const stored = decode(afterLines(data, header.lineSkip, path), header, path);
  return { ...geometry, format: "NRRD", dtype, stored, fastest: "i", slope: 1, intercept: 0 };
}

/** The path of a file that is named in another one. */
export function besideOf(path: string, name: string): string {
  return isAbsolute(name) ? name : join(dirname(path), name);
}

function decode(data: Uint8Array, header: NrrdHeader, path: string): StoredArray {
  const { dtype, encoding, byteSkip, littleEndian = true } = header;
  const count = voxelCount(header.geometry.shape);
  if (encoding === "text") return parseNumbers(data.subarray(Math.max(byteSkip, 0)), count, dtype, path);
  const size = count * bytesOf[dtype];
  const needed = size + Math.max(byteSkip, 0);
  const plain = encoding === "raw" ? data : inflate(data, encoding, { path, needed });
  if (plain.length < needed) {
    throw new InputError(
      `${path}: there are ${plain.length} of the ${needed} bytes of voxels that its header asks for; the file is ` +
        `truncated or its header is wrong`,
    );
  }
  if (encoding !== "raw" && byteSkip >= 0 && plain.length !== needed) {
    throw new InputError(
      `${path}: there are ${plain.length} bytes of voxels, its header asks for ${needed}; its sizes or its byte skip ` +
        `are wrong`,
    );
  }
  const start = byteSkip === -1 ? plain.length - size : byteSkip;
  return decodeScalars(plain.subarray(start, start + size), dtype, littleEndian);
}

function afterLines(data: Uint8Array, count: number, path: string): Uint8Array {
  let start = 0;
  for (let line = 0; line < count; line++) {
    const end = data.indexOf(10, start);
    if (end === -1) throw new InputError(`${path}: its header skips ${count} lines, the data has ${line}`);
    start = end + 1;
  }
  return data.subarray(start);
}
