/**
 * A convolution of the critics: 4³ with stride 2 → bias → LeakyReLU → channel dropout, as one step that keeps
 * nothing but its result for the backward pass: the sign of the result is that of what LeakyReLU was given.
 */
import { downsample4, type Shape5 } from "./convolution.ts";
import { differentiable } from "./differentiable.ts";
import { untaped } from "./tape.ts";
import { tf, tidy } from "./tensor.ts";

/** LeakyReLU's slope below zero, in every critic of the literature that the kit follows. */
const slope = 0.2;

/**
 * mask · leakyRelu(x ∗ filter + bias), on the tape.
 *
 * @param x [n, x, y, z, in]; its sides are even, the result's are their halves.
 * @param filter [4, 4, 4, in, out]
 * @param bias [out]
 * @param mask factors ≥ 0 of whole channels, [n, 1, 1, 1, out].
 */
export function leakyConvolution(
  x: tf.Tensor5D,
  filter: tf.Tensor5D,
  bias: tf.Tensor1D,
  mask?: tf.Tensor5D,
): tf.Tensor5D {
  if (x.shape.slice(1, 4).some((side) => side % 2 !== 0)) {
    throw new RangeError(`a grid of ${x.shape.slice(1, 4).join("×")} cannot be halved`);
  }
  return tidy(() => {
    const y = untaped(() => {
      const activated = tf.leakyRelu(tf.add(downsample4.forward(x, filter), bias), slope) as tf.Tensor5D;
      return mask === undefined ? activated : tf.mul(activated, mask) as tf.Tensor5D;
    });
    return differentiable([x, filter, bias], {
      forward: () => tf.clone(y),
      saved: mask === undefined ? [x, filter, y] : [x, filter, y, mask],
      backward(dy, saved) {
        const [x, filter, y, mask] = saved as tf.Tensor5D[];
        let raw: tf.Tensor5D | undefined;
        const ofRaw = () =>
          raw ??= tidy(() => {
            const kept = mask === undefined ? dy : tf.mul(dy, mask) as tf.Tensor5D;
            return tf.where(tf.greater(y, 0), kept, tf.mul(kept, slope)) as tf.Tensor5D;
          });
        return [
          () => downsample4.inputGradient(ofRaw(), filter, x.shape as Shape5),
          () => downsample4.filterGradient(x, ofRaw(), filter.shape as Shape5),
          () => tf.sum(ofRaw(), [0, 1, 2, 3]),
        ];
      },
    });
  });
}
