/**
 * Gradients of elementary operations in one pass over memory where TensorFlow.js takes two to four, some of them over
 * arrays that it fills in JavaScript. The values are the same up to rounding.
 */
import { hasNative, nativeOperation } from "./native.ts";
import { tf } from "./tensor.ts";

type Gradients = NonNullable<ReturnType<typeof tf.getGradient>>["gradFunc"];

/** Replaces the gradients of Sigmoid, Tanh, Softplus, Sum and Mean; on other engines the old ones stay in use. */
export function replaceGradients(): void {
  replace(tf.Sigmoid, (dy, [y]) => ({ x: () => nativeOperation("SigmoidGrad", [y, dy as tf.Tensor])[0] }));
  replace(tf.Tanh, (dy, [y]) => ({ x: () => nativeOperation("TanhGrad", [y, dy as tf.Tensor])[0] }));
  replace(tf.Softplus, (dy, [x]) => ({ x: () => nativeOperation("SoftplusGrad", [dy as tf.Tensor, x])[0] }));
  replace(tf.Sum, (dy, [x], attributes) => ({ x: () => spread(dy as tf.Tensor, x, axesOf(x, attributes)) }));
  replace(tf.Mean, (dy, saved, attributes) => {
    const [x] = saved;
    return {
      x: () => {
        const axes = axesOf(x, attributes);
        const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
        return spread(tf.div(dy as tf.Tensor, count), x, axes);
      },
    };
  });
}

function replace(kernelName: string, gradient: Gradients): void {
  const old = tf.getGradient(kernelName);
  tf.unregisterGradient(kernelName);
  const { gradFunc } = old;
  tf.registerGradient({
    ...old,
    gradFunc: (...parts) => (hasNative() ? gradient : gradFunc)(...parts),
  });
}

function axesOf(x: tf.Tensor, attributes: tf.NamedAttrMap): number[] {
  const { axis } = attributes as { axis?: number | number[] };
  return tf.util.parseAxisParam(axis as number[], x.shape);
}

/** The gradient of a reduction along axes, the same for all that was reduced. */
function spread(dy: tf.Tensor, x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  const kept = tf.reshape(dy, x.shape.map((side, i) => axes.includes(i) ? 1 : side));
  const shape = tf.tensor1d(x.shape, "int32");
  return nativeOperation("BroadcastTo", [kept, shape], { Tidx: "int32" })[0];
}
