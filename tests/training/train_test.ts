import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { datasetOf } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { InputError } from "../../lib/errors.ts";
import { configOf } from "../../lib/training/budget.ts";
import type { RunConfig } from "../../lib/training/config.ts";
import { openRunFolder, readLog } from "../../lib/training/run_folder.ts";
import { decodeSafetensors } from "../../lib/training/safetensors.ts";
import { train, type TrainOptions } from "../../lib/training/train.ts";

const source = phantomSource({ seed: 1, train: 4, test: 1 });

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
    });
  }

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
});
