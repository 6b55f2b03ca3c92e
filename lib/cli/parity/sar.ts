/** Golden figure 4 and visits of the confidence memory. */
import { datasets } from "../../data/dataset.ts";
import { confidenceOf, createConfidenceMemory, type Visit } from "../../sasnet/confidence_memory.ts";
import { figure4 } from "../../sasnet/figure4.ts";
import { reweight, type SarOptions, weigh } from "../../sasnet/sar.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { SarJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";
import { knowsRules } from "./known.ts";
import { datasetKey } from "./view.ts";

const exact = { tolerance: 1e-6 };

/** Figure 4 and the scripted visits of the confidence memory. */
export function checkSar(golden: Golden<SarJson>, checks: Checks): void {
  const { json } = golden;
  const { alpha, voxels: recorded } = json.figure4;
  const voxels = figure4(alpha);
  checks.same("sar.figure4.voxels", recorded.length, voxels.length);
  recorded.slice(0, voxels.length).forEach((expected, i) => {
    const { truth, low, high, sum, weightedSum, foreground, weightedForeground } = voxels[i];
    const weighted = (pair: readonly number[]) => pair.map((p) => weigh(p, pair[truth], alpha));
    const pairs: [keyof typeof expected, readonly number[]][] = [
      ["prob_low", low],
      ["prob_high", high],
      ["gt", [truth]],
      ["confidence_low", [low[truth]]],
      ["confidence_high", [high[truth]]],
      ["weighted_low", weighted(low)],
      ["weighted_high", weighted(high)],
      ["sum_without_sar", sum],
      ["sum_with_sar", weightedSum],
      ["ratio_without", [sum[0] / sum[1]]],
      ["ratio_with", [weightedSum[0] / weightedSum[1]]],
      ["softmax_without", [1 - foreground, foreground]],
      ["softmax_with", [1 - weightedForeground, weightedForeground]],
    ];
    for (const [name, actual] of pairs) {
      checks.compare(`sar.figure4.${i}.${name}`, actual, [expected[name]].flat(), exact);
    }
  });
  for (const [dataset, sequence] of Object.entries(json.sequences)) {
    for (const [variant, options] of Object.entries(json.variants)) {
      if (!knowsRules(`sar.${dataset}.${variant}`, options, checks)) continue;
      checkSequence(golden, checks, { dataset, sequence, variant, options });
    }
  }
}

function checkSequence(
  golden: Golden<SarJson>,
  checks: Checks,
  { dataset, sequence, variant, options }: {
    dataset: string;
    sequence: SarJson["sequences"][string];
    variant: string;
    options: SarJson["variants"][string];
  },
): void {
  const settings: SarOptions = {
    alpha: sequence.alpha,
    index: options.index,
    rule: options.memory,
    initial: options.init,
    precision: "float32",
  };
  const memory = createConfidenceMemory(settings);
  const patch = sequence.patch;
  const views = datasets[datasetKey(dataset)].views;
  sequence.visits.forEach((visit, i) => {
    const name = `${dataset}.${i}`;
    const probabilities = golden.tensor(`${name}.probs`).data;
    const labels = golden.bytes(`${name}.label`).data;
    const [high, low] = [0, 1].map((branch) => foregroundOf(probabilities, branch, labels.length, patch));
    const visits = visit.names.map((caseName, b): Visit => ({
      case: caseName,
      shape: sequence.sizes[caseName],
      location: visit.locations[b],
      permutation: views.find(({ code }) => code === visit.views[b])!.permutation,
    }));
    const { alpha, index } = settings;
    const result = reweight(memory, visits, { high, low, labels, patch, alpha, index, withWeighted: true });
    const expected = golden.tensor(`${name}.${variant}.ensemble`).data;
    const tolerance = { ...exact, absolute: true, variant };
    checks.compare(`sar.${name}.ensemble`, twoChannels(result.foreground, patch), expected, tolerance);
    // Only the ensemble is recorded of the variant that starts from 0.
    if (variant === "paper_init0") return;
    checks.compare(
      `sar.${name}.weighted`,
      result.weighted!,
      golden.tensor(`${name}.${variant}.weighted`).data,
      tolerance,
    );
    for (const caseName of new Set(visit.names)) {
      const both = [0, 1].flatMap((branch) => [...confidenceOf(memory, caseName, branch as 0 | 1)]);
      const recorded = golden.tensor(`${name}.${variant}.memory.${caseName}`).data;
      checks.compare(`sar.${name}.memory.${caseName}`, both, recorded, tolerance);
    }
  });
}

/** The foreground of one branch out of [branch, item, class, voxels]. */
function foregroundOf(all: Float32Array, branch: number, length: number, patch: Shape3): Float32Array {
  const voxels = patch[0] * patch[1] * patch[2];
  const items = length / voxels;
  const out = new Float32Array(length);
  for (let b = 0; b < items; b++) {
    const from = ((branch * items + b) * 2 + 1) * voxels;
    out.set(all.subarray(from, from + voxels), b * voxels);
  }
  return out;
}

/** [item, voxels] of the foreground as [item, class, voxels]. */
function twoChannels(foreground: Float32Array, patch: Shape3): Float32Array {
  const voxels = patch[0] * patch[1] * patch[2];
  const out = new Float32Array(2 * foreground.length);
  for (let i = 0; i < foreground.length; i++) {
    const at = Math.floor(i / voxels) * 2 * voxels + (i % voxels);
    out[at] = 1 - foreground[i];
    out[at + voxels] = foreground[i];
  }
  return out;
}
