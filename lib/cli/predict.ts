/** The verb `predict`: segments scans with a trained run. */
import { preparations } from "../data/preparation.ts";
import { InputError } from "../errors.ts";
import { blendings } from "../inference/sliding_window.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import {
  findScans,
  masksOf,
  outputsOf,
  requireDistinctOutputs,
  type ScanInput,
  type ScanOutputs,
} from "./predict/inputs.ts";
import type { ScanResult, ScanWanted } from "./predict/one_scan.ts";
import type { RunConfig } from "../training/config.ts";
import type { Shape3 } from "../volume/volume.ts";
import type { PredictionSettings } from "./predict/record.ts";
import { formatDuration } from "./progress.ts";
import { useEngine } from "./workspace.ts";

export const command = defineCommand({
  name: "predict",
  summary: "segments a scan, or a folder of them, in the scan's own geometry",
  positionals: {
    in: {
      type: "path",
      help: "a volume of any format that `inspect` reads, a DICOM folder, or a folder of these",
    },
    out: { type: "path", help: "the mask (.nii.gz, .nii, .nrrd), or a folder for masks" },
  },
  options: {
    run: { type: "path", required: true, help: "the run folder that `train` printed" },
    probabilities: { type: "boolean", help: "also NAME_probability: the foreground's probability" },
    uncertainty: {
      type: "boolean",
      help: "also NAME_disagreement: the largest difference of the branches' probabilities",
    },
    view: {
      type: "boolean",
      help: "also NAME_view.html: a page to look into the scan, in slices and in 3-D",
    },
    checkpoint: {
      type: "choice",
      choices: ["last", "best-on-test", "validation"],
      default: "last",
      help: "the last checkpoint, or one that `train --select` kept",
    },
    largestComponent: { type: "boolean", help: "keep only the largest connected component of each mask" },
    blending: {
      type: "choice",
      choices: blendings,
      default: "uniform",
      help: "how windows are averaged where they overlap: all alike, as in the paper, or the middle most",
    },
    mirror: {
      type: "boolean",
      help: "average over the eight mirrorings of each window; eight times the time",
    },
    stride: { type: "shape", help: "voxels from window to window; if not given, the run's" },
    batch: { type: "integer", minimum: 1, default: 1, help: "windows that are predicted together" },
    prepare: {
      type: "choice",
      choices: preparations,
      default: "full",
      help:
        "full: axes, spacing and intensities as in training; spacing: intensities are normalised already; none",
    },
    file: {
      type: "string",
      help: "in a folder: the files of this name in all folders below; * is any letters",
    },
    dataset: { type: "string", default: "image", help: "the dataset of HDF5 files" },
    format: {
      type: "choice",
      choices: ["nii.gz", "nrrd"],
      default: "nii.gz",
      help: "of the masks in a folder",
    },
    overwrite: { type: "boolean", help: "replace masks that are there" },
    keepGoing: { type: "boolean", help: "leave out scans that cannot be read, instead of stopping" },
  },
  notes: [
    "deno task predict --run runs/NAME scan.nii.gz mask.nii.gz",
    "deno task predict --run runs/NAME BraTS2019/HGG masks --file '*_flair.nii.gz' --uncertainty",
    "A folder that was begun goes on where it stopped.",
    "HDF5 cases count as prepared; those that state another spacing than the run's cases have are resampled.",
  ],
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { readConfig } = await import("../training/run_folder.ts");
  const inputs = await findScans(options.in, { pattern: options.file, out: options.out });
  const masks = await masksOf(inputs, options.out, { format: options.format, folder: options.in });
  const jobs = inputs.scans.map((scan, i) => ({ scan, outputs: outputsOf(masks[i], options) }));
  requireDistinctOutputs(jobs);
  if (inputs.scans.some(({ path }) => hdf5Ending.test(path))) await beginHdf5();
  if (await readConfig(options.run) !== undefined) await useEngine(context);
  const { settings, predict } = await preparePredictor(options, context);
  const folder = inputs.isSingle ? undefined : options.out;
  const { doneScans, fileState, openJobs, requireFree, writeRecord } = await import("./predict/record.ts");
  const known = folder === undefined || options.overwrite ? [] : await doneScans(folder, settings);
  const open = await openJobs(jobs, known);
  const old = jobs.length - open.length;
  if (!options.overwrite) await requireFree(open, known);
  const again = new Set(open.map(({ outputs }) => outputs.mask));
  const done = known.filter(({ output }) => !again.has(output));
  await makeFolder(folder ?? masks[0].replace(/[^/\\]*$/, ""));
  const results: ScanResult[] = [];
  const failed: { readonly input: string; readonly error: string }[] = [];
  for (const { scan, outputs } of open) {
    if (context.signal.aborted) break;
    try {
      const state = await fileState(scan.path);
      const result = await predict(scan, outputs);
      results.push(result);
      for (const text of result.decisions) context.note(`${result.name}  ${text}`);
      context.print(lineOf(result));
      if (folder === undefined) continue;
      done.push({ ...result, inputBytes: state.bytes, inputModified: state.modified });
      await writeRecord(folder, settings, done);
    } catch (error) {
      if (context.signal.aborted) break;
      if (!options.keepGoing || folder === undefined || !(error instanceof InputError)) throw error;
      failed.push({ input: scan.path, error: error.message });
      context.note(`skipped  ${error.message}`);
    }
  }
  context.status(undefined);
  const { name, step } = { name: settings.run, step: settings.step };
  if (folder !== undefined) {
    const left = open.length - results.length - failed.length;
    const parts = [`${results.length} predicted`, `${old} there already`, `${failed.length} left out`];
    context.print(
      `${folder}: ${parts.join(", ")}${left > 0 ? `, ${left} to do: the same command goes on` : ""}`,
    );
  }
  return {
    exitCode: failed.length > 0 ? 1 : 0,
    json: { run: name, step, scans: results, old, failed },
  };
}

const hdf5Ending = /\.(h5|hdf5)$/i;

/** Compiles the reader of HDF5 files, in threads of its own, while the engine and the weights are loaded. */
async function beginHdf5(): Promise<void> {
  const { hdf5Library } = await import("../volume/hdf5_file.ts");
  // Who reads a file is told of what goes wrong.
  hdf5Library().catch(() => {});
}

type Predict = (scan: ScanInput, outputs: ScanOutputs) => Promise<ScanResult>;

/** Loads the run; what it returns predicts one scan. */
async function preparePredictor(
  options: Options<typeof command>,
  context: Context,
): Promise<{ settings: PredictionSettings; predict: Predict }> {
  const { loadRun } = await import("../training/evaluate_run.ts");
  const { configHash } = await import("../training/config.ts");
  const { datasetOf, datasets, profileOf } = await import("../data/dataset.ts");
  const { isPublicAtrium, laSpacing } = await import("../data/source.ts");
  const { predictOne } = await import("./predict/one_scan.ts");
  const { config, run, step } = await loadRun(options.run, options.checkpoint);
  const { blending, mirror, batch, prepare: preparation, largestComponent, probabilities, uncertainty } =
    options;
  if (uncertainty && (run.branchNames ?? []).length < 2) {
    throw new InputError(
      `--uncertainty: ${config.method} has one branch, which cannot disagree; leave it out`,
    );
  }
  const dataset = datasetOf(config.dataset);
  const { spacing } = profileOf(dataset, config.profile);
  const stride = options.stride ?? config.stride;
  const isAtrium = dataset === datasets.la;
  const read = {
    dataset: options.dataset,
    spacing: (shape: Shape3) => isAtrium && isPublicAtrium(shape) ? laSpacing(shape) : spacing,
  };
  const predict: Predict = async (scan, outputs) => {
    const progress = context.progress();
    const view = options.view ? factsOf(options, config, step) : undefined;
    const wanted: ScanWanted = { largestComponent, view, outputs, read };
    const result = await predictOne(run, scan, {
      wanted,
      options: {
        ...{ dataset, preparation, spacing, crop: config.crop, stride, batch, blending, mirror },
        branches: uncertainty,
        signal: context.signal,
        onWindow: (step, total) => progress.update({ label: scan.name, step, total }),
      },
    });
    context.status(undefined);
    return result;
  };
  const settings: PredictionSettings = {
    run: options.run.replace(/^.*[/\\]/, ""),
    configHash: await configHash(config),
    ...{ step, blending, mirror, stride, preparation, largestComponent, probabilities, uncertainty },
    view: options.view,
  };
  return { settings, predict };
}

/** What the page of a scan says of how its mask was made. */
function factsOf(
  options: Options<typeof command>,
  { method, dataset, labelled, iterations }: RunConfig,
  step: number,
) {
  const { run, blending, mirror, largestComponent, checkpoint } = options;
  const how = [
    `${blending} blending`,
    ...mirror ? ["mirrored"] : [],
    ...largestComponent ? ["largest component"] : [],
  ];
  return [
    ["Run", `${run.replace(/^.*[/\\]/, "")}: ${method} on ${dataset}, ${labelled} labelled cases`],
    ["Checkpoint", `${checkpoint}, step ${step} of ${iterations}`],
    ["Windows", how.join(", ")],
  ] as const;
}

async function makeFolder(path: string): Promise<void> {
  const { explained } = await import("../training/files.ts");
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw explained(path, error, "for OUT");
  }
}

function lineOf({ name, voxels, millilitres, seconds }: ScanResult): string {
  const { read, prepare, windows, write } = seconds;
  const rest = read + prepare + write;
  const volume = voxels === 0
    ? "nothing is foreground"
    : `${voxels} voxels, ${millilitres.toPrecision(4)} ml`;
  return `${name}  ${volume}  (windows ${formatDuration(windows)}, reading, resampling and writing ${
    formatDuration(rest)
  }: ${(100 * rest / windows).toFixed(1)} % more)`;
}
