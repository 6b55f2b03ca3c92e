import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { makeBatch } from "../../lib/data/batch.ts";
import { phantom } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { setMemoryPolicy } from "../../lib/engine/memory_policy.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { methodOf } from "../../lib/methods/mod.ts";
import { buffersOf, parametersOf } from "../../lib/network/network.ts";
import { configOf } from "../../lib/training/budget.ts";
import { createTrainer } from "../../lib/training/trainer.ts";
import { assertClose } from "../golden_set.ts";

const source = phantomSource({ seed: 3, train: 4, test: 1 });

describe("setMemoryPolicy()", () => {
  beforeAll(async () => void await startEngine());
  afterAll(() => setMemoryPolicy("normal"));

  it("gives the same losses, weights and running statistics, and leaves no tensor", async () => {
    const config = configOf(phantom, source, {
      method: "sasnet",
      variant: "paper",
      profile: "smoke",
      labelled: 2,
      seed: 5,
      iterations: 3,
      crop: [32, 32, 16],
      width: 2,
    });
    const train = async (policy: "normal" | "low") => {
      setMemoryPolicy(policy);
      const run = methodOf("sasnet").create({ ...config, dataset: phantom, labelledCases: 2, dropout: true });
      const trainer = createTrainer(run, config);
      const losses: number[] = [];
      const tensors: number[] = [];
      for (let step = 0; step < 3; step++) {
        const batch = await makeBatch(source, step, {
          ...config,
          augmentation: "view",
          views: phantom.views,
        });
        losses.push(trainer.step(batch, step + 1).total);
        tensors.push(tf.memory().numTensors);
      }
      const { network } = run.networks;
      const state = [...parametersOf(network), ...buffersOf(network)].map(({ variable }) =>
        variable.dataSync<"float32">().slice()
      );
      trainer.dispose();
      return { losses, tensors, state };
    };
    const [normal, low] = [await train("normal"), await train("low")];
    assertClose(low.losses, normal.losses, 1e-5);
    // The last bit may differ: a segment starts from activations that were computed again.
    assertClose(low.losses, normal.losses, 1e-5);
    low.state.forEach((values, i) => assertClose(values, [...normal.state[i]], 1e-4));
    assertEquals(low.tensors[2], low.tensors[1]);
    assert(normal.losses[0] !== normal.losses[2]);
  });
});
