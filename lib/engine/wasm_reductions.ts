/**
 * Sums and means of the WASM engine, made accurate. Its kernels add all values one by one in float32, which over
 * the voxels of a batch loses two digits; adding along one axis after the other loses none that matter.
 */
import { tf } from "./tensor.ts";

/** An axis that is longer is reduced in several goes. */
const longestRun = 128;

interface WasmBackend {
  disposeData(id: tf.DataId): boolean;
}

/** Replaces the kernels Sum and Mean of the WASM engine, which must have been imported. */
export function replaceWasmReductions(): void {
  for (const name of [tf.Sum, tf.Mean]) {
    const { kernelFunc } = tf.getKernel(name, "wasm");
    tf.unregisterKernel(name, "wasm");
    tf.registerKernel({
      kernelName: name,
      backendName: "wasm",
      kernelFunc: (call) => axisByAxis(kernelFunc, call),
    });
  }
}

function axisByAxis(
  kernel: tf.KernelFunc,
  call: Parameters<tf.KernelFunc>[0],
): ReturnType<tf.KernelFunc> {
  const x = call.inputs.x as tf.TensorInfo;
  const { axis, keepDims } = call.attrs as unknown as { axis: number | number[]; keepDims: boolean };
  const axes = tf.util.parseAxisParam(axis, x.shape).sort((a, b) => b - a);
  if (axes.length === 0 || x.dtype !== "float32") return kernel(call);
  const backend = call.backend as WasmBackend;
  let current = x;
  // The axes behind an axis come first, so that every one still has its place.
  for (const axis of axes) {
    const before = sizeOf(x.shape.slice(0, axis));
    const after = sizeOf(current.shape) / before / x.shape[axis];
    for (const length of runs(x.shape[axis])) {
      const rows = sizeOf(current.shape) / length / after;
      const view = { ...current, shape: after === 1 ? [rows, length] : [rows, length, after] };
      const attrs = { axis: [1], keepDims: false } as unknown as tf.NamedAttrMap;
      const reduced = kernel({ ...call, inputs: { x: view }, attrs }) as tf.TensorInfo;
      if (current !== x) backend.disposeData(current.dataId);
      current = reduced;
    }
  }
  const shape = x.shape.flatMap((side, i) => !axes.includes(i) ? [side] : keepDims ? [1] : []);
  return { ...current, shape };
}

/** The lengths of the goes in which an axis is reduced; their product is its side. */
function runs(side: number): number[] {
  const lengths: number[] = [];
  let rest = side;
  while (rest > longestRun) {
    let length = longestRun;
    while (rest % length !== 0) length--;
    if (length === 1) break;
    lengths.push(length);
    rest /= length;
  }
  return [...lengths, rest];
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
