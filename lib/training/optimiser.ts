/** Stochastic gradient descent with momentum and weight decay, step for step PyTorch's. */
import { tf, tidy } from "../engine/tensor.ts";
import type { Parameter } from "../network/parameter.ts";

/** Settings of PyTorch's SGD (no dampening, no Nesterov). */
export interface SgdSettings {
  readonly learningRate: number;
  readonly momentum: number;
  /** L2 term on every parameter, biases and normalisations included. */
  readonly weightDecay: number;
}

/** The paper's settings (4.2), with weight decay from the released code. */
export const paperSgd: SgdSettings = { learningRate: 0.01, momentum: 0.9, weightDecay: 1e-4 };

/** An optimiser with its velocities. */
export interface Sgd {
  /** Velocity of each parameter, undefined before its first step. */
  readonly velocities: (tf.Tensor | undefined)[];
  /** Moves the parameters and frees the gradients. */
  apply(gradients: readonly (tf.Tensor | undefined)[]): void;
  dispose(): void;
}

/**
 * g += decay·w; v = g at a parameter's first step, then v = momentum·v + g; w −= rate·v.
 * A parameter whose rule is "zero" has gradient 0 and only decays; one whose rule is "none" is left alone.
 */
export function createSgd(parameters: readonly Parameter[], settings: SgdSettings): Sgd {
  const { learningRate, momentum, weightDecay } = settings;
  const velocities: (tf.Tensor | undefined)[] = parameters.map(() => undefined);
  return {
    velocities,
    apply(gradients) {
      parameters.forEach(({ variable, gradient: rule }, i) => {
        const gradient = gradients[i];
        if (rule === "none" || (gradient === undefined && rule === "computed")) return;
        const previous = velocities[i];
        const velocity = tidy(() => {
          const decay = tf.mul(variable, weightDecay);
          const slope = gradient === undefined ? decay : tf.add(gradient, decay);
          return previous === undefined ? slope : tf.add(tf.mul(previous, momentum), slope);
        });
        tidy(() => variable.assign(tf.sub(variable, tf.mul(velocity, learningRate))));
        previous?.dispose();
        gradient?.dispose();
        velocities[i] = tf.keep(velocity);
      });
    },
    dispose() {
      for (const velocity of velocities) velocity?.dispose();
    },
  };
}
