import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import type { Discriminator } from "../../lib/network/discriminator.ts";
import type { VNet } from "../../lib/network/segmenter.ts";
import { evaluationMode } from "../../lib/network/unit.ts";
import { ballBatch, runOf, stepOf, termOf } from "./run_of.ts";

const trainMode = { training: true, updateStatistics: false };
const softplus = (x: number) => Math.log1p(Math.exp(x));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function parts() {
  const run = runOf("sassnet");
  const network = run.networks.network as VNet;
  const discriminator = run.networks.discriminator as Discriminator;
  return { run, network, discriminator, batch: ballBatch() };
}

describe("sassnet", () => {
  beforeAll(async () => void await startEngine());

  it("asks that the discriminator takes unlabelled crops, seen in training mode, for labelled ones", () => {
    const { run, network, discriminator, batch } = parts();
    const [{ distance }] = network.forward(batch.images, trainMode);
    const margins = discriminator.margin(distance!, batch.images).dataSync();
    const { value, gradients } = termOf(run, "adversarial", () => run.loss(batch, stepOf(100)));
    assertAlmostEquals(value, mean([margins[2], margins[3]].map((margin) => softplus(-margin))), 1e-5);
    assert(gradients.has("network/out_conv.weight") && gradients.has("network/block_one.conv.0.weight"));
    assert(!gradients.has("network/out_conv2.weight"), "the segmenting head learns from the distances");
  });

  it("teaches the discriminator, and it alone, what is labelled, from maps in evaluation mode", () => {
    const { run, network, discriminator, batch } = parts();
    const [objective] = run.further!;
    assertEquals(objective.trains, ["discriminator"]);
    const [{ distance }] = network.forward(batch.images, evaluationMode);
    const margins = discriminator.margin(distance!, batch.images).dataSync();
    const expected = mean([...margins].map((margin, item) => softplus(item < 2 ? -margin : margin)));
    const { value, gradients } = termOf(run, "crossEntropy", () => objective.loss(batch, stepOf(1), 0));
    assertAlmostEquals(value, expected, 1e-5);
    assertEquals(gradients.size, 12);
    assert(
      [...gradients.keys()].every((key) => key.startsWith("discriminator/")),
      `${[...gradients.keys()]}`,
    );
  });

  it("drops the discriminator's channels out in its own steps", () => {
    const { run, batch } = parts();
    const dropping = runOf("sassnet", [], { dropout: true });
    const own = (which: typeof run) =>
      which.further![0].loss(batch, stepOf(1), 0).crossEntropy.value.dataSync()[0];
    assert(Math.abs(own(run) - own(dropping)) > 1e-9);
    assertEquals(own(dropping), own(dropping));
  });

  it("weights the adversarial loss by 0.015 with the fewest labels and by 0.01 with more, at the end", () => {
    const batch = ballBatch();
    const weight = (labelledCases: number, iteration: number) =>
      runOf("sassnet", [], { labelledCases }).loss(batch, stepOf(iteration, 4000)).adversarial.weight;
    const end = Math.exp(-5 * (1 / 40) ** 2);
    assertAlmostEquals(weight(2, 4000), 0.015 * end, 1e-9);
    assertAlmostEquals(weight(4, 4000), 0.01 * end, 1e-9);
    assertAlmostEquals(weight(4, 1), 0.01 * Math.exp(-5), 1e-9);
  });

  it("predicts with the segmenting head alone", () => {
    const { run, network, batch } = parts();
    const [{ margin }] = network.forward(batch.images, evaluationMode);
    assertEquals(run.predict(batch.images).dataSync(), tf.sigmoid(margin).dataSync());
  });
});
