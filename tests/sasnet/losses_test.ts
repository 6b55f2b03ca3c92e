import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { valueAndGradients } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import {
  crossEntropy,
  diceLoss,
  pseudoLabelLoss,
  type PseudoLabelRule,
  regressionLoss,
} from "../../lib/sasnet/losses.ts";
import { assertRelToMax, needsGolden, readGolden } from "../golden_set.ts";

interface LossesJson {
  readonly T: number;
  readonly values: Readonly<Record<string, number>>;
  readonly dice_no_foreground_label: number;
}

const golden = readGolden<LossesJson>("losses");
const labelled = 2;

/** [branch, item, class, x, y, z] of the golden set. */
function logits(): tf.Tensor {
  return tf.tensor(golden.floats("logits"), [...golden.shape("logits")]);
}

/** Channel 1, or channel 1 minus channel 0, of one branch: [item, x, y, z]. */
function branchMap(all: tf.Tensor, branch: number, what: "foreground" | "margin"): tf.Tensor4D {
  const [background, foreground] = tf.unstack(tf.unstack(all)[branch], 1) as tf.Tensor4D[];
  return what === "margin" ? tf.sub(foreground, background) : foreground;
}

function labels(): tf.Tensor4D {
  return tf.tensor4d(
    Float32Array.from(golden.bytes("label")),
    golden.shape("label") as [number, number, number, number],
  );
}

type Loss = (all: tf.Tensor) => tf.Scalar;

const ofBranches = (loss: (margin: tf.Tensor4D, labels: tf.Tensor4D) => tf.Scalar): Loss => (all) =>
  tf.add(
    ...[0, 1].map((branch) => loss(tf.slice(branchMap(all, branch, "margin"), 0, labelled), labels())) as [
      tf.Scalar,
      tf.Scalar,
    ],
  );

const pseudo = (rule: PseudoLabelRule): Loss => (all) =>
  pseudoLabelLoss(branchMap(all, 0, "margin"), branchMap(all, 1, "margin"), rule, golden.json.T);

const terms: Record<string, Loss> = {
  dice: ofBranches(diceLoss),
  ce: ofBranches(crossEntropy),
  plc: pseudo("sharpened"),
  plc_detached: pseudo("detached"),
  plc_eq15: pseudo("plain"),
};

describe("the losses", needsGolden, () => {
  beforeAll(async () => void await startEngine());

  for (const [name, loss] of Object.entries(terms)) {
    it(`${name} has the recorded value and gradient`, () => {
      const all = logits();
      const { value, gradients } = valueAndGradients(() => ({ loss: loss(all) }), [all]);
      assertRelToMax(value.loss.dataSync(), [golden.json.values[name]], 1e-5, "value");
      assertRelToMax(gradients[0]!.dataSync(), golden.floats(`grad.${name}.logits`), 1e-5, "gradient");
    });
  }

  it("regressionLoss() has the recorded value and gradient", () => {
    const all = tf.tensor(golden.floats("tanh"), [...golden.shape("tanh")]);
    const sdm = tf.tensor4d(golden.floats("sdm"), golden.shape("sdm") as [number, number, number, number]);
    const part = (branch: number) => regressionLoss(branchMap(all, branch, "foreground"), sdm);
    const { value, gradients } = valueAndGradients(() => ({ loss: tf.add(part(0), part(1)) as tf.Scalar }), [
      all,
    ]);
    assertRelToMax(value.loss.dataSync(), [golden.json.values.src], 1e-5, "value");
    assertRelToMax(gradients[0]!.dataSync(), golden.floats("grad.src.tanh"), 1e-5, "gradient");
  });
});

describe("diceLoss() and crossEntropy()", () => {
  beforeAll(async () => void await startEngine());

  it("are 0 for a certain and right prediction", () => {
    const truth = tf.tensor4d([0, 1, 1, 0], [1, 2, 2, 1]);
    const margin = tf.mul(100, tf.sub(tf.mul(2, truth), 1)) as tf.Tensor4D;
    assertAlmostEquals(diceLoss(margin, truth).dataSync()[0], 0, 1e-6);
    assertAlmostEquals(crossEntropy(margin, truth).dataSync()[0], 0, 1e-6);
  });

  it("stay finite for extreme margins and an empty crop", () => {
    const empty = tf.zeros([1, 2, 2, 1]) as tf.Tensor4D;
    for (const size of [-1000, 1000]) {
      const margin = tf.fill([1, 2, 2, 1], size) as tf.Tensor4D;
      const { value, gradients } = valueAndGradients(
        () => ({ loss: tf.add(diceLoss(margin, empty), crossEntropy(margin, empty)) as tf.Scalar }),
        [margin],
      );
      assert(Number.isFinite(value.loss.dataSync()[0]));
      assert(gradients[0]!.dataSync().every(Number.isFinite));
    }
  });
});
