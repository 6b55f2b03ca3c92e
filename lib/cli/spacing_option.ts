/** The option `--spacing`, for files that do not state the size of their voxels. */
import { InputError } from "../errors.ts";
import type { Shape3, Triple } from "../volume/volume.ts";
import type { Context } from "./command.ts";

export const spacingOption = {
  type: "list",
  of: "number",
  help: "voxel size in mm of HDF5 files that do not state it, such as 0.625,0.625,0.625; if not given, 1,1,1",
} as const;

/**
 * What is asked for the voxel size of a file that does not state it: the size given, else 1 mm, which is noted.
 *
 * @throws InputError where the size given is not three positive numbers.
 */
export function spacingOr(
  given: readonly number[] | undefined,
  path: string,
  context: Context,
): (shape: Shape3) => Triple {
  if (given !== undefined && (given.length !== 3 || !given.every((side) => side > 0))) {
    throw new InputError(`--spacing ${given.join(",")}: expected three positive numbers such as 1,1,2.5`);
  }
  return () => {
    if (given !== undefined) return [given[0], given[1], given[2]];
    context.note(`${path} does not state the size of its voxels: 1 mm is assumed; --spacing tells it`);
    return [1, 1, 1];
  };
}
