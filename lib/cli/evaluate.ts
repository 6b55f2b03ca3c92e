/** The verb `evaluate`: measures a trained run on its test cases. */
import type { CaseResult, Statistic } from "../evaluation/summary.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { openSource, useEngine } from "./workspace.ts";

export const command = defineCommand({
  name: "evaluate",
  summary: "measures the last checkpoint of a run on its test cases",
  positionals: { run: { type: "path", help: "a run folder" } },
  options: {
    data: { type: "path", help: "folder of the volumes, if not where train found them" },
    largestComponent: { type: "boolean", help: "keep only the largest connected component of each mask" },
  },
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { readConfig } = await import("../training/run_folder.ts");
  const { evaluateCases, loadRun, writeEvaluation } = await import("../training/evaluate_run.ts");
  const { datasetOf } = await import("../data/dataset.ts");
  const known = await readConfig(options.run);
  if (known !== undefined) await useEngine(context);
  const loaded = await loadRun(options.run);
  const { config, step } = loaded;
  const source = await openSource(datasetOf(config.dataset), config.profile, options.data, context);
  const progress = context.progress();
  const { largestComponent } = await import("../volume/components.ts");
  const evaluation = await evaluateCases(loaded, source, {
    signal: context.signal,
    postprocess: options.largestComponent ? (mask, shape) => largestComponent(mask, shape) : undefined,
    onCase: (result, done, total) =>
      progress.update({ label: result.case, step: done, total, numbers: { dice: result.dice ?? NaN } }),
  });
  progress.finish();
  const suffix = options.largestComponent ? "_largest_component" : "";
  await writeEvaluation(options.run, evaluation, { step, suffix });
  for (const result of evaluation.results) context.print(caseLine(result));
  const { mean, missed, cases } = evaluation.summary;
  context.print(
    `mean of ${cases} cases: Dice ${percent(mean.dice)}, Jaccard ${percent(mean.jaccard)}, ` +
      `HD95 ${voxels(mean.hd95Voxel)}, ASD ${
        voxels(mean.asdVoxel)
      }; missed cases: ${missed} (last checkpoint, step ${step})`,
  );
  return { json: { run: options.run, step, ...evaluation.summary, results: evaluation.results } };
}

function caseLine({ case: name, dice, hd95Voxel, asdVoxel, undefinedBecause }: CaseResult): string {
  const distances = undefinedBecause ?? `HD95 ${hd95Voxel!.toFixed(2)} vx, ASD ${asdVoxel!.toFixed(2)} vx`;
  return `${name}  Dice ${dice === null ? "undefined" : (100 * dice).toFixed(2)} %, ${distances}`;
}

function percent({ mean, sd }: Statistic): string {
  if (mean === null) return "undefined";
  return `${(100 * mean).toFixed(2)}${sd === null ? "" : ` ± ${(100 * sd).toFixed(2)}`} %`;
}

function voxels({ mean, sd, cases }: Statistic): string {
  if (mean === null) return "undefined";
  return `${mean.toFixed(2)}${sd === null ? "" : ` ± ${sd.toFixed(2)}`} vx (n = ${cases})`;
}
