/**
 * GALoss: Dice and cross-entropy whose gradients do not favour the large classes, in two networks that learn from
 * each other's decisions.
 */
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createVNet } from "../network/segmenter.ts";
import { evaluationMode } from "../network/unit.ts";
import { randomStream } from "../random.ts";
import { share } from "./limits.ts";
import type { Method } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { rampUp } from "./parts/ramp.ts";

/** GALoss's own settings. */
export type GaLossHyperparameters = {
  /** Weight of the cross pseudo supervision at the end of its ramp-up. */
  readonly crossPseudo: number;
  /** Percentage of the labelled voxels, those with the largest cross-entropy, that the cross-entropy is taken of. */
  readonly hardest: number;
  /** γ of the class weights: 0 weights every class alike, 1 every voxel. */
  readonly gamma: number;
};

/** GALoss (Qi et al., ECCV 2024) on cross pseudo supervision (Chen et al., CVPR 2021), cicailalala/GALoss. */
export const galoss: Method<GaLossHyperparameters> = {
  key: "galoss",
  name: "GALoss",
  venue: "ECCV 2024",
  source: "Qi et al.; cicailalala/GALoss",
  tables: [1, 2, 3],
  unlabelledTerms: ["crossPseudo"],
  supervisedOnly: ["crossPseudo=0"],
  defaults: () => ({ crossPseudo: 0.1, hardest: 10, gamma: 0.5 }),
  limits: { hardest: { above: 0, most: 100 }, gamma: share },
  nativeOptimiser: () => ({ ...paperSgd, rule: "poly" }),
  create({ hyperparameters: { crossPseudo, hardest, gamma }, width, seed }) {
    // The released networks have no dropout: their initial weights are all that makes them differ.
    const networkA = createVNet({ width, seed, dropout: false, filters: "kaiming normal" });
    const other = randomStream(seed, "network B").integer(2 ** 31);
    const networkB = createVNet({ width, seed: other, dropout: false, filters: "xavier normal" });
    const marginsOf = (images: tf.Tensor5D, mode = evaluationMode) =>
      [networkA, networkB].map((network) => network.forward(images, mode)[0].margin);
    return {
      networks: { networkA, networkB },
      trained: ["networkA", "networkB"],
      loss({ images, labels, labelled }, step) {
        const margins = marginsOf(images, { training: true, updateStatistics: true });
        const [a, b] = margins;
        const ofLabelled = margins.map((margin) => tf.slice(margin, 0, labelled));
        const both = (value: (margin: tf.Tensor4D) => tf.Scalar) =>
          tidy(() => tf.add(value(ofLabelled[0]), value(ofLabelled[1])) as tf.Scalar);
        return {
          dice: { weight: 1, value: both((margin) => gradientAwareDice(margin, labels)) },
          crossEntropy: {
            weight: 1,
            value: both((margin) => gradientAwareCrossEntropy(margin, labels, { hardest, gamma })),
          },
          crossPseudo: {
            // An epoch of the released run is a thousandth of it, or less.
            weight: rampUp(step, { share: 1, ticks: 1000, maximum: crossPseudo }),
            // Labelled crops are in, as released.
            value: tidy(() =>
              tf.add(
                gradientAwareCrossEntropy(a, decision(b), { hardest: 100, gamma }),
                gradientAwareCrossEntropy(b, decision(a), { hardest: 100, gamma }),
              )
            ),
          },
        };
      },
      predict: (images) =>
        tidy(() => {
          const [a, b] = marginsOf(images);
          return tf.sigmoid(tf.mul(tf.add(a, b), 0.5));
        }),
      branchNames: ["A", "B"],
      predictBranches: (images) =>
        tidy(() => {
          const [a, b] = marginsOf(images);
          return [{ name: "A", probability: tf.sigmoid(a) }, { name: "B", probability: tf.sigmoid(b) }];
        }),
    };
  },
};

/** The more probable class of each voxel, as a constant. */
function decision(margin: tf.Tensor4D): tf.Tensor4D {
  return untaped(() => tf.step(margin));
}

/**
 * GADice: the mean over background and foreground of 1 − (2Σp·y + ε)/(Σp² + Σy² + ε), ε = 1e-10, over the mini-batch,
 * and for a class that is absent from it of Σ p̂·p / voxels with p̂ = p held constant, so that the gradient of a voxel
 * is its share of the probability.
 */
export function gradientAwareDice(margin: tf.Tensor4D, labels: tf.Tensor4D): tf.Scalar {
  return tidy(() => {
    const foreground = untaped(() => tf.sum(labels)).dataSync()[0];
    const parts = [
      { margin, count: foreground, truth: labels },
      { margin: tf.neg(margin), count: labels.size - foreground, truth: tf.sub(1, labels) },
    ].map(({ margin, count, truth }) => {
      const probability = tf.sigmoid(margin);
      if (count === 0) {
        const held = untaped(() => tf.sigmoid(margin));
        return tf.div(tf.sum(tf.mul(held, probability)), labels.size);
      }
      const overlap = tf.add(tf.mul(tf.sum(tf.mul(probability, truth)), 2), smooth);
      return tf.sub(1, tf.div(overlap, tf.add(tf.sum(tf.square(probability)), count + smooth)));
    });
    return tf.mul(tf.add(parts[0], parts[1]), 0.5) as tf.Scalar;
  });
}

/** ε of both losses. */
const smooth = 1e-10;

/**
 * GACE: with T the voxels of the largest cross-entropies ℓ and n_c those of class c among them,
 * Σ_c Σ_(i∈T, y_i=c) ℓ_i / (n_c^(1−γ)·|T|^γ).
 *
 * @param options.hardest percentage of the voxels in T.
 * @param options.gamma γ, from 0 to 1.
 */
export function gradientAwareCrossEntropy(
  margin: tf.Tensor4D,
  labels: tf.Tensor4D,
  { hardest, gamma }: { hardest: number; gamma: number },
): tf.Scalar {
  return tidy(() => {
    // −ln of the true class's probability, in the form that rounding never takes below zero.
    const entropies = tf.softplus(tf.mul(margin, tf.sub(1, tf.mul(labels, 2)))) as tf.Tensor4D;
    const weights = untaped(() => {
      const count = Math.max(1, Math.floor(labels.size * hardest / 100));
      const chosen = count === labels.size ? tf.onesLike(labels) : hardestVoxels(entropies, count);
      const perClass = [tf.mul(chosen, labels), tf.mul(chosen, tf.sub(1, labels))].map((members) => {
        const size = tf.pow(tf.add(tf.sum(members), smooth), 1 - gamma);
        return tf.div(members, tf.mul(size, count ** gamma));
      });
      return tf.add(perClass[0], perClass[1]);
    });
    return tf.sum(tf.mul(weights, entropies)) as tf.Scalar;
  });
}

/** 1 at the `count` largest values; values equal to the smallest of them share the places that are left to them. */
function hardestVoxels(values: tf.Tensor4D, count: number): tf.Tensor {
  const { threshold, above, equal } = largest(values.dataSync<"float32">(), count);
  const share = (count - above) / equal;
  return tf.add(
    tf.cast(tf.greater(values, threshold), "float32"),
    tf.mul(tf.cast(tf.equal(values, threshold), "float32"), share),
  );
}

/** The `count`-th largest of some values, and how many are larger and equal. */
function largest(
  values: Float32Array,
  count: number,
): { threshold: number; above: number; equal: number } {
  // Floats that are not negative are ordered as their bits are: the upper half is found first, then the lower one.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const upper = new Uint32Array(2 ** 16);
  for (let i = 0; i < bits.length; i++) upper[bits[i] >>> 16]++;
  const high = descend(upper, count);
  const lower = new Uint32Array(2 ** 16);
  for (let i = 0; i < bits.length; i++) if (bits[i] >>> 16 === high.bin) lower[bits[i] & 0xffff]++;
  const low = descend(lower, count - high.above);
  const threshold = new Float32Array(Uint32Array.of(high.bin * 2 ** 16 + low.bin).buffer)[0];
  return { threshold, above: high.above + low.above, equal: lower[low.bin] };
}

/** The bin of a histogram that holds the `count`-th largest, and how many lie in the bins above. */
function descend(histogram: Uint32Array, count: number): { bin: number; above: number } {
  let above = 0;
  let bin = histogram.length - 1;
  while (above + histogram[bin] < count) above += histogram[bin--];
  return { bin, above };
}
