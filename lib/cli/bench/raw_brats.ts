/** A raw case of BraTS, for the work that prepares one. */
import { drawPhantom } from "../../data/phantom.ts";
import { randomStream } from "../../random.ts";
import { boxGeometry } from "../../volume/geometry.ts";
import { gridWithSpacing, resample } from "../../volume/resample.ts";
import type { Geometry, Shape3, Triple } from "../../volume/volume.ts";
import { writeVolume } from "../../volume/write_volume.ts";

/** What the archive's label values are: necrosis, oedema, enhancing core. */
const parts = [1, 2, 4] as const;

/**
 * Writes `BRATS_0001_flair.nii.gz` and `BRATS_0001_seg.nii.gz` as the archive has them: 1 mm, whole numbers of 16 bits
 * that are 0 around the stripped brain, and labels 1, 2 and 4. It is a phantom's brain with grain.
 */
export async function writeRawBrats(folder: string, shape: Shape3): Promise<void> {
  const { image, label } = drawPhantom(1, "bench", "tumour");
  const grid = centredGrid(gridWithSpacing(image, [1, 1, 1]), shape);
  const outside = image.data[0];
  const drawn = resample(image, grid, { interpolation: "nearest", outside });
  const foreground = resample(label, grid, { interpolation: "nearest" });
  const noise = randomStream(1, "bench");
  const grain = Int16Array.from({ length: 4093 }, () => Math.round(9 * noise.normal()));
  const scan = Int16Array.from(
    drawn.data,
    (value, i) => value === outside ? 0 : Math.max(1, Math.round(300 + 70 * value) + grain[i % grain.length]),
  );
  const plane = shape[1] * shape[2];
  const segmentation = foreground.data.map((value, i) => value * parts[Math.floor(i / plane) % parts.length]);
  await Deno.mkdir(folder, { recursive: true });
  await writeVolume(`${folder}/BRATS_0001_flair.nii.gz`, { ...grid, data: scan });
  await writeVolume(`${folder}/BRATS_0001_seg.nii.gz`, { ...grid, data: segmentation });
}

/** A grid of these sides around the middle of another one. */
function centredGrid(grid: Geometry, size: Shape3): Geometry {
  const start = size.map((side, axis) => Math.floor((grid.shape[axis] - side) / 2)) as unknown as Triple;
  return boxGeometry(grid, { start, size });
}
