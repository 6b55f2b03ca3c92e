/**
 * What a mean Dice says of a mean Jaccard over the same cases. Of each case J = D/(2 − D) =: f(D). f is convex with
 * f(0) = 0 and f(1) = 1, so that
 *   f(mean D) ≤ mean J ≤ mean D                         (Jensen; the chord),
 * and because 1/2 ≤ f″ ≤ 4 on [0, 1], the gap g = mean J − f(mean D) bounds the spread of Dice over the cases:
 *   √(g/2) ≤ standard deviation of D ≤ 2√g.
 * Only a pair outside of the first line is impossible; a rounding of ±0.005 is granted to each number.
 */
import type { AuditEntry } from "./audit_entry.ts";
import { labelOf } from "./item.ts";
import { tables } from "./items.ts";

/** Half a unit of the last printed digit, as a fraction. */
const rounding = 0.005 / 100;

/** Bounds of the mean Jaccard and of the spread of Dice, all as fractions. */
export interface JaccardBounds {
  readonly lowest: number;
  readonly highest: number;
  /** Population standard deviation of Dice over the cases. */
  readonly spread: readonly [least: number, most: number];
  readonly possible: boolean;
}

/** The bounds that a printed mean Dice sets, with the rounding granted; `dice` and `jaccard` are fractions. */
export function jaccardBounds(dice: number, jaccard: number): JaccardBounds {
  const f = (d: number) => d / (2 - d);
  const lowest = f(dice - rounding) - rounding;
  const highest = dice + 2 * rounding;
  const leastGap = Math.max(0, jaccard - rounding - f(dice + rounding));
  const mostGap = Math.max(0, jaccard + rounding - f(dice - rounding));
  return {
    lowest,
    highest,
    spread: [Math.sqrt(leastGap / 2), 2 * Math.sqrt(mostGap)],
    possible: jaccard >= lowest && jaccard <= highest,
  };
}

/** A row with its mean Dice and mean Jaccard in per cent, and what the one says of the other. */
export interface PrintedPair {
  readonly where: string;
  readonly dice: number;
  readonly jaccard: number;
  readonly bounds: JaccardBounds;
}

/** Every printed pair of Dice and Jaccard. */
export function printedPairs(): PrintedPair[] {
  return tables.flatMap((table) =>
    table.rows.filter(({ printed }) => printed !== undefined).map((row): PrintedPair => {
      const [dice, jaccard] = row.printed!;
      const where = `Table ${table.number}, ${labelOf(table, row)}`;
      return { where, dice, jaccard, bounds: jaccardBounds(dice / 100, jaccard / 100) };
    })
  );
}

/** Every printed pair as a check. */
export function boundChecks(): AuditEntry[] {
  return printedPairs().map(({ where, dice, jaccard, bounds }): AuditEntry => {
    const { lowest, highest, spread, possible } = bounds;
    const inner = `Dice ${dice.toFixed(2)} allows Jaccard ${percent(lowest)} to ${percent(highest)}`;
    return {
      check: "mean Dice bounds mean Jaccard",
      where,
      arithmetic: `${inner}; printed ${jaccard.toFixed(2)}` +
        (possible
          ? `; Dice then spreads over the cases with a standard deviation of ${percent(spread[0])} to ${
            percent(spread[1])
          }`
          : ""),
      finding: possible ? "consistent" : "impossible",
    };
  });
}

function percent(value: number): string {
  return (100 * value).toFixed(2);
}
