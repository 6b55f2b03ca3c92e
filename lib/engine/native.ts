/**
 * Operations of libtensorflow that TensorFlow.js does not wrap, called by name on its Node backend.
 * On any other engine `hasNative()` is false and the callers compose the operation from elementary ones.
 */
import { tf } from "./tensor.ts";

/** An attribute of a libtensorflow operation; "float32" and "int32" are types. */
export type Attribute = boolean | number | string | { readonly float: number };

interface NativeBackend {
  readonly binding: Record<string, number>;
  executeMultipleOutputs(name: string, attributes: object[], inputs: tf.Tensor[], count: number): tf.Tensor[];
}

/** True when the running engine is libtensorflow. */
export function hasNative(): boolean {
  return tf.getBackend() === "tensorflow";
}

/**
 * Runs one libtensorflow operation outside of the gradient tape.
 *
 * @param name the operation, for example "FusedBatchNormV3"; its type attribute T is float32 unless given.
 * @param inputs its inputs in the order of the operation's definition.
 * @param attributes its attributes; a plain number is an integer, `{ float }` a float32.
 * @param outputs how many outputs it has.
 */
export function nativeOperation(
  name: string,
  inputs: tf.Tensor[],
  attributes: Readonly<Record<string, Attribute>> = {},
  outputs = 1,
): tf.Tensor[] {
  const backend = tf.backend() as unknown as NativeBackend;
  const { binding } = backend;
  const list = Object.entries({ T: "float32", ...attributes }).map(([key, value]) =>
    encode(key, value, binding)
  );
  return backend.executeMultipleOutputs(name, list, inputs, outputs);
}

function encode(name: string, value: Attribute, binding: Record<string, number>): object {
  if (typeof value === "boolean") return { name, type: binding.TF_ATTR_BOOL, value };
  if (typeof value === "string") {
    const type = { float32: binding.TF_FLOAT, int32: binding.TF_INT32 }[value];
    return type === undefined
      ? { name, type: binding.TF_ATTR_STRING, value }
      : { name, type: binding.TF_ATTR_TYPE, value: type };
  }
  if (typeof value === "object" && "float" in value) {
    return { name, type: binding.TF_ATTR_FLOAT, value: value.float };
  }
  return { name, type: binding.TF_ATTR_INT, value };
}
