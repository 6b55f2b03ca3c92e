/**
 * Activations that are never stored. Between two convolutions the networks normalise, apply ReLU, perhaps add a
 * second such activation (the skip connection) and drop channels. All of that is cheap beside a convolution, so
 * only the raw convolution outputs are kept for the backward pass and the activation is computed again there:
 * one tensor a layer instead of two or three.
 */
import {
  type Affine,
  type Moments,
  normalisedRelu,
  normGradient,
  type NormGradients,
  reluGradient,
} from "./batch_norm.ts";
import type { Convolution, Shape5 } from "./convolution.ts";
import { differentiable } from "./differentiable.ts";
import { tf, tidy } from "./tensor.ts";

/** A raw convolution output (without its bias) and how it is normalised. */
export interface Normalised {
  readonly raw: tf.Tensor5D;
  readonly moments: Moments;
  readonly affine: Affine;
  /** True when the moments are the batch's own, so that the gradient flows through them. */
  readonly fromBatch: boolean;
}

/** Σ relu(batchNorm(raw)) over one or two terms, times a channel mask [n, 1, 1, 1, channel] (dropout). */
export interface Activation {
  readonly terms: readonly Normalised[];
  readonly mask?: tf.Tensor5D | undefined;
}

/** The values of an activation, off the tape. */
export function evaluate(activation: Activation): tf.Tensor5D {
  return tidy(() => combine(activation.terms.map(activated), activation.mask));
}

/** The values of an activation, on the tape. */
export function materialise(activation: Activation): tf.Tensor5D {
  return differentiable(inputsOf(activation), {
    forward: () => evaluate(activation),
    saved: savedOf(activation),
    backward: (dy, saved) => termGradients(dy, restore(activation, saved)),
  });
}

/** kind(activation, filter), on the tape. Its bias is left out: see `Normalised`. */
export function convolveActivation(
  kind: Convolution,
  activation: Activation,
  filter: tf.Tensor5D,
): tf.Tensor5D {
  return differentiable([...inputsOf(activation), filter], {
    forward: () => kind.forward(evaluate(activation), filter),
    saved: [...savedOf(activation), filter],
    backward(dy, saved) {
      const filter = saved[saved.length - 1] as tf.Tensor5D;
      const kept = restore(activation, saved);
      const shape = kept.terms[0].raw.shape as Shape5;
      // One evaluation serves the filter gradient and the ReLU masks.
      const outputs = kept.terms.map(activated);
      const filterGradient = tidy(() =>
        kind.filterGradient(combine(outputs, kept.mask), dy, filter.shape as Shape5)
      );
      const parts = termGradients(() => kind.inputGradient(dy, filter, shape), kept, outputs);
      return [...parts, () => filterGradient];
    },
  });
}

function activated(term: Normalised): tf.Tensor5D {
  return tidy(() => normalisedRelu(term.raw, term.moments, term.affine));
}

function combine(outputs: readonly tf.Tensor5D[], mask: tf.Tensor5D | undefined): tf.Tensor5D {
  const sum = outputs.length === 1 ? outputs[0] : tf.add(outputs[0], outputs[1]) as tf.Tensor5D;
  return mask === undefined ? sum : tf.mul(sum, mask);
}

function inputsOf(activation: Activation): tf.Tensor[] {
  return activation.terms.flatMap((term) => [term.raw, term.affine.scale, term.affine.offset]);
}

function savedOf(activation: Activation): tf.Tensor[] {
  const saved = activation.terms.flatMap((term) => [
    term.raw,
    term.affine.scale,
    term.affine.offset,
    term.moments.mean,
    term.moments.variance,
  ]);
  return activation.mask === undefined ? saved : [...saved, activation.mask];
}

/** The activation again, made of the tensors that were saved for it. */
function restore(activation: Activation, saved: readonly tf.Tensor[]): Activation {
  const terms = activation.terms.map((term, i) => ({
    raw: saved[5 * i] as tf.Tensor5D,
    affine: { scale: saved[5 * i + 1] as tf.Tensor1D, offset: saved[5 * i + 2] as tf.Tensor1D },
    moments: { mean: saved[5 * i + 3] as tf.Tensor1D, variance: saved[5 * i + 4] as tf.Tensor1D },
    fromBatch: term.fromBatch,
  }));
  const mask = activation.mask === undefined ? undefined : saved[5 * terms.length] as tf.Tensor5D;
  return { terms, mask };
}

/** Gradients of raw, scale and offset of each term; the shared work is done once, when the first is asked for. */
function termGradients(
  gradient: tf.Tensor5D | (() => tf.Tensor5D),
  activation: Activation,
  outputs: readonly tf.Tensor5D[] = activation.terms.map(activated),
): (() => tf.Tensor)[] {
  let results: NormGradients[] | undefined;
  const compute = () =>
    results ??= tidy(() => {
      const dy = typeof gradient === "function" ? gradient() : gradient;
      const masked = activation.mask === undefined ? dy : tf.mul(dy, activation.mask) as tf.Tensor5D;
      return activation.terms.map((term, i) =>
        normGradient(reluGradient(masked, outputs[i]), term.raw, term.moments, term.affine, term.fromBatch)
      );
    });
  return activation.terms.flatMap((_, i) => [
    () => compute()[i].x,
    () => compute()[i].scale,
    () => compute()[i].offset,
  ]);
}
