/** Files in one piece, and folders: read with clear errors, written so that they appear whole or not at all. */
import { InputError } from "../errors.ts";

/** The largest file that is read at once: 4 GiB. */
const largestFile = 2 ** 32;

/**
 * Reads a file.
 *
 * @throws InputError where it does not exist, is a folder, may not be read, is empty or larger than 4 GiB.
 */
export async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size, isDirectory } = await Deno.stat(path);
    if (isDirectory) throw new InputError(`${path}: a folder, where a file was expected`);
    if (size > largestFile) {
      throw new InputError(
        `${path}: the file has ${size} bytes; files of up to ${largestFile} bytes are read`,
      );
    }
    const bytes = await Deno.readFile(path);
    if (bytes.length === 0) throw new InputError(`${path}: the file is empty; copy or download it again`);
    return bytes;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: the file ${whyUnreadable(error)}`);
  }
}

/**
 * What is in a folder.
 *
 * @throws InputError where it does not exist, is no folder or may not be read.
 */
export async function readFolder(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    throw new InputError(`${path}: the folder ${whyUnreadable(error)}`);
  }
}

/** Writes beside, flushes, renames: the file appears whole or not at all. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.${Deno.pid}.tmp`;
  try {
    const file = await Deno.open(beside, { write: true, create: true, truncate: true });
    try {
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "does not exist";
  if (error instanceof Deno.errors.NotADirectory) return "does not exist";
  if (error instanceof Deno.errors.PermissionDenied) return "may not be read (no permission)";
  return `cannot be read (${error instanceof Error ? error.message : String(error)})`;
}
