/** Files that appear whole or not at all: written beside, flushed, renamed. */
import { EnvironmentError } from "../errors.ts";

/** Writes a file atomically. */
export async function writeWhole(path: string, contents: string | Uint8Array): Promise<void> {
  const beside = `${path}.${Deno.pid}.tmp`;
  const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  try {
    const file = await Deno.open(beside, { write: true, create: true, truncate: true });
    try {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      await file.syncData();
    } finally {
      file.close();
    }
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw explained(path, error);
  }
}

/** A full disk or a folder without permission as one clear line; other errors as they are. */
export function explained(path: string, error: unknown): unknown {
  const code = (error as { code?: string }).code ?? "";
  if (code === "ENOSPC" || /no space left/i.test(String(error))) {
    return new EnvironmentError(
      `${path} cannot be written: the disk is full; free some space and run the command again`,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES" || code === "EROFS") {
    return new EnvironmentError(`${path} cannot be written: no permission; choose another folder with --run`);
  }
  return error;
}
