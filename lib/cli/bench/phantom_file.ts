/** A volume file for the works that read one, where the user gives none. */
import { drawPhantom } from "../../data/phantom.ts";
import { writeHdf5 } from "../../volume/hdf5.ts";
import { resample } from "../../volume/resample.ts";
import { writeVolume } from "../../volume/write_volume.ts";
import type { Shape3, Triple, Volume } from "../../volume/volume.ts";

/** Writes a phantom with every voxel doubled along each axis: the size of a left-atrium volume at 0.625 mm. */
export async function writePhantomFile(path: string): Promise<void> {
  const { image, label } = drawPhantom(1, "bench");
  await writeHdf5(path, { image: doubled(image), label: doubled(label) });
}

/** Writes a brain as float32, its 2 mm grid divided into as many voxels as asked for. */
export async function writeScanFile(path: string, shape: Shape3): Promise<void> {
  const { image } = drawPhantom(1, "bench", "tumour");
  const spacing = shape.map((side, a) => image.shape[a] * image.spacing[a] / side) as unknown as Triple;
  const grid = { ...image, shape, spacing };
  await writeVolume(path, resample(image, grid, { interpolation: "linear", outside: "border" }));
}

function doubled<T extends Float32Array | Uint8Array>(volume: Volume<T>): Volume<T> {
  const [nx, ny, nz] = volume.shape;
  const shape: Shape3 = [2 * nx, 2 * ny, 2 * nz];
  const spacing = volume.spacing.map((side) => side / 2) as unknown as Triple;
  const data = new (volume.data.constructor as new (length: number) => T)(8 * volume.data.length);
  for (let x = 0, to = 0; x < shape[0]; x++) {
    for (let y = 0; y < shape[1]; y++) {
      const row = ((x >> 1) * ny + (y >> 1)) * nz;
      for (let z = 0; z < shape[2]; z++, to++) data[to] = volume.data[row + (z >> 1)];
    }
  }
  return { ...volume, shape, spacing, data };
}
