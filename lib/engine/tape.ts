/**
 * The lean backward pass. The walk of TensorFlow.js keeps every saved activation and every intermediate gradient
 * until the end; this one frees a node's saved tensors and its incoming gradient as soon as they are used, which
 * nearly halves the peak memory of a training step.
 */
import { tf, tidy } from "./tensor.ts";

interface TapeNode {
  readonly inputs: Record<string, tf.Tensor>;
  readonly outputs: tf.Tensor[];
  readonly saved: tf.Tensor[];
  readonly gradient?: (dys: (tf.Tensor | undefined)[]) => Record<string, () => tf.Tensor>;
}

interface TapeEngine {
  readonly state: { activeTape: (TapeNode | undefined)[] | null; gradientDepth: number };
  startTape(): void;
  endTape(): void;
}

/** A scalar and its derivative with respect to each variable; `undefined` where it does not depend on one. */
export interface ValueAndGradients<T> {
  readonly value: T;
  readonly gradients: (tf.Tensor | undefined)[];
}

/**
 * Runs `f` on the tape and differentiates its `loss`.
 *
 * The tensors that `f` returns and the gradients belong to the caller, who disposes them. May be nested: an inner
 * call does not record on the outer tape, so its results are constants there.
 *
 * @param f returns an object with the scalar `loss`, and whatever else the caller wants to keep.
 * @param variables the tensors to differentiate by.
 */
export function valueAndGradients<T extends { readonly loss: tf.Scalar }>(
  f: () => T,
  variables: readonly tf.Tensor[],
): ValueAndGradients<T> {
  return recorded(f, (value, tape) => {
    const seed = new Map([[value.loss.id, tf.keep(tf.onesLike(value.loss))]]);
    return { value, gradients: walk(tape, seed, variables) };
  });
}

/**
 * Runs `f` on a tape of its own and multiplies a gradient of its result by its derivative, for operations that
 * compute something again in their backward pass. The gradients belong to the surrounding `tidy`.
 *
 * @param gradient the gradient of the result, from the result.
 * @param inputs the tensors to differentiate by.
 */
export function pullBack(
  f: () => tf.Tensor,
  gradient: (value: tf.Tensor) => tf.Tensor,
  inputs: readonly tf.Tensor[],
): (tf.Tensor | undefined)[] {
  return recorded(f, (value, tape) => {
    const seed = new Map([[value.id, tf.keep(gradient(value))]]);
    value.dispose();
    return walk(tape, seed, inputs).map((kept) => {
      const result = kept?.clone();
      kept?.dispose();
      return result;
    });
  });
}

type Tape = (TapeNode | undefined)[];

/** Runs `f` on a tape of its own, which lives as long as `use`. */
function recorded<T, U>(f: () => T, use: (value: T, tape: Tape) => U): U {
  const engine = tf.engine() as unknown as TapeEngine;
  const { state } = engine;
  const outer = { tape: state.activeTape, depth: state.gradientDepth };
  state.gradientDepth = 0;
  let tape: Tape = [];
  try {
    engine.startTape();
    tape = state.activeTape!;
    let value: T;
    try {
      value = tidy(f);
    } finally {
      engine.endTape();
      state.activeTape = null;
    }
    return use(value, tape);
  } finally {
    for (const node of tape) node?.saved.forEach((tensor) => tensor.dispose());
    state.activeTape = outer.tape;
    state.gradientDepth = outer.depth;
  }
}

/** True while operations are recorded. */
export function isRecording(): boolean {
  return (tf.engine() as unknown as TapeEngine).state.gradientDepth > 0;
}

/** Runs `f` without recording: its results are constants for a surrounding `valueAndGradients`. */
export function untaped<T>(f: () => T): T {
  const { state } = tf.engine() as unknown as TapeEngine;
  const depth = state.gradientDepth;
  state.gradientDepth = 0;
  try {
    return tidy(f);
  } finally {
    state.gradientDepth = depth;
  }
}

/** @param gradients by the id of its tensor, what the walk starts from; emptied by it. */
function walk(
  tape: Tape,
  gradients: Map<number, tf.Tensor>,
  variables: readonly tf.Tensor[],
): (tf.Tensor | undefined)[] {
  const dependent = dependentIds(tape, variables);
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i]!;
    const incoming = node.outputs.map((output) => gradients.get(output.id));
    if (incoming.some((dy) => dy !== undefined)) {
      if (node.outputs.some((output) => dependent.has(output.id))) {
        spread(node, incoming, dependent, gradients);
      }
      for (const output of node.outputs) {
        gradients.get(output.id)?.dispose();
        gradients.delete(output.id);
      }
    }
    for (const tensor of node.saved) tensor.dispose();
    tape[i] = undefined;
  }
  const result = variables.map((variable) => gradients.get(variable.id));
  for (const variable of variables) gradients.delete(variable.id);
  for (const unused of gradients.values()) unused.dispose();
  return result;
}

/** Ids of all tensors that depend on one of the variables. */
function dependentIds(tape: Readonly<Tape>, variables: readonly tf.Tensor[]): Set<number> {
  const ids = new Set(variables.map((variable) => variable.id));
  for (const node of tape) {
    if (Object.values(node!.inputs).some((input) => ids.has(input.id))) {
      for (const output of node!.outputs) ids.add(output.id);
    }
  }
  return ids;
}

/** Adds the gradients of a node's inputs to those collected so far. */
function spread(
  node: TapeNode,
  incoming: (tf.Tensor | undefined)[],
  dependent: ReadonlySet<number>,
  gradients: Map<number, tf.Tensor>,
): void {
  if (node.gradient === undefined) {
    throw new Error(`no gradient is registered for an operation with output ${node.outputs[0].shape}`);
  }
  tf.tidy(() => {
    const parts = node.gradient!(incoming);
    for (const [name, input] of Object.entries(node.inputs)) {
      if (!dependent.has(input.id)) continue;
      const part = parts[name]();
      const sum = gradients.get(input.id);
      // A gradient function may hand its incoming gradient on; the clone keeps the two lives apart.
      gradients.set(input.id, tf.keep(sum === undefined ? tf.clone(part) : tf.add(sum, part)));
      sum?.dispose();
    }
  });
}
