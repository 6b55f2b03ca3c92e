/** Files that appear whole or not at all: written beside, flushed, renamed. */
import { EnvironmentError, InputError, noRoom } from "../errors.ts";

/**
 * Writes a file atomically.
 *
 * @param choice how the user chooses another place.
 */
export async function writeWhole(
  path: string,
  contents: string | Uint8Array,
  choice?: string,
): Promise<void> {
  const beside = `${path}.${Deno.pid}.tmp`;
  const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  try {
    await writeFlushed(beside, bytes);
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw explained(path, error, choice);
  }
}

/** Writes a file that nobody looks at yet, such as one in a folder that will be renamed, and flushes it. */
export async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  await file.syncData();
}

/**
 * A full disk or a folder without permission as one clear line; other errors as they are.
 *
 * @param choice how the user chooses another place.
 */
export function explained(path: string, error: unknown, choice = "with --run"): unknown {
  const reason = noRoom(String(error));
  if (reason !== undefined) return new EnvironmentError(`${path} cannot be written: ${reason}`);
  const code = (error as { code?: string } | undefined)?.code ?? "";
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES" || code === "EROFS") {
    return new EnvironmentError(`${path} cannot be written: no permission; choose another folder ${choice}`);
  }
  if (code === "ENOTDIR" || code === "EEXIST") {
    return new InputError(
      `${path} cannot be written: a file is where a folder is needed; choose another ${choice}`,
    );
  }
  return error;
}
