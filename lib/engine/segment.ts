/**
 * Segments of a network whose inner layers are not kept for the backward pass but computed again there, the same up
 * to rounding: less memory for more time.
 */
import {
  type Activation,
  handlesOf,
  normalisationOf,
  type Normalised,
  normalised,
  sourcesOf,
} from "./activation.ts";
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
  const raw = differentiable([...inputs.flatMap(handlesOf), ...variables], {
    forward: () => tf.clone(result.raw),
    saved: inputs.flatMap(savedOf),
    backward(dy, saved) {
      let next = 0;
      const kept = inputs.map((input) => {
        const begin = next;
        next += savedOf(input).length;
        return restore(input, saved.slice(begin, next));
      });
      const wanted = [...kept.flatMap(handlesOf), ...variables];
      let gradients: (tf.Tensor | undefined)[] | undefined;
      const compute = () => pullBack(() => run(kept, true).raw, () => tf.clone(dy), wanted);
      return wanted.map((tensor, i) => () => (gradients ??= compute())[i] ?? tf.zerosLike(tensor));
    },
  });
  result.raw.dispose();
  return normalised({ ...result, raw }, result.fresh.value);
}

/** What an activation can be made of again. */
function savedOf({ terms, mask }: Activation): tf.Tensor[] {
  const saved = terms.flatMap((term) => [term.handle, ...sourcesOf(term)]);
  return mask === undefined ? saved : [...saved, mask];
}

/** The activation again, made of the tensors that were saved for it. */
function restore({ terms, mask }: Activation, saved: readonly tf.Tensor[]): Activation {
  const length = saved.length / terms.length | 0;
  return {
    terms: terms.map(({ fromBatch }, i) => {
      const [handle, ...sources] = saved.slice(i * length, (i + 1) * length);
      return { ...normalisationOf(sources), fromBatch, handle, fresh: {} };
    }),
    mask: mask === undefined ? undefined : saved[saved.length - 1] as tf.Tensor5D,
  };
}
