import { beforeAll, describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { datasets } from "../../lib/data/dataset.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { methodOf } from "../../lib/methods/mod.ts";
import { entropy, squaredDice, squaredDiceOfBoth } from "../../lib/methods/parts/losses.ts";
import { rampUp } from "../../lib/methods/parts/ramp.ts";
import { vnet } from "../../lib/methods/vnet.ts";
import { assertClose } from "../golden_set.ts";
import {
  createRun,
  crossEntropyByHand,
  noiseBatch,
  probabilitiesOf,
  squaredDiceByHand,
  stepOf,
  valuesOf,
} from "./one_step.ts";

describe("vnet", () => {
  beforeAll(async () => void await startEngine());

  it("learns half of the cross-entropy and half of the Dice loss of the labelled mini-batch", () => {
    const [run, batch] = [createRun(methodOf("vnet")), noiseBatch()];
    const terms = run.loss(batch, stepOf(1));
    assertEquals(Object.values(terms).map(({ weight }) => weight), [0.5, 0.5]);
    const p = probabilitiesOf(run, "network", tf.slice(batch.images, 0, 2));
    const values = valuesOf(run, batch, stepOf(1));
    assertAlmostEquals(values.crossEntropy, crossEntropyByHand(p, batch.labelBytes), 1e-5);
    assertAlmostEquals(values.dice, squaredDiceByHand(p, batch.labelBytes), 1e-5);
  });

  it("has the learning-rate rules of the published scripts as its own recipe", () => {
    const rules = (["la", "pancreas", "brats"] as const).map((name) =>
      vnet.nativeOptimiser!(datasets[name]).rule
    );
    assertEquals(rules, ["step", "step", "poly"]);
  });
});

describe("parts of losses", () => {
  beforeAll(async () => void await startEngine());
  const p = () => tf.tensor1d([0.9, 0.6, 0.2, 0.1]);
  const margin = () => tf.tensor1d([0.9, 0.6, 0.2, 0.1].map((p) => Math.log(p / (1 - p))));
  const y = () => tf.tensor1d([1, 1, 0, 0]);

  it("squaredDice() and squaredDiceOfBoth() give the values of the published formulae", () => {
    assertAlmostEquals(squaredDice(p(), y()).dataSync()[0], 0.068323, 1e-6);
    assertAlmostEquals(squaredDiceOfBoth(margin(), y()).dataSync()[0], 0.064548, 1e-6);
  });

  it("entropy() is in nats", () => {
    const expected = [0, 0.5, 0.7, 0.9, 1].map((p) =>
      -p * Math.log(p + 1e-6) - (1 - p) * Math.log(1 - p + 1e-6)
    );
    assertClose(entropy(tf.tensor1d([0, 0.5, 0.7, 0.9, 1])).dataSync(), expected, 1e-6);
    assertClose(expected.slice(1, 4), [0.693145, 0.610862, 0.325081], 1e-6);
  });

  it("rampUp() grows in ticks of 150 of 6,000 steps", () => {
    const at = (tick: number) =>
      rampUp({ iteration: 1 + 150 * tick, iterations: 6000 }, { share: 1, ticks: 40, maximum: 1 });
    assertClose([0, 10, 20, 30, 39, 40].map(at), [0.0067, 0.0601, 0.2865, 0.7316, 0.9969, 1], 5e-5);
  });
});
