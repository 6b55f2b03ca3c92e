import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { compareMasks, releasedTuple, surfaceDistances } from "../../lib/evaluation/metrics.ts";
import type { Shape3, Triple } from "../../lib/volume/volume.ts";
import { assertClose, needsGolden, readGolden } from "../golden_set.ts";

interface PairJson {
  readonly shape: Shape3;
  readonly spacing: Triple | null;
  readonly dc: number | "nan";
  readonly jc: number;
  readonly hd95: number | null;
  readonly asd: number | null;
  readonly asd_reverse: number | null;
  readonly official_tuple: readonly number[] | null;
}

const golden = readGolden<{ cases?: Record<string, PairJson> }>("metrics");

describe("compareMasks()", () => {
  for (const [name, expected] of Object.entries(golden.json.cases ?? {})) {
    it(`measures the pair ${name} as recorded`, needsGolden, () => {
      const { shape } = expected;
      const spacing = expected.spacing ?? [1, 1, 1] as const;
      const [prediction, reference] = [golden.bytes(`${name}.pred`), golden.bytes(`${name}.ref`)];
      const found = compareMasks(prediction, reference, shape, { spacing });
      const reverse = found.hd95Mm === null
        ? null
        : surfaceDistances(prediction, reference, shape, spacing).asdReverse;
      const pairs: [number | null, number | null][] = [
        [found.dice, expected.dc === "nan" ? null : expected.dc],
        [found.jaccard, expected.jc],
        [found.hd95Mm, expected.hd95],
        [found.asdMm, expected.asd],
        [reverse, expected.asd_reverse],
      ];
      for (const [actual, wanted] of pairs) {
        if (actual === null || wanted === null) assertEquals(actual, wanted);
        else assertAlmostEquals(actual, wanted, 1e-9);
      }
    });
  }

  it("says why distances are undefined", () => {
    const [none, one] = [new Uint8Array(8), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)];
    const why = (a: Uint8Array, b: Uint8Array) => compareMasks(a, b, [2, 2, 2]).undefinedBecause;
    assertEquals(why(none, one), "the prediction is empty: there is no surface to measure");
    assertEquals(why(one, none), "the reference is empty: there is no surface to measure");
    assertEquals(why(none, none), "both masks are empty: there is no surface to measure");
    assertEquals(why(one, one), undefined);
  });

  it("scales distances with an isotropic spacing", () => {
    const [a, b] = [Uint8Array.of(1, 0, 0, 0), Uint8Array.of(0, 0, 0, 1)];
    const { hd95Voxel, hd95Mm } = compareMasks(a, b, [1, 1, 4], { spacing: [0.5, 0.5, 0.5] });
    assertEquals([hd95Voxel, hd95Mm], [3, 1.5]);
  });

  it("refuses masks that do not fill the grid", () => {
    assertThrows(
      () => compareMasks(new Uint8Array(8), new Uint8Array(7), [2, 2, 2]),
      InputError,
      "8 and 7 voxels",
    );
  });
});

describe("releasedTuple()", () => {
  it("is what the released evaluation adds up", needsGolden, () => {
    for (const [name, expected] of Object.entries(golden.json.cases ?? {})) {
      // The released evaluation knows no spacing.
      const metrics = compareMasks(
        golden.bytes(`${name}.pred`),
        golden.bytes(`${name}.ref`),
        expected.shape,
        {
          spacing: expected.spacing ?? [1, 1, 1],
        },
      );
      const { hd95Mm: hd95Voxel, asdMm: asdVoxel } = metrics;
      const found = releasedTuple({ ...metrics, hd95Voxel, asdVoxel });
      if (found === null || expected.official_tuple === null) {
        assertEquals(found, expected.official_tuple, name);
      } else assertClose(found, expected.official_tuple, 1e-9, name);
    }
  });
});
