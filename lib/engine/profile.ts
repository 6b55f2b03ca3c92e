/** Where the time of a piece of work goes, operation by operation, on libtensorflow. */
import { InputError } from "../errors.ts";
import { hasNative } from "./native.ts";
import { tf } from "./tensor.ts";

/** All calls of one operation with one shape of its largest input. */
export interface OperationProfile {
  /** The operation's name in libtensorflow, for example "Conv3D". */
  readonly operation: string;
  /** Shape of its largest input. */
  readonly shape: string;
  readonly calls: number;
  readonly seconds: number;
  /** Bytes of all outputs. */
  readonly outputBytes: number;
}

interface Executor {
  executeMultipleOutputs(name: string, attributes: unknown, inputs: tf.Tensor[], count: number): tf.Tensor[];
  executeSingleOutput(name: string, attributes: unknown, inputs: tf.Tensor[]): tf.Tensor;
}

/**
 * Runs `work` and times every operation in it, the most expensive first.
 *
 * @throws InputError on an engine other than libtensorflow.
 */
export function profileOperations(work: () => void): OperationProfile[] {
  if (!hasNative()) throw new InputError("operations can be profiled on the tensorflow engine only");
  const backend = tf.backend() as unknown as Executor;
  const { executeMultipleOutputs, executeSingleOutput } = backend;
  const rows = new Map<string, { calls: number; seconds: number; outputBytes: number }>();
  const timed = <T extends tf.Tensor | tf.Tensor[]>(name: string, inputs: tf.Tensor[], run: () => T): T => {
    const started = performance.now();
    const outputs = run();
    const seconds = (performance.now() - started) / 1000;
    const largest = inputs.reduce<tf.Tensor | undefined>(
      (a, b) => a === undefined || b.size > a.size ? b : a,
      undefined,
    );
    const key = `${name} ${largest?.shape.join("×") ?? ""}`;
    const row = rows.get(key) ?? { calls: 0, seconds: 0, outputBytes: 0 };
    row.calls++;
    row.seconds += seconds;
    for (const output of Array.isArray(outputs) ? outputs : [outputs]) row.outputBytes += 4 * output.size;
    rows.set(key, row);
    return outputs;
  };
  backend.executeMultipleOutputs = (name, attributes, inputs, count) =>
    timed(name, inputs, () => executeMultipleOutputs.call(backend, name, attributes, inputs, count));
  backend.executeSingleOutput = (name, attributes, inputs) =>
    timed(name, inputs, () => executeSingleOutput.call(backend, name, attributes, inputs));
  try {
    work();
  } finally {
    Object.assign(backend, { executeMultipleOutputs, executeSingleOutput });
  }
  return [...rows].map(([key, row]) => {
    const [operation, shape] = key.split(" ");
    return { operation, shape, ...row };
  }).sort((a, b) => b.seconds - a.seconds);
}
