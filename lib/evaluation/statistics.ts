/** Means, spreads and bootstrap intervals over cases and over seeds. */
import { InputError } from "../errors.ts";
import { randomStream } from "../random.ts";
import type { CaseResult, Measure } from "./summary.ts";

/** Where larger values are better. */
const largerIsBetter: Readonly<Record<Measure, boolean>> = {
  dice: true,
  jaccard: true,
  hd95Voxel: false,
  asdVoxel: false,
  hd95Mm: false,
  asdMm: false,
};

/** One measure over all cases of one or more repetitions with other seeds. */
export interface Estimate {
  /** Mean of the repetitions' means over the cases that have a value; null where none has. */
  readonly mean: number | null;
  /** Sample standard deviation of the repetitions' means; null for fewer than two. */
  readonly sdOverSeeds: number | null;
  /** Sample standard deviation over the cases of their means over the seeds; null for fewer than two. */
  readonly sdOverCases: number | null;
  /** Bootstrap interval of the mean over the cases; null for fewer than two. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly seeds: number;
  readonly cases: number;
  /** Values, over all seeds and cases, that are not defined: a mask was empty. They are in no mean. */
  readonly missed: number;
}

/**
 * Estimates a measure from repetitions of one run on the same test cases.
 *
 * @param repetitions per seed the results of its cases.
 * @throws InputError where the repetitions have other cases than the first.
 */
export function estimate(repetitions: readonly (readonly CaseResult[])[], measure: Measure): Estimate {
  requireSameCases(repetitions);
  const table = repetitions.map((results) => results.map((result) => definedValue(result, measure)));
  const missed = table.flat().filter((value) => value === null).length;
  const perSeed = table.map(meanOfDefined);
  const perCase = (table[0] ?? []).map((_, i) =>
    mean(table.map((values) => values[i]).filter((value) => value !== null))
  );
  const ofSeeds = perSeed.filter((value) => value !== null);
  const ofCases = perCase.filter((value) => value !== null);
  return {
    mean: mean(ofSeeds),
    sdOverSeeds: sampleDeviation(ofSeeds),
    sdOverCases: sampleDeviation(ofCases),
    // On demand: it takes longer than all the others, and most estimates are printed without it.
    get interval() {
      return bootstrapInterval(ofCases);
    },
    seeds: repetitions.length,
    cases: table[0]?.length ?? 0,
    missed,
  };
}

/**
 * The mean of an estimate alone, which is quick.
 *
 * @param repetitions per seed the results of its cases.
 */
export function meanOverSeeds(
  repetitions: readonly (readonly CaseResult[])[],
  measure: Measure,
): number | null {
  const perSeed = repetitions.map((results) =>
    meanOfDefined(results.map((result) => definedValue(result, measure)))
  );
  return meanOfDefined(perSeed);
}

/**
 * Differences of two runs case by case, positive where the first is better. Over several seeds a case counts once,
 * with its mean. A missed case is worse than every distance: its difference is infinite, or 0 where both miss it.
 *
 * @throws InputError where the runs were measured on other cases.
 */
export function pairedDifferences(
  first: readonly (readonly CaseResult[])[],
  second: readonly (readonly CaseResult[])[],
  measure: Measure,
): number[] {
  requireSameCases([...first, ...second]);
  const sign = largerIsBetter[measure] ? 1 : -1;
  const worst = largerIsBetter[measure] ? 0 : Infinity;
  const caseMeans = (repetitions: readonly (readonly CaseResult[])[]) =>
    (repetitions[0] ?? []).map((_, i) =>
      mean(repetitions.map((results) => definedValue(results[i], measure) ?? worst))!
    );
  const others = caseMeans(second);
  return caseMeans(first).map((value, i) => value === others[i] ? 0 : sign * (value - others[i]));
}

/**
 * Percentile interval of the mean by resampling the values.
 *
 * @param options.level coverage in (0, 1), default 0.95.
 * @param options.resamples default 2000.
 * @param options.seed default 1; equal seeds give equal intervals.
 * @returns null for fewer than two values.
 */
export function bootstrapInterval(
  values: readonly number[],
  options: { level?: number; resamples?: number; seed?: number } = {},
): readonly [low: number, high: number] | null {
  const { level = 0.95, resamples = 2000, seed = 1 } = options;
  if (values.length < 2) return null;
  const stream = randomStream(seed, "bootstrap", values.length);
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[stream.integer(values.length)];
    means[r] = sum / values.length;
  }
  means.sort();
  return [quantileOfSorted(means, (1 - level) / 2), quantileOfSorted(means, (1 + level) / 2)];
}

function meanOfDefined(values: readonly (number | null)[]): number | null {
  return mean(values.filter((value) => value !== null));
}

/** Mean, or null of nothing. */
function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n − 1), or null for fewer than two values. */
function sampleDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values)!;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** A value of a case. Two empty masks agree: their Dice, undefined as a quotient, counts 1 as Jaccard does. */
function definedValue(result: CaseResult, measure: Measure): number | null {
  return measure === "dice" ? result.dice ?? result.jaccard : result[measure];
}

function requireSameCases(repetitions: readonly (readonly CaseResult[])[]): void {
  const names = (results: readonly CaseResult[]) => results.map((result) => result.case).join("\n");
  const [first, ...others] = repetitions.map(names);
  if (others.some((other) => other !== first)) {
    throw new InputError(
      "runs were measured on different cases; they can be compared on equal test lists only",
    );
  }
}

/** Linear interpolation between the sorted values. */
function quantileOfSorted(sorted: Float64Array, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
