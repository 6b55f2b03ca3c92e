/** The verb `evaluate`: measures a trained run on its test or validation cases. */
import type { CaseResult, Statistic } from "../evaluation/summary.ts";
import type { Evaluation, LoadedRun } from "../training/evaluate_run.ts";
import type { StepPictures } from "../training/run_events.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { openSource, useEngine } from "./workspace.ts";

/** Where TensorBoard shows the pictures of a split. */
const folderOf = { test: "evaluation", validation: "evaluation on validation" } as const;
/** Cases of which TensorBoard shows a picture. */
const pictured = 3;

export const command = defineCommand({
  name: "evaluate",
  summary: "measures a run on its test or validation cases, with and without a largest-component filter",
  positionals: { run: { type: "path", help: "a run folder" } },
  options: {
    data: { type: "path", help: "folder of the volumes, if not where train found them" },
    checkpoint: {
      type: "choice",
      choices: ["last", "best-on-test", "validation", "all"],
      default: "last",
      help: "the last checkpoint, one that `train --select` kept, or each that the run has",
    },
    split: {
      type: "choice",
      choices: ["test", "validation"],
      default: "test",
      help: "the test cases, or those that `train --select validation` set aside",
    },
    largestComponent: {
      type: "boolean",
      help: "print what the largest connected component of each mask has",
    },
  },
  notes: [
    "Both evaluations of a checkpoint are written: per_case*.csv and summary*.json in the run folder.",
    "best-on-test is chosen by looking at the test cases, as the released code does: it is no fair estimate.",
  ],
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { readConfig } = await import("../training/run_folder.ts");
  const { casesOfSplit, evaluateCases, keptCheckpoints, loadRun, writeEvaluations } = await import(
    "../training/evaluate_run.ts"
  );
  const { writeEvaluationPictures } = await import("../training/run_events.ts");
  const { casePicture } = await import("../report/case_picture.ts");
  const { datasetOf } = await import("../data/dataset.ts");
  const known = await readConfig(options.run);
  if (known !== undefined) casesOfSplit(known, options.split);
  if (known !== undefined) await useEngine(context);
  const kept = await keptCheckpoints(options.run);
  const rules = options.checkpoint !== "all" ? [options.checkpoint] : kept.size > 0 ? [...kept.keys()] : [
    "last" as const,
  ];
  const progress = context.progress();
  const documents: object[] = [];
  const pictures: StepPictures[] = [];
  /** What was measured of a step; two rules may have chosen the same. */
  const measured = new Map<number, Awaited<ReturnType<typeof evaluateCases>>>();
  for (const rule of rules) {
    const loaded = await loadRun(options.run, rule);
    const { config, step } = loaded;
    const source = await openSource(datasetOf(config.dataset), config.profile, options.data, context);
    const evaluations = measured.get(step) ?? await evaluateCases(loaded, source, {
      split: options.split,
      signal: context.signal,
      onMask: async (seen, index) => {
        if (index >= pictured) return;
        const picture = await casePicture(seen.case, seen);
        pictures.push({ step, pictures: { [`${folderOf[options.split]}/${seen.case.name}`]: picture } });
      },
      onCase: (result, done, total) =>
        progress.update({ label: result.case, step: done, total, numbers: { dice: result.dice ?? NaN } }),
    });
    measured.set(step, evaluations);
    await writeEvaluations(options.run, evaluations, { ...loaded, split: options.split });
    const shown = options.largestComponent ? evaluations.largestComponent : evaluations;
    progress.finish();
    print(shown, { loaded, filtered: options.largestComponent, context });
    documents.push({
      checkpoint: rule,
      split: options.split,
      step,
      largestComponent: options.largestComponent,
      ...shown.summary,
      results: shown.results,
    });
  }
  await writeEvaluationPictures(options.run, pictures);
  return {
    json: options.checkpoint === "all"
      ? { run: options.run, evaluations: documents }
      : { run: options.run, ...documents[0] },
  };
}

function print(
  { results, summary }: Evaluation,
  { loaded, filtered, context }: { loaded: LoadedRun; filtered: boolean; context: Context },
): void {
  for (const result of results) context.print(caseLine(result));
  const { mean, missed, cases } = summary;
  const rule = loaded.rule === "last" ? "last checkpoint" : `checkpoint: ${loaded.rule}`;
  context.print(
    `mean of ${cases} cases: Dice ${percent(mean.dice)}, Jaccard ${percent(mean.jaccard)}, ` +
      `HD95 ${voxels(mean.hd95Voxel)}, ASD ${voxels(mean.asdVoxel)}; missed cases: ${missed} ` +
      `(${rule}, step ${loaded.step}${filtered ? ", largest component" : ""})`,
  );
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
