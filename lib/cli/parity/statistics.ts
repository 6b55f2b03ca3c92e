/** Mean, extremes and length of a tensor, which a golden set records of every large one. */
import type { StatisticsJson } from "./formats.ts";
import type { Checks } from "./golden.ts";

/** Mean, extremes and length √Σx² of some values. */
export function statisticsOf(values: Float32Array): StatisticsJson {
  let [sum, square, min, max] = [0, 0, Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    square += values[i] ** 2;
    min = Math.min(min, values[i]);
    max = Math.max(max, values[i]);
  }
  return { mean: sum / values.length, l2: Math.sqrt(square), max, min };
}

/** Compares the statistics of a tensor with the recorded ones. */
export function compareStatistics(
  checks: Checks,
  name: string,
  values: Float32Array,
  { statistics, tolerance, variant = "" }: {
    readonly statistics: StatisticsJson;
    /** Of mean and extremes, relative to the largest of them, and of the length. */
    readonly tolerance: { readonly values: number; readonly l2: number };
    readonly variant?: string;
  },
): void {
  const { mean, l2, max, min } = statisticsOf(values);
  // The length grows with the number of values, so it would hide an error of the other three.
  checks.compare(name, [mean, max, min], [statistics.mean, statistics.max, statistics.min], {
    tolerance: tolerance.values,
    variant,
  });
  checks.compare(`${name}.l2`, [l2], [statistics.l2], { tolerance: tolerance.l2, variant });
}
