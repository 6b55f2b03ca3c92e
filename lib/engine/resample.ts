/** Doubling a grid: trilinear in both corner conventions and nearest, each with its exact adjoint as gradient. */
import { differentiable } from "./differentiable.ts";
import { tf, tidy } from "./tensor.ts";

/** How to interpolate. `alignCorners` as in PyTorch. */
export type Upsampling = "nearest" | { readonly trilinear: "alignCorners" | "halfPixel" };

/**
 * Doubles the three sides of x [n, x, y, z, channel]; equals PyTorch's interpolate with scale factor 2.
 *
 * Each axis is a small banded matrix, applied one axis after the other as a matrix product, so that the gradient
 * is the product with the transposed matrix.
 */
export function doubleGrid(x: tf.Tensor5D, method: Upsampling): tf.Tensor5D {
  const sides = x.shape.slice(1, 4);
  const matrices = sides.map((side) => interpolation(side, method));
  return differentiable([x], {
    forward: () => applyAll(x, matrices, sides, false),
    saved: [],
    backward: (dy) => [() => applyAll(dy, matrices, sides, true)],
  });
}

/** Rows of the interpolation matrix [2·side, side]. */
function interpolation(side: number, method: Upsampling): Float32Array {
  const matrix = new Float32Array(2 * side * side);
  for (let i = 0; i < 2 * side; i++) {
    if (method === "nearest") {
      matrix[i * side + (i >> 1)] = 1;
      continue;
    }
    const position = method.trilinear === "alignCorners"
      ? i * (side - 1) / (2 * side - 1)
      : Math.max((i + 0.5) / 2 - 0.5, 0);
    const low = Math.min(Math.floor(position), side - 1);
    const high = Math.min(low + 1, side - 1);
    matrix[i * side + low] += 1 - (position - low);
    matrix[i * side + high] += position - low;
  }
  return matrix;
}

function applyAll(
  x: tf.Tensor5D,
  matrices: readonly Float32Array[],
  sides: readonly number[],
  transposed: boolean,
): tf.Tensor5D {
  return tidy(() => {
    let result: tf.Tensor = x;
    // Growing the last axis first keeps the intermediate results small; the adjoint goes the other way.
    for (const axis of transposed ? [1, 2, 3] : [3, 2, 1]) {
      result = alongAxis(result, axis, matrices[axis - 1], sides[axis - 1], transposed);
    }
    return result as tf.Tensor5D;
  });
}

function alongAxis(
  x: tf.Tensor,
  axis: number,
  matrix: Float32Array,
  side: number,
  transposed: boolean,
): tf.Tensor {
  const before = x.shape.slice(0, axis).reduce((product, length) => product * length, 1);
  const after = x.shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const rows = tf.reshape(x, [before, x.shape[axis], after]);
  const weights = tf.tensor3d(matrix, [1, 2 * side, side]);
  const shape = [...x.shape];
  shape[axis] = transposed ? side : 2 * side;
  return tf.reshape(tf.matMul(weights, rows, transposed, false), shape);
}
