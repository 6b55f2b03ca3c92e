/** One case from its raw files to its volume and its record. */
import { InputError } from "../../errors.ts";
import { encodeHdf5 } from "../../volume/hdf5.ts";
import { datasets } from "../dataset.ts";
import {
  type Brain,
  brainOf,
  type IntensityScaling,
  intensityScaling,
  scaleIntensities,
} from "../preprocess.ts";
import type { RawCase } from "./archive.ts";
import { preparedFingerprint, rawFingerprint } from "./fingerprint.ts";
import { areUnchanged, hashingReader, hashVoxels, writeHashed } from "./hashed_files.ts";
import { cutOut, placeCase } from "./placement.ts";
import { type RawVolumes, readRawCase } from "./raw_volumes.ts";
import { type CaseRecord, type PrepareSettings, readCaseRecord, volumeName, writeJson } from "./record.ts";

/** What is to be done for one case. */
export interface CaseJob {
  readonly raw: RawCase;
  readonly settings: PrepareSettings;
  /** The folder of the archive; inputs are named below it. */
  readonly from: string;
  /** The folder of the preparation. */
  readonly to: string;
}

/** A record, and whether it was there already. */
export interface CaseOutcome {
  readonly record: CaseRecord;
  readonly isOld: boolean;
}

/**
 * Prepares a case into `<to>/<case>`, unless that was done with these settings and neither its input nor its output has
 * changed since.
 *
 * @throws InputError where the case cannot be used; nothing of it is written.
 */
export async function prepareCase(job: CaseJob): Promise<CaseOutcome> {
  const { raw, settings, from, to } = job;
  const folder = `${to}/${raw.name}`;
  const old = await readCaseRecord(folder);
  if (old !== undefined && await isCurrent(old, job)) return { record: old, isOld: true };
  const reader = hashingReader(from);
  const volumes = await readRawCase(settings.dataset, raw, reader.read);
  requireFineEnough(volumes, raw, settings);
  const brain = settings.dataset === "brats" ? brainOf(volumes.image) : undefined;
  const placement = placeCase({ ...volumes, brain }, raw.name, settings);
  const { scaling, text } = scalingOf(volumes, settings, brain);
  const first = rawFingerprint(volumes);
  const image = cutOut(volumes.image, placement);
  const label = cutOut(volumes.label, placement);
  if (!label.data.includes(1)) {
    throw new InputError(`${raw.label}: the label vanishes at the spacing of profile ${settings.profile}`);
  }
  if (scaling !== undefined) scaleIntensities(image.data, scaling);
  await Deno.mkdir(folder, { recursive: true });
  const path = `${folder}/${volumeName}`;
  const writing = writeHashed(to, path, await encodeHdf5({ image, label }, path));
  // While the disk writes.
  const prepared = preparedFingerprint(image, label);
  const voxels = hashVoxels(image.data, label.data);
  const record: CaseRecord = {
    case: raw.name,
    settings,
    ...(raw.group === undefined ? {} : { group: raw.group }),
    inputs: reader.files,
    output: await writing,
    voxels,
    fingerprint: { raw: first, ...prepared },
    decisions: [...volumes.decisions, ...placement.decisions, text],
    cautions: volumes.cautions,
  };
  await writeJson(`${folder}/case.json`, record);
  return { record, isOld: false };
}

/** Whether a record still describes what lies in both folders. */
async function isCurrent(record: CaseRecord, { settings, from, to }: CaseJob): Promise<boolean> {
  return JSON.stringify(record.settings) === JSON.stringify(settings) &&
    await areUnchanged(to, [record.output]) && await areUnchanged(from, record.inputs);
}

/** Averaged public volumes hold no detail for a finer profile. */
function requireFineEnough(
  { image, isReady }: RawVolumes,
  raw: RawCase,
  { dataset, profile }: PrepareSettings,
) {
  const { spacing } = datasets[dataset].profiles[profile];
  if (!isReady || image.spacing.every((side, axis) => side <= spacing[axis] * 1.01)) return;
  throw new InputError(
    `${raw.image}: its voxels of ${image.spacing.join("×")} mm are coarser than the ${
      spacing.join("×")
    } mm of ` +
      `profile ${profile}; choose --profile mini, or the volumes at full resolution`,
  );
}

function scalingOf(
  { image, isReady }: RawVolumes,
  { dataset }: PrepareSettings,
  brain: Brain | undefined,
): { scaling: IntensityScaling | undefined; text: string } {
  if (isReady) return { scaling: undefined, text: "intensities as they are" };
  const scaling = intensityScaling(dataset, image, brain);
  const { window, offset, divisor } = scaling;
  const [sign, size] = [offset < 0 ? "+" : "−", Number(Math.abs(offset).toPrecision(6))];
  const numbers = `(value ${sign} ${size}) / ${Number(divisor.toPrecision(6))}`;
  if (window !== undefined) {
    return {
      scaling,
      text: `intensities cut to ${window.join(" … ").replace("-", "−")} and scaled to 0 … 1: ${numbers}`,
    };
  }
  const where = dataset === "brats" ? "in the brain" : "in the whole image";
  return { scaling, text: `intensities of mean 0 and deviation 1 ${where}: ${numbers}` };
}
