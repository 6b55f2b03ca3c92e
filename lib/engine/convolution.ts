/**
 * The four convolutions of the networks, each with its forward pass and its two gradients, outside of the tape.
 * Tensors are [n, x, y, z, channel]; filters are stored as [kx, ky, kz, in, out], those of a transposed convolution
 * as [kx, ky, kz, out, in]: in both cases PyTorch's layout with its axes permuted by (2, 3, 4, 1, 0).
 */
import { differentiable } from "./differentiable.ts";
import { tf, tidy } from "./tensor.ts";

/** A convolution without bias. */
export interface Convolution {
  /** Side of the filter. */
  readonly side: number;
  forward(x: tf.Tensor5D, filter: tf.Tensor5D): tf.Tensor5D;
  inputGradient(dy: tf.Tensor5D, filter: tf.Tensor5D, inputShape: Shape5): tf.Tensor5D;
  filterGradient(x: tf.Tensor5D, dy: tf.Tensor5D, filterShape: Shape5): tf.Tensor5D;
}

export type Shape5 = [number, number, number, number, number];

function convolution(side: number, stride: number, pad: "same" | "valid"): Convolution {
  return {
    side,
    forward: (x, filter) => tf.conv3d(x, filter, stride, pad),
    inputGradient: (dy, filter, inputShape) => backpropInput(dy, filter, inputShape, stride, pad),
    filterGradient: (x, dy, filterShape) => backpropFilter(x, dy, filterShape, stride, pad),
  };
}

/** 3³, stride 1, padding 1. */
export const conv3 = convolution(3, 1, "same");

/** 1³: a linear map of the channels, as matrix products over the voxels, which beat the library's convolution. */
export const conv1: Convolution = {
  side: 1,
  forward: (x, filter) => tidy(() => spread(tf.matMul(voxels(x), voxels(filter)), x)),
  inputGradient: (dy, filter) => tidy(() => spread(tf.matMul(voxels(dy), voxels(filter), false, true), dy)),
  filterGradient: (x, dy, filterShape) =>
    tidy(() => tf.reshape(tf.matMul(voxels(x), voxels(dy), true, false), filterShape)),
};

/** 2³, stride 2: halves the grid; the last plane of an odd side is dropped, as in PyTorch. */
export const downsample2 = convolution(2, 2, "valid");

/** Transposed 2³, stride 2: doubles the grid. It is the adjoint of `downsample2` with the same filter. */
export const upsample2: Convolution = {
  side: 2,
  forward(x, filter) {
    const [n, a, b, c] = x.shape;
    return backpropInput(x, filter, [n, 2 * a, 2 * b, 2 * c, filter.shape[3]], 2, "valid");
  },
  inputGradient: (dy, filter) => tf.conv3d(dy, filter, 2, "valid"),
  filterGradient: (x, dy, filterShape) => backpropFilter(dy, x, filterShape, 2, "valid"),
};

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

/** [voxel, channel] on the grid of another tensor. */
function spread(rows: tf.Tensor, grid: tf.Tensor5D): tf.Tensor5D {
  const [n, x, y, z] = grid.shape;
  return tf.reshape(rows, [n, x, y, z, rows.shape[1]!]);
}

function backpropInput(
  dy: tf.Tensor5D,
  filter: tf.Tensor5D,
  inputShape: Shape5,
  strides: number,
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
