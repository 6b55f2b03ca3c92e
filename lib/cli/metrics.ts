/** The verb `metrics`: how well a mask agrees with a reference. */
import { InputError } from "../errors.ts";
import type { MaskMetrics } from "../evaluation/metrics.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { spacingOption, spacingOr } from "./spacing_option.ts";

export const command = defineCommand({
  name: "metrics",
  summary: "overlap and surface distances of two masks on one grid",
  positionals: {
    prediction: { type: "path", help: "a mask or label map, in any format that is read" },
    reference: { type: "path", help: "the ground truth, on the same grid" },
  },
  options: {
    label: { type: "integer", minimum: 1, help: "the label that counts; if not given, all but 0" },
    tolerance: {
      type: "number",
      minimum: 0,
      help: "also the surface Dice at this tolerance, in millimetres",
    },
    dataset: { type: "string", default: "label", help: "the dataset of HDF5 files" },
    spacing: spacingOption,
  },
  notes: [
    "Dice, Jaccard, HD95 and ASD (from the prediction to the reference) are those of medpy; the surface Dice is the one",
    "of Nikolov et al. What is not defined is null, with a reason.",
  ],
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { readStored } = await import("../volume/read_volume.ts");
  const { maskOf } = await import("../volume/stored_volume.ts");
  const { gridDifference } = await import("../volume/geometry.ts");
  const { compareMasks } = await import("../evaluation/metrics.ts");
  const { dataset, label, tolerance } = options;
  const read = async (path: string) => {
    const spacing = spacingOr(options.spacing, path, context);
    return maskOf(await readStored(path, { dataset, spacing }), path, label);
  };
  const prediction = await read(options.prediction);
  const reference = await read(options.reference);
  const difference = gridDifference(prediction, reference);
  if (difference !== undefined) {
    throw new InputError(
      `${options.prediction} and ${options.reference} are not on one grid: ${difference}; resample one onto the other`,
    );
  }
  const { shape, spacing } = reference;
  const metrics = compareMasks(prediction.data, reference.data, shape, { spacing });
  const reason = reasonOf(metrics);
  const json = {
    dice: metrics.dice,
    jaccard: metrics.jaccard,
    hd95_voxel: metrics.hd95Voxel,
    asd_voxel: metrics.asdVoxel,
    hd95_mm: metrics.hd95Mm,
    asd_mm: metrics.asdMm,
    voxels: {
      pred: metrics.voxels.prediction,
      gt: metrics.voxels.reference,
      both: metrics.voxels.both,
    },
    ...(reason === undefined ? {} : { reason }),
  };
  const { surfaceDice } = await import("../evaluation/surface_dice.ts");
  const surface = tolerance === undefined
    ? undefined
    : surfaceDice(prediction.data, reference.data, shape, { spacing, tolerance });
  printMetrics(metrics, reason, context);
  if (surface === undefined) return { json };
  context.print(`surface Dice at ${tolerance} mm  ${percent(surface)}`);
  return { json: { ...json, surface_dice: surface, tolerance_mm: tolerance } };
}

function printMetrics(metrics: MaskMetrics, reason: string | undefined, context: Context) {
  const { dice, jaccard, hd95Voxel, asdVoxel, hd95Mm, asdMm, voxels } = metrics;
  const distance = (inVoxels: number | null, inMm: number | null) =>
    inVoxels === null || inMm === null ? "undefined" : `${inVoxels.toFixed(3)} voxels, ${inMm.toFixed(3)} mm`;
  context.print(`Dice     ${percent(dice)}`);
  context.print(`Jaccard  ${percent(jaccard)}`);
  context.print(`HD95     ${distance(hd95Voxel, hd95Mm)}`);
  context.print(`ASD      ${distance(asdVoxel, asdMm)}`);
  context.print(
    `voxels   ${voxels.prediction} predicted, ${voxels.reference} in the reference, ${voxels.both} in both`,
  );
  if (reason !== undefined) context.print(`reason   ${reason}`);
}

function reasonOf({ dice, undefinedBecause }: MaskMetrics): string | undefined {
  return dice === null ? `${undefinedBecause}, and no overlap to divide by` : undefinedBecause;
}

function percent(share: number | null): string {
  return share === null ? "undefined" : `${(100 * share).toFixed(2)} %`;
}
