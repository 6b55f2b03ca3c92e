/** One scan from its file to the files of its mask and maps, with the time that each part took. */
import { type Preparation, withAtriumSpacing } from "../../data/preparation.ts";
import { mapOn, maskOn, predictScan, type ScanMaps, type ScanOptions } from "../../inference/predict_scan.ts";
import type { MethodRun } from "../../methods/method.ts";
import { viewerHtml } from "../../report/viewer/page.ts";
import { explained, writeWhole } from "../../training/files.ts";
import { largestComponent } from "../../volume/components.ts";
import { imageOf } from "../../volume/stored_volume.ts";
import { type ReadOptions, readStored } from "../../volume/read_volume.ts";
import type { Geometry, Triple, Volume, VoxelArray } from "../../volume/volume.ts";
import { writeVolume } from "../../volume/write_volume.ts";
import { outputChoice, type ScanInput, type ScanOutputs } from "./inputs.ts";

/** What is wanted of a scan. */
export interface ScanWanted {
  readonly largestComponent: boolean;
  /** What the page, where one is wanted, says of how the mask was made, line by line. */
  readonly view: readonly (readonly [name: string, value: string])[] | undefined;
  readonly outputs: ScanOutputs;
  readonly read: ReadOptions;
}

/** Seconds of each part. */
export interface ScanSeconds {
  readonly read: number;
  /** Onto the network's grid, and intensities. */
  readonly prepare: number;
  readonly windows: number;
  /** Back onto the scan's grid, and into files. */
  readonly write: number;
}

/** What came out. */
export interface ScanResult {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  /** Files of maps by what they show, and of the page. */
  readonly maps: Readonly<Record<string, string>>;
  readonly shape: readonly number[];
  readonly spacing: readonly number[];
  /** What had to be assumed of the scan. */
  readonly decisions: readonly string[];
  /** Of the foreground. */
  readonly voxels: number;
  readonly millilitres: number;
  readonly seconds: ScanSeconds;
}

/** HDF5 files are the kit's own, whose cases are prepared already. */
const preparedFormat = "HDF5";

/** Spacings that differ by less are one. */
const sameSpacing = 0.01;

/**
 * Predicts a scan and writes its mask, and the maps that are wanted, in the scan's own geometry.
 *
 * @throws InputError where the scan cannot be read or prepared; the abort reason when the signal fires.
 */
export async function predictOne(
  run: MethodRun,
  { name, path }: ScanInput,
  { wanted, options }: { wanted: ScanWanted; options: Omit<ScanOptions, "path"> },
): Promise<ScanResult> {
  const clock = stopwatch();
  const { scan, format } = await readScan(path, wanted.read);
  const { data: _, ...geometry } = scan;
  // The mask keeps what the header says, whatever the voxels were taken for.
  const { preparation, placed, decisions } = placeScan(scan, format, options);
  const image = wanted.view === undefined ? undefined : scan;
  const read = clock();
  let prepare = 0;
  const maps = await predictScan(run, placed, {
    ...options,
    preparation,
    path,
    onPrepared: () => prepare = clock(),
  });
  const windows = clock();
  const written = await writeMaps(geometry, maps, {
    ...wanted,
    name,
    image,
    grid: { ...geometry, spacing: placed.spacing },
  });
  const seconds = { read, prepare, windows, write: clock() };
  const { shape, spacing } = geometry;
  const [x, y, z] = placed.spacing;
  const millilitres = written.voxels * x * y * z / 1000;
  return {
    name,
    input: path,
    output: wanted.outputs.mask,
    ...written,
    millilitres,
    shape,
    spacing,
    decisions,
    seconds,
  };
}

/** How a scan is prepared, its true spacing, and what had to be assumed for that. */
function placeScan(
  scan: Volume,
  format: string,
  { dataset, preparation, spacing }: Pick<ScanOptions, "dataset" | "preparation" | "spacing">,
): { preparation: Preparation; placed: Volume; decisions: readonly string[] } {
  if (format !== preparedFormat) {
    const isAtrium = dataset.name === "la" && preparation === "full";
    const { image: placed, decisions } = isAtrium ? withAtriumSpacing(scan) : { image: scan, decisions: [] };
    return { preparation, placed, decisions };
  }
  const isOwn = scan.spacing.every((side, axis) => Math.abs(side / spacing[axis] - 1) < sameSpacing);
  if (isOwn || preparation === "none") return { preparation: "none", placed: scan, decisions: [] };
  const text = (triple: Triple) => triple.map((side) => Number(side.toPrecision(4))).join("×");
  const decision = `prepared at ${text(scan.spacing)} mm, and resampled to the ${
    text(spacing)
  } mm of the run's cases`;
  return { preparation: "spacing", placed: scan, decisions: [decision] };
}

/** The stored numbers are let go of as soon as the intensities are there. */
async function readScan(path: string, read: ReadOptions): Promise<{ scan: Volume; format: string }> {
  const stored = await readStored(path, read);
  return { scan: imageOf(stored), format: stored.format };
}

/** What is written of a scan; its image where the page shows it. */
interface Written extends ScanWanted {
  readonly name: string;
  readonly image: Volume | undefined;
  /** Where its voxels were taken to lie. */
  readonly grid: Geometry;
}

async function writeMaps(
  geometry: Geometry,
  { probability, disagreement }: ScanMaps,
  { outputs, largestComponent: isFiltered, view, name, image, grid }: Written,
): Promise<Pick<ScanResult, "maps" | "voxels">> {
  const mask = maskOn(grid, probability);
  const data = isFiltered ? largestComponent(mask, geometry.shape) : mask;
  let voxels = 0;
  for (let i = 0; i < data.length; i++) voxels += data[i];
  const { mask: path, ...maps } = outputs;
  const add = (path: string, map: Volume) => write(path, { ...geometry, data: mapOn(grid, map) });
  if (maps.probability !== undefined) await add(maps.probability, probability);
  if (maps.disagreement !== undefined && disagreement !== undefined) {
    await add(maps.disagreement, disagreement);
  }
  if (maps.page !== undefined && view !== undefined && image !== undefined) {
    const html = await viewerHtml({
      title: name,
      lead: `${voxels} voxels are foreground`,
      facts: view,
      image,
      prediction: { ...geometry, data },
      ...(disagreement && { disagreement: { ...geometry, data: mapOn(grid, disagreement) } }),
    });
    await writeWhole(maps.page, html, outputChoice);
  }
  // Last, because the mask's file says that the scan is done.
  await write(path, { ...geometry, data });
  return { maps, voxels };
}

async function write(path: string, volume: Volume<VoxelArray>): Promise<void> {
  try {
    await writeVolume(path, volume);
  } catch (error) {
    throw explained(path, error, outputChoice);
  }
}

/** Seconds since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}
