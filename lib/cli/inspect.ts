/** The verb `inspect`: what a volume is. */
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { spacingOption, spacingOr } from "./spacing_option.ts";

export const command = defineCommand({
  name: "inspect",
  summary: "what a volume is: format, grid, number type, range of values, labels",
  positionals: {
    volume: {
      type: "path",
      help: "NIfTI, NRRD, MetaImage, HDF5, a DICOM slice, or a folder with one DICOM series",
    },
  },
  options: {
    dataset: {
      type: "string",
      help: "the dataset of an HDF5 file; if not given, image, and the labels of label",
    },
    spacing: spacingOption,
  },
  notes: [
    "Shape in voxels along i, j, k; spacing and origin in LPS millimetres; direction as in ITK: a matrix whose columns",
    "are the axes i, j, k. Values are true intensities; labels are listed where there are few distinct whole numbers.",
  ],
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { readStored } = await import("../volume/read_volume.ts");
  const { summarise } = await import("../volume/stored_volume.ts");
  const { volume: path, dataset } = options;
  const spacingOf = spacingOr(options.spacing, path, context);
  const volume = await readStored(path, {
    spacing: spacingOf,
    ...(dataset === undefined ? {} : { dataset }),
  });
  const { min, max, mean, labels: own, notFinite } = summarise(volume);
  const labels = volume.format === "HDF5" && dataset === undefined ? await labelsBeside(path) : own;
  const { format, shape, spacing, origin, dtype } = volume;
  const direction = [0, 1, 2].map((row) => volume.direction.map((axis) => axis[row]));
  context.print(`${path}: ${format}, ${dtype}`);
  context.print(`shape      ${shape.join(" × ")} voxels`);
  context.print(`spacing    ${spacing.map(short).join(" × ")} mm`);
  context.print(`direction  ${direction.map((row) => row.map(short).join(" ")).join(" | ")}`);
  context.print(`origin     ${origin.map(short).join(", ")} mm (LPS)`);
  context.print(
    min === null
      ? "values     none is finite"
      : `values     ${short(min)} to ${short(max!)}, mean ${short(mean!)}`,
  );
  if (labels !== null) context.print(`labels     ${labels.join(", ")}`);
  if (notFinite > 0) context.print(`caution    ${notFinite} voxels are NaN or infinite`);
  return {
    json: {
      ...{ format, shape, spacing, direction, origin, dtype, min, max, mean, labels },
      ...(notFinite > 0 ? { notFinite } : {}),
    },
  };
}

/** The labels of the dataset `label` of an HDF5 file; null where there is none. */
async function labelsBeside(path: string): Promise<readonly number[] | null> {
  const { readStored } = await import("../volume/read_volume.ts");
  const { summarise } = await import("../volume/stored_volume.ts");
  const { InputError } = await import("../errors.ts");
  try {
    return summarise(await readStored(path, { dataset: "label" })).labels;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}
