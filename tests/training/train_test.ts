import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { datasetOf } from "../../lib/data/dataset.ts";
import type { CaseSource } from "../../lib/data/source.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { InputError } from "../../lib/errors.ts";
import { configOf } from "../../lib/training/budget.ts";
import { checkpointSteps } from "../../lib/training/checkpoint.ts";
import type { RunConfig } from "../../lib/training/config.ts";
import { keptCheckpoints, loadRun } from "../../lib/training/evaluate_run.ts";
import { look } from "../../lib/training/looks.ts";
import { openRunFolder, readLog } from "../../lib/training/run_folder.ts";
import { decodeSafetensors } from "../../lib/training/safetensors.ts";
import { train, type TrainOptions } from "../../lib/training/train.ts";
import { boundingBox, crop } from "../../lib/volume/crop.ts";
import type { Shape3, Volume, VoxelArray } from "../../lib/volume/volume.ts";

const phantoms = phantomSource({ seed: 1, train: 4, test: 1 });

/** Their atria alone, so that a look takes few windows. */
const source: CaseSource = {
  ...phantoms,
  async load(name) {
    const { image, label } = await phantoms.load(name);
    const size: Shape3 = [24, 24, 16];
    const { start } = boundingBox(label.data, label.shape)!;
    const cut = <T extends VoxelArray>(volume: Volume<T>): Volume<T> => ({
      ...volume,
      shape: size,
      data: crop(volume.data, volume.shape, { start, size }),
    });
    return { name, image: cut(image), label: cut(label) };
  },
};

function config(changes: Partial<Parameters<typeof configOf>[2]> = {}): RunConfig {
  return configOf(datasetOf("phantom"), source, {
    method: "sasnet",
    variant: "paper",
    profile: "smoke",
    labelled: 2,
    seed: 5,
    iterations: 6,
    crop: [16, 16, 16],
    width: 2,
    ...changes,
  });
}

describe("train()", () => {
  let root = "";
  beforeAll(async () => {
    await startEngine();
    root = await Deno.makeTempDir();
  });
  afterAll(() => Deno.remove(root, { recursive: true }));

  const run = async (name: string, options: Partial<TrainOptions> = {}, settings = config()) => {
    const result = await train(settings, { source, folder: `${root}/${name}`, environment: {}, ...options });
    result.trainer.dispose();
    return result;
  };
  const stateOf = async (name: string) => {
    const folder = `${root}/${name}/checkpoint/step-000006`;
    const files = await Promise.all(
      ["network", "training"].map(async (file) =>
        decodeSafetensors(await Deno.readFile(`${folder}/${file}.safetensors`), file)
      ),
    );
    return files.map(({ tensors }) => tensors);
  };

  /** The size of the TensorBoard file, which holds the steps that the log holds. */
  const eventBytes = async (name: string) =>
    (await Deno.stat(`${root}/${name}/events.out.tfevents.0.training`)).size;

  for (const variant of ["paper", "official"] as const) {
    it(`continues an interrupted run as if it had not been, ${variant}`, async () => {
      const settings = config({ variant });
      await run(`whole-${variant}`, {}, settings);
      const abort = new AbortController();
      const onStep = ({ step }: { step: number }) => void (step === 3 && abort.abort());
      const first = await run(`parts-${variant}`, { signal: abort.signal, onStep }, settings);
      assertEquals([first.step, first.finished], [3, false]);
      const second = await run(`parts-${variant}`, {}, settings);
      assertEquals([second.step, second.finished, second.resumedFrom], [6, true, 3]);
      const [weights, training] = await stateOf(`parts-${variant}`);
      // Weights, running statistics, velocities and SAR's memory, bit for bit.
      assertEquals([weights, training], await stateOf(`whole-${variant}`));
      const kinds = [...training.keys()].map((name) => name.split(".").slice(0, 2).join("."));
      assertEquals(kinds.includes("state.confidence"), true);
      const totals = async (name: string) =>
        (await readLog(`${root}/${name}`)).map(({ step, total }) => [step, total]);
      assertEquals(await totals(`parts-${variant}`), await totals(`whole-${variant}`));
      assertEquals(await eventBytes(`parts-${variant}`), await eventBytes(`whole-${variant}`));
    });
  }

  it("saves where it is interrupted, also when the log is written at every step", async () => {
    const abort = new AbortController();
    const onStep = ({ step }: { step: number }) => void (step === 2 && abort.abort());
    // No time at all has to pass between two writes, as with slow steps.
    const slow = { logMilliseconds: -1 };
    assertEquals((await run("slow", { ...slow, signal: abort.signal, onStep })).step, 2);
    assertEquals((await run("slow", slow)).resumedFrom, 2);
    assertEquals(await stateOf("slow"), await stateOf("whole-paper"));
  });

  const choosing = config({ select: ["validation", "test"], selectEvery: 2, validationCases: 1 });
  const looksOf = async (name: string) =>
    (await readLog(`${root}/${name}`)).filter(({ event }) => event === "evaluation")
      .map(({ step, values }) => ({ step, values }));

  it("looks at other cases without any change of the training, and keeps the best checkpoints", async () => {
    await run("whole-paper-again");
    await run("choosing", {}, choosing);
    assertEquals(await stateOf("choosing"), await stateOf("whole-paper-again"));
    const looks = await looksOf("choosing");
    assertEquals(looks.map(({ step }) => step), [2, 4, 6]);
    const best = (key: string) => {
      const values = looks.map(({ values }) => values![key]);
      return looks[values.indexOf(Math.max(...values))].step;
    };
    const kept = await keptCheckpoints(`${root}/choosing`);
    assertEquals(kept.get("validation"), best("validation.dice"));
    assertEquals(kept.get("best-on-test"), best("test.dice"));
    assertEquals(kept.get("last"), 6);
    const chosen = new Set([best("validation.dice"), best("test.dice")]);
    assertEquals(new Set(await checkpointSteps(`${root}/choosing/best`)), chosen);
  });

  it("looks again where it was interrupted in a look, and chooses as if it had not been", async () => {
    await run("choosing-whole", {}, choosing);
    for (const at of [2, 6]) {
      const name = `choosing-parts-${at}`;
      const abort = new AbortController();
      // The abort comes when the first case of the look is done.
      const draw = (step: number) => {
        if (step === at) abort.abort();
        return Promise.resolve(undefined);
      };
      const first = await run(name, { signal: abort.signal, draw }, choosing);
      assertEquals([first.step, first.finished], [at, false]);
      const second = await run(name, {}, choosing);
      assertEquals([second.finished, second.resumedFrom], [true, at]);
      assertEquals(await stateOf(name), await stateOf("choosing-whole"));
      assertEquals(await looksOf(name), await looksOf("choosing-whole"));
      const steps = async (run: string) => new Set(await checkpointSteps(`${root}/${run}/best`));
      assertEquals(await steps(name), await steps("choosing-whole"));
    }
  });

  it("measures the checkpoint that each rule names", async () => {
    await run("measured", {}, choosing);
    for (const rule of ["last", "best-on-test", "validation"] as const) {
      const loaded = await loadRun(`${root}/measured`, rule);
      const { selection } = loaded.config;
      const seen = await look(loaded.run, { config: loaded.config, selection: selection! }, { source });
      const looks = await looksOf("measured");
      assertEquals(seen, looks.find(({ step }) => step === loaded.step)!.values);
    }
    await run("unmeasured");
    await assertRejects(() => loadRun(`${root}/unmeasured`, "validation"), InputError, "--select validation");
  });

  it("chooses on the data set's validation cases, or on training cases behind the labelled ones", () => {
    const chosen = (changes: Partial<Parameters<typeof configOf>[2]>, validation?: string[]) =>
      configOf(datasetOf("phantom"), { ...source, ...(validation && { validation }) }, {
        ...{ method: "sasnet", variant: "paper", profile: "smoke", labelled: 2, seed: 5 },
        ...changes,
      }).selection?.validation;
    const select = ["validation"] as const;
    assertEquals(chosen({}), undefined);
    assertEquals(chosen({ select, validationCases: 1 }), [source.train[2]]);
    assertEquals(chosen({ select }, ["v", "w"]), ["v", "w"]);
    assertEquals(chosen({ select: ["validation", "test"], labelled: 4 }), []);
    assertThrows(
      () => chosen({ select, labelled: 4 }),
      InputError,
      "all of its 4 training cases are labelled",
    );
  });

  it("continues TensorBoard's file where it was torn, and makes it anew where it is missing", async () => {
    await run("events-whole");
    for (const damage of ["torn", "missing"]) {
      const name = `events-${damage}`;
      const abort = new AbortController();
      await run(name, { signal: abort.signal, onStep: ({ step }) => void (step === 3 && abort.abort()) });
      const path = `${root}/${name}/events.out.tfevents.0.training`;
      if (damage === "missing") await Deno.remove(path);
      else await Deno.writeFile(path, new Uint8Array(30), { append: true });
      await run(name);
      assertEquals(await eventBytes(name), await eventBytes("events-whole"));
    }
  });

  it("changes nothing in a finished run", async () => {
    await run("finished");
    const before = await stateOf("finished");
    const again = await run("finished");
    assertEquals([again.resumedFrom, again.finished], [6, true]);
    assertEquals(await stateOf("finished"), before);
  });

  it("holds no more tensors after 50 steps than after 2", async () => {
    const counts: number[] = [];
    const start = tf.memory().numTensors;
    await run(
      "long",
      { onStep: () => void counts.push(tf.memory().numTensors) },
      config({ iterations: 50, width: 1 }),
    );
    assertEquals(counts[49], counts[1]);
    assertEquals(tf.memory().numTensors, start);
  });

  it("refuses the folder of a run with other settings and names the first difference", async () => {
    await run("other");
    await assertRejects(() => run("other", {}, config({ seed: 6 })), InputError, "seed: 5 there, 6 here");
  });

  it("refuses a folder that another process is using", async () => {
    const name = "busy";
    const settings = config();
    const open = await openRunFolder(`${root}/${name}`, settings, {});
    const module = new URL("../../lib/training/run_folder.ts", import.meta.url).href;
    const code = `import { openRunFolder } from "${module}";
      try { await openRunFolder(${JSON.stringify(open.path)}, ${JSON.stringify(settings)}, {}); }
      catch (error) { Deno.stdout.writeSync(new TextEncoder().encode(error.name + ": " + error.message)); }`;
    await Deno.writeTextFile(`${root}/second.ts`, code);
    const args = ["run", "-A", "--no-check", `${root}/second.ts`];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
    open.close();
    assertEquals(
      new TextDecoder().decode(stdout),
      `InputError: ${open.path} is in use by another process; wait for it or choose another folder with --run`,
    );
  });

  it("refuses a crop that cannot be halved four times and too few labelled cases", async () => {
    await assertRejects(() => run("odd", {}, config({ crop: [24, 24, 16] })), InputError, "multiples of 16");
    await assertRejects(() => run("few", {}, config({ labelled: 1 })), InputError, "expected 2 to 4");
  });

  it("refuses, before anything is written, what a method cannot run with, and says why", async () => {
    const cases: [RunConfig, string][] = [
      [
        config({ method: "ua-mt", labelled: 4 }),
        "UA-MT learns from unlabelled cases, and --labelled 4 leaves none",
      ],
      [config({ method: "midss", crop: [256, 256, 16] }), "MiDSS cannot run: its boxes"],
      [
        { ...config({ method: "bcp", labelled: 3 }), labelledPerBatch: 3 },
        "BCP cannot run: it mixes one half",
      ],
    ];
    for (const [settings, message] of cases) {
      await assertRejects(() => run("refused", {}, settings), InputError, message);
    }
    assertEquals([...Deno.readDirSync(root)].filter(({ name }) => name === "refused"), []);
  });
});
