/** The worked example of sample adaptive reweighting (paper, figure 4). */
import { sigmoid, weigh } from "./sar.ts";

/** One voxel of figure 4. Pairs are (background, foreground). */
export interface WorkedVoxel {
  readonly truth: 0 | 1;
  readonly low: readonly [number, number];
  readonly high: readonly [number, number];
  /** P_low + P_high, and the same of P′. */
  readonly sum: readonly [number, number];
  readonly weightedSum: readonly [number, number];
  /** Their softmax over the classes (eq. 6): foreground probability of the ensemble. */
  readonly foreground: number;
  readonly weightedForeground: number;
}

/**
 * The worked example of figure 4: 1.5/0.5 becomes 1.685/0.565 and 0.7/1.3 becomes 0.825/1.525 at α = 0.5. The
 * paper prints the sums; the branches' probabilities are recovered from them, which of the two is which branch
 * is not determined. Note that the ratio moves towards the truth and the softmax away from it.
 */
export function figure4(alpha = 0.5): readonly WorkedVoxel[] {
  return [
    workedVoxel({ truth: 1, low: [0.8, 0.2], high: [0.7, 0.3] }, alpha),
    workedVoxel({ truth: 0, low: [0.3, 0.7], high: [0.4, 0.6] }, alpha),
  ];
}

function workedVoxel(voxel: Pick<WorkedVoxel, "truth" | "low" | "high">, alpha: number): WorkedVoxel {
  const { truth, low, high } = voxel;
  const sum = [low[0] + high[0], low[1] + high[1]] as const;
  const weighted = (channel: 0 | 1) =>
    weigh(low[channel], low[truth], alpha) + weigh(high[channel], high[truth], alpha);
  const weightedSum = [weighted(0), weighted(1)] as const;
  return {
    ...voxel,
    sum,
    weightedSum,
    foreground: sigmoid(sum[1] - sum[0]),
    weightedForeground: sigmoid(weightedSum[1] - weightedSum[0]),
  };
}

/**
 * Where the ensemble's decision turns, under the assumption of figure 4 that the remembered confidences are the current
 * probabilities: the low-level branch's probability of the true class from which the ensemble is right.
 *
 * @param high the high-level branch's probability of the true class, in [0, 1].
 * @param alpha α of eq. 4; 0 is the ensemble without SAR.
 * @returns in [0, 1]; it is at most 1 − high, so that SAR makes wrong voxels right and never the other way round.
 */
export function turningPoint(high: number, alpha: number): number {
  if (alpha === 0) return 1 - high;
  // (1 + αl)(2l − 1) + (1 + αh)(2h − 1) = 0, solved for l.
  const fromHigh = (1 + alpha * high) * (2 * high - 1);
  const linear = 2 - alpha;
  // Negative where the high-level branch alone decides.
  const root = Math.sqrt(Math.max(0, linear ** 2 + 8 * alpha * (1 - fromHigh)));
  return Math.min(1, Math.max(0, (root - linear) / (4 * alpha)));
}
