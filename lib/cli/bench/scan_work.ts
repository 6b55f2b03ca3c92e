/** The verb `predict` on a scan of a finer grid than the network's, and the windows of the same scan alone. */
import { datasets } from "../../data/dataset.ts";
import { drawPhantom } from "../../data/phantom.ts";
import { prepareScan } from "../../data/preparation.ts";
import { predictVolume } from "../../inference/predict.ts";
import type { MethodRun } from "../../methods/method.ts";
import { reorient } from "../../volume/orientation.ts";
import { gridWithSpacing, resample } from "../../volume/resample.ts";
import type { Shape3, Volume } from "../../volume/volume.ts";
import { voxelCount } from "../../volume/volume.ts";
import { writeVolume } from "../../volume/write_volume.ts";
import { besideMask } from "../predict/inputs.ts";
import { predictOne } from "../predict/one_scan.ts";

/** The work and its warm-up, one window. */
interface ScanWork {
  readonly warmUp: () => void;
  readonly repeat: () => Promise<void> | void;
}

const stride: Shape3 = [16, 16, 16];
const dataset = datasets["phantom-pancreas"];

/** Voxels of a usual CT, in millimetres; the network's are twice as large. */
const spacing = [0.9, 0.9, 1.5] as const;

/**
 * From the scan's file to the mask's file.
 *
 * @param path where the scan is put; the mask goes beside it.
 */
export async function scanWork(run: MethodRun, crop: Shape3, path: string): Promise<ScanWork> {
  await writeVolume(path, drawScan());
  const wanted = {
    ...{ largestComponent: false, view: undefined, read: {} },
    outputs: { mask: besideMask(path, "mask") },
  };
  const options = { ...windowsOf(crop), ...preparationOf(path), branches: false, mirror: false, dataset };
  return {
    warmUp: warmUpOf(run, crop),
    repeat: async () => void await predictOne(run, { name: "scan", path }, { wanted, options }),
  };
}

/** The same windows of the same scan, which is in memory and prepared. */
export function windowsWork(run: MethodRun, crop: Shape3): ScanWork {
  const { data, shape } = prepareScan(drawScan(), dataset, preparationOf("scan"));
  return {
    warmUp: warmUpOf(run, crop),
    repeat: () => void predictVolume(run, data, shape, windowsOf(crop)),
  };
}

function windowsOf(crop: Shape3) {
  return { crop, stride };
}

function preparationOf(path: string) {
  return { preparation: "spacing", spacing: dataset.profiles.mini.spacing, path } as const;
}

function warmUpOf(run: MethodRun, crop: Shape3): () => void {
  const window = new Float32Array(voxelCount(crop));
  return () => void predictVolume(run, window, crop, windowsOf(crop));
}

/** A phantom's abdomen, its axes in another order than the network's. */
function drawScan(): Volume {
  const { image } = drawPhantom(1, "bench", "pancreas");
  const fine = resample(image, gridWithSpacing(image, spacing), {
    interpolation: "linear",
    outside: "border",
  });
  return reorient(fine, { axes: [1, 0, 2], reversed: [true, false, true] });
}
