/** One scan from its file to the files of its mask and maps, with the time that each part took. */
import { withAtriumSpacing } from "../../data/preparation.ts";
import { mapOn, maskOn, predictScan, type ScanMaps, type ScanOptions } from "../../inference/predict_scan.ts";
import type { MethodRun } from "../../methods/method.ts";
import { viewerHtml } from "../../report/viewer/page.ts";
import { explained, writeWhole } from "../../training/files.ts";
import { largestComponent } from "../../volume/components.ts";
import { imageOf } from "../../volume/stored_volume.ts";
import { type ReadOptions, readStored } from "../../volume/read_volume.ts";
import type { Geometry, Volume, VoxelArray } from "../../volume/volume.ts";
import { writeVolume } from "../../volume/write_volume.ts";
import { besideMask, type ScanInput } from "./inputs.ts";

/** What is wanted of a scan. */
export interface ScanWanted {
  readonly largestComponent: boolean;
  /** Also the map of foreground probabilities. */
  readonly probabilities: boolean;
  /** Also a page to look into the scan; the lines are what it says of how the mask was made. */
  readonly view: readonly (readonly [name: string, value: string])[] | undefined;
  /** The file of the mask; maps go beside it. */
  readonly mask: string;
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
  const preparation = format === preparedFormat ? "none" : options.preparation;
  const isAtrium = options.dataset.name === "la" && preparation === "full";
  const { image: placed, decisions } = isAtrium ? withAtriumSpacing(scan) : { image: scan, decisions: [] };
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
    output: wanted.mask,
    ...written,
    millilitres,
    shape,
    spacing,
    decisions,
    seconds,
  };
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
  { mask: path, largestComponent: isFiltered, probabilities, view, name, image, grid }: Written,
): Promise<Pick<ScanResult, "maps" | "voxels">> {
  const mask = maskOn(grid, probability);
  const data = isFiltered ? largestComponent(mask, geometry.shape) : mask;
  let voxels = 0;
  for (let i = 0; i < data.length; i++) voxels += data[i];
  const maps: Record<string, string> = {};
  const add = async (name: string, map: Volume) => {
    maps[name] = besideMask(path, name);
    await write(maps[name], { ...geometry, data: mapOn(grid, map) });
  };
  if (probabilities) await add("probability", probability);
  if (disagreement !== undefined) await add("disagreement", disagreement);
  if (view !== undefined && image !== undefined) {
    maps.page = besideMask(path, "view").replace(/\.(nii|nii\.gz|nrrd)$/i, ".html");
    const html = await viewerHtml({
      title: name,
      lead: `${voxels} voxels are foreground`,
      facts: view,
      image,
      prediction: { ...geometry, data },
      ...(disagreement && { disagreement: { ...geometry, data: mapOn(grid, disagreement) } }),
    });
    await writeWhole(maps.page, html);
  }
  // Last, because the mask's file says that the scan is done.
  await write(path, { ...geometry, data });
  return { maps, voxels };
}

async function write(path: string, volume: Volume<VoxelArray>): Promise<void> {
  try {
    await writeVolume(path, volume);
  } catch (error) {
    throw explained(path, error, "for OUT");
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
