import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { meanEntropy } from "../../lib/methods/em.ts";
import { methodOf } from "../../lib/methods/mod.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { disposeNetwork } from "../../lib/network/network.ts";
import { assertClose } from "../golden_set.ts";
import {
  createRun,
  crossEntropyByHand,
  noiseBatch,
  probabilitiesOf,
  settingOf,
  squaredDiceOfBothByHand,
  stepOf,
  valuesOf,
  voxels,
} from "./one_step.ts";

const method = methodOf("em");
const logit = (p: number) => Math.log(p / (1 - p));
const entropyByHand = (p: number) => -p * Math.log(p + 1e-6) - (1 - p) * Math.log(1 - p + 1e-6);

describe("em", () => {
  beforeAll(async () => void await startEngine());

  for (const [entropyOn, first] of [["all", 0], ["unlabelled", 2]] as const) {
    it(`adds the mean entropy of ${entropyOn} crops`, () => {
      const [run, batch] = [createRun(method, [`entropyOn=${entropyOn}`]), noiseBatch()];
      const p = probabilitiesOf(run, "network", batch.images);
      const counted = p.subarray(first * voxels);
      const mean = counted.reduce((sum, p) => sum + entropyByHand(p) / Math.LN2, 0) / counted.length;
      const values = valuesOf(run, batch, stepOf(1));
      assertAlmostEquals(values.entropy, mean, 1e-5);
      const ofLabelled = p.subarray(0, 2 * voxels);
      assertAlmostEquals(values.crossEntropy, crossEntropyByHand(ofLabelled, batch.labelBytes), 1e-5);
      assertAlmostEquals(values.dice, squaredDiceOfBothByHand(ofLabelled, batch.labelBytes), 1e-5);
    });
  }

  it("logs how much of the crops is foreground, with weight 0", () => {
    const [run, batch] = [createRun(method), noiseBatch()];
    const p = probabilitiesOf(run, "network", batch.images);
    const { foreground } = run.loss(batch, stepOf(1));
    assertEquals(foreground.weight, 0);
    assertAlmostEquals(foreground.value.dataSync()[0], p.reduce((sum, p) => sum + p, 0) / p.length, 1e-5);
  });

  it("runs on SSL4MIS's U-Net of 5,884,050 parameters, too", () => {
    const large = method.create({ ...settingOf(method, ["network=unet"]), width: 16 });
    assertEquals(complexityOf(large.networks.network, [16, 16, 16]).parameters, 5_884_050);
    disposeNetwork(large.networks.network);
    const [run, batch] = [createRun(method, ["network=unet"]), noiseBatch()];
    assert(valuesOf(run, batch, stepOf(1)).entropy > 0);
  });

  it("weights the entropy by 0.1 and a ramp over the whole run", () => {
    const run = createRun(method);
    const weights = [1, 51, 101].map((iteration) => run.loss(noiseBatch(), stepOf(iteration)).entropy.weight);
    assertClose(weights, [0.1 * Math.exp(-5), 0.1 * Math.exp(-5 / 4), 0.1], 1e-9);
  });
});

describe("meanEntropy()", () => {
  beforeAll(async () => void await startEngine());

  it("is 1 at even odds and falls with certainty", () => {
    const values = [0.5, 0.7, 0.9].map((p) => meanEntropy(tf.tensor1d([logit(p)])).dataSync()[0]);
    assertClose(values, [0.999997, 0.881288, 0.468993], 2e-6);
  });

  it("pulls a margin away from 0, by −m·p(1 − p)/ln 2", () => {
    const margins = [-2, -0.5, 0, 1];
    const margin = tf.variable(tf.tensor1d(margins));
    const { gradients } = valueAndGradients(() => ({ loss: meanEntropy(margin) }), [margin]);
    const expected = margins.map((m) => {
      const p = 1 / (1 + Math.exp(-m));
      return -m * p * (1 - p) / Math.LN2 / margins.length;
    });
    assertClose(gradients[0]!.dataSync(), expected, 1e-5);
  });
});
