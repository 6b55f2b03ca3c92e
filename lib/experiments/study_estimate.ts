/** How long runs will take and how much memory they will need, from steps that were measured. */
import { datasets } from "../data/dataset.ts";
import { iterationsOf } from "../training/config.ts";
import { trainingBytes } from "../training/memory_estimate.ts";
import { type Shape3, voxelCount } from "../volume/volume.ts";
import type { Choice } from "./choice.ts";
import type { RunRecord } from "./record.ts";

/** An expectation for one run. */
export interface Estimate {
  readonly seconds: number;
  /** Peak memory of the training process. */
  readonly bytes: number;
  /** What it rests on: the same method at the same size, another run that was scaled, or the built-in reference. */
  readonly basis: "measured" | "scaled" | "reference";
}

/** SASNet, 2 + 2 crops, measured on two cores: the scale where nothing was measured on this machine. */
const reference = { crop: [64, 64, 32] as Shape3, width: 8, secondsPerStep: 0.5 };

/** Seconds that a child process needs to start the engine, twice a run. */
const startSeconds = 3;

/** Looks and evaluations as a share of training, where none was measured. */
const evaluationShare = 0.3;

/** The estimate of a run from the records at hand. */
export function estimateRun(choice: Choice, records: readonly RunRecord[]): Estimate {
  const profile = datasets[choice.dataset].profiles[choice.profile];
  const iterations = iterationsOf[choice.profile];
  const timed = records.filter(({ cost }) => cost.secondsPerStep !== null);
  const sameSize = timed.filter(({ choice: other }) =>
    other.dataset === choice.dataset && other.profile === choice.profile
  );
  const sameRun = sameSize.filter(({ choice: other }) => other.method === choice.method);
  const evaluation = median(
    sameSize.flatMap(({ cost }) =>
      cost.evaluateSeconds === null ? [] : cost.evaluateSeconds + cost.lookSeconds
    ),
  );
  const peaks = sameRun.flatMap(({ cost }) => cost.peakBytes ?? []);
  const bytes = peaks.length > 0
    ? Math.max(...peaks)
    : trainingBytes({ ...profile, labelledPerBatch: 2, unlabelledPerBatch: 2 });
  const total = (secondsPerStep: number) => {
    const training = startSeconds + iterations * secondsPerStep;
    return training + (evaluation ?? startSeconds + evaluationShare * training);
  };
  const measured = median(sameRun.map(({ cost }) => cost.secondsPerStep!));
  if (measured !== undefined) return { seconds: total(measured), bytes, basis: "measured" };
  const work = stepWork(profile.crop, profile.width);
  const scaled = median(
    timed.map(({ config, cost }) => cost.secondsPerStep! * work / stepWork(config.crop, config.width)),
  );
  const expected = scaled ?? reference.secondsPerStep * work / stepWork(reference.crop, reference.width);
  return { seconds: total(expected), bytes, basis: scaled === undefined ? "reference" : "scaled" };
}

/** Work of a step up to a factor: between the elementwise passes (∝ width) and the convolutions (∝ width²). */
function stepWork(crop: Shape3, width: number): number {
  return voxelCount(crop) * width ** 1.5;
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
