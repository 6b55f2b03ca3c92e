/** Golden files whose work needs no tensor engine. */
import {
  atriumBox,
  marginBox,
  normaliseIntensities,
  pancreasWindow,
  type Range3,
  windowIntensities,
} from "../../data/preprocess.ts";
import { datasets } from "../../data/dataset.ts";
import { compareMasks, releasedTuple, surfaceDistances } from "../../evaluation/metrics.ts";
import { slidingWindow, threshold, windowPadding, windowStarts } from "../../inference/sliding_window.ts";
import { fft3 } from "../../sasnet/fft.ts";
import { viewByFrequency } from "../../sasnet/view.ts";
import { gammaRamp } from "../../sasnet/schedule.ts";
import { sdmStages, signedDistanceMap } from "../../sasnet/sdm.ts";
import { confidenceOf, createConfidenceMemory, type Visit } from "../../sasnet/confidence_memory.ts";
import { figure4, reweight, type SarOptions } from "../../sasnet/sar.ts";
import { crop, permuteAxes, randomCropPadding } from "../../volume/crop.ts";
import { largestComponent } from "../../volume/components.ts";
import { epochBatches } from "../../data/sampler.ts";
import type { Shape3, Triple } from "../../volume/volume.ts";
import type { Checks, Golden } from "./golden.ts";
import type {
  MetricsJson,
  PreprocessJson,
  SarJson,
  ScheduleJson,
  SdmJson,
  SlidingJson,
  ViewJson,
} from "./formats.ts";

const exact = { tolerance: 1e-6 };

/** Signed distance maps; the full mask has no defined answer. */
export function checkSdm(golden: Golden<SdmJson>, checks: Checks): void {
  for (const name of Object.keys(golden.json.cases)) {
    const { data: mask, shape } = golden.bytes(`${name}.mask`);
    const expected = golden.tensor(`${name}.sdm`).data;
    const boundary = golden.bytes(`${name}.boundary`).data;
    if (name === "full") continue;
    const grid = shape as unknown as Shape3;
    checks.compare(`sdm.${name}`, signedDistanceMap(mask, grid), expected, { ...exact, absolute: true });
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

/** Views by the frequency path and by the short cut. */
export function checkView(golden: Golden<ViewJson>, checks: Checks): void {
  const { json } = golden;
  for (const [name, info] of Object.entries(json.cases)) {
    const parts = name.split(".");
    const base = parts[0];
    const image = golden.tensor(`${base}.image`);
    const label = golden.bytes(`${base}.label`);
    const shape = image.shape as unknown as Shape3;
    const permutation = info.permutation;
    const expected = golden.tensor(`${name}.image`).data;
    checks.compare(`view.${name}.frequency`, viewByFrequency(image.data, shape, permutation), expected, {
      tolerance: 1e-5,
    });
    const short = permuteAxes(image.data, shape, permutation);
    checks.compare(`view.${name}.short_cut`, short.data, expected, { tolerance: 1e-5 });
    const turned = permuteAxes(label.data, shape, permutation).data;
    checks.compare(`view.${name}.label`, turned, golden.bytes(`${name}.label`).data, {
      tolerance: 0,
      absolute: true,
    });
  }
  for (const [dataset, table] of Object.entries(json.permutation)) {
    const views = datasets[datasetKey(dataset)].views;
    const ours = Object.fromEntries(views.map(({ code, permutation }) => [String(code), permutation]));
    checks.same(`view.permutation.${dataset}`, ours, table);
    const odds = views.map(({ probability }) => probability);
    checks.compare(`view.probability.${dataset}`, odds, Object.values(json.probability[dataset]), exact);
  }
  const image = golden.tensor("spectrum.image");
  const spectrum = fft3(image.data, image.shape as unknown as Shape3);
  checks.compare("view.spectrum.real", spectrum.real, golden.tensor("spectrum.real").data, {
    tolerance: 1e-5,
  });
  checks.compare("view.spectrum.imag", spectrum.imaginary, golden.tensor("spectrum.imag").data, {
    tolerance: 1e-5,
  });
}

function datasetKey(name: string): "la" | "pancreas" | "brats" {
  return name === "LA" ? "la" : name === "BraTS" ? "brats" : "pancreas";
}

/** Figure 4 and the scripted visits of the confidence memory. */
export function checkSar(golden: Golden<SarJson>, checks: Checks): void {
  const { json } = golden;
  const voxels = figure4(json.figure4.alpha);
  json.figure4.voxels.forEach((expected, i) => {
    const { sum, weightedSum, weightedForeground } = voxels[i];
    checks.compare(`sar.figure4.${i}.sum_without_sar`, sum, expected.sum_without_sar, exact);
    checks.compare(`sar.figure4.${i}.sum_with_sar`, weightedSum, expected.sum_with_sar, exact);
    const soft = expected.softmax_with[1];
    checks.compare(`sar.figure4.${i}.softmax_with`, [weightedForeground], [soft], exact);
  });
  for (const [dataset, sequence] of Object.entries(json.sequences)) {
    for (const [variant, options] of Object.entries(json.variants)) {
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

/** Ramp-up and sampling. */
export function checkSchedule(golden: Golden<ScheduleJson>, checks: Checks): void {
  const { ramp, two_stream: streams, two_stream_replay: replays } = golden.json;
  for (const [iteration, expected] of Object.entries(ramp.official)) {
    const actual = gammaRamp(Number(iteration), { stepsPerTick: 150 });
    checks.compare(`schedule.ramp.${iteration}`, [actual], [expected], { tolerance: 1e-12 });
  }
  for (const [epoch, expected] of Object.entries(ramp.paper_text_epochs.values)) {
    checks.compare(`schedule.epochs.${epoch}`, [gammaRamp(Number(epoch), { stepsPerTick: 1 })], [expected], {
      tolerance: 1e-12,
    });
  }
  checks.compare(
    "schedule.length_zero",
    [gammaRamp(5, { stepsPerTick: 150, length: 0 })],
    [ramp.length_zero],
    exact,
  );
  for (const [name, stream] of Object.entries(streams)) {
    const length = Math.floor(stream.labelled / stream.labelled_bs);
    checks.same(`schedule.two_stream.${name}`, length, stream.batches_per_epoch);
  }
  replays.forEach((replay, i) => {
    const unlabelledPerBatch = replay.unlabelled_bs;
    const labelledPerBatch = replay.batch_size - unlabelledPerBatch;
    const batches = epochBatches(replay.primary_permutation, replay.secondary_permutations, {
      labelledPerBatch,
      unlabelledPerBatch,
    });
    checks.same(`schedule.replay.${i}`, batches.map((b) => [...b.labelled, ...b.unlabelled]), replay.batches);
  });
}

/** Windows, paddings and fused scores. */
export function checkSliding(golden: Golden<SlidingJson>, checks: Checks): void {
  for (const [name, info] of Object.entries(golden.json.cases)) {
    const shape = info.shape;
    const patch = info.patch;
    const stride: Shape3 = [info.stride_xy, info.stride_xy, info.stride_z];
    const padding = windowPadding(shape, patch);
    checks.same(`sliding.${name}.pad_low`, padding.map(({ low }) => low), info.pad_low);
    checks.same(`sliding.${name}.pad_high`, padding.map(({ high }) => high), info.pad_high);
    const starts = shape.map((side, axis) =>
      windowStarts(side + padding[axis].low + padding[axis].high, patch[axis], stride[axis])
    );
    checks.same(`sliding.${name}.starts`, starts, info.starts);
    const profiles = starts.map((list, axis) => {
      const counts: number[] = new Array(info.padded_shape[axis]).fill(0);
      for (const start of list) for (let i = 0; i < patch[axis]; i++) counts[start + i]++;
      return counts;
    });
    checks.same(`sliding.${name}.count_profile`, profiles, info.count_profile);
    if (info.foreground === undefined) continue;
    const counts = profiles[0].flatMap((a) => profiles[1].flatMap((b) => profiles[2].map((c) => a * b * c)));
    checks.compare(`sliding.${name}.count`, counts, golden.integers(`${name}.count_padded`).data, {
      tolerance: 0,
    });
    const image = golden.tensor(`${name}.image`).data;
    const { score } = slidingWindow(
      image,
      shape,
      { crop: patch, stride },
      (windows, n) => toyNetwork(windows, n, patch),
    );
    checks.compare(`sliding.${name}.score`, score, golden.tensor(`${name}.score`).data, exact);
    checks.compare(`sliding.${name}.prediction`, threshold(score), golden.bytes(`${name}.prediction`).data, {
      tolerance: 0,
    });
  }
}

/** The recorded set's stand-in for a network: logits that depend on the value and the place in the window. */
function toyNetwork(windows: Float32Array, count: number, [nx, ny, nz]: Shape3): Float32Array {
  const out = new Float32Array(windows.length);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  for (let n = 0, at = 0; n < count; n++) {
    for (let a = 0; a < nx; a++) {
      for (let b = 0; b < ny; b++) {
        for (let c = 0; c < nz; c++, at++) {
          const [x, i, j, k] = [windows[at], a / nx, b / ny, c / nz];
          const high = 1.5 * x + 0.3 * i - 0.2 * j + 0.1 * k - 0.1 - 0.25 * x;
          const low = -0.7 * x + 0.2 * i + 0.4 * j - 0.5 * k + 0.05 - (-0.1 * x + 0.05);
          out[at] = (sigmoid(high) + sigmoid(low)) / 2;
        }
      }
    }
  }
  return out;
}

/** Boxes, windows, normalisation, padding. */
export function checkPreprocess(golden: Golden<PreprocessJson>, checks: Checks): void {
  const { la, pancreas, random_crop: random } = golden.json;
  la.boxes.forEach((box, i) => {
    const found = atriumBox({
      foreground: box.foreground_first_last,
      margins: box.margins,
      crop: box.size,
      shape: box.shape,
    });
    checks.same(`preprocess.la.box.${i}`, found, box.box_xyz);
  });
  const image = golden.tensor("la.image");
  const shape = image.shape as unknown as Shape3;
  golden.bytes("la.label");
  const { small } = la;
  const normalised = normaliseIntensities(image.data.slice());
  checks.compare("preprocess.la.normalised", normalised, golden.tensor("la.normalised").data, exact);
  const box = atriumBox({
    foreground: small.foreground_first_last,
    margins: small.margins,
    crop: small.size,
    shape,
  });
  checks.same("preprocess.la.small.box", box, small.box_xyz);
  const cut = (range: Range3) =>
    crop(normalised, shape, {
      start: range.map(([first]) => first) as unknown as Triple,
      size: range.map(([first, end]) => end - first) as unknown as Shape3,
    });
  checks.compare("preprocess.la.cropped_xyz", cut(box), golden.tensor("la.cropped_xyz").data, exact);
  const allSlices: Range3 = [box[0], box[1], [0, shape[2]]];
  checks.compare(
    "preprocess.la.cropped_official",
    cut(allSlices),
    golden.tensor("la.cropped_official").data,
    exact,
  );
  const scaled = windowIntensities(Float32Array.from(pancreas.hu), pancreasWindow);
  checks.same("preprocess.pancreas.window", pancreasWindow, pancreas.window);
  checks.compare("preprocess.pancreas.rescaled_0_1", scaled, pancreas.rescaled_0_1, exact);
  checks.compare(
    "preprocess.pancreas.rescaled_minus1_1",
    scaled.map((v) => 2 * v - 1),
    pancreas.rescaled_minus1_1,
    exact,
  );
  const windowed = windowIntensities(golden.tensor("pancreas.hu").data, pancreasWindow);
  checks.compare("preprocess.pancreas.rescaled", windowed, golden.tensor("pancreas.rescaled").data, exact);
  const scored = normaliseIntensities(windowed.slice());
  checks.compare("preprocess.pancreas.zscored", scored, golden.tensor("pancreas.zscored").data, exact);
  pancreas.boxes.forEach((box, i) => {
    const foreground = box.foreground_first_last;
    const [margins, size] = [box.margins, box.shape];
    checks.same(`preprocess.pancreas.box.${i}`, marginBox(foreground, margins, size), box.box_last_included);
  });
  random.cases.forEach((item, i) => {
    const [size, patch] = [item.shape, item.patch];
    const padding = randomCropPadding(size, patch);
    checks.same(`preprocess.random_crop.${i}.padding`, padding, item.pad_each_side);
    const limits = size.map((side, axis) => side + 2 * padding[axis] - patch[axis]);
    checks.same(`preprocess.random_crop.${i}.starts`, limits, item.start_exclusive_max);
  });
}
