/** Files that are known by their content: read and hashed at once, and compared later. */
import { createHash } from "node:crypto";
import { relative } from "node:path";
import type { ReadFile } from "../../volume/nrrd.ts";
import type { VoxelArray } from "../../volume/volume.ts";
import { readWhole, writeWhole } from "../../volume/whole_file.ts";
import type { HashedFile } from "./record.ts";

/** A reader that remembers what it read. */
export interface HashingReader {
  readonly read: ReadFile;
  /** What was read so far, in this order. */
  readonly files: readonly HashedFile[];
}

/** A reader whose files are named as they lie below `root`. */
export function hashingReader(root: string): HashingReader {
  const files: HashedFile[] = [];
  return {
    files,
    async read(path) {
      const bytes = await readWhole(path);
      files.push(hashedFile(root, path, bytes));
      return bytes;
    },
  };
}

/** Writes a file, and gives its hash. */
export async function writeHashed(root: string, path: string, bytes: Uint8Array): Promise<HashedFile> {
  const written = writeWhole(path, bytes);
  const file = hashedFile(root, path, bytes);
  await written;
  return file;
}

/** Whether all files still have the content that was noted. */
export async function areUnchanged(root: string, files: readonly HashedFile[]): Promise<boolean> {
  for (const { path, bytes, sha256: noted } of files) {
    const size = (await Deno.stat(`${root}/${path}`).catch(() => undefined))?.size;
    if (size !== bytes) return false;
    if (sha256(await readWhole(`${root}/${path}`)) !== noted) return false;
  }
  return true;
}

/** The hash of all voxels of arrays, one after the other. */
export function hashVoxels(...arrays: readonly VoxelArray[]): string {
  return sha256(
    ...arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
}

function hashedFile(root: string, path: string, bytes: Uint8Array): HashedFile {
  return { path: relative(root, path), bytes: bytes.length, sha256: sha256(bytes) };
}

/** Of all bytes, one piece after the other; without the copies that the asynchronous interface makes. */
function sha256(...pieces: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
