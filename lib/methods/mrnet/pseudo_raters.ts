/** Raters of unlabelled crops: moving averages of the coarse network, each with a memory of its own. */
import { tf, tidy } from "../../engine/tensor.ts";
import type { ConditionedVNet } from "../../network/conditioned_vnet.ts";
import type { StepContext } from "../method.ts";
import { moveAverage, teacherMode, warmedDecay } from "../parts/teacher.ts";
import { deviation, uniform } from "./maps.ts";

/** What they say together, each [n, x, y, z]. */
export interface PseudoLabels {
  /** The mean of their foreground probabilities. */
  readonly target: tf.Tensor4D;
  /** 1 − their standard deviation. */
  readonly agreement: tf.Tensor4D;
}

/** The pseudo-raters. */
export interface PseudoRaters {
  readonly networks: Readonly<Record<string, ConditionedVNet>>;
  label(images: tf.Tensor5D, step: StepContext): PseudoLabels;
  /** Moves every average towards the coarse network. */
  follow(coarse: ConditionedVNet, iteration: number): void;
}

/** Decays of the moving averages by name. */
const decays = { fast: 0.9, medium: 0.99, slow: 0.999 } as const;

/** @param create a network with the weights that the coarse one starts from. */
export function createPseudoRaters(create: () => ConditionedVNet): PseudoRaters {
  const raters = Object.entries(decays).map(([name, decay]) => ({ name, decay, network: create() }));
  return {
    networks: Object.fromEntries(raters.map(({ name, network }) => [name, network])),
    label: (images, step) =>
      tidy(() => {
        const conditions = [uniform(images.shape[0])];
        const said = raters.map(({ name, network }) => {
          const [{ logits }] = network.forward(images, conditions, teacherMode(step.stream(name)));
          return tf.sigmoid(logits);
        });
        const maps = tf.concat(said, 4);
        return {
          target: tf.mean(maps, 4) as tf.Tensor4D,
          agreement: tf.sub(1, deviation(maps)) as tf.Tensor4D,
        };
      }),
    follow(coarse, iteration) {
      for (const { network, decay } of raters) moveAverage(network, coarse, warmedDecay(iteration, decay));
    },
  };
}
