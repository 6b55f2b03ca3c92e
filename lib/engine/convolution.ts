/**
 * The convolutions of the networks, each with its forward pass and its two gradients, outside of the tape: the
 * library's kernels on libtensorflow, matrix products elsewhere.
 * Tensors are [n, x, y, z, channel]; filters are stored as [kx, ky, kz, in, out], those of a transposed convolution
 * as [kx, ky, kz, out, in]: in both cases PyTorch's layout with its axes permuted by (2, 3, 4, 1, 0).
 */
import { composedConv3, composedDownsample2, composedUpsample2 } from "./composed_convolution.ts";
import type { Convolution, Shape5 } from "./convolution_type.ts";
import { EnvironmentError } from "../errors.ts";
import { differentiable } from "./differentiable.ts";
import { hasNative, nativeOperation } from "./native.ts";
import { tf, tidy } from "./tensor.ts";

export type { Convolution, Shape5 };

/** The library's own kernels. */
function kernels(side: number, stride: number, pad: "same" | "valid"): Convolution {
  return {
    side,
    forward: (x, filter) => tf.conv3d(x, filter, stride, pad),
    inputGradient: (dy, filter, inputShape) => backpropInput(dy, filter, inputShape, stride, pad),
    filterGradient: (x, dy, filterShape) => backpropFilter(x, dy, filterShape, stride, pad),
  };
}

/** The first on libtensorflow, the second on the other engines. */
function perEngine(native: Convolution, composed: Convolution): Convolution {
  const chosen = () => hasNative() ? native : composed;
  return {
    side: native.side,
    forward: (x, filter) => chosen().forward(x, filter),
    inputGradient: (dy, filter, inputShape) => chosen().inputGradient(dy, filter, inputShape),
    filterGradient: (x, dy, filterShape) => chosen().filterGradient(x, dy, filterShape),
  };
}

/** For what only critics need; other engines are for small things. */
function onLibtensorflowOnly(side: number): Convolution {
  const refuse = (): never => {
    throw new EnvironmentError(
      `the strided ${side}³ convolutions of this method's critic run on libtensorflow only: use --engine tensorflow ` +
        "(deno task doctor says what it lacks)",
    );
  };
  return { side, forward: refuse, inputGradient: refuse, filterGradient: refuse };
}

/** 3³, stride 1, padding 1. */
export const conv3 = perEngine(kernels(3, 1, "same"), composedConv3);

/** 1³: a linear map of the channels, as matrix products over the voxels, which beat the library's convolution. */
export const conv1: Convolution = {
  side: 1,
  forward: (x, filter) => tidy(() => spread(matrixProduct(voxels(x), voxels(filter)), x)),
  inputGradient: (dy, filter) => tidy(() => spread(matrixProduct(voxels(dy), voxels(filter), "b"), dy)),
  filterGradient: (x, dy, filterShape) =>
    tidy(() => tf.reshape(matrixProduct(voxels(x), voxels(dy), "a"), filterShape)),
};

/** 1³ with filters of its own for each item: [n, 1, 1, in, out]. */
export const conv1OfItems: Convolution = {
  side: 1,
  forward: (x, filters) => tidy(() => spread(tf.matMul(rows(x), rows(filters)), x)),
  inputGradient: (dy, filters) => tidy(() => spread(tf.matMul(rows(dy), rows(filters), false, true), dy)),
  filterGradient: (x, dy, shape) => tidy(() => tf.reshape(tf.matMul(rows(x), rows(dy), true, false), shape)),
};

/** a·b with one of them transposed; TensorFlow.js would run the batched operation, at twice the time. */
function matrixProduct(a: tf.Tensor2D, b: tf.Tensor2D, transposed?: "a" | "b"): tf.Tensor2D {
  const [ofA, ofB] = [transposed === "a", transposed === "b"];
  if (!hasNative()) return tf.matMul(a, b, ofA, ofB);
  return nativeOperation("MatMul", [a, b], { transpose_a: ofA, transpose_b: ofB })[0] as tf.Tensor2D;
}

/** 2³, stride 2: halves the grid; the last plane of an odd side is dropped, as in PyTorch. */
export const downsample2 = perEngine(
  { ...kernels(2, 2, "valid"), inputGradient: spreadPairs },
  composedDownsample2,
);

/** 4³, stride 2, padding 1: halves a grid of even sides. */
export const downsample4 = perEngine(kernels(4, 2, "same"), onLibtensorflowOnly(4));

/** Transposed 2³, stride 2: doubles the grid. It is the adjoint of `downsample2` with the same filter. */
export const upsample2 = perEngine(
  {
    side: 2,
    forward(x, filter) {
      const [n, a, b, c] = x.shape;
      return spreadPairs(x, filter, [n, 2 * a, 2 * b, 2 * c, filter.shape[3]]);
    },
    inputGradient: (dy, filter) => tf.conv3d(dy, filter, 2, "valid"),
    filterGradient: (x, dy, filterShape) => backpropFilter(dy, x, filterShape, 2, "valid"),
  },
  composedUpsample2,
);

/** Any of the convolutions on the tape, with an optional bias per output channel. */
export function convolve(
  kind: Convolution,
  x: tf.Tensor5D,
  filter: tf.Tensor5D,
  bias?: tf.Tensor1D,
): tf.Tensor5D {
  const y = differentiable([x, filter], {
    forward: () => kind.forward(x, filter),
    saved: [x, filter],
    backward(dy, [x, filter]) {
      return [
        () => kind.inputGradient(dy, filter as tf.Tensor5D, x.shape as Shape5),
        () => kind.filterGradient(x as tf.Tensor5D, dy, filter.shape as Shape5),
      ];
    },
  });
  return bias === undefined ? y : tf.add(y, bias);
}

/** [n, x, y, z, channel] → [voxel, channel]; a 1³ filter → [in, out] */
function voxels(x: tf.Tensor5D): tf.Tensor2D {
  const channels = x.shape[4];
  return tf.reshape(x, [x.size / channels, channels]);
}

/** [n, x, y, z, channel] → [n, voxel, channel]; filters of items → [n, in, out] */
function rows(x: tf.Tensor5D): tf.Tensor3D {
  const [n, , , , channels] = x.shape;
  return tf.reshape(x, [n, x.size / n / channels, channels]);
}

/** [voxel, channel] or [n, voxel, channel] on the grid of another tensor. */
function spread(rows: tf.Tensor, grid: tf.Tensor5D): tf.Tensor5D {
  const [n, x, y, z] = grid.shape;
  return tf.reshape(rows, [n, x, y, z, rows.shape[rows.rank - 1]]);
}

/**
 * The input gradient of the 2³ convolution with stride 2. Two voxels along z, which lie side by side, are taken as
 * one with twice the channels: the library then runs two to three times as fast.
 */
function spreadPairs(dy: tf.Tensor5D, filter: tf.Tensor5D, shape: Shape5): tf.Tensor5D {
  const [n, x, y, z, channels] = shape;
  if (z % 2 === 1) return backpropInput(dy, filter, shape, 2, "valid");
  return tidy(() => {
    const pairs = tf.reshape(filter, [2, 2, 1, 2 * channels, filter.shape[4]]) as tf.Tensor5D;
    const gradient = backpropInput(dy, pairs, [n, x, y, z / 2, 2 * channels], [2, 2, 1], "valid");
    return tf.reshape(gradient, shape);
  });
}

function backpropInput(
  dy: tf.Tensor5D,
  filter: tf.Tensor5D,
  inputShape: Shape5,
  strides: number | [number, number, number],
  pad: string,
): tf.Tensor5D {
  const attributes = { strides, pad, inputShape } as unknown as tf.NamedAttrMap;
  return tf.engine().runKernel(tf.Conv3DBackpropInputV2, { dy, filter }, attributes) as tf.Tensor5D;
}

function backpropFilter(
  x: tf.Tensor5D,
  dy: tf.Tensor5D,
  filterShape: Shape5,
  strides: number,
  pad: string,
): tf.Tensor5D {
  const attributes = { strides, pad, filterShape } as unknown as tf.NamedAttrMap;
  return tf.engine().runKernel(tf.Conv3DBackpropFilterV2, { x, dy }, attributes) as tf.Tensor5D;
}
