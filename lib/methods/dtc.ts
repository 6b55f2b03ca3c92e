/** DTC: the signed distance, turned into a soft mask, and the segmentation must agree. */
import { tf, tidy } from "../engine/tensor.ts";
import { evaluationMode } from "../network/unit.ts";
import { ticks } from "./limits.ts";
import type { Method } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { createDualTaskVNet, dualTaskTerms } from "./parts/dual_task.ts";
import { meanSquare } from "./parts/losses.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";

/** DTC's own settings. */
export type DtcHyperparameters = {
  /** Weight of the squared error of the signed distance. */
  readonly distance: number;
  /** Final weight of the consistency of the two tasks. */
  readonly consistency: number;
  /** k of the soft mask sigmoid(−k·distance). */
  readonly steepness: number;
  /** Ticks of the ramp-up. */
  readonly rampUp: number;
};

/** DTC (Luo et al., AAAI 2021), HiLab-git/DTC. */
export const dtc: Method<DtcHyperparameters> = {
  key: "dtc",
  name: "DTC",
  venue: "AAAI 2021",
  source: "Luo et al.; HiLab-git/DTC",
  tables: [1, 2, 3, 11],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  defaults: () => ({ distance: 0.3, consistency: 1, steepness: 1500, rampUp: 40 }),
  limits: { rampUp: ticks },
  nativeOptimiser: () => ({ ...paperSgd, rule: "step" }),
  create({ hyperparameters: h, width, seed, dropout }) {
    const network = createDualTaskVNet({ width, seed, dropout });
    return {
      networks: { network },
      trained: ["network"],
      loss(batch, step) {
        const mode = trainingMode(step);
        const [output] = network.forward(batch.images, mode);
        // Both sides are differentiated, and labelled crops take part, as released.
        const value = meanSquare(
          softMask(output.distance!, h.steepness),
          tf.sigmoid(output.margin),
        );
        const weight = rampUp(step, { share: 1, ticks: h.rampUp, maximum: h.consistency });
        return { ...dualTaskTerms(output, batch, h.distance), consistency: { weight, value } };
      },
      predict: (images) => foregroundOf(network, images),
      branchNames: ["segmentation", "distance"],
      combination: "first",
      predictBranches: (images) =>
        tidy(() => {
          const [{ margin, distance }] = network.forward(images, evaluationMode);
          return [
            { name: "segmentation", probability: tf.sigmoid(margin) },
            { name: "distance", probability: softMask(distance!, h.steepness) },
          ];
        }),
    };
  },
};

/** Distances are negative inside, so the mask is near 1 there. */
export function softMask(distance: tf.Tensor4D, steepness: number): tf.Tensor4D {
  return tidy(() => tf.sigmoid(tf.mul(distance, -steepness)));
}
