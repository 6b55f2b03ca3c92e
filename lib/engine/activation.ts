/**
 * Activations that are rarely stored. Between two convolutions the networks normalise, apply ReLU, perhaps add a
 * second such activation (the skip connection) and drop channels. All of that is cheap beside a convolution, so of a
 * large activation only the raw convolution output is kept for the backward pass and the activation is computed
 * again there: one tensor a layer instead of two or three. Small ones are kept: together they take little memory.
 *
 * However many layers use an activation, its gradient passes through ReLU and normalisation once: the layers hand
 * their gradients to its handle on the tape, and the handle hands their sum on to the raw output.
 */
import { type Affine, type Moments, normalisedRelu, normGradient, reluGradient } from "./batch_norm.ts";
import type { Convolution, Shape5 } from "./convolution.ts";
import { differentiable } from "./differentiable.ts";
import { memoryPolicy } from "./memory_policy.ts";
import { isRecording } from "./tape.ts";
import { tf, tidy } from "./tensor.ts";

/** What relu(batchNorm(raw)) is computed from. */
export interface Normalisation {
  /** A convolution's output without its bias. */
  readonly raw: tf.Tensor5D;
  readonly moments: Moments;
  readonly affine: Affine;
  /** True when the moments are the batch's own, so that the gradient flows through them. */
  readonly fromBatch: boolean;
}

/** relu(batchNorm(raw)), computed where it is used. */
export interface Normalised extends Normalisation {
  /** Stands for the values on the tape and holds none: its gradient is theirs. */
  readonly handle: tf.Tensor;
  /** The values, where they are kept for the backward pass. */
  readonly kept?: tf.Tensor5D | undefined;
  /** The values where they came with the moments and are not kept: the first use takes and frees them. */
  readonly fresh: { value?: tf.Tensor5D | undefined };
  /** The values that a user of the activation computed again in its backward pass, for the other users' and the handle's. */
  readonly again?: { value?: tf.Tensor5D | undefined } | undefined;
}

/** Σ relu(batchNorm(raw)) over one or two terms, times a channel mask [n, 1, 1, 1, channel] (dropout). */
export interface Activation {
  readonly terms: readonly Normalised[];
  readonly mask?: tf.Tensor5D | undefined;
}

/** Activations up to this size are kept for the backward pass. */
const keptBytes = 1 << 24;
/** Up to this size they stay from the first backward pass that computes them again to the last, else none has them for long. */
const againBytes = 1 << 26;

/**
 * An activation, on the tape.
 *
 * @param values the values where they are known; they belong to the activation from now on.
 */
export function normalised(normalisation: Normalisation, values?: tf.Tensor5D): Normalised {
  const { raw, fromBatch } = normalisation;
  if (!isRecording()) return { ...normalisation, handle: raw, fresh: { value: values } };
  const small = memoryPolicy() === "normal" && bytesOf(raw) <= keptBytes;
  const kept = small ? values : undefined;
  const again: Normalised["again"] = kept === undefined ? {} : undefined;
  const handle = differentiable([raw, normalisation.affine.scale, normalisation.affine.offset], {
    forward: () => tf.tensor1d([]) as tf.Tensor,
    saved: [...sourcesOf(normalisation), ...(kept === undefined ? [] : [kept])],
    backward(dy, saved) {
      return lazily(3, () => {
        const { raw, affine, moments } = normalisationOf(saved);
        const values = saved[5] ?? again?.value ?? valuesOf(saved);
        const rectified = reluGradient(dy as tf.Tensor5D, values as tf.Tensor5D);
        tf.dispose([dy, values]);
        const { x, scale, offset } = normGradient(rectified, raw, moments, affine, fromBatch);
        return [x, scale, offset];
      });
    },
  });
  return { ...normalisation, handle, kept, fresh: { value: kept === undefined ? values : undefined }, again };
}

/** The values of an activation, off the tape; they belong to the caller. */
export function evaluate(activation: Activation): tf.Tensor5D {
  return tidy(() => {
    const outputs = activation.terms.map((term) => {
      if (term.kept !== undefined) return tf.clone(term.kept);
      const { value } = term.fresh;
      term.fresh.value = undefined;
      return value ?? valuesOf(sourcesOf(term));
    });
    const value = combine(outputs, activation.mask);
    // A fresh output was made outside of this scope, which therefore would not free it.
    for (const output of outputs) if (output !== value) output.dispose();
    return value;
  });
}

/** The values of an activation, on the tape. */
export function materialise(activation: Activation): tf.Tensor5D {
  const { terms, mask } = activation;
  return differentiable(handlesOf(activation), {
    forward: () => evaluate(activation),
    saved: mask === undefined ? [] : [mask],
    backward(dy, [mask]) {
      const gradient = once(() => mask === undefined ? tf.clone(dy) : tf.mul(dy, mask));
      return terms.map(() => gradient);
    },
  });
}

/** kind(activation, filter), on the tape. Its bias is left out: see `Normalisation`. */
export function convolveActivation(
  kind: Convolution,
  activation: Activation,
  filter: tf.Tensor5D,
): tf.Tensor5D {
  const { terms } = activation;
  const masks = activation.mask === undefined ? [] : [activation.mask];
  const sources = terms.map((term) => term.kept === undefined ? sourcesOf(term) : [term.kept]);
  return differentiable([...handlesOf(activation), filter], {
    forward() {
      const input = evaluate(activation);
      const output = kind.forward(input, filter);
      input.dispose();
      return output;
    },
    saved: [filter, ...sources.flat(), ...masks],
    backward(dy, [savedFilter, ...saved]) {
      const filter = savedFilter as tf.Tensor5D;
      const mask = (masks.length === 0 ? undefined : saved[saved.length - 1]) as tf.Tensor5D | undefined;
      const compute = once(() => {
        // One evaluation serves the filter's gradient and the handles.
        let next = 0;
        const outputs = sources.map(({ length }, i) => {
          const own = saved.slice(next, next += length);
          const { value } = terms[i].again ?? {};
          return value === undefined ? valuesOf(own) : tf.clone(value);
        });
        const { shape } = outputs[0];
        const input = combine(outputs, mask);
        const isLarge = bytesOf(input) > againBytes;
        // At full resolution each of these tensors weighs as much as a layer: none stays longer than it is needed.
        if (isLarge) { for (const output of outputs) if (output !== input) output.dispose(); }
        const filterGradient = kind.filterGradient(input, dy, filter.shape as Shape5);
        if (isLarge) input.dispose();
        const unmasked = kind.inputGradient(dy, filter, shape);
        dy.dispose();
        if (mask === undefined) return { gradient: unmasked, outputs, filterGradient };
        const gradient = tf.mul(unmasked, mask);
        unmasked.dispose();
        return { gradient, outputs, filterGradient };
      });
      return [
        ...terms.map(({ again }, i) => () => {
          const { gradient, outputs } = compute();
          if (again !== undefined && !outputs[i].isDisposed) again.value ??= tf.keep(outputs[i]);
          return gradient;
        }),
        () => compute().filterGradient,
      ];
    },
  });
}

/** What the gradient of an activation is asked for: one handle a term. */
export function handlesOf({ terms }: Activation): tf.Tensor[] {
  return terms.map(({ handle }) => handle);
}

/** What a normalisation is computed from, as a list. */
export function sourcesOf({ raw, affine, moments }: Normalisation): tf.Tensor[] {
  return [raw, affine.scale, affine.offset, moments.mean, moments.variance];
}

/** The normalisation of such a list. */
export function normalisationOf(
  [raw, scale, offset, mean, variance]: readonly tf.Tensor[],
): Omit<Normalisation, "fromBatch"> {
  return {
    raw: raw as tf.Tensor5D,
    affine: { scale: scale as tf.Tensor1D, offset: offset as tf.Tensor1D },
    moments: { mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D },
  };
}

/** The values of an activation from its sources, or from the kept values alone. */
function valuesOf(sources: readonly tf.Tensor[]): tf.Tensor5D {
  if (sources.length === 1) return sources[0] as tf.Tensor5D;
  const { raw, moments, affine } = normalisationOf(sources);
  return tidy(() => normalisedRelu(raw, moments, affine));
}

function bytesOf(tensor: tf.Tensor): number {
  return 4 * tensor.size;
}

function combine(outputs: readonly tf.Tensor5D[], mask: tf.Tensor5D | undefined): tf.Tensor5D {
  const sum = outputs.length === 1 ? outputs[0] : tf.add(outputs[0], outputs[1]) as tf.Tensor5D;
  return mask === undefined ? sum : tf.mul(sum, mask);
}

/** As many functions as there are gradients; the first that is called computes all of them. */
function lazily(count: number, compute: () => tf.Tensor[]): (() => tf.Tensor)[] {
  const results = once(compute);
  return Array.from({ length: count }, (_, i) => () => results()[i]);
}

/** Computes at the first call, and frees what is not returned. */
function once<T extends object>(compute: () => T): () => T {
  let result: T | undefined;
  return () => result ??= tidy(compute);
}
