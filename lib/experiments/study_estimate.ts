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
  const reference = stepSeconds(profile.crop, profile.width);
  const ofMethod = timed.filter(({ choice: other }) => other.method === choice.method);
  const factor = median(
    (ofMethod.length > 0 ? ofMethod : timed).map(({ config, cost }) =>
      cost.secondsPerStep! / stepSeconds(config.crop, config.width)
    ),
  );
  return {
    seconds: total(reference * (factor ?? 1)),
    bytes,
    basis: factor === undefined ? "reference" : "scaled",
  };
}

/**
 * A step of SASNet with 2 + 2 crops on two cores: what every step costs, the passes over memory and the convolutions
 * (∝ width²), fitted to the curves of docs/performance.md.
 */
function stepSeconds(crop: Shape3, width: number): number {
  return 0.14 + voxelCount(crop) * (8.4e-7 + 1.37e-8 * width ** 2);
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
