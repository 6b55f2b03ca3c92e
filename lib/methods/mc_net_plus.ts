/** MC-Net+: decoders that differ in their up-sampling must agree with each other's sharpened predictions. */
import { tf, tidy } from "../engine/tensor.ts";
import { createSegmenter, type VNet } from "../network/segmenter.ts";
import { evaluationMode } from "../network/unit.ts";
import type { DecoderSpec } from "../network/vnet.ts";
import { diceLoss } from "../sasnet/losses.ts";
import { positive, ticks } from "./limits.ts";
import type { Method, MethodSetting } from "./method.ts";
import { sum } from "./parts/losses.ts";
import { mutualConsistency } from "./parts/mutual_consistency.ts";
import { foregroundOf, trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";

/** MC-Net+'s own settings. */
export type McNetHyperparameters = {
  /** 3, 2 (the older MC-Net), or 1 without any consistency (table 4's row). */
  readonly decoders: number;
  /** Weight of the sum of the decoders' Dice losses. */
  readonly supervised: number;
  /** Final weight of the sum over the ordered pairs of decoders. */
  readonly consistency: number;
  /** T of the sharpening. */
  readonly temperature: number;
  /** Ticks of the ramp-up. */
  readonly rampUp: number;
};

/** How the decoders double the grid, in their order. */
const raisings: readonly NonNullable<DecoderSpec["raising"]>[] = [
  "upsampling",
  { upsampling: { trilinear: "alignCorners" }, convolution: "3 after" },
  { upsampling: "nearest", convolution: "3 after" },
];

/** The ramp grows over 40 ticks of 150 steps, of 15,000. */
const rampShare = 6000 / 15000;

/** MC-Net+ (Wu et al., MedIA 2022), ycwu1997/MC-Net. Its optimiser is the kit's. */
export const mcNetPlus: Method<McNetHyperparameters> = {
  key: "mc-net-plus",
  name: "MC-Net+",
  venue: "MedIA 2022",
  source: "Wu et al.; ycwu1997/MC-Net",
  tables: [1, 2, 4, 11],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  defaults: () => ({ decoders: 3, supervised: 0.5, consistency: 1, temperature: 0.1, rampUp: 40 }),
  limits: { decoders: { least: 1, most: 3, whole: "any" }, temperature: positive, rampUp: ticks },
  create(setting) {
    const { hyperparameters: h } = setting;
    const network = createMcNet(setting);
    const first = network.branch(0);
    return {
      networks: { network },
      trained: ["network"],
      loss({ images, labels, labelled }, step) {
        const mode = trainingMode(step);
        const margins = network.forward(images, mode).map(({ margin }) => margin);
        // The release adds up a cross-entropy, too, and only logs it.
        const dice = sum(margins.map((margin) => diceLoss(tf.slice(margin, 0, labelled), labels)));
        const supervised = { dice: { weight: h.supervised, value: dice } };
        if (margins.length === 1) return supervised;
        // This release counts steps from 1.
        const { iteration, iterations } = step;
        const clock = { iteration: iteration + 1, iterations };
        return {
          ...supervised,
          consistency: {
            weight: rampUp(clock, { share: rampShare, ticks: h.rampUp, maximum: h.consistency }),
            // Nothing is detached: the gradient flows into the sharpened predictions, too, as released.
            value: mutualConsistency(margins, { temperature: h.temperature, detached: false }),
          },
        };
      },
      predictor: first,
      predict: (images) => foregroundOf(first, images),
      branchNames: raisings.slice(0, h.decoders).map((_, i) => `decoder ${i + 1}`),
      combination: "first",
      predictBranches: (images) =>
        tidy(() =>
          network.forward(images, evaluationMode).map(({ margin }, i) => ({
            name: `decoder ${i + 1}`,
            probability: tf.sigmoid(margin),
          }))
        ),
    };
  },
};

function createMcNet({ hyperparameters, width, seed, dropout }: MethodSetting<McNetHyperparameters>): VNet {
  return createSegmenter({
    width,
    seed,
    dropout,
    // The dropout after the last stage belongs to the encoder there.
    sharedDropout: true,
    encoder: "encoder.",
    decoders: raisings.slice(0, hyperparameters.decoders).map((raising, i) => ({
      prefix: `decoder${i + 1}.`,
      from: 5,
      head: { segmentation: "out_conv" },
      raising,
    })),
  });
}
