/**
 * Activations that are never stored. Between two convolutions the networks normalise, apply ReLU, perhaps add a
 * second such activation (the skip connection) and drop channels. All of that is cheap beside a convolution, so
 * only the raw convolution outputs are kept for the backward pass and the activation is computed again there:
 * one tensor a layer instead of two or three.
 */
import { type Affine, type Moments, normalisedRelu, normGradient, reluGradient } from "./batch_norm.ts";
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
  /** relu(batchNorm(raw)) where it has been computed with the moments; the first use takes and frees it. */
  readonly fresh?: { value: tf.Tensor5D | undefined };
}

/** Σ relu(batchNorm(raw)) over one or two terms, times a channel mask [n, 1, 1, 1, channel] (dropout). */
export interface Activation {
  readonly terms: readonly Normalised[];
  readonly mask?: tf.Tensor5D | undefined;
}

/** The values of an activation, off the tape. */
export function evaluate(activation: Activation): tf.Tensor5D {
  return tidy(() => {
    const outputs = activation.terms.map(activated);
    const value = combine(outputs, activation.mask);
    // A fresh output was made outside of this scope, which therefore would not free it.
    for (const output of outputs) if (output !== value) output.dispose();
    return value;
  });
}

/** The values of an activation, on the tape. */
export function materialise(activation: Activation): tf.Tensor5D {
  return differentiable(inputsOf(activation), {
    forward: () => evaluate(activation),
    saved: savedOf(activation),
    backward(dy, saved) {
      const kept = restore(activation, saved);
      return lazily(
        kept.terms.length * 3,
        () => termGradients(tf.clone(dy), kept, kept.terms.map(activated)),
      );
    },
  });
}

/** kind(activation, filter), on the tape. Its bias is left out: see `Normalised`. */
export function convolveActivation(
  kind: Convolution,
  activation: Activation,
  filter: tf.Tensor5D,
): tf.Tensor5D {
  return differentiable([...inputsOf(activation), filter], {
    forward() {
      const input = evaluate(activation);
      const output = kind.forward(input, filter);
      input.dispose();
      return output;
    },
    saved: [...savedOf(activation), filter],
    backward(dy, saved) {
      const filter = saved[saved.length - 1] as tf.Tensor5D;
      const kept = restore(activation, saved);
      const shape = kept.terms[0].raw.shape as Shape5;
      return lazily(kept.terms.length * 3 + 1, () => {
        // One evaluation serves the filter gradient and the ReLU masks.
        const outputs = kept.terms.map(activated);
        const filterGradient = tidy(() =>
          kind.filterGradient(combine(outputs, kept.mask), dy, filter.shape as Shape5)
        );
        const gradient = kind.inputGradient(dy, filter, shape);
        // At full resolution each of these tensors weighs as much as a layer: none stays longer than it is needed.
        dy.dispose();
        return [...termGradients(gradient, kept, outputs), filterGradient];
      });
    },
  });
}

/** As many functions as there are inputs; the first that is called computes all gradients. */
function lazily(count: number, compute: () => tf.Tensor[]): (() => tf.Tensor)[] {
  let results: tf.Tensor[] | undefined;
  return Array.from({ length: count }, (_, i) => () => (results ??= tidy(compute))[i]);
}

function activated(term: Normalised): tf.Tensor5D {
  const fresh = term.fresh?.value;
  if (fresh === undefined) return tidy(() => normalisedRelu(term.raw, term.moments, term.affine));
  term.fresh!.value = undefined;
  return fresh;
}

function combine(outputs: readonly tf.Tensor5D[], mask: tf.Tensor5D | undefined): tf.Tensor5D {
  const sum = outputs.length === 1 ? outputs[0] : tf.add(outputs[0], outputs[1]) as tf.Tensor5D;
  return mask === undefined ? sum : tf.mul(sum, mask);
}

/** What the gradient of an activation is asked for: raw, scale and offset of each term. */
export function inputsOf(activation: Activation): tf.Tensor[] {
  return activation.terms.flatMap((term) => [term.raw, term.affine.scale, term.affine.offset]);
}

/** What the activation can be made of again. */
export function savedOf(activation: Activation): tf.Tensor[] {
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
export function restore(activation: Activation, saved: readonly tf.Tensor[]): Activation {
  const terms = activation.terms.map((term, i) => ({
    raw: saved[5 * i] as tf.Tensor5D,
    affine: { scale: saved[5 * i + 1] as tf.Tensor1D, offset: saved[5 * i + 2] as tf.Tensor1D },
    moments: { mean: saved[5 * i + 3] as tf.Tensor1D, variance: saved[5 * i + 4] as tf.Tensor1D },
    fromBatch: term.fromBatch,
  }));
  const mask = activation.mask === undefined ? undefined : saved[5 * terms.length] as tf.Tensor5D;
  return { terms, mask };
}

/**
 * Gradients of raw, scale and offset of each term.
 *
 * @param dy gradient of the activation; freed, as are `outputs`.
 * @param outputs the values of each term.
 */
function termGradients(
  dy: tf.Tensor5D,
  activation: Activation,
  outputs: readonly tf.Tensor5D[],
): tf.Tensor[] {
  let gradient = dy;
  if (activation.mask !== undefined) {
    gradient = tf.mul(dy, activation.mask);
    dy.dispose();
  }
  return activation.terms.flatMap((term, i) => {
    const { x, scale, offset } = tidy(() => {
      const rectified = reluGradient(gradient, outputs[i]);
      outputs[i].dispose();
      if (i === activation.terms.length - 1) gradient.dispose();
      return normGradient(rectified, term.raw, term.moments, term.affine, term.fromBatch);
    });
    return [x, scale, offset];
  });
}
