import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { makeBatch } from "../../lib/data/batch.ts";
import { phantom } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { augmentationOf } from "../../lib/methods/method.ts";
import { methodOf } from "../../lib/methods/mod.ts";
import { configOf } from "../../lib/training/budget.ts";
import { createTrainer } from "../../lib/training/trainer.ts";

const source = phantomSource({ seed: 3, train: 4, test: 1 });

/** Every switch of tables 4–10, and the names of the loss terms that are then left. */
const switches: readonly (readonly [settings: string[], terms: string[]])[] = [
  [[], ["dice", "crossEntropy", "pseudoLabel", "regression"]],
  [["branches=low"], ["dice", "crossEntropy", "regression"]],
  [["branches=high"], ["dice", "crossEntropy", "regression"]],
  [["lowLayers=3"], ["dice", "crossEntropy", "pseudoLabel", "regression"]],
  [["sar=false"], ["dice", "crossEntropy", "pseudoLabel", "regression"]],
  [["sdm=false"], ["dice", "crossEntropy", "pseudoLabel", "regression"]],
  [["pseudoLabels=plain"], ["dice", "crossEntropy", "pseudoLabel", "regression"]],
  [["pseudoLabelLoss=false"], ["dice", "crossEntropy", "regression"]],
  [["regressionLoss=false"], ["dice", "crossEntropy", "pseudoLabel"]],
  [["crossEntropy=false"], ["dice", "pseudoLabel", "regression"]],
  [["viewVariance=false"], ["dice", "crossEntropy", "pseudoLabel", "regression"]],
  [["sarIndex=item", "sarMemory=running"], ["dice", "crossEntropy", "pseudoLabel", "regression"]],
];

describe("sasnet", () => {
  beforeAll(async () => void await startEngine());

  for (const [settings, terms] of switches) {
    it(`trains a step with ${settings.join(", ") || "its defaults"}`, async () => {
      const config = configOf(phantom, source, {
        method: "sasnet",
        variant: "paper",
        profile: "smoke",
        labelled: 2,
        seed: 5,
        iterations: 2,
        crop: [16, 16, 16],
        width: 2,
        settings,
      });
      const method = methodOf("sasnet");
      const run = method.create({ ...config, dataset: phantom, labelledCases: 2, dropout: true });
      const trainer = createTrainer(run, config);
      const augmentation = augmentationOf(method, phantom, config.hyperparameters);
      assertEquals(augmentation, settings.includes("viewVariance=false") ? "none" : "view");
      const batch = await makeBatch(source, 0, { ...config, augmentation, views: phantom.views });
      const result = trainer.step(batch, 1);
      assertEquals(Object.keys(result.terms), terms);
      const sum = terms.reduce((total, term) => total + result.weights[term] * result.terms[term], 0);
      assert(Math.abs(sum - result.total) < 1e-5 * result.total, `${sum} and ${result.total}`);
      trainer.dispose();
    });
  }
});
