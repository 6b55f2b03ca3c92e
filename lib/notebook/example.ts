/** A case with what a trained SASNet makes of it, for figures. */
import type { Case } from "../data/source.ts";
import { compareMasks } from "../evaluation/metrics.ts";
import { predictBranches } from "../inference/predict.ts";
import { threshold } from "../inference/sliding_window.ts";
import type { DemoCase } from "../report/demo_record.ts";
import { meanOfBranches } from "../sasnet/sar.ts";
import { loadRun } from "../training/evaluate_run.ts";

/** Predicts a case with both branches of the run in a folder and with their mean; the engine must have started. */
export async function branchExample(folder: string, { name, image, label }: Case): Promise<DemoCase> {
  const { run, config } = await loadRun(folder);
  const [high, low] = predictBranches(run, image.data, image.shape, config).values();
  const maps = { "High-level branch": high, "Low-level branch": low, SASNet: meanOfBranches(high, low) };
  const predictions = Object.entries(maps).map(([name, probability]) => {
    const { dice } = compareMasks(threshold(probability), label.data, image.shape);
    return { name, probability, dice };
  });
  const { shape, spacing, data } = image;
  return { name, shape, spacing, image: data, label: label.data, predictions };
}
