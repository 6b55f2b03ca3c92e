import { beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { type GradientRule, type Parameter, variable } from "../../lib/network/parameter.ts";
import { createAdam, createSgd } from "../../lib/training/optimiser.ts";
import { learningRateAt, type LearningRateRule, paperSgd } from "../../lib/methods/optimiser_settings.ts";
import { assertClose } from "../golden_set.ts";

function parameter(gradient: GradientRule): Parameter {
  return { name: gradient, variable: variable(tf.tensor1d([1, -2])), layout: "vector", gradient };
}

describe("createSgd()", () => {
  beforeAll(async () => void await startEngine());
  const settings = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 };

  it("steps as PyTorch does: decay in the gradient, the first velocity is the gradient", () => {
    const trained = parameter("computed");
    const sgd = createSgd([trained], settings);
    let [weight, velocity] = [1, 0];
    for (let step = 0; step < 4; step++) {
      sgd.apply([tf.tensor1d([0.5, 0.5])]);
      const slope = 0.5 + 0.01 * weight;
      velocity = step === 0 ? slope : 0.9 * velocity + slope;
      weight -= 0.1 * velocity;
      assertClose([trained.variable.dataSync()[0]], [weight], 1e-6);
    }
  });

  it("only decays a parameter whose gradient is zero and leaves an unused one alone", () => {
    const [zero, none] = [parameter("zero"), parameter("none")];
    createSgd([zero, none], settings).apply([undefined, undefined]);
    assertClose(zero.variable.dataSync(), [0.999, -1.998], 1e-6);
    assertEquals([...none.variable.dataSync()], [1, -2]);
  });

  it("keeps one velocity a parameter and no gradient", () => {
    const trained = parameter("computed");
    const sgd = createSgd([trained], settings);
    const before = tf.memory().numTensors;
    for (let step = 0; step < 5; step++) sgd.apply([tf.tensor1d([1, 1])]);
    assertEquals(tf.memory().numTensors, before + 1);
    sgd.dispose();
    assertEquals(tf.memory().numTensors, before);
  });
});

describe("createAdam()", () => {
  beforeAll(async () => void await startEngine());

  it("steps as PyTorch does: running means from zero, corrected for their start", () => {
    const trained = parameter("computed");
    const adam = createAdam([trained], { learningRate: 0.1, betas: [0.9, 0.99], weightDecay: 0.01 });
    let [weight, mean, square] = [1, 0, 0];
    for (let step = 1; step <= 4; step++) {
      adam.apply([tf.tensor1d([0.5 * step, 0.5])]);
      const slope = 0.5 * step + 0.01 * weight;
      mean = 0.9 * mean + 0.1 * slope;
      square = 0.99 * square + 0.01 * slope ** 2;
      weight -= 0.1 * (mean / (1 - 0.9 ** step)) / (Math.sqrt(square / (1 - 0.99 ** step)) + 1e-8);
      assertClose([trained.variable.dataSync()[0]], [weight], 1e-5);
    }
    adam.dispose();
  });
});

describe("learningRateAt()", () => {
  it("starts at the full rate and falls as its rule says", () => {
    const rates = (rule: LearningRateRule) =>
      [1, 2501, 5001, 6000].map((iteration) =>
        learningRateAt({ ...paperSgd, rule }, { iteration, iterations: 6000 })
      );
    assertClose(rates("constant"), [0.01, 0.01, 0.01, 0.01], 1e-12);
    assertClose(rates("step"), [0.01, 0.001, 0.0001, 0.0001], 1e-12);
    assertClose(rates("half"), [0.01, 0.01, 0.001, 0.001], 1e-12);
    assertClose(
      rates("poly"),
      [0.01, 0.01 * (7 / 12) ** 0.9, 0.01 * (1 / 6) ** 0.9, 0.01 / 6000 ** 0.9],
      1e-12,
    );
    assertClose(rates("cosine").slice(0, 1), [0.01], 1e-12);
    assertClose(rates("sixths"), [0.01, 0.0001, 0.0000001, 0.0000001], 1e-12);
  });
});
