/** The weight of the unsupervised losses over a run (paper 3.4, below eq. 16). */
import { InputError } from "../errors.ts";

/** Ticks until γ is full. */
const rampLength = 40;

/** The budget that the paper's numbers belong to. */
const paperIterations = 40000;
const paperStepsPerTick = 150;

/** The clock of the ramp. */
export interface RampClock {
  /**
   * "iterations" (released code): 150 iterations a tick at the paper's 40,000, in proportion for other budgets;
   * "epochs": the paper's "40 epochs" literally, a tick a pass through the labelled cases.
   */
  readonly clock: "iterations" | "epochs";
  /** Iterations of the whole run. */
  readonly iterations: number;
  /** Steps of an epoch: ⌊labelled cases / labelled crops in a batch⌋. Read by "epochs" only. */
  readonly stepsPerEpoch: number;
}

/**
 * Iterations of one tick of the ramp; a fraction for small budgets.
 *
 * @throws InputError where the budget or the epoch has no step.
 */
export function stepsPerTick({ clock, iterations, stepsPerEpoch }: RampClock): number {
  const ticks = clock === "epochs" ? stepsPerEpoch : (iterations * paperStepsPerTick) / paperIterations;
  if (!(ticks > 0)) {
    throw new InputError(
      `γ cannot be scheduled over ${iterations} iterations with epochs of ${stepsPerEpoch} steps: both must be at least 1`,
    );
  }
  return ticks;
}

/**
 * γ(t) = γmax·exp(−5(1 − min(t, L)/L)²) with t = ⌊iteration / stepsPerTick⌋.
 *
 * @param iteration as the released code counts: the first step is iteration 1.
 * @param options.stepsPerTick see {@link stepsPerTick}.
 * @param options.length L, ticks until γ is full; 0 means at once.
 * @param options.maximum γmax.
 */
export function gammaRamp(
  iteration: number,
  options: { stepsPerTick: number; length?: number; maximum?: number },
): number {
  const { stepsPerTick, length = rampLength, maximum = 1 } = options;
  if (length === 0) return maximum;
  const remaining = 1 - Math.min(Math.floor(iteration / stepsPerTick), length) / length;
  return maximum * Math.exp(-5 * remaining * remaining);
}
