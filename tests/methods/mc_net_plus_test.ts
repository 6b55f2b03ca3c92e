import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { mutualConsistency } from "../../lib/methods/parts/mutual_consistency.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { disposeNetwork } from "../../lib/network/network.ts";
import { assertClose, assertRelToMax } from "../golden_set.ts";
import type { VNet } from "../../lib/network/segmenter.ts";
import { finiteDifferences, randomTensor } from "../tensors.ts";
import { ballBatch, runOf, stepOf, termOf } from "./run_of.ts";

const logit = (p: number) => Math.log(p / (1 - p));

describe("mutualConsistency()", () => {
  beforeAll(async () => void await startEngine());
  const probabilities = [0.6, 0.7, 0.55];
  const sharp = [0.982954, 0.999791, 0.881499];
  const margins = () => probabilities.map((p) => tf.tensor1d([logit(p)]));

  it("adds the squared differences of all ordered pairs up", () => {
    let expected = 0;
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) if (i !== j) expected += (probabilities[i] - sharp[j]) ** 2;
    }
    for (const detached of [true, false]) {
      const value = mutualConsistency(margins(), { temperature: 0.1, detached });
      assertAlmostEquals(value.dataSync()[0], expected, 1e-5);
    }
  });

  it("lets no gradient through detached targets", () => {
    const variables = margins();
    const options = { temperature: 0.1, detached: true };
    const { gradients } = valueAndGradients(
      () => ({ loss: mutualConsistency(variables, options) }),
      variables,
    );
    probabilities.forEach((p, i) => {
      const towards = sharp.reduce((sum, s, j) => i === j ? sum : sum + 2 * (p - s), 0);
      assertAlmostEquals(gradients[i]!.dataSync()[0], towards * p * (1 - p), 1e-5);
    });
  });

  it("lets the gradient through targets that are not detached", () => {
    const [first, ...others] = ["a", "b", "c"].map((name) => randomTensor(name, [2, 6]));
    const options = { temperature: 0.5, detached: false };
    const { gradients } = valueAndGradients(
      () => ({ loss: mutualConsistency([first, ...others], options) }),
      [first],
    );
    const expected = finiteDifferences((x) => mutualConsistency([x, ...others], options), first);
    assertClose(gradients[0]!.dataSync(), expected, 1e-4);
  });
});

describe("mcNetPlus", () => {
  beforeAll(async () => void await startEngine());

  for (
    const [decoders, parameters, terms] of [
      [3, 15_246_566, ["dice", "consistency"]],
      [2, 12_347_716, ["dice", "consistency"]],
      [1, 9_448_866, ["dice"]],
    ] as const
  ) {
    it(`with ${decoders} decoders trains ${parameters} parameters and predicts with the first decoder`, () => {
      const large = runOf("mc-net-plus", [`decoders=${decoders}`], { width: 16 });
      assertEquals(complexityOf(large.networks.network, [16, 16, 16]).parameters, parameters);
      disposeNetwork(large.networks.network);
      const run = runOf("mc-net-plus", [`decoders=${decoders}`]);
      const batch = ballBatch();
      assertEquals(Object.keys(run.loss(batch, stepOf(1))), [...terms]);
      const branches = run.predictBranches!(batch.images);
      assertEquals(branches.map(({ name }) => name), [...run.branchNames!]);
      assertEquals(branches.length, decoders);
      assertEquals(run.predict(batch.images).dataSync(), branches[0].probability.dataSync());
    });
  }

  it("compares the six ordered pairs on all crops, and learns through the sharpened predictions, too", () => {
    const [run, batch] = [runOf("mc-net-plus"), ballBatch()];
    const network = run.networks.network as VNet;
    const marginsOf = () =>
      network.forward(batch.images, { training: true, updateStatistics: false }).map(({ margin }) => margin);
    const probabilities = marginsOf().map((margin) => tf.sigmoid(margin).dataSync<"float32">());
    const sharp = probabilities.map((values) => values.map((p) => p ** 10 / (p ** 10 + (1 - p) ** 10)));
    let expected = 0;
    for (const [i, j] of [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]) {
      expected += probabilities[i].reduce((sum, p, k) => sum + (p - sharp[j][k]) ** 2, 0) / (4 * 4096);
    }
    const { value, gradients } = termOf(run, "consistency", () => run.loss(batch, stepOf(100)));
    assertAlmostEquals(value, expected, 1e-4 * expected);
    const head = network.branch(0).layers.at(-1)!.parameters[0].variable;
    const of = (detached: boolean) =>
      valueAndGradients(
        () => ({ loss: mutualConsistency(marginsOf(), { temperature: 0.1, detached }) }),
        [head],
      ).gradients[0]!.dataSync();
    const found = gradients.get("network/decoder1.out_conv.weight")!;
    assertRelToMax(found, of(false), 1e-4);
    assert(found.some((gradient, i) => Math.abs(gradient - of(true)[i]) > 0.01 * Math.abs(gradient)));
  });

  it("ramps the consistency up to 1 over two fifths of the run, counting from 1", () => {
    const [run, batch] = [runOf("mc-net-plus"), ballBatch()];
    const weight = (iteration: number) => run.loss(batch, stepOf(iteration, 15000)).consistency.weight;
    const ramp = (ticks: number) => Math.exp(-5 * (1 - ticks / 40) ** 2);
    assertClose(
      [weight(149), weight(150), weight(5999), weight(6000), weight(15000)],
      [ramp(0), ramp(1), ramp(39), 1, 1],
      1e-9,
    );
  });
});
