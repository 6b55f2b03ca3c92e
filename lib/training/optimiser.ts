/** Stochastic gradient descent and Adam, step for step PyTorch's. */
import { tf, tidy } from "../engine/tensor.ts";
import type { AdamSettings, OptimiserSettings, SgdSettings } from "../methods/optimiser_settings.ts";
import type { Parameter } from "../network/parameter.ts";

/** PyTorch's default. */
const adamEpsilon = 1e-8;

/** An optimiser of a list of parameters, with its state. */
export interface Optimiser {
  /** The state per parameter by name, for example "velocity"; undefined before a parameter's first step. */
  readonly slots: Readonly<Record<string, (tf.Tensor | undefined)[]>>;
  /** How many times it has moved its parameters. */
  updates: number;
  /** Moves the parameters and frees the gradients. */
  apply(gradients: readonly (tf.Tensor | undefined)[], learningRate?: number): void;
  dispose(): void;
}

/** Creates an optimiser. */
export function createOptimiser(parameters: readonly Parameter[], settings: OptimiserSettings): Optimiser {
  return settings.kind === "sgd" ? createSgd(parameters, settings) : createAdam(parameters, settings);
}

/** g += decay·w; v = g at a parameter's first step, then v = momentum·v + g; w −= rate·v. */
export function createSgd(parameters: readonly Parameter[], settings: SgdSettings): Optimiser {
  const { learningRate, momentum, weightDecay } = settings;
  return optimiser(parameters, ["velocity"], learningRate, ({ weights, slope, slots: [previous], rate }) => {
    const decayed = tf.add(slope, tf.mul(weights, weightDecay));
    const velocity = previous === undefined ? decayed : tf.add(tf.mul(previous, momentum), decayed);
    return { weights: tf.sub(weights, tf.mul(velocity, rate)), slots: [velocity] };
  });
}

/** g += decay·w; m = β₁m + (1−β₁)g; s = β₂s + (1−β₂)g²; w −= rate·m̂/(√ŝ + ε), hats correct the start from zero. */
export function createAdam(parameters: readonly Parameter[], settings: AdamSettings): Optimiser {
  const { learningRate, betas: [beta1, beta2], weightDecay } = settings;
  const blend = (old: tf.Tensor | undefined, value: tf.Tensor, beta: number) =>
    old === undefined ? tf.mul(value, 1 - beta) : tf.add(tf.mul(old, beta), tf.mul(value, 1 - beta));
  return optimiser(parameters, ["mean", "square"], learningRate, (move) => {
    const { weights, slope, slots, rate, update } = move;
    const decayed = weightDecay === 0 ? slope : tf.add(slope, tf.mul(weights, weightDecay));
    const mean = blend(slots[0], decayed, beta1);
    const square = blend(slots[1], tf.square(decayed), beta2);
    const scale = tf.add(tf.div(tf.sqrt(square), Math.sqrt(1 - beta2 ** update)), adamEpsilon);
    const change = tf.mul(tf.div(mean, scale), rate / (1 - beta1 ** update));
    return { weights: tf.sub(weights, change), slots: [mean, square] };
  });
}

/** What moves: one parameter, or several vectors end to end. */
interface Move {
  readonly weights: tf.Tensor;
  readonly slope: tf.Tensor;
  /** Undefined before the first step. */
  readonly slots: readonly (tf.Tensor | undefined)[];
  readonly rate: number;
  /** From 1. */
  readonly update: number;
}

interface Moved {
  readonly weights: tf.Tensor;
  readonly slots: readonly tf.Tensor[];
}

/**
 * A parameter whose rule is "zero" has gradient 0 and only decays; one whose rule is "none" is left alone, as is one
 * that the loss does not depend on.
 */
function optimiser(
  parameters: readonly Parameter[],
  names: readonly string[],
  learningRate: number,
  move: (move: Move) => Moved,
): Optimiser {
  const slots = Object.fromEntries(
    names.map((name) => [name, parameters.map((): tf.Tensor | undefined => undefined)]),
  );

  function keep(i: number, weights: tf.Tensor, state: readonly tf.Tensor[]): void {
    parameters[i].variable.assign(weights);
    names.forEach((name, j) => {
      slots[name][i]?.dispose();
      slots[name][i] = tf.keep(state[j]);
    });
  }

  const created: Optimiser = {
    slots,
    updates: 0,
    apply(gradients, rate = learningRate) {
      created.updates++;
      const moving = parameters.keys().filter((i) => {
        const { gradient: rule } = parameters[i];
        return rule === "zero" || (rule === "computed" && gradients[i] !== undefined);
      }).toArray();
      const slopeOf = (i: number) => gradients[i] ?? tf.zerosLike(parameters[i].variable);
      const shared = { rate, update: created.updates };
      // A network has many short vectors: moved one by one, their calls would cost more than their arithmetic.
      const vectors = moving.filter((i) => parameters[i].variable.rank === 1);
      for (const i of moving) {
        if (parameters[i].variable.rank === 1) continue;
        const state = names.map((name) => slots[name][i]);
        tidy(() => {
          const moved = move({ weights: parameters[i].variable, slope: slopeOf(i), slots: state, ...shared });
          keep(i, moved.weights, moved.slots);
        });
      }
      tidy(() => {
        if (vectors.length === 0) return;
        const sizes = vectors.map((i) => parameters[i].variable.size);
        const joined = (of: (i: number) => tf.Tensor) => tf.concat1d(vectors.map(of) as tf.Tensor1D[]);
        const moved = move({
          weights: joined((i) => parameters[i].variable),
          slope: joined(slopeOf),
          slots: names.map((name) => joined((i) => slots[name][i] ?? tf.zerosLike(parameters[i].variable))),
          ...shared,
        });
        const weights = tf.split(moved.weights, sizes);
        const states = moved.slots.map((slot) => tf.split(slot, sizes));
        vectors.forEach((i, j) => keep(i, weights[j], states.map((parts) => parts[j])));
      });
      for (const gradient of gradients) gradient?.dispose();
    },
    dispose() {
      for (const tensors of Object.values(slots)) for (const tensor of tensors) tensor?.dispose();
    },
  };
  return created;
}
