import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { makeBatch } from "../../lib/data/batch.ts";
import { phantom } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { InputError } from "../../lib/errors.ts";
import { configOf } from "../../lib/training/budget.ts";
import type { RunConfig } from "../../lib/training/config.ts";
import { evaluateCases, loadRun } from "../../lib/training/evaluate_run.ts";
import { openRunFolder } from "../../lib/training/run_folder.ts";
import { decodeSafetensors, encodeSafetensors } from "../../lib/training/safetensors.ts";
import { train } from "../../lib/training/train.ts";
import { createTrainer } from "../../lib/training/trainer.ts";
import { methodOf } from "../../lib/methods/mod.ts";

const source = phantomSource({ seed: 3, train: 4, test: 1 });

function config(method: string, iterations: number, settings: string[] = []): RunConfig {
  return configOf(phantom, source, {
    method,
    variant: "paper",
    profile: "smoke",
    labelled: 2,
    seed: 5,
    iterations,
    crop: [16, 16, 16],
    stride: [16, 16, 16],
    width: 2,
    settings,
  });
}

/** The bytes of a run's last checkpoint, by file. */
async function checkpointOf(folder: string, step: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name } of Deno.readDir(`${folder}/checkpoint/step-${step}`)) {
    files.set(name, await Deno.readFile(`${folder}/checkpoint/step-${step}/${name}`));
  }
  return files;
}

describe("train()", () => {
  let folder = "";
  beforeAll(async () => {
    await startEngine();
    folder = await Deno.makeTempDir();
  });

  for (const method of ["sasnet", "vnet"]) {
    it(`continues ${method} bit for bit as if it had not stopped`, async () => {
      const wanted = config(method, 6);
      const whole = `${folder}/${method}-whole`;
      const parted = `${folder}/${method}-parted`;
      (await train(wanted, { source, folder: whole, environment: {} })).trainer.dispose();
      const stop = new AbortController();
      const first = await train(wanted, {
        source,
        folder: parted,
        environment: {},
        signal: stop.signal,
        onStep: ({ step }) => step === 3 && stop.abort(),
      });
      first.trainer.dispose();
      assertEquals([first.step, first.finished], [3, false]);
      const second = await train(wanted, { source, folder: parted, environment: {} });
      second.trainer.dispose();
      assertEquals([second.resumedFrom, second.finished], [3, true]);
      const [expected, actual] = [await checkpointOf(whole, "000006"), await checkpointOf(parted, "000006")];
      assertEquals([...actual.keys()].sort(), [...expected.keys()].sort());
      for (const [name, bytes] of expected) {
        assert(bytes.every((byte, i) => byte === actual.get(name)![i]), `${name} differs`);
      }
      const log = (await Deno.readTextFile(`${parted}/log.jsonl`)).trim().split("\n").map((line) =>
        JSON.parse(line)
      );
      assertEquals(log.filter(({ event }) => event === "step").map(({ step }) => step), [1, 2, 3, 4, 5, 6]);
    });
  }

  it("does nothing when the run is finished", async () => {
    const result = await train(config("vnet", 6), {
      source,
      folder: `${folder}/vnet-whole`,
      environment: {},
    });
    result.trainer.dispose();
    assertEquals([result.step, result.resumedFrom], [6, 6]);
  });

  it("refuses a folder of another run and one in use, and loses nothing", async () => {
    const path = `${folder}/vnet-whole`;
    const before = await Deno.readTextFile(`${path}/config.json`);
    await assertRejects(
      () => train(config("vnet", 7), { source, folder: path, environment: {} }),
      InputError,
      "iterations: 6 there, 7 here",
    );
    const held = await openRunFolder(path, config("vnet", 6), {});
    try {
      await assertRejects(
        () => train(config("vnet", 6), { source, folder: path, environment: {} }),
        InputError,
        "in use by another process",
      );
    } finally {
      held.close();
    }
    assertEquals(await Deno.readTextFile(`${path}/config.json`), before);
  });

  it("refuses an impossible crop before it writes anything", async () => {
    const path = `${folder}/none`;
    const wrong = { ...config("sasnet", 2), crop: [20, 16, 16] as const };
    await assertRejects(
      () => train(wrong, { source, folder: path, environment: {} }),
      InputError,
      "multiples of 16",
    );
    const huge = { ...config("sasnet", 2), crop: [1024, 1024, 1024] as const };
    await assertRejects(
      () => train(huge, { source, folder: path, environment: {} }),
      InputError,
      "GB are free",
    );
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });

  it("leaves a run that evaluates, and whose weights another network refuses by name", async () => {
    const path = `${folder}/sasnet-whole`;
    const loaded = await loadRun(path);
    const { summary } = await evaluateCases(loaded, source);
    assertEquals(summary.cases, 1);
    await Deno.writeTextFile(
      `${path}/config.json`,
      (await Deno.readTextFile(`${path}/config.json`)).replace('"width": 2', '"width": 3'),
    );
    await assertRejects(() => loadRun(path), InputError, "another network");
  });
});

describe("trainer.step()", () => {
  it("leaves no tensor behind in 50 steps", async () => {
    await startEngine();
    const wanted = config("sasnet", 50);
    const method = methodOf("sasnet");
    const run = method.create({ ...wanted, dataset: phantom, labelledCases: 2, dropout: true });
    const trainer = createTrainer(run, wanted);
    const options = { ...wanted, augmentation: "view", views: phantom.views } as const;
    const counts: number[] = [];
    for (let step = 0; step < 50; step++) {
      trainer.step(await makeBatch(source, step, options), step + 1);
      counts.push(tf.memory().numTensors);
    }
    assertEquals(counts[49], counts[0]);
    trainer.dispose();
  });

  it("trains with every switch of the tables", async () => {
    await startEngine();
    const switches = [
      ["branches=low"],
      ["branches=high"],
      ["lowLayers=3"],
      ["sar=false"],
      ["sdm=false"],
      ["pseudoLabels=plain"],
      ["pseudoLabels=detached"],
      ["pseudoLabelLoss=false"],
      ["regressionLoss=false"],
      ["sarIndex=item", "sarMemory=running"],
      ["clock=epochs"],
    ];
    for (const settings of switches) {
      const wanted = config("sasnet", 2, settings);
      const run = methodOf("sasnet").create({ ...wanted, dataset: phantom, labelledCases: 2, dropout: true });
      const trainer = createTrainer(run, wanted);
      const batch = await makeBatch(source, 0, { ...wanted, augmentation: "view", views: phantom.views });
      const { total } = trainer.step(batch, 1);
      assert(Number.isFinite(total) && total > 0, `${settings}: ${total}`);
      trainer.dispose();
    }
  });
});

describe("decodeSafetensors()", () => {
  const entries = new Map([
    ["a", { dtype: "F32" as const, shape: [2], data: Float32Array.of(1.5, -2) }],
    ["b", { dtype: "U8" as const, shape: [3], data: Uint8Array.of(1, 2, 3) }],
  ]);

  it("reads what was written", () => {
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(entries, { step: "3" }), "x");
    assertEquals([...tensors.get("a")!.data], [1.5, -2]);
    assertEquals([...tensors.get("b")!.data], [1, 2, 3]);
    assertEquals(metadata.step, "3");
  });

  it("names the file whenever it is damaged, at any length", () => {
    const bytes = encodeSafetensors(entries);
    for (let length = 0; length < bytes.length; length++) {
      try {
        decodeSafetensors(bytes.slice(0, length), "weights");
        assert(false, `length ${length} was accepted`);
      } catch (error) {
        assert(error instanceof InputError, String(error));
        assertStringIncludes(error.message, "weights");
      }
    }
  });
});
