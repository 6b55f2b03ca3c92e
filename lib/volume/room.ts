/** Whether large arrays fit into memory, said before they are made. */
import { InputError } from "../errors.ts";

/** Less than this is never asked for: the question itself takes time. */
const small = 2 ** 26;

/**
 * @param bytes that will be needed at the same time.
 * @param what needs them, with the file: "scan.nii: its 512×512×300 voxels".
 * @param available bytes that may be taken; by default what the system tells.
 * @throws InputError where the machine has less.
 */
export function requireRoom(
  bytes: number,
  what: string,
  available: number = bytes < small ? Infinity : Deno.systemMemoryInfo().available,
): void {
  if (bytes <= available) return;
  const gigabytes = (count: number) => (count / 1e9).toFixed(1);
  throw new InputError(
    `${what} need about ${gigabytes(bytes)} GB of memory, ${gigabytes(available)} GB are free: close other ` +
      `programs, or use a machine with more`,
  );
}
