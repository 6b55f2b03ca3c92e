/** Golden files of distances: signed distance maps and the measures of segmentations. */
import { compareMasks, releasedTuple, surfaceDistances } from "../../evaluation/metrics.ts";
import { sdmStages, signedDistanceMap } from "../../sasnet/sdm.ts";
import { largestComponent } from "../../volume/components.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { MetricsJson, SdmJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";

/** Signed distance maps; the full mask has no defined answer. */
export function checkSdm(golden: Golden<SdmJson>, checks: Checks): void {
  for (const name of Object.keys(golden.json.cases)) {
    const { data: mask, shape } = golden.bytes(`${name}.mask`);
    const expected = golden.tensor(`${name}.sdm`).data;
    const boundary = golden.bytes(`${name}.boundary`).data;
    if (name === "full") continue;
    const grid = shape as unknown as Shape3;
    checks.compare(`sdm.${name}`, signedDistanceMap(mask, grid), expected, {
      tolerance: 1e-6,
      absolute: true,
    });
    checks.compare(`sdm.${name}.boundary`, sdmStages(mask, grid).boundary, boundary, {
      tolerance: 0,
      absolute: true,
    });
  }
}

/** Overlap and surface distances as medpy's. */
export function checkMetrics(golden: Golden<MetricsJson>, checks: Checks): void {
  for (const [name, expected] of Object.entries(golden.json.cases)) {
    const prediction = golden.bytes(`${name}.pred`).data;
    const reference = golden.bytes(`${name}.ref`).data;
    const shape = expected.shape;
    const spacing = expected.spacing ?? [1, 1, 1] as const;
    const found = compareMasks(prediction, reference, shape, { spacing });
    const dice = found.dice ?? "nan";
    const pairs: [string, unknown, unknown][] = [
      ["dc", dice, expected.dc],
      ["jc", found.jaccard, expected.jc],
      ["hd95", found.hd95Mm, expected.hd95],
      ["asd", found.asdMm, expected.asd],
    ];
    const isDefined = found.hd95Mm !== null;
    const reverse = isDefined ? surfaceDistances(prediction, reference, shape, spacing).asdReverse : null;
    pairs.push(["asd_reverse", reverse, expected.asd_reverse]);
    for (const [measure, actual, wanted] of pairs) {
      const label = `metrics.${name}.${measure}`;
      if (typeof actual === "number" && typeof wanted === "number") {
        checks.compare(label, [actual], [wanted], { tolerance: 1e-9, absolute: true });
      } else checks.same(label, actual, wanted);
    }
    // The set records the tuple in the unit of the spacing, as the four measures above.
    const tuple = releasedTuple({ ...found, hd95Voxel: found.hd95Mm, asdVoxel: found.asdMm });
    const label = `metrics.${name}.official_tuple`;
    if (tuple !== null && expected.official_tuple !== null) {
      checks.compare(label, tuple, expected.official_tuple, { tolerance: 1e-9, absolute: true });
    } else checks.same(label, tuple, expected.official_tuple);
  }
  const { data: mask, shape } = golden.bytes("largest_cc.mask");
  const largest = largestComponent(mask, shape as unknown as Shape3);
  checks.compare("metrics.largest_cc", largest, golden.bytes("largest_cc.result").data, {
    tolerance: 0,
    absolute: true,
  });
}
