/** HDF5 files as other programs write them: without attributes, and of any shape. */
import { File, ready } from "h5wasm";

/** Writes datasets by name. */
export async function writePlainHdf5(
  path: string,
  datasets: Readonly<Record<string, { data: Float32Array | Uint8Array; shape: number[] }>>,
): Promise<void> {
  const module = await ready;
  const files = module.FS as unknown as { readFile(path: string): Uint8Array; unlink(path: string): void };
  const file = new File("/plain.h5", "w");
  for (const [name, { data, shape }] of Object.entries(datasets)) file.create_dataset({ name, data, shape });
  file.close();
  await Deno.writeFile(path, files.readFile("/plain.h5"));
  files.unlink("/plain.h5");
}
