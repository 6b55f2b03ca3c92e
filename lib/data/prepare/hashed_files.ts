/** Files that are known by their content: read and hashed at once, and compared later. */
import { relative } from "node:path";
import type { ReadFile } from "../../volume/nrrd.ts";
import type { VoxelArray } from "../../volume/volume.ts";
import { readWhole } from "../../volume/whole_file.ts";
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
      files.push({ path: relative(root, path), bytes: bytes.length, sha256: await sha256(bytes) });
      return bytes;
    },
  };
}

/** The hash of a file as it is now. @throws InputError where it cannot be read. */
export async function hashFile(root: string, path: string): Promise<HashedFile> {
  const { files, read } = hashingReader(root);
  await read(path);
  return files[0];
}

/** Whether all files still have the content that was noted. */
export async function areUnchanged(root: string, files: readonly HashedFile[]): Promise<boolean> {
  for (const { path, bytes, sha256: noted } of files) {
    const size = (await Deno.stat(`${root}/${path}`).catch(() => undefined))?.size;
    if (size !== bytes) return false;
    if (await sha256(await readWhole(`${root}/${path}`)) !== noted) return false;
  }
  return true;
}

/** The hash of all voxels of arrays, one after the other. */
export async function hashVoxels(...arrays: readonly VoxelArray[]): Promise<string> {
  const all = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    all.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return await sha256(all);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
