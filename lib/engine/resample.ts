/** Enlarging a grid: trilinear in both corner conventions and nearest, each with its exact adjoint as gradient. */
import { differentiable } from "./differentiable.ts";
import { tf, tidy } from "./tensor.ts";

/** How to interpolate. `alignCorners` as in PyTorch. */
export type Upsampling = "nearest" | { readonly trilinear: "alignCorners" | "halfPixel" };

/** Doubles the three sides of x [n, x, y, z, channel]; equals PyTorch's interpolate with scale factor 2. */
export function doubleGrid(x: tf.Tensor5D, method: Upsampling): tf.Tensor5D {
  return enlargeGrid(x, 2, method);
}

/**
 * Multiplies the three sides of x [n, x, y, z, channel] by a whole factor; equals PyTorch's interpolate with that
 * scale factor.
 *
 * Each axis is a small banded matrix, applied one axis after the other as a matrix product, so that the gradient
 * is the product with the transposed matrix.
 */
export function enlargeGrid(x: tf.Tensor5D, factor: number, method: Upsampling): tf.Tensor5D {
  const { forward, adjoint } = gridEnlarger(x.shape, factor, method);
  return differentiable([x], { forward: () => forward(x), saved: [], backward: (dy) => [() => adjoint(dy)] });
}

/** The doubling of grids of one shape and its adjoint, off the tape. */
export interface GridDoubler {
  forward(x: tf.Tensor5D): tf.Tensor5D;
  adjoint(dy: tf.Tensor5D): tf.Tensor5D;
}

/** @param shape [n, x, y, z, channel] of what `forward` takes. */
export function gridDoubler(shape: readonly number[], method: Upsampling): GridDoubler {
  return gridEnlarger(shape, 2, method);
}

function gridEnlarger(shape: readonly number[], factor: number, method: Upsampling): GridDoubler {
  const matrices = shape.slice(1, 4).map((side) => interpolation(side, factor, method));
  return {
    forward: (x) => applyAll(x, matrices, false),
    adjoint: (dy) => applyAll(dy, matrices, true),
  };
}

/** The interpolation along one axis. */
interface AxisMatrix {
  /** Sides of the coarse and of the fine grid. */
  readonly coarse: number;
  readonly fine: number;
  /** [fine, coarse] */
  readonly weights: Float32Array;
}

function interpolation(side: number, factor: number, method: Upsampling): AxisMatrix {
  const fine = factor * side;
  const matrix = new Float32Array(fine * side);
  for (let i = 0; i < fine; i++) {
    if (method === "nearest") {
      matrix[i * side + Math.floor(i / factor)] = 1;
      continue;
    }
    const position = method.trilinear === "alignCorners"
      ? i * (side - 1) / (fine - 1)
      : Math.max((i + 0.5) / factor - 0.5, 0);
    const low = Math.min(Math.floor(position), side - 1);
    const high = Math.min(low + 1, side - 1);
    matrix[i * side + low] += 1 - (position - low);
    matrix[i * side + high] += position - low;
  }
  return { coarse: side, fine, weights: matrix };
}

function applyAll(x: tf.Tensor5D, matrices: readonly AxisMatrix[], transposed: boolean): tf.Tensor5D {
  return tidy(() => {
    let result: tf.Tensor = x;
    // Growing the last axis first keeps the intermediate results small; the adjoint goes the other way.
    for (const axis of transposed ? [1, 2, 3] : [3, 2, 1]) {
      result = alongAxis(result, axis, matrices[axis - 1], transposed);
    }
    return result as tf.Tensor5D;
  });
}

function alongAxis(x: tf.Tensor, axis: number, matrix: AxisMatrix, transposed: boolean): tf.Tensor {
  const { coarse, fine, weights } = matrix;
  const before = x.shape.slice(0, axis).reduce((product, length) => product * length, 1);
  const after = x.shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const shape = [...x.shape];
  shape[axis] = transposed ? coarse : fine;
  if (after === 1) {
    // One product of matrices instead of many with a vector.
    const rows = tf.reshape(x, [before, x.shape[axis]]);
    return tf.reshape(tf.matMul(rows, tf.tensor2d(weights, [fine, coarse]), false, !transposed), shape);
  }
  const rows = tf.reshape(x, [before, x.shape[axis], after]);
  return tf.reshape(tf.matMul(tf.tensor3d(weights, [1, fine, coarse]), rows, transposed, false), shape);
}
