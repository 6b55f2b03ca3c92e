/** Golden files of distances: signed distance maps and the measures of segmentations. */
import { compareMasks, releasedTuple, surfaceDistances } from "../../evaluation/metrics.ts";
import { sdmStages, signedDistanceMap } from "../../sasnet/sdm.ts";
import { connectedComponents, largestComponent } from "../../volume/components.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { MetricsJson, SdmJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";
import { statisticsOf } from "./statistics.ts";

/** Signed distance maps; the full mask has no defined answer. */
export function checkSdm(golden: Golden<SdmJson>, checks: Checks): void {
  for (const [name, recorded] of Object.entries(golden.json.cases)) {
    const { data: mask, shape } = golden.bytes(`${name}.mask`);
    const expected = golden.tensor(`${name}.sdm`).data;
    const boundary = golden.bytes(`${name}.boundary`).data;
    const foreground = countOnes(mask);
    checks.same(`sdm.${name}.shape`, shape, recorded.shape);
    checks.same(`sdm.${name}.foreground`, foreground, recorded.foreground);
    if (foreground === mask.length) continue;
    const grid = shape as unknown as Shape3;
    const map = signedDistanceMap(mask, grid);
    const limits = { tolerance: 1e-6, absolute: true };
    checks.compare(`sdm.${name}`, map, expected, limits);
    const { mean, l2, max, min } = recorded;
    const found = statisticsOf(map);
    checks.compare(`sdm.${name}.statistics`, [found.mean, found.max, found.min], [mean, max, min], limits);
    checks.compare(`sdm.${name}.l2`, [found.l2], [l2], { tolerance: 1e-6 });
    const edge = sdmStages(mask, grid).boundary;
    checks.compare(`sdm.${name}.boundary`, edge, boundary, { tolerance: 0, absolute: true });
    checks.same(`sdm.${name}.boundary_voxels`, countOnes(edge), recorded.boundary_voxels);
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
  const grid = shape as unknown as Shape3;
  checks.compare("metrics.largest_cc", largestComponent(mask, grid), golden.bytes("largest_cc.result").data, {
    tolerance: 0,
    absolute: true,
  });
  const { sizes } = connectedComponents(mask, grid);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const recorded = golden.json.largest_cc;
  checks.same("metrics.largest_cc.components", sizes.length, recorded.components);
  checks.same("metrics.largest_cc.largest", largest, recorded.largest);
  checks.same("metrics.largest_cc.ties", sizes.filter((size) => size === largest).length, recorded.ties);
}

function countOnes(mask: Uint8Array): number {
  return mask.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
}
