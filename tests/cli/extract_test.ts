import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  branchesAndViews,
  comparedCases,
  type Extraction,
  predictedMask,
} from "../../lib/cli/extract/cases.ts";
import { decoderFeatures } from "../../lib/cli/extract/features.ts";
import { trainingMoment } from "../../lib/cli/extract/moment.ts";
import { makeBatch } from "../../lib/data/batch.ts";
import { phantom } from "../../lib/data/dataset.ts";
import type { Case, CaseSource } from "../../lib/data/source.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { InputError } from "../../lib/errors.ts";
import { compareMasks } from "../../lib/evaluation/metrics.ts";
import type { SasNetRun } from "../../lib/methods/sasnet.ts";
import { paperSgd } from "../../lib/methods/optimiser_settings.ts";
import { sigmoid, weigh } from "../../lib/sasnet/sar.ts";
import type { RunConfig } from "../../lib/training/config.ts";
import { createTrainer } from "../../lib/training/trainer.ts";
import { crop as cutWindow } from "../../lib/volume/crop.ts";
import type { Shape3, Volume } from "../../lib/volume/volume.ts";
import { perCaseCsv, summarise } from "../../lib/evaluation/summary.ts";
import { choiceOf } from "../../lib/experiments/choice.ts";
import type { PaperFigure } from "../../lib/experiments/item.ts";
import { itemsOf } from "../../lib/experiments/items.ts";
import { writeRecord } from "../../lib/experiments/record.ts";
import { recordOfRun } from "../../lib/experiments/record_of_run.ts";
import { caseResult } from "../experiments/runs.ts";
import { runKit } from "../kit.ts";
import { runOf } from "../methods/run_of.ts";

const crop: Shape3 = [32, 32, 16];
const whole = phantomSource({ seed: 4, train: 4, test: 3 });

/** Phantoms of which only the middle is kept: windows and views of it take little time. */
const source: CaseSource = {
  ...whole,
  async load(name) {
    const { image, label } = await whole.load(name);
    const box = { start: [24, 18, 12] as const, size: [38, 34, 20] as const };
    const cut = <T extends Float32Array | Uint8Array>(volume: Volume<T>): Volume<T> => ({
      ...volume,
      shape: box.size,
      data: cutWindow(volume.data, volume.shape, box),
    });
    return { name, image: cut(image), label: cut(label) } as Case;
  },
};

/** SASNet of width 2 after some steps; nothing of it is good, all of it is consistent. */
async function trained(settings: readonly string[], steps: number): Promise<Extraction> {
  const run = runOf("sasnet", settings, { crop });
  const trainer = createTrainer(run, { seed: 5, iterations: steps, crop, optimiser: paperSgd });
  const batch = { seed: 5, labelled: 2, crop, augmentation: "view", views: phantom.views } as const;
  for (let step = 0; step < steps; step++) trainer.step(await makeBatch(source, step, batch), step + 1);
  const config: RunConfig = {
    ...{
      method: "sasnet",
      variant: "paper",
      dataset: "phantom",
      profile: "smoke",
      labelled: 2,
      seed: 5,
    } as const,
    ...{ train: source.train, test: source.test, iterations: steps, width: 2, crop, stride: crop },
    ...{ labelledPerBatch: 2, unlabelledPerBatch: 2, optimiser: paperSgd, hyperparameters: { alpha: 0.5 } },
  };
  return {
    loaded: { run, config, step: steps, rule: "last" },
    source,
    signal: new AbortController().signal,
    ensembles: new Map(),
  };
}

describe("extraction of figure data", () => {
  let extraction: Extraction;
  const run = () => extraction.loaded.run as SasNetRun;
  beforeAll(async () => {
    await startEngine();
    extraction = await trained([], 6);
  });

  it("takes predictions whose Dice is that of their masks, and views on the volume's own grid", async () => {
    const { cases: [{ shape, truth, predictions, slice, image }] } = await branchesAndViews(extraction);
    assertEquals(predictions.map(({ name }) => name), ["ensemble", "high", "low", "xyz", "yxz", "zyx"]);
    for (const { mask, dice, probability } of predictions) {
      assertEquals(mask.length, shape[0] * shape[1] * shape[2]);
      assertEquals(dice, compareMasks(mask, truth, shape).dice);
      assertEquals([probability.width, probability.height], [image.width, image.height]);
      const at = (x: number, y: number) => mask[(x * shape[1] + y) * shape[2] + slice];
      for (let i = 0; i < probability.data.length; i += 7) {
        const [x, y] = [i % probability.width, Math.floor(i / probability.width)];
        assertEquals(at(x, y), probability.data[i] > 0.5 ? 1 : 0);
      }
    }
    assertEquals(predictions[3].mask, predictions[0].mask);
    const mean = predictions[1].probability.data.map((p, i) => (p + predictions[2].probability.data[i]) / 2);
    mean.forEach((p, i) => assertAlmostEquals(p, predictions[0].probability.data[i], 1e-5));
  });

  it("takes the first and the middle test case, and predicts a case once", async () => {
    const { cases } = await comparedCases(extraction);
    const predicted = extraction.ensembles.get(source.test[0]);
    assertEquals(cases.map((one) => one.case), [source.test[0], source.test[1]]);
    const { case: stored, mask } = await predictedMask(extraction);
    assertEquals([stored.case, mask], [source.test[0], cases[0].predictions[0].mask]);
    assert(predicted !== undefined && extraction.ensembles.get(source.test[0]) === predicted);
  });

  it("takes a moment of SAR whose maps follow equations 4 to 8", async () => {
    const { high, low, truth, ensemble, mean, alpha, visited, sdm } = await trainingMoment(extraction, run());
    assert(visited > 0 && visited <= 1);
    assert(sdm.data.every((value) => Math.abs(value) <= 1));
    truth.data.forEach((label, i) => {
      for (const { probability, last, before, weighted, confidence } of [high, low]) {
        const remembered = (last.data[i] + before.data[i]) / 2;
        assertAlmostEquals(weighted.data[i], weigh(probability.data[i], remembered, alpha), 1e-4);
        assertAlmostEquals(
          confidence.data[i],
          label === 1 ? probability.data[i] : 1 - probability.data[i],
          1e-6,
        );
      }
      const margin = [high, low].reduce(
        (sum, { probability, last, before }) =>
          sum + (1 + alpha * (last.data[i] + before.data[i]) / 2) * (2 * probability.data[i] - 1),
        0,
      );
      assertAlmostEquals(ensemble.data[i], sigmoid(margin), 1e-4);
      assertAlmostEquals(mean.data[i], (high.probability.data[i] + low.probability.data[i]) / 2, 1e-6);
    });
  });

  it("takes the middle blocks of both decoders, the channels that vary most first", async () => {
    const { branches } = await decoderFeatures(extraction, run());
    assertEquals(branches.map(({ name }) => name), ["high", "low"]);
    for (const { blocks } of branches) {
      assertEquals(blocks.map(({ grid, channels }) => [...grid, channels]), [[8, 8, 4, 8], [16, 16, 8, 4]]);
      for (const { strongest, mean } of blocks) {
        assertEquals(new Set(strongest.map(({ channel }) => channel)).size, 3);
        assert(mean.data.every((value) => value >= 0) && mean.data.some((value) => value > 0));
      }
    }
  });

  it("refuses a run without SAR's memory in one line", async () => {
    const single = await trained(["branches=low", "sar=false", "pseudoLabelLoss=false"], 1);
    await assertRejects(
      () => trainingMoment(single, single.loaded.run as SasNetRun),
      InputError,
      "no memory of SAR",
    );
    assertEquals((await branchesAndViews(single)).cases[0].predictions.length, 1);
  });
});

describe("extract, then report", () => {
  it("draws figures of a trained run, with stand-in, seed, checkpoint and command in the caption", async () => {
    const root = await Deno.makeTempDir();
    try {
      const run = `${root}/runs/small`;
      const results = `${root}/results`;
      const small = ["--labelled", "4", "--width", "2", "--iterations", "4"];
      assertEquals((await runKit(["train", "--method", "sasnet", ...small, "--run", run])).code, 0);
      await writeEvaluations(run);
      const [item] = itemsOf(["figure5"]) as PaperFigure[];
      const scale = { profile: "smoke", variant: "paper", standIn: false } as const;
      const choice = choiceOf(item.runs[0].run, 1337, scale);
      const record = await recordOfRun(run, choice, { evaluateSeconds: null, peakBytes: null });
      assertEquals(Object.keys(record.curve.values ?? {}).length, 4);
      await writeRecord(`${results}/records`, record);

      const extracted = await runKit(["extract", run, "figure3", "figure5", "--results", results]);
      assertEquals(extracted.code, 0, extracted.stderr);
      const study = await runKit([
        "study",
        "figure3",
        "figure5",
        "--results",
        results,
        "--runs",
        `${root}/runs`,
      ]);
      assertEquals(study.code, 0);
      assertStringIncludes(study.stdout, "all 1 runs are present");
      assert(!study.stdout.includes("to be extracted"), study.stdout);
      const report = await runKit(["report", "figure3", "figure5", "--results", results]);
      assertEquals(report.code, 0, report.stderr);
      assertStringIncludes(report.stdout, "figure5     1 of 1 runs present, data of 1");
      const page = await Deno.readTextFile(`${results}/figure5/index.html`);
      for (
        const text of [
          "profile smoke, seed 1337, last checkpoint (step 4)",
          "Phantom (plain synthetic left atrium) stands in for LA",
          "task study figure5 --profile smoke --seeds 1337",
        ]
      ) assertStringIncludes(page, text);
      const png = await Deno.readFile(`${results}/figure3/figure3.png`);
      const svg = await Deno.readTextFile(`${results}/figure3/figure3.svg`);
      const points = Number(/width="([\d.]+)pt"/.exec(svg)![1]);
      assertEquals(new DataView(png.buffer).getUint32(16), Math.round(points / 72 * 300));

      const path = `${results}/figures/figure5/small.json`;
      await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace('"step":4', '"step":5'));
      const edited = await runKit(["report", "figure5", "--results", results]);
      assertStringIncludes(edited.stderr, `not used: ${path}: its content hash does not fit`);
      assertStringIncludes(edited.stdout, "data of 0");
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
});

/** The evaluations that a record needs, with made-up cases: no figure shows them. */
async function writeEvaluations(run: string): Promise<void> {
  const { test } = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
  const results = test.map((name: string) => caseResult(name, 0.5));
  const summary = { checkpoint: { rule: "last", step: 4 }, metrics: "medpy", ...summarise(results) };
  await Deno.writeTextFile(`${run}/per_case.csv`, perCaseCsv(results));
  await Deno.writeTextFile(`${run}/summary.json`, JSON.stringify(summary));
}
