/**
 * The convolutions as matrix products, for engines whose own three-dimensional kernels are slow or wrong (those of
 * TensorFlow.js WASM give wrong gradients and wrong transposed convolutions without an error). Everything is made of
 * reshapes, transpositions, matrix products, and slices and paddings of rank 3, which all engines do right.
 * Layouts as in convolution.ts.
 */
import type { Convolution, Shape5 } from "./convolution_type.ts";
import { tf, tidy } from "./tensor.ts";

/**
 * 3³, stride 1, padding 1. In the flat list of the voxels of a padded grid the neighbour at an offset is a
 * fixed number of rows away, so each of the 27 taps is one product with contiguous rows.
 */
export const composedConv3: Convolution = {
  side: 3,
  forward: neighbourhoodProduct,
  inputGradient: (dy, filter) => tidy(() => neighbourhoodProduct(dy, mirrored(filter))),
  filterGradient(x, dy, filterShape) {
    return tidy(() => {
      const grid = paddedGrid(x.shape as Shape5);
      const gradient = tf.transpose(inner(paddedRows(dy), grid));
      const rows = paddedRows(x);
      const taps = grid.offsets.map((offset) =>
        tidy(() => tf.transpose(tf.matMul(gradient, inner(rows, grid, offset))))
      );
      return tf.reshape(tf.concat(taps), filterShape);
    });
  },
};

/** 2³, stride 2, no padding: a matrix product over the blocks of eight voxels. */
export const composedDownsample2: Convolution = {
  side: 2,
  forward(x, filter) {
    return tidy(() => {
      const [n, a, b, c] = halved(x.shape as Shape5);
      return tf.reshape(tf.matMul(blocks(x), asMatrix(filter)), [n, a, b, c, filter.shape[4]]);
    });
  },
  inputGradient(dy, filter, inputShape) {
    return tidy(() => {
      const rows = tf.matMul(voxelRows(dy), tf.transpose(asMatrix(filter)));
      return unblocked(rows, dy.shape as Shape5, inputShape);
    });
  },
  filterGradient: (x, dy, filterShape) =>
    tidy(() => tf.reshape(tf.matMul(tf.transpose(blocks(x)), voxelRows(dy)), filterShape)),
};

/** Transposed 2³, stride 2: the adjoint of `composedDownsample2` with the same filter. */
export const composedUpsample2: Convolution = {
  side: 2,
  forward(x, filter) {
    const [n, a, b, c] = x.shape;
    return composedDownsample2.inputGradient(x, filter, [n, 2 * a, 2 * b, 2 * c, filter.shape[3]]);
  },
  inputGradient: (dy, filter) => composedDownsample2.forward(dy, filter),
  filterGradient: (x, dy, filterShape) => composedDownsample2.filterGradient(dy, x, filterShape),
};

/** The flat list of voxels of a batch of grids with a border of one voxel. */
interface PaddedGrid {
  readonly rows: number;
  /** Rows before the first voxel that has all neighbours, and after the last. */
  readonly margin: number;
  /** Rows from a voxel to each of its 27 neighbours, in the order of the filter. */
  readonly offsets: readonly number[];
}

function paddedGrid([n, a, b, c]: Shape5): PaddedGrid {
  const [stepX, stepY] = [(b + 2) * (c + 2), c + 2];
  const around = [-1, 0, 1];
  return {
    rows: n * (a + 2) * stepX,
    margin: stepX + stepY + 1,
    offsets: around.flatMap((i) => around.flatMap((j) => around.map((k) => i * stepX + j * stepY + k))),
  };
}

function neighbourhoodProduct(x: tf.Tensor5D, filter: tf.Tensor5D): tf.Tensor5D {
  return tidy(() => {
    const [n, a, b, c] = x.shape;
    const [input, output] = filter.shape.slice(3);
    const grid = paddedGrid(x.shape as Shape5);
    const rows = paddedRows(x);
    const taps = tf.reshape(filter, [27, input * output]);
    let sum = tf.zeros([grid.rows - 2 * grid.margin, output]) as tf.Tensor2D;
    grid.offsets.forEach((offset, tap) => {
      const before = sum;
      sum = tidy(() => {
        const weights = tf.reshape(tf.slice(taps, [tap, 0], [1, input * output]), [input, output]);
        return tf.add(before, tf.matMul(inner(rows, grid, offset), weights)) as tf.Tensor2D;
      });
      before.dispose();
    });
    const whole = tf.reshape(tf.pad(sum, [[grid.margin, grid.margin], [0, 0]]), [
      n,
      a + 2,
      b + 2,
      c + 2,
      output,
    ]);
    const sides = [a, b, c];
    return [1, 2, 3].reduce((y, axis) => cut(y, axis, 1, sides[axis - 1]), whole as tf.Tensor) as tf.Tensor5D;
  });
}

/** The rows of all voxels with a margin on both sides, moved by an offset. */
function inner(rows: tf.Tensor2D, { rows: count, margin }: PaddedGrid, offset = 0): tf.Tensor2D {
  return tf.slice(rows, [margin + offset, 0], [count - 2 * margin, rows.shape[1]]);
}

/** [n, x, y, z, channel] → the voxels of the padded grid as rows. */
function paddedRows(x: tf.Tensor5D): tf.Tensor2D {
  return tidy(() => voxelRows([1, 2, 3].reduce<tf.Tensor>((y, axis) => extended(y, axis, 1, 1), x)));
}

/** The filter of the adjoint: every axis turned round, input and output exchanged. */
function mirrored(filter: tf.Tensor5D): tf.Tensor5D {
  const [input, output] = filter.shape.slice(3);
  const taps = tf.reverse(tf.reshape(filter, [27, input, output]), 0);
  return tf.reshape(tf.transpose(taps, [0, 2, 1]), [3, 3, 3, output, input]);
}

/** [n, x, y, z, channel] → [block, 2·2·2·channel]; the last plane of an odd side is dropped. */
function blocks(x: tf.Tensor5D): tf.Tensor2D {
  return tidy(() => {
    const [n, a, b, c, channels] = halved(x.shape as Shape5);
    const even = [a, b, c].reduce<tf.Tensor>(
      (y, side, i) => y.shape[i + 1] === 2 * side ? y : cut(y, i + 1, 0, 2 * side),
      x,
    );
    const split = tf.reshape(even, [n * a, 2, b, 2, c, 2 * channels]);
    return tf.reshape(tf.transpose(split, [0, 2, 4, 1, 3, 5]), [n * a * b * c, 8 * channels]);
  });
}

/** The blocks in their places: the adjoint of `blocks`, zero where it dropped a plane. */
function unblocked(rows: tf.Tensor, [n, a, b, c]: Shape5, shape: Shape5): tf.Tensor5D {
  const channels = shape[4];
  const split = tf.transpose(tf.reshape(rows, [n * a, b, c, 2, 2, 2 * channels]), [0, 3, 1, 4, 2, 5]);
  const even = tf.reshape(split, [n, 2 * a, 2 * b, 2 * c, channels]);
  return [1, 2, 3].reduce<tf.Tensor>((y, axis) => {
    const dropped = shape[axis] - y.shape[axis];
    return dropped === 0 ? y : extended(y, axis, 0, dropped);
  }, even) as tf.Tensor5D;
}

function halved([n, a, b, c, channels]: Shape5): Shape5 {
  return [n, a >> 1, b >> 1, c >> 1, channels];
}

/** [k, k, k, p, q] → [k³·p, q] */
function asMatrix(filter: tf.Tensor5D): tf.Tensor2D {
  const columns = filter.shape[4];
  return tf.reshape(filter, [filter.size / columns, columns]);
}

/** [n, x, y, z, channel] → [voxel, channel] */
function voxelRows(x: tf.Tensor): tf.Tensor2D {
  const channels = x.shape[x.rank - 1]!;
  return tf.reshape(x, [x.size / channels, channels]);
}

/** `length` planes of an axis from a position on. */
function cut(x: tf.Tensor, axis: number, from: number, length: number): tf.Tensor {
  const [before, side, after] = aroundAxis(x, axis);
  const rows = tf.slice(tf.reshape(x, [before, side, after]), [0, from, 0], [before, length, after]);
  return tf.reshape(rows, withSide(x, axis, length));
}

/** Planes of zeros before and after those of an axis. */
function extended(x: tf.Tensor, axis: number, before: number, after: number): tf.Tensor {
  const rows = tf.pad(tf.reshape(x, aroundAxis(x, axis)), [[0, 0], [before, after], [0, 0]]);
  return tf.reshape(rows, withSide(x, axis, before + x.shape[axis] + after));
}

function aroundAxis({ shape }: tf.Tensor, axis: number): [number, number, number] {
  const product = (sides: number[]) => sides.reduce((product, side) => product * side, 1);
  return [product(shape.slice(0, axis)), shape[axis], product(shape.slice(axis + 1))];
}

function withSide({ shape }: tf.Tensor, axis: number, side: number): number[] {
  return shape.map((length, i) => i === axis ? side : length);
}
