/** Loss terms and their gradients. */
import { valueAndGradients } from "../../engine/tape.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import {
  crossEntropy,
  diceLoss,
  pseudoLabelLoss,
  type PseudoLabelRule,
  regressionLoss,
} from "../../sasnet/losses.ts";
import { gammaRamp } from "../../sasnet/schedule.ts";
import type { LossesJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";

/** Loss terms and their gradients by logits and regressions. */
export function checkLosses(golden: Golden<LossesJson>, checks: Checks): void {
  tidy(() => {
    const { json } = golden;
    const logits = golden.tensor("logits");
    const [branches, items, , ...grid] = logits.shape;
    const all = tf.tensor(logits.data, [...logits.shape]);
    const regression = golden.tensor("tanh");
    const tanh = tf.tensor(regression.data, [...regression.shape]);
    const label = golden.bytes("label");
    const labels = tf.tensor4d(
      Float32Array.from(label.data),
      label.shape as [number, number, number, number],
    );
    const labelled = label.shape[0];
    const sdm = tf.tensor4d(golden.tensor("sdm").data, [items, ...grid] as [number, number, number, number]);

    const marginsOf = (x: tf.Tensor) => {
      const [background, foreground] = tf.unstack(x, 2);
      return tf.unstack(tf.sub(foreground, background)) as tf.Tensor4D[];
    };
    const sum = (parts: tf.Scalar[]) => tf.addN(parts) as tf.Scalar;
    const ofLabelled = (x: tf.Tensor) => marginsOf(x).map((margin) => tf.slice(margin, 0, labelled));
    const plc = (x: tf.Tensor, rule: PseudoLabelRule) => {
      const [high, low] = marginsOf(x);
      return pseudoLabelLoss(high, low, rule, json.T);
    };
    const dice = (x: tf.Tensor) => sum(ofLabelled(x).map((margin) => diceLoss(margin, labels)));
    const ce = (x: tf.Tensor) => sum(ofLabelled(x).map((margin) => crossEntropy(margin, labels)));
    const src = (t: tf.Tensor) =>
      sum(
        (tf.unstack(t) as tf.Tensor5D[]).map((branch) =>
          regressionLoss(tf.unstack(branch, 1)[1] as tf.Tensor4D, sdm)
        ),
      );
    const total = (x: tf.Tensor, t: tf.Tensor, variant: string, iteration: number) => {
      const gamma = gammaRamp(iteration, { stepsPerTick: 150 });
      const supervised = variant === "paper" ? tf.add(dice(x), ce(x)) : dice(x);
      return tf.add(
        tf.mul(supervised, json.beta),
        tf.mul(tf.add(plc(x, "sharpened"), src(t)), gamma),
      ) as tf.Scalar;
    };
    const terms: Record<string, (x: tf.Tensor, t: tf.Tensor) => tf.Scalar> = {
      dice: (x) => dice(x),
      ce: (x) => ce(x),
      plc: (x) => plc(x, "sharpened"),
      plc_detached: (x) => plc(x, "detached"),
      plc_eq15: (x) => plc(x, "plain"),
      src: (_x, t) => src(t),
      dice_high: (x) => diceLoss(ofLabelled(x)[0], labels),
      ce_high: (x) => crossEntropy(ofLabelled(x)[0], labels),
    };
    for (const [name, expected] of Object.entries(json.values)) {
      const [kind, variant, iteration] = name.split(".");
      const term = kind === "total"
        ? (x: tf.Tensor, t: tf.Tensor) => total(x, t, variant, Number(iteration))
        : terms[name];
      // The two halves of plc are recorded for readers; their sum is what is computed.
      if (/_vs_sharp_/.test(name)) continue;
      if (term === undefined) {
        checks.fail(`losses.${name}: not known`);
        continue;
      }
      const { value, gradients } = valueAndGradients(() => ({ loss: term(all, tanh) }), [all, tanh]);
      const tolerance = { tolerance: 1e-5, variant: variant ?? "" };
      checks.compare(`losses.${name}`, value.loss.dataSync(), [expected], tolerance);
      ["logits", "tanh"].forEach((input, i) => {
        const tensor = `grad.${name}.${input}`;
        if (golden.has(tensor)) {
          checks.compare(`losses.${tensor}`, gradients[i]!.dataSync(), golden.tensor(tensor).data, tolerance);
        }
      });
    }
    for (const tensor of Object.keys(json.float32_vs_float64.grads)) {
      if (!golden.has(tensor)) checks.fail(`losses.${tensor}: missing`);
    }
    const empty = golden.tensor("dice_empty.logits");
    const [background, foreground] = tf.unstack(tf.tensor(empty.data, [...empty.shape]), 1);
    const margin = tf.sub(foreground, background) as tf.Tensor4D;
    const none = diceLoss(margin, tf.zerosLike(margin)).dataSync();
    checks.compare("losses.dice_no_foreground_label", none, [json.dice_no_foreground_label], {
      tolerance: 1e-5,
    });
    const nothing = diceLoss(tf.fill(margin.shape, -1e4), tf.zerosLike(margin)).dataSync();
    checks.compare("losses.dice_all_zero", nothing, [json.dice_all_zero], {
      tolerance: 1e-5,
      absolute: true,
    });
    for (const [iteration, expected] of Object.entries(json.gamma)) {
      const gamma = gammaRamp(Number(iteration), { stepsPerTick: 150 });
      checks.compare(`losses.gamma.${iteration}`, [gamma], [expected], { tolerance: 1e-12 });
    }
    const probabilities = json.sharpening.p;
    for (const [key, expected] of Object.entries(json.sharpening)) {
      if (key === "p") continue;
      const temperature = Number(key.slice(2));
      const margins = probabilities.map((p) => Math.log(p / (1 - p)));
      const sharp = tf.sigmoid(
        tf.mul(tf.tensor1d(margins.map((m) => Math.max(-1e4, Math.min(1e4, m)))), 1 / temperature),
      );
      checks.compare(`losses.sharpening.${key}`, sharp.dataSync(), expected, {
        tolerance: 1e-5,
        absolute: true,
      });
    }
    if (branches !== 2) checks.fail("losses: expected two branches");
  });
}
