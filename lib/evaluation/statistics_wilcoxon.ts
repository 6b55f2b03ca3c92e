/** The paired signed-rank test of Wilcoxon, and Holm's correction for several tests. */

/** What the differences are asked for. */
export type Alternative = "two-sided" | "greater" | "less";

/** The outcome of a test. */
export interface SignedRankTest {
  /** Differences that are not 0; the others say nothing. */
  readonly pairs: number;
  /** Sums of the ranks of positive and negative differences. */
  readonly positive: number;
  readonly negative: number;
  /** 1 where no difference is left. */
  readonly p: number;
  readonly distribution: "exact" | "normal";
}

/** Up to this many pairs without ties, p comes from all sign patterns. */
const largestExact = 50;

/**
 * Wilcoxon's signed-rank test: are the differences symmetric about 0? Zeros are left out (Wilcoxon's own rule), ties
 * get their mean rank. Exact for at most 50 pairs without ties, else the normal approximation with the correction
 * for ties and none for continuity, as SciPy computes it. Infinite differences rank above all others.
 *
 * @param options.distribution overrides the choice; "exact" is wrong where there are ties.
 */
export function signedRankTest(
  differences: readonly number[],
  options: { alternative?: Alternative; distribution?: "exact" | "normal" } = {},
): SignedRankTest {
  const { alternative = "two-sided" } = options;
  const nonzero = differences.filter((difference) => difference !== 0 && !Number.isNaN(difference));
  const { ranks, tieCorrection } = meanRanks(nonzero.map(Math.abs));
  let positive = 0;
  nonzero.forEach((difference, i) => positive += difference > 0 ? ranks[i] : 0);
  const pairs = nonzero.length;
  const negative = pairs * (pairs + 1) / 2 - positive;
  const distribution = options.distribution ??
    (pairs <= largestExact && tieCorrection === 0 ? "exact" : "normal");
  const tails = distribution === "exact"
    ? exactTails(pairs, positive)
    : normalTails(pairs, positive, tieCorrection);
  const p = pairs === 0
    ? 1
    : alternative === "two-sided"
    ? Math.min(1, 2 * Math.min(tails.below, tails.above))
    : alternative === "greater"
    ? tails.above
    : tails.below;
  return { pairs, positive, negative, p, distribution };
}

/**
 * Holm's step-down correction.
 *
 * @returns adjusted p-values in the order given; a claim holds at level a where its adjusted value is below a.
 */
export function holm(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const adjusted = new Array<number>(values.length);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, values[index] * (values.length - rank)));
    adjusted[index] = largest;
  });
  return adjusted;
}

/** Ranks from 1 with the mean for ties, and Σ(t³ − t) over the groups of t tied values. */
function meanRanks(values: readonly number[]): { ranks: number[]; tieCorrection: number } {
  const order = [...values.keys()].sort((a, b) => values[a] === values[b] ? 0 : values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  let tieCorrection = 0;
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) ranks[order[i]] = (start + end + 1) / 2;
    const tied = end - start;
    tieCorrection += tied ** 3 - tied;
    start = end;
  }
  return { ranks, tieCorrection };
}

/** P(W ≤ w) and P(W ≥ w) over all 2ⁿ patterns of signs. */
function exactTails(pairs: number, w: number): { below: number; above: number } {
  const largest = pairs * (pairs + 1) / 2;
  let counts = new Float64Array(largest + 1);
  counts[0] = 1;
  for (let rank = 1; rank <= pairs; rank++) {
    const next = counts.slice();
    for (let sum = rank; sum <= largest; sum++) next[sum] += counts[sum - rank];
    counts = next;
  }
  const total = 2 ** pairs;
  let [below, above] = [0, 0];
  counts.forEach((count, sum) => {
    if (sum <= w) below += count;
    if (sum >= w) above += count;
  });
  return { below: below / total, above: above / total };
}

function normalTails(pairs: number, w: number, tieCorrection: number): { below: number; above: number } {
  const centre = pairs * (pairs + 1) / 4;
  const variance = (pairs * (pairs + 1) * (2 * pairs + 1) - tieCorrection / 2) / 24;
  if (!(variance > 0)) return { below: 1, above: 1 };
  const z = (w - centre) / Math.sqrt(variance);
  return { below: normalTail(-z), above: normalTail(z) };
}

/** P(Z ≥ z) of a standard normal Z, with a relative error below 1e-12. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    // Σ z^(2k+1)/(1·3·5…(2k+1)), which converges fast for small z.
    let [term, sum] = [z, z];
    for (let k = 1; term > 1e-17 * sum; k++) {
      term *= z * z / (2 * k + 1);
      sum += term;
    }
    return 0.5 - density * sum;
  }
  // The continued fraction of Mills' ratio, which converges fast for large z.
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / (z + fraction);
  return density / (z + fraction);
}
