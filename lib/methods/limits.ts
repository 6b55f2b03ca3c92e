/** What the number of a hyper-parameter may be. */

/** Bounds; without a lower one a number must not be negative. */
export interface Limits {
  /** The smallest and the largest number allowed. */
  readonly least?: number;
  readonly most?: number;
  /** Numbers that are just not allowed any more. */
  readonly above?: number;
  readonly below?: number;
  /** Whole numbers alone, or of these the odd or even ones. */
  readonly whole?: "any" | "odd" | "even";
}

/** Common limits. */
export const share: Limits = { most: 1 };
export const positive: Limits = { above: 0 };
/** Whole, 0 included. */
export const ticks: Limits = { whole: "any" };
export const count: Limits = { least: 1, whole: "any" };

/** Whether a number is allowed. */
export function isWithin(value: number, limits: Limits): boolean {
  const { least, most = Infinity, above = -Infinity, below = Infinity, whole } = withLeast(limits);
  if (whole !== undefined && value % 1 !== 0) return false;
  if (whole === "odd" && value % 2 === 0) return false;
  if (whole === "even" && value % 2 !== 0) return false;
  return value >= least && value <= most && value > above && value < below;
}

/** What is allowed, in words, for example "an even number, at least 2". */
export function describeLimits(limits: Limits): string {
  const { least, most, above, below, whole } = withLeast(limits);
  const kind = whole === undefined ? "a number" : whole === "any" ? "a whole number" : `an ${whole} number`;
  const low = above === undefined ? `at least ${least}` : `above ${above}`;
  const high = most === undefined ? below === undefined ? undefined : `below ${below}` : `at most ${most}`;
  return high === undefined ? `${kind}, ${low}` : `${kind}, ${low} and ${high}`;
}

function withLeast(limits: Limits): Limits & { readonly least: number } {
  return { ...limits, least: limits.least ?? (limits.above === undefined ? 0 : -Infinity) };
}
