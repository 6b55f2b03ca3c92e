/** A raw CT with its label, for the work that prepares one. */
import { randomStream } from "../../random.ts";
import { identityDirection, type Shape3, voxelCount } from "../../volume/volume.ts";
import { writeVolume } from "../../volume/write_volume.ts";

/** Writes `PANCREAS_0001.nii.gz` and `label0001.nii.gz`: a body in air, noise, and a gland of a tenth of each side. */
export async function writeRawCt(folder: string, shape: Shape3): Promise<void> {
  const grid = {
    shape,
    spacing: [0.75, 0.75, 1.25],
    direction: identityDirection,
    origin: [0, 0, 0],
  } as const;
  const image = { ...grid, data: new Int16Array(voxelCount(shape)) };
  const label = { ...grid, data: new Uint8Array(image.data.length) };
  const noise = randomStream(1, "bench");
  const grain = Int16Array.from({ length: 4093 }, () => Math.round(15 * noise.normal()));
  const [nx, ny, nz] = shape;
  for (let x = 0, i = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      for (let z = 0; z < nz; z++, i++) {
        const [u, v, w] = [2 * x / nx - 1, 2 * y / ny - 1, 2 * z / nz - 1];
        const isGland = Math.hypot((u - 0.1) / 0.25, (v - 0.05) / 0.15, (w - 0.1) / 0.3) < 1;
        const tissue = isGland ? 90 : 120 * Math.sin(9 * u) * Math.cos(7 * v + 5 * w);
        image.data[i] = Math.hypot(u, v) > 0.95 ? -1000 : tissue + grain[i % grain.length];
        label.data[i] = isGland ? 1 : 0;
      }
    }
  }
  await Deno.mkdir(folder, { recursive: true });
  await writeVolume(`${folder}/PANCREAS_0001.nii.gz`, image);
  await writeVolume(`${folder}/label0001.nii.gz`, label);
}
