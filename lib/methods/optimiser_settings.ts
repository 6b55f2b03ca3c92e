/** Which optimiser moves a network, and how its learning rate falls. */

/** Settings of PyTorch's SGD (no dampening, no Nesterov). */
export interface SgdSettings {
  readonly learningRate: number;
  readonly momentum: number;
  /** L2 term on every parameter, biases and normalisations included. */
  readonly weightDecay: number;
}

/** Settings of PyTorch's Adam. */
export interface AdamSettings {
  readonly learningRate: number;
  /** Decay of the running mean and of the running square of the gradient. */
  readonly betas: readonly [number, number];
  readonly weightDecay: number;
}

/**
 * How the learning rate falls over the steps of a phase: "step", a tenth of it after 5/12 and a hundredth after 5/6
 * (UA-MT's 2,500 and 5,000 of 6,000); "half", a tenth from the middle on (CauSSL's 2,500 of 5,000); "sixths", a
 * tenth of the rate before after every sixth (BCP's 2,500 of 15,000); "poly", (1 − t/T)^0.9; "cosine", half a cosine
 * wave down to 0.
 */
const learningRateRules = ["constant", "step", "half", "sixths", "poly", "cosine"] as const;
export type LearningRateRule = typeof learningRateRules[number];

/** An optimiser and how its learning rate falls. */
export type OptimiserSettings =
  & { readonly rule: LearningRateRule }
  & (({ readonly kind: "sgd" } & SgdSettings) | ({ readonly kind: "adam" } & AdamSettings));

/** The paper's settings (4.2), with weight decay from the released code. */
export const paperSgd: OptimiserSettings = {
  kind: "sgd",
  rule: "constant",
  learningRate: 0.01,
  momentum: 0.9,
  weightDecay: 1e-4,
};

/**
 * The learning rate of a step.
 *
 * @param iteration from 1; the first step has the full rate, as the released codes set it after each step.
 */
export function learningRateAt(
  { rule, learningRate }: OptimiserSettings,
  { iteration, iterations }: { readonly iteration: number; readonly iterations: number },
): number {
  const done = (iteration - 1) / iterations;
  switch (rule) {
    case "constant":
      return learningRate;
    case "step":
      return learningRate * (done < 5 / 12 ? 1 : done < 5 / 6 ? 0.1 : 0.01);
    case "half":
      return learningRate * (done < 1 / 2 ? 1 : 0.1);
    case "poly":
      return learningRate * (1 - done) ** 0.9;
    case "cosine":
      return learningRate * (1 + Math.cos(Math.PI * done)) / 2;
    case "sixths":
      return learningRate * 0.1 ** Math.floor(6 * done);
  }
}

/** Whose optimiser trains the segmenter: one for all methods, or that of the method's own publication. */
export const recipes = ["kit", "native"] as const;
export type Recipe = typeof recipes[number];
