/** Small finished run folders and records for tests, written as `train` and `evaluate` write them. */
import { paperSgd } from "../../lib/methods/optimiser_settings.ts";
import type { CaseResult } from "../../lib/evaluation/summary.ts";
import { perCaseCsv, summarise } from "../../lib/evaluation/summary.ts";
import type { Choice } from "../../lib/experiments/choice.ts";
import { randomStream } from "../../lib/random.ts";
import { type RunConfig, runName } from "../../lib/training/config.ts";

/** A result with Jaccard and distances that go with its Dice; 0 is a miss. */
export function caseResult(name: string, dice: number): CaseResult {
  const distance = dice === 0 ? null : 10 * (1 - dice);
  return {
    case: name,
    dice,
    jaccard: dice / (2 - dice),
    hd95Voxel: distance,
    asdVoxel: distance === null ? null : distance / 4,
    hd95Mm: distance,
    asdMm: distance === null ? null : distance / 4,
    voxels: { prediction: dice === 0 ? 0 : 100, reference: 100, both: Math.round(100 * dice) },
    ...(dice === 0 ? { undefinedBecause: "the prediction is empty, so that it has no surface" } : {}),
  };
}

/** The configuration of a choice, with hyper-parameters for its settings alone. */
export function configFor(choice: Choice, test: readonly string[]): RunConfig {
  const { method, variant, dataset, profile, labelled, seed, settings } = choice;
  const hyperparameters = Object.fromEntries(
    settings.map((setting) => setting.split("=")).map(([key, value]) => [
      key,
      value === "true" || value === "false" ? value === "true" : isNaN(Number(value)) ? value : Number(value),
    ]),
  );
  return {
    ...{ method, variant, dataset, profile, labelled, seed, hyperparameters },
    train: ["train-1", "train-2"],
    test: [...test],
    iterations: 3,
    width: 2,
    crop: [16, 16, 16],
    stride: [16, 16, 16],
    labelledPerBatch: 2,
    unlabelledPerBatch: 2,
    optimiser: paperSgd,
  };
}

/** As `evaluate --checkpoint all` names them. */
const evaluations = [
  ["", "last", 3],
  ["_largest_component", "last", 3],
  ["_best_on_test", "best-on-test", 3],
  ["_best_on_test_largest_component", "best-on-test", 3],
  ["_validation", "validation", 2],
  ["_validation_largest_component", "validation", 2],
] as const;

/** Writes the folder of a finished and evaluated run whose Dice lie about `dice`; returns its path. */
export async function writeRunFolder(
  root: string,
  choice: Choice,
  options: { dice: number; cases?: number; finished?: boolean } = { dice: 0.8 },
): Promise<string> {
  const { dice, cases = 6, finished = true } = options;
  const names = Array.from({ length: cases }, (_, i) => `case-${i + 1}`);
  const config = configFor(choice, names);
  const folder = `${root}/${await runName(config)}`;
  const stream = randomStream(choice.seed, `dice ${dice}`);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
  await Deno.writeTextFile(
    `${folder}/environment.json`,
    JSON.stringify({ engine: "test", cores: 2, platform: "linux-x86_64" }),
  );
  const lines: object[] = [1, 2, 3].map((step) => ({
    event: "step",
    step,
    seconds: 0.5 * step,
    total: 1 / step,
    terms: { dice: 1 / step },
    weights: { dice: 1 },
  }));
  lines.push(...[2, 3].map((step) => ({
    event: "evaluation",
    step,
    seconds: 0.25,
    values: { "validation.dice": 0.9 - 0.1 * step, "validation.missed": 0, "test.dice": 0.1 * step },
  })));
  if (finished) lines.push({ event: "finished", step: 3 });
  await Deno.writeTextFile(`${folder}/log.jsonl`, lines.map((line) => JSON.stringify(line) + "\n").join(""));
  for (const [suffix, rule, step] of evaluations) {
    const results = names.map((name) =>
      caseResult(name, dice === 0 ? 0 : Math.min(1, dice + 0.02 * stream.uniform()))
    );
    await Deno.writeTextFile(`${folder}/per_case${suffix}.csv`, perCaseCsv(results));
    const summary = { checkpoint: { rule, step }, metrics: "medpy", ...summarise(results) };
    await Deno.writeTextFile(`${folder}/summary${suffix}.json`, JSON.stringify(summary));
  }
  return folder;
}
