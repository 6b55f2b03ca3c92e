/** Mean teacher (Tarvainen & Valpola, NeurIPS 2017), a method that is not in the paper's tables. */
import { untaped } from "../../lib/engine/tape.ts";
import { tf } from "../../lib/engine/tensor.ts";
import type { Method } from "../../lib/methods/method.ts";
import { crossEntropy, meanSquare, squaredDiceOfBoth } from "../../lib/methods/parts/losses.ts";
import { foregroundOf, trainingMode } from "../../lib/methods/parts/passes.ts";
import { rampUp } from "../../lib/methods/parts/ramp.ts";
import { moveAverage, teacherMode, warmedDecay, withNoise } from "../../lib/methods/parts/teacher.ts";
import { createVNet } from "../../lib/network/segmenter.ts";

export const meanTeacher: Method<{ readonly consistency: number; readonly decay: number }> = {
  key: "mean-teacher",
  name: "Mean teacher",
  venue: "NeurIPS 2017",
  source: "Tarvainen & Valpola",
  tables: [],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  defaults: () => ({ consistency: 0.1, decay: 0.99 }),
  create({ hyperparameters: { consistency, decay }, width, seed, dropout }) {
    const [student, teacher] = [createVNet({ width, seed, dropout }), createVNet({ width, seed, dropout })];
    return {
      networks: { student, teacher },
      trained: ["student"],
      loss({ images, labels, labelled }, step) {
        const [{ margin }] = student.forward(images, trainingMode(step));
        const view = withNoise(images, step.stream("noise"));
        const target = untaped(() => foregroundOf(teacher, view, teacherMode(step.stream("teacher"))));
        const weight = rampUp(step, { share: 1, ticks: 40, maximum: consistency });
        return {
          crossEntropy: { weight: 0.5, value: crossEntropy(tf.slice(margin, 0, labelled), labels) },
          dice: { weight: 0.5, value: squaredDiceOfBoth(tf.slice(margin, 0, labelled), labels) },
          consistency: { weight, value: meanSquare(tf.sigmoid(margin), target) },
        };
      },
      afterStep: ({ iteration }) => moveAverage(teacher, student, warmedDecay(iteration, decay)),
      predict: (images) => foregroundOf(student, images),
    };
  },
};
