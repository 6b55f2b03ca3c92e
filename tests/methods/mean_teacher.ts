/** Mean teacher (Tarvainen & Valpola, NeurIPS 2017), a method that is not in the paper's tables. */
import { untaped } from "../../lib/engine/tape.ts";
import { tf, tidy } from "../../lib/engine/tensor.ts";
import type { Method } from "../../lib/methods/method.ts";
import { crossEntropy, meanSquare, squaredDice } from "../../lib/methods/parts/losses.ts";
import { rampUp } from "../../lib/methods/parts/ramp.ts";
import { moveAverage, teacherMode, warmedDecay, withNoise } from "../../lib/methods/parts/teacher.ts";
import { createVNet } from "../../lib/network/segmenter.ts";
import { evaluationMode } from "../../lib/network/unit.ts";

export const meanTeacher: Method<{ readonly consistency: number; readonly decay: number }> = {
  key: "mean-teacher",
  name: "Mean teacher",
  venue: "NeurIPS 2017",
  source: "Tarvainen & Valpola",
  tables: [],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  augmentation: (dataset) => dataset.baselineAugmentation,
  defaults: () => ({ consistency: 0.1, decay: 0.99 }),
  create({ hyperparameters: { consistency, decay }, width, seed, dropout }) {
    const [student, teacher] = [createVNet({ width, seed, dropout }), createVNet({ width, seed, dropout })];
    return {
      networks: { student, teacher },
      trained: ["student"],
      loss({ images, labels, labelled }, step) {
        const mode = { training: true, updateStatistics: true, dropout: step.stream("dropout") };
        const [{ margin }] = student.forward(images, mode);
        const target = untaped(() => {
          const noisy = withNoise(images, step.stream("noise"));
          return tf.sigmoid(teacher.forward(noisy, teacherMode(step.stream("teacher")))[0].margin);
        });
        const ofLabelled = tf.slice(margin, 0, labelled);
        const weight = rampUp(step, { share: 1, ticks: 40, maximum: consistency });
        return {
          crossEntropy: { weight: 0.5, value: crossEntropy(ofLabelled, labels) },
          dice: { weight: 0.5, value: squaredDice(tf.sigmoid(ofLabelled), labels) },
          consistency: { weight, value: meanSquare(tf.sigmoid(margin), target) },
        };
      },
      afterStep: ({ iteration }) => moveAverage(teacher, student, warmedDecay(iteration, decay)),
      predict: (images) => tidy(() => tf.sigmoid(student.forward(images, evaluationMode)[0].margin)),
    };
  },
};
