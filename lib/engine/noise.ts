/** Gaussian noise made on the engine. */
import type { RandomStream } from "../random.ts";
import { hasNative, nativeOperation } from "./native.ts";
import { tf, tidy } from "./tensor.ts";

/**
 * Standard normal values that are a function of the stream alone. libtensorflow draws them in parallel with its
 * counter-based generator, seeded by the stream; other engines take them from the stream one by one, so that the
 * values differ between engines.
 */
export function normalNoise(shape: readonly number[], stream: RandomStream): tf.Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  if (!hasNative()) {
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = stream.normal();
    return tf.tensor(values, [...shape]);
  }
  return tidy(() => {
    const seed = tf.tensor1d([stream.integer(2 ** 31), stream.integer(2 ** 31)], "int32");
    const inputs = [tf.tensor1d([...shape], "int32"), seed];
    return nativeOperation("StatelessRandomNormal", inputs, {
      T: "int32",
      Tseed: "int32",
      dtype: "float32",
    })[0];
  });
}
