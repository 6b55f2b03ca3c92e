import { describe, it } from "@std/testing/bdd";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertThrows,
} from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { bootstrapInterval, estimate, pairedDifferences } from "../../lib/evaluation/statistics.ts";
import { holm, normalTail, signedRankTest } from "../../lib/evaluation/statistics_wilcoxon.ts";
import type { CaseResult } from "../../lib/evaluation/summary.ts";
import { randomStream } from "../../lib/random.ts";
import golden from "../golden/wilcoxon_scipy.json" with { type: "json" };

function result(name: string, dice: number | null, hd95: number | null = 1): CaseResult {
  return {
    case: name,
    dice,
    jaccard: dice === null ? 1 : dice / (2 - dice),
    hd95Voxel: hd95,
    asdVoxel: hd95,
    hd95Mm: hd95,
    asdMm: hd95,
    voxels: { prediction: 1, reference: 1, both: 1 },
  };
}

const alternatives = ["two-sided", "greater", "less"] as const;

describe("signedRankTest()", () => {
  for (const one of golden.cases) {
    it(`agrees with SciPy ${golden.scipy} on ${one.name}`, () => {
      for (const alternative of alternatives) {
        const normal = signedRankTest(one.differences, { alternative, distribution: "normal" });
        assertAlmostEquals(normal.p, one.normal[alternative], 1e-12);
        assertEquals(Math.min(normal.positive, normal.negative), one.statistic);
        if (one.exact === undefined) continue;
        const exact = signedRankTest(one.differences, { alternative });
        assertEquals(exact.distribution, "exact");
        assertAlmostEquals(exact.p, one.exact[alternative], 1e-12);
      }
    });
  }

  it("takes the normal approximation for ties and for more than 50 pairs", () => {
    assertEquals(signedRankTest([1, 1, 2]).distribution, "normal");
    assertEquals(signedRankTest(Array.from({ length: 51 }, (_, i) => i + 1)).distribution, "normal");
    assertEquals(signedRankTest(Array.from({ length: 50 }, (_, i) => i + 1)).distribution, "exact");
  });

  it("ranks an infinite difference above every other", () => {
    assertEquals(signedRankTest([-Infinity, 1, 2]).negative, 3);
    assertEquals(signedRankTest([-Infinity, -Infinity, 5]).negative, 5);
  });

  it("says nothing of differences that are all 0", () => {
    assertEquals(signedRankTest([0, 0]), { pairs: 0, positive: 0, negative: 0, p: 1, distribution: "exact" });
  });
});

describe("normalTail()", () => {
  it("has the known values, far out too", () => {
    assertEquals(normalTail(0), 0.5);
    assertAlmostEquals(normalTail(1.959963984540054), 0.025, 1e-14);
    assertAlmostEquals(normalTail(-1), 0.841344746068543, 1e-14);
    assertAlmostEquals(normalTail(6) / 9.865876450376946e-10, 1, 1e-11);
    assertAlmostEquals(normalTail(3) / 1.3498980316300933e-3, 1, 1e-11);
  });
});

describe("holm()", () => {
  it("multiplies step by step and never lets a larger p become a smaller one", () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((value, i) => assertAlmostEquals(adjusted[i], value, 1e-15));
    assertEquals(holm([0.9, 0.8]), [1, 1]);
    assertEquals(holm([]), []);
  });
});

describe("estimate()", () => {
  it("has the mean over seeds and both spreads", () => {
    const runs = [[result("a", 0.8), result("b", 0.6)], [result("a", 0.9), result("b", 0.7)]];
    const { mean, sdOverSeeds, sdOverCases, seeds, cases, missed } = estimate(runs, "dice");
    assertAlmostEquals(mean!, 0.75, 1e-12);
    assertAlmostEquals(sdOverSeeds!, Math.SQRT1_2 * 0.1, 1e-12);
    assertAlmostEquals(sdOverCases!, Math.SQRT1_2 * 0.2, 1e-12);
    assertEquals([seeds, cases, missed], [2, 2, 0]);
  });

  it("counts missed cases and keeps them out of the mean", () => {
    const { mean, missed, cases } = estimate([[result("a", 0, null), result("b", 0.9, 4)]], "hd95Voxel");
    assertEquals([mean, missed, cases], [4, 1, 2]);
    assertEquals(estimate([[result("a", 0, null)]], "hd95Voxel").mean, null);
  });

  it("counts Dice of a miss as 0 and of two empty masks as 1", () => {
    assertEquals(estimate([[result("a", 0, null), result("b", null)]], "dice").mean, 0.5);
  });

  it("refuses runs on different cases", () => {
    assertThrows(() => estimate([[result("a", 1)], [result("b", 1)]], "dice"), InputError);
  });
});

describe("pairedDifferences()", () => {
  it("is positive where the first is better, for distances too", () => {
    const [first, second] = [[[result("a", 0.9, 2)]], [[result("a", 0.8, 5)]]];
    assertAlmostEquals(pairedDifferences(first, second, "dice")[0], 0.1, 1e-12);
    assertEquals(pairedDifferences(first, second, "hd95Voxel"), [3]);
  });

  it("lets a miss lose against every distance and tie with another miss", () => {
    const far = [[result("a", 0.1, 900), result("b", 0, null)]];
    const missing = [[result("a", 0, null), result("b", 0, null)]];
    assertEquals(pairedDifferences(far, missing, "hd95Voxel"), [Infinity, 0]);
  });
});

describe("bootstrapInterval()", () => {
  const stream = randomStream(3, "values");
  const values = Array.from({ length: 40 }, () => stream.normal());

  it("contains the mean, is repeatable, and narrows with the level", () => {
    const [low, high] = bootstrapInterval(values)!;
    const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
    assert(low < centre && centre < high);
    assertEquals(bootstrapInterval(values), [low, high]);
    const [innerLow, innerHigh] = bootstrapInterval(values, { level: 0.5 })!;
    assertGreater(innerLow, low);
    assertLess(innerHigh, high);
  });

  it("has about the width of the normal interval", () => {
    const [low, high] = bootstrapInterval(values)!;
    const sd = estimate([values.map((value, i) => result(String(i), value))], "dice").sdOverCases!;
    assertAlmostEquals((high - low) / (2 * 1.96 * sd / Math.sqrt(40)), 1, 0.12);
  });

  it("is nothing for a single value and a point for equal ones", () => {
    assertEquals(bootstrapInterval([1]), null);
    assertEquals(bootstrapInterval([2, 2, 2]), [2, 2]);
  });
});
