/** Golden files of what comes before a step: ramp-up, sampling, boxes, windows, normalisation, padding. */
import {
  atriumBox,
  marginBox,
  normaliseIntensities,
  pancreasWindow,
  type Range3,
  windowIntensities,
} from "../../data/preprocess.ts";
import { epochBatches, stepsPerEpoch } from "../../data/sampler.ts";
import { gammaRamp } from "../../sasnet/schedule.ts";
import { crop, randomCropPadding } from "../../volume/crop.ts";
import type { Shape3, Triple } from "../../volume/volume.ts";
import type { PreprocessJson, ScheduleJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";

const exact = { tolerance: 1e-6 };

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
    const { labelled, unlabelled, labelled_bs: labelledPerBatch } = stream;
    const unlabelledPerBatch = stream.batch_size - labelledPerBatch;
    const length = stepsPerEpoch({ labelled, unlabelled, labelledPerBatch, unlabelledPerBatch });
    const seen = length * labelledPerBatch;
    const pairs: [string, number, number][] = [
      ["batches_per_epoch", length, stream.batches_per_epoch],
      ["labelled_seen", seen, stream.labelled_seen_per_epoch],
      ["labelled_left_out", labelled - seen, stream.labelled_left_out_per_epoch],
      ["unlabelled_seen", length * unlabelledPerBatch, stream.unlabelled_seen_per_epoch],
      ["max_epoch", Math.floor(40000 / length) + 1, stream.max_epoch_at_40000],
      ["iterations_for_40_epochs", 40 * length, stream.iterations_for_40_epochs],
    ];
    for (const [what, actual, expected] of pairs) {
      checks.same(`schedule.two_stream.${name}.${what}`, actual, expected);
    }
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
    checks.same(
      `preprocess.la.box_official.${i}`,
      [found[0], found[1], [0, box.shape[2]]],
      box.box_official,
    );
  });
  const image = golden.tensor("la.image");
  const shape = image.shape as unknown as Shape3;
  golden.bytes("la.label");
  const { small } = la;
  const normalised = normaliseIntensities(image.data.slice());
  checks.compare("preprocess.la.normalised", normalised, golden.tensor("la.normalised").data, exact);
  checks.compare(
    "preprocess.la.small.normalised",
    normalised,
    image.data.map((value) => (value - small.mean) / small.std_population),
    exact,
  );
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
