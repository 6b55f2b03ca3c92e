/**
 * Segments of a network whose inner layers are not kept for the backward pass but computed again there, the same up
 * to rounding: less memory for more time.
 */
import { type Activation, inputsOf, type Normalised, restore, savedOf } from "./activation.ts";
import { differentiable } from "./differentiable.ts";
import { memoryPolicy } from "./memory_policy.ts";
import { pullBack, untaped } from "./tape.ts";
import { tf } from "./tensor.ts";

/** A part of a network: several layers from activations to one convolution's output. */
export interface Segment {
  readonly inputs: readonly Activation[];
  /** The trained tensors of its layers. */
  readonly variables: readonly tf.Variable[];
  /** @param again true when it runs for the backward pass and must leave running statistics alone. */
  run(inputs: readonly Activation[], again: boolean): Normalised;
}

/** Runs a segment on the tape. */
export function runSegment({ inputs, variables, run }: Segment): Normalised {
  if (memoryPolicy() === "normal") return run(inputs, false);
  const result = untaped(() => run(inputs, false));
  const raw = differentiable([...inputs.flatMap(inputsOf), ...variables], {
    forward: () => tf.clone(result.raw),
    saved: inputs.flatMap(savedOf),
    backward(dy, saved) {
      let next = 0;
      const kept = inputs.map((input) => {
        const begin = next;
        next += savedOf(input).length;
        return restore(input, saved.slice(begin, next));
      });
      const wanted = [...kept.flatMap(inputsOf), ...variables];
      let gradients: (tf.Tensor | undefined)[] | undefined;
      const compute = () => pullBack(() => run(kept, true).raw, () => tf.clone(dy), wanted);
      return wanted.map((tensor, i) => () => (gradients ??= compute())[i] ?? tf.zerosLike(tensor));
    },
  });
  result.raw.dispose();
  return { ...result, raw };
}
