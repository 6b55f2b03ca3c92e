import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { datasetOf } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { configOf } from "../../lib/training/budget.ts";
import { decodeSafetensors } from "../../lib/training/safetensors.ts";
import { train, type TrainOptions } from "../../lib/training/train.ts";

describe("the WASM engine", () => {
  const source = phantomSource({ seed: 1, train: 4, test: 1 });
  const config = configOf(datasetOf("phantom"), source, {
    method: "sasnet",
    variant: "paper",
    profile: "smoke",
    labelled: 2,
    seed: 5,
    iterations: 4,
    crop: [16, 16, 16],
    width: 2,
  });
  let root = "";
  beforeAll(async () => {
    root = await Deno.makeTempDir();
    await startEngine({ engine: "wasm" });
  });
  afterAll(() => Deno.remove(root, { recursive: true }));

  const run = async (name: string, options: Partial<TrainOptions> = {}) => {
    const result = await train(config, { source, folder: `${root}/${name}`, environment: {}, ...options });
    result.trainer.dispose();
    return result;
  };
  const weightsOf = async (name: string) => {
    const file = `${root}/${name}/checkpoint/step-000004/network.safetensors`;
    return decodeSafetensors(await Deno.readFile(file), file).tensors;
  };

  it("says that it is slow and what it is for", async () => {
    const { name, description } = await startEngine();
    assertEquals(name, "wasm");
    assertStringIncludes(description, "slow, meant for small things");
  });

  it("refuses a method with an operation that it lacks, before anything is written", async () => {
    for (const method of ["sassnet", "scc", "mrnet"]) {
      const other = { ...config, method, hyperparameters: {} };
      await assertRejects(
        () => train(other, { source, folder: `${root}/${method}`, environment: {} }),
        EnvironmentError,
        "trains on libtensorflow only",
      );
      await assertRejects(() => Deno.stat(`${root}/${method}`), Deno.errors.NotFound);
    }
  });

  it("trains, and continues an interrupted run as if it had not been", async () => {
    await run("whole");
    const abort = new AbortController();
    const onStep = ({ step }: { step: number }) => void (step === 2 && abort.abort());
    assertEquals((await run("parts", { signal: abort.signal, onStep })).step, 2);
    assertEquals((await run("parts")).resumedFrom, 2);
    assertEquals(await weightsOf("parts"), await weightsOf("whole"));
  });
});
