/**
 * Operations of libtensorflow that TensorFlow.js does not wrap, called by name on its Node backend.
 * On any other engine `hasNative()` is false and the callers compose the operation from elementary ones.
 */
import { tf } from "./tensor.ts";

/** An attribute of a libtensorflow operation. */
export type Attribute = boolean | number | readonly number[] | string | { readonly float: number };

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
 * @param name the operation, for example "FusedBatchNormV3"; its type attribute T is float32.
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
  const list: object[] = [{ name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
  for (const [key, value] of Object.entries(attributes)) list.push(encode(key, value, binding));
  return backend.executeMultipleOutputs(name, list, inputs, outputs);
}

function encode(name: string, value: Attribute, binding: Record<string, number>): object {
  if (typeof value === "boolean") return { name, type: binding.TF_ATTR_BOOL, value };
  if (typeof value === "string") {
    return value === "float32"
      ? { name, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }
      : { name, type: binding.TF_ATTR_STRING, value };
  }
  if (typeof value === "object" && "float" in value) {
    return { name, type: binding.TF_ATTR_FLOAT, value: value.float };
  }
  return { name, type: binding.TF_ATTR_INT, value };
}
