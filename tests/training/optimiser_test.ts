import { beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { type GradientRule, type Parameter, variable } from "../../lib/network/parameter.ts";
import { createSgd } from "../../lib/training/optimiser.ts";
import { assertClose } from "../golden_set.ts";

describe("createSgd()", () => {
  beforeAll(async () => void await startEngine());
  const settings = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 };
  const parameter = (gradient: GradientRule): Parameter => ({
    name: gradient,
    variable: variable(tf.tensor1d([1, -2])),
    layout: "vector",
    gradient,
  });

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
