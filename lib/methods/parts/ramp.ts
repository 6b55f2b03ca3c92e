/** The ramp-up that all methods share: exp(−5(1 − t/L)²) over L whole ticks (Laine & Aila, ICLR 2017). */
import { gammaRamp } from "../../sasnet/schedule.ts";
import type { StepContext } from "../method.ts";

/**
 * The weight of an unsupervised term.
 *
 * @param options.share the part of the phase in which it grows; every method keeps the share of its released code,
 * so that ramps scale with the budget.
 * @param options.ticks the number of equal steps in which it grows, ⌊t/150⌋ in the released codes.
 * @param options.maximum the weight at the end.
 */
export function rampUp(
  { iteration, iterations }: Pick<StepContext, "iteration" | "iterations">,
  { share, ticks, maximum }: { share: number; ticks: number; maximum: number },
): number {
  const stepsPerTick = iterations * share / ticks;
  // The released codes count from 0 here.
  return gammaRamp(iteration - 1, { stepsPerTick, length: ticks, maximum });
}
