/** Small archives in the layouts of the raw data sets, of voxels that are a formula. */
import { writeVolume } from "../../../lib/volume/write_volume.ts";
import { identityDirection, type Shape3, type Triple, type Volume } from "../../../lib/volume/volume.ts";
import { dicomBytes } from "../../volume/scan_files.ts";

/** A scan and its label. */
export interface RawScan {
  readonly image: Volume<Int16Array>;
  readonly label: Volume<Uint8Array>;
}

/** Voxel by voxel; the label is a box. */
function scan(
  { shape, spacing, origin = [0, 0, 0] }: { shape: Shape3; spacing: Triple; origin?: Triple },
  value: (x: number, y: number, z: number) => number,
  isLabel: (x: number, y: number, z: number) => boolean,
): RawScan {
  const [nx, ny, nz] = shape;
  const grid = { shape, spacing, origin, direction: identityDirection };
  const image = { ...grid, data: new Int16Array(nx * ny * nz) };
  const label = { ...grid, data: new Uint8Array(nx * ny * nz) };
  for (let x = 0, i = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      for (let z = 0; z < nz; z++, i++) {
        image.data[i] = Math.round(value(x, y, z));
        label.data[i] = isLabel(x, y, z) ? 1 : 0;
      }
    }
  }
  return { image, label };
}

/** An atrium: bright in noise-like waves; `seed` makes cases differ. */
export function atriumScan(seed = 0): RawScan {
  const inside = (x: number, y: number, z: number) => x > 20 && x < 31 && y > 24 && y < 33 && z > 3 && z < 9;
  return scan(
    { shape: [60, 56, 14], spacing: [0.625, 0.625, 0.625] },
    (x, y, z) =>
      100 + 40 * Math.sin(0.7 * x + seed) + 30 * Math.cos(0.5 * y) + 5 * z + (inside(x, y, z) ? 90 : 0),
    inside,
  );
}

/** A CT: fat, and a gland of soft tissue near the head. */
export function pancreasScan(seed = 0): RawScan {
  const inside = (x: number, y: number, z: number) => x > 15 && x < 27 && y > 20 && y < 30 && z > 5 && z < 9;
  return scan(
    { shape: [56, 52, 10], spacing: [1.5, 1.5, 2.5], origin: [-40, -30, 100] },
    (x, y, z) =>
      inside(x, y, z)
        ? 90 + 4 * ((x + 2 * y + seed) % 7)
        : -100 + 60 * Math.sin(0.2 * x + 0.3 * y + seed) - 150 * z % 40,
    inside,
  );
}

/** A stripped brain: nothing around a ball, with a tumour of three labels' worth. */
export function brainScan(seed = 0): RawScan {
  const brain = (x: number, y: number, z: number) => Math.hypot(x - 20, 0.9 * (y - 22), 1.2 * (z - 15)) < 14;
  const inside = (x: number, y: number, z: number) => Math.hypot(x - 24, y - 20, z - 16) < 5;
  return scan(
    { shape: [44, 46, 32], spacing: [1, 1, 1] },
    (x, y, z) =>
      brain(x, y, z)
        ? 300 + 50 * Math.sin(0.4 * x + seed) + 40 * Math.cos(0.3 * y * z) + (inside(x, y, z) ? 200 : 0)
        : 0,
    inside,
  );
}

/** `<folder>/Training Set/<name>/lgemri.nrrd` and `laendo.nrrd`, whose foreground is 255. */
export async function writeAtrium(folder: string, name: string, { image, label }: RawScan): Promise<void> {
  const place = `${folder}/Training Set/${name}`;
  await Deno.mkdir(place, { recursive: true });
  await writeVolume(`${place}/lgemri.nrrd`, image);
  await writeVolume(`${place}/laendo.nrrd`, { ...label, data: label.data.map((value) => 255 * value) });
}

/** DICOM slices named against their order, two folders down, and a label whose slices run from the head to the feet. */
export async function writePancreas(
  folder: string,
  number: number,
  { image, label }: RawScan,
): Promise<void> {
  const digits = String(number).padStart(4, "0");
  const place = `${folder}/Pancreas-CT/PANCREAS_${digits}/11-24-2015-18957/99667`;
  const labels = `${folder}/TCIA_pancreas_labels-02-05-2017`;
  for (const path of [place, labels]) await Deno.mkdir(path, { recursive: true });
  const [nx, ny, nz] = image.shape;
  for (let z = 0; z < nz; z++) {
    const pixels = new Int16Array(nx * ny);
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) pixels[y * nx + x] = image.data[(x * ny + y) * nz + z] + 1024;
    }
    const slice = dicomBytes({
      ...{ columns: nx, rows: ny, pixels, intercept: -1024, series: `1.2.${number}` },
      position: [image.origin[0], image.origin[1], image.origin[2] + z * image.spacing[2]],
      spacing: [image.spacing[1], image.spacing[0]],
    });
    await Deno.writeFile(`${place}/1-${String(nz - z).padStart(3, "0")}.dcm`, slice);
  }
  const data = new Uint8Array(label.data.length);
  for (let i = 0; i < data.length; i++) data[i] = label.data[i - i % nz + nz - 1 - i % nz];
  // The header of these files counts voxels, and places nothing.
  await writeVolume(`${labels}/label${digits}.nii.gz`, { ...label, data, origin: [0, 0, 0] });
}

/** `<folder>/HGG/<name>/<name>_flair.nii.gz` and `_seg`, with the labels 1, 2 and 4, and another contrast beside. */
export async function writeBrain(folder: string, name: string, { image, label }: RawScan): Promise<void> {
  const place = `${folder}/MICCAI_BraTS_2019_Data_Training/HGG/${name}`;
  await Deno.mkdir(place, { recursive: true });
  await writeVolume(`${place}/${name}_flair.nii.gz`, image);
  await writeVolume(`${place}/${name}_t1.nii.gz`, image);
  const data = label.data.map((value, i) => value * [1, 2, 4][i % 3]);
  await writeVolume(`${place}/${name}_seg.nii.gz`, { ...label, data });
}
