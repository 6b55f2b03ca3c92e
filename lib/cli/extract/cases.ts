/** Predictions of test cases for the figures 1, 5, 6 and 7. */
import type { CaseSource } from "../../data/source.ts";
import { compareMasks } from "../../evaluation/metrics.ts";
import type { PredictedCases, StoredCase, StoredPrediction } from "../../experiments/figure_data.ts";
import type { FigureContents } from "../../experiments/figure_data.ts";
import { predictBranches, predictVolume } from "../../inference/predict.ts";
import { threshold } from "../../inference/sliding_window.ts";
import { type Grid, largestPlane, takePlane } from "../../report/planes.ts";
import type { LoadedRun } from "../../training/evaluate_run.ts";
import { permuteAxes } from "../../volume/crop.ts";
import type { Shape3, Triple } from "../../volume/volume.ts";

/** What figures are extracted from. */
export interface Extraction {
  readonly loaded: LoadedRun;
  readonly source: CaseSource;
  readonly signal: AbortSignal;
  /** What the run predicts for a case, once for all figures. */
  readonly ensembles: Map<string, Float32Array>;
}

type Predict = (image: Float32Array, shape: Shape3) => readonly (readonly [string, Float32Array])[];

/** Views of figure 1: the volume as it is, and two exchanges of axes. */
const views: readonly Triple[] = [[0, 1, 2], [1, 0, 2], [2, 1, 0]];

/** The first and the middle case of the test list: fixed before anything is predicted, the same for every method. */
export async function comparedCases(extraction: Extraction): Promise<PredictedCases> {
  const { test } = extraction.loaded.config;
  const names = [...new Set([test[0], test[Math.floor(test.length / 2)]])];
  const cases: StoredCase[] = [];
  for (const name of names) cases.push(await storedCase(extraction, name));
  return { cases };
}

/** The first test case with the prediction of the run, of its branches where it has two, and of the views. */
export async function branchesAndViews(extraction: Extraction): Promise<PredictedCases> {
  const { run, config } = extraction.loaded;
  const options = { ...config, signal: extraction.signal };
  const branchesAndViews: Predict = (image, shape) => [
    ...predictBranches(run, image, shape, options),
    ...views.map((view): [string, Float32Array] => {
      const turned = permuteAxes(image, shape, view);
      const score = predictVolume(run, turned.data, turned.shape, options);
      return [axesOf(view), permuteAxes(score, turned.shape, inverseOf(view)).data];
    }),
  ];
  const isWhole = run.branchNames?.length === 2;
  return { cases: [await storedCase(extraction, config.test[0], isWhole ? branchesAndViews : undefined)] };
}

/** The mask that the run predicts for the first test case. */
export async function predictedMask(extraction: Extraction): Promise<FigureContents["figure5"]> {
  const stored = await storedCase(extraction, extraction.loaded.config.test[0]);
  const { predictions: [{ mask }], truth: _truth, ...rest } = stored;
  return { case: rest, mask };
}

/** A case with what the run predicts, and with further predictions. */
async function storedCase(extraction: Extraction, name: string, further?: Predict): Promise<StoredCase> {
  const { source, signal, loaded, ensembles } = extraction;
  signal.throwIfAborted();
  const { image, label } = await source.load(name);
  const { shape, spacing, direction } = image;
  const gridOf = (data: Grid["data"]): Grid => ({ data, shape, spacing, direction });
  const slice = largestPlane(gridOf(label.data), 2);
  const truth = label.data.map((value) => value === 0 ? 0 : 1);
  const ensemble = ensembles.get(name) ??
    predictVolume(loaded.run, image.data, shape, { ...loaded.config, signal });
  ensembles.set(name, ensemble);
  const all = [["ensemble", ensemble] as const, ...further?.(image.data, shape) ?? []];
  const predictions = all.map(([name, probability]): StoredPrediction => {
    const mask = threshold(probability);
    const { dice } = compareMasks(mask, truth, shape);
    return { name, probability: takePlane(gridOf(probability), 2, slice), mask, dice };
  });
  return {
    case: name,
    shape,
    spacing,
    slice,
    image: takePlane(gridOf(image.data), 2, slice),
    truth,
    predictions,
  };
}

function axesOf(view: Triple): string {
  return view.map((axis) => "xyz"[axis]).join("");
}

function inverseOf(view: Triple): Triple {
  return [view.indexOf(0), view.indexOf(1), view.indexOf(2)];
}
