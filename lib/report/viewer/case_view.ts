/** What a viewer page shows of a run's case: its prediction, measured against the label, and where branches disagree. */
import { datasetOf, profileOf } from "../../data/dataset.ts";
import type { Case } from "../../data/source.ts";
import { compareMasks } from "../../evaluation/metrics.ts";
import type { LoadedRun } from "../../training/evaluate_run.ts";
import type { CaseView } from "./page.ts";

/** How the case is predicted. */
export interface CaseViewOptions {
  readonly signal?: AbortSignal;
  readonly onWindow?: (done: number, total: number) => void;
}

/**
 * Predicts a case of the run's data set with the run's networks, as `evaluate` does.
 *
 * @throws the abort reason when the signal fires.
 */
export async function caseView(
  { config, run, rule, step }: LoadedRun,
  { name, image, label }: Case,
  options: CaseViewOptions = {},
): Promise<CaseView> {
  const { maskOn, predictScan } = await import("../../inference/predict_scan.ts");
  const { methodOf } = await import("../../methods/mod.ts");
  const dataset = datasetOf(config.dataset);
  const { probability, disagreement } = await predictScan(run, image, {
    ...options,
    dataset,
    preparation: "none",
    spacing: profileOf(dataset, config.profile).spacing,
    path: name,
    crop: config.crop,
    stride: config.stride,
    branches: (run.branchNames ?? []).length > 1,
    mirror: false,
  });
  const { shape, spacing } = image;
  const mask = maskOn(image, probability);
  const { dice, hd95Mm } = compareMasks(mask, label.data, shape, { spacing });
  const list = config.train.includes(name) ? "a training case" : "a test case";
  const scores = [
    dice === null ? "Dice undefined" : `Dice ${(100 * dice).toFixed(2)} %`,
    ...hd95Mm === null ? [] : [`HD95 ${hd95Mm.toFixed(2)} mm`],
  ];
  return {
    title: `${dataset.title}: ${name}`,
    lead: `${methodOf(config.method).name} on ${list}: ${scores.join(", ")}`,
    facts: [
      [
        "Run",
        `${config.method}, ${config.labelled} labelled cases, profile ${config.profile}, seed ${config.seed}`,
      ],
      ["Checkpoint", `${rule}, step ${step} of ${config.iterations}`],
      [
        "Volume",
        `${shape.join(" × ")} voxels of ${spacing.map((side) => Number(side.toPrecision(4))).join(" × ")} mm`,
      ],
      [
        "Disagreement",
        disagreement === undefined ? "one branch" : "largest difference of the branches' probabilities",
      ],
    ],
    image,
    label,
    prediction: { ...image, data: mask },
    ...(disagreement === undefined ? {} : { disagreement }),
  };
}
