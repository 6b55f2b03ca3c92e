/**
 * Hard negatives of PLGCL: embeddings between the anchors of a class and another class, drawn from the other class's
 * Gaussian. Typed arrays, no tensors.
 */
import type { RandomStream } from "../../random.ts";

/** Rows [n, dimension] of unit vectors. */
export interface Rows {
  readonly data: Float32Array;
  readonly dimension: number;
}

/** Mean and the Cholesky factor L of the covariance, LLᵀ = Σ + ridge. */
interface Factored {
  readonly mean: Float64Array;
  readonly factor: Float64Array;
}

/**
 * Draws `count` hard negatives of a class (hritam-98/PatchCL-MedSeg, utils/hard_neg_mining.py).
 *
 * The nearest pair is, by the other class's Mahalanobis distance, one member of each class. Samples of the negative
 * class's Gaussian between the two planes through the pair, those nearest to their own class first, qualify where
 * they are no farther from the anchors' class than the negative member of the pair. Random mixtures of qualified ones
 * fill up the number. All are scaled to length 1.
 *
 * The released code draws until enough samples happen to lie between the planes, which need not end; here the same
 * conditional distribution is drawn from at once. It also keeps the samples that do not qualify, which are left out
 * here.
 *
 * @returns undefined where no sample qualifies.
 */
export function hardNegatives(
  anchors: Rows,
  own: Rows,
  other: Rows,
  { count, stream }: { count: number; stream: RandomStream },
): Float32Array | undefined {
  const { dimension } = own;
  const [ownShape, otherShape] = [factored(own), factored(other)];
  const nearest = (rows: Rows, to: Factored) => {
    let [best, distance] = [rowOf(rows, 0), Infinity];
    for (let i = 0; i < rows.data.length / dimension; i++) {
      const squared = mahalanobis(rowOf(rows, i), to);
      if (squared < distance) [best, distance] = [rowOf(rows, i), squared];
    }
    return { row: best, distance };
  };
  const { row: positive } = nearest(anchors, otherShape);
  const { row: negative, distance: limit } = nearest(other, ownShape);
  const normal = Float64Array.from(negative, (value, i) => value - positive[i]);
  const [low, high] = [dot(normal, positive), dot(normal, negative)];
  const between = slabSampler(otherShape, normal, [low, high], stream);
  if (between === undefined) return undefined;
  const candidates = Array.from({ length: 3 * count }, () => {
    const row = between();
    return { row, distance: mahalanobis(row, otherShape) };
  });
  candidates.sort((a, b) => a.distance - b.distance);
  const rows = candidates.slice(0, count).map(({ row }) => row).filter((row) =>
    mahalanobis(row, ownShape) <= limit
  );
  if (rows.length === 0) return undefined;
  while (rows.length < count) {
    const [a, b] = [rows[stream.integer(rows.length)], rows[stream.integer(rows.length)]];
    const weight = 0.3 + 0.4 * stream.uniform();
    rows.push(a.map((value, i) => weight * value + (1 - weight) * b[i]));
  }
  const result = new Float32Array(count * dimension);
  rows.forEach((row, i) => {
    const length = Math.sqrt(dot(row, row));
    for (let k = 0; k < dimension; k++) result[i * dimension + k] = row[k] / length;
  });
  return result;
}

function rowOf({ data, dimension }: Rows, i: number): Float32Array {
  return data.subarray(i * dimension, (i + 1) * dimension);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function factored({ data, dimension }: Rows): Factored {
  const n = data.length / dimension;
  const mean = new Float64Array(dimension);
  for (let i = 0; i < data.length; i++) mean[i % dimension] += data[i] / n;
  const covariance = new Float64Array(dimension * dimension);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < dimension; i++) {
      const a = (data[row * dimension + i] - mean[i]) / n;
      for (let j = 0; j <= i; j++) covariance[i * dimension + j] += a * (data[row * dimension + j] - mean[j]);
    }
  }
  let trace = 0;
  for (let i = 0; i < dimension; i++) trace += covariance[i * dimension + i];
  // Few rows span a subspace only; the ridge keeps the factor defined, where the released code takes a pseudo-inverse.
  const ridge = 1e-3 * trace / dimension + 1e-8;
  for (let i = 0; i < dimension; i++) covariance[i * dimension + i] += ridge;
  return { mean, factor: cholesky(covariance, dimension) };
}

/** The lower factor of a symmetric positive definite matrix of which the lower half is given; in place. */
function cholesky(matrix: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * n + j];
      for (let k = 0; k < j; k++) value -= matrix[i * n + k] * matrix[j * n + k];
      matrix[i * n + j] = i === j ? Math.sqrt(value) : value / matrix[j * n + j];
    }
  }
  return matrix;
}

/** (x − μ)ᵀΣ⁻¹(x − μ) = |L⁻¹(x − μ)|² */
function mahalanobis(x: ArrayLike<number>, { mean, factor }: Factored): number {
  const n = mean.length;
  const solved = new Float64Array(n);
  let squared = 0;
  for (let i = 0; i < n; i++) {
    let value = x[i] - mean[i];
    for (let k = 0; k < i; k++) value -= factor[i * n + k] * solved[k];
    solved[i] = value / factor[i * n + i];
    squared += solved[i] ** 2;
  }
  return squared;
}

/**
 * Draws from a Gaussian under the condition low ≤ normal·x ≤ high: x = μ + L·z, moved along Σ·normal to a place
 * that is drawn from the truncated distribution of normal·x. Undefined where that has no spread.
 */
function slabSampler(
  { mean, factor }: Factored,
  normal: Float64Array,
  [low, high]: readonly [number, number],
  stream: RandomStream,
): (() => Float64Array) | undefined {
  const n = mean.length;
  const turned = normal.map((_, k) => {
    let value = 0;
    for (let i = k; i < n; i++) value += factor[i * n + k] * normal[i];
    return value;
  });
  const variance = dot(turned, turned);
  if (!(variance > 0)) return undefined;
  const direction = times(factor, turned);
  const centre = dot(normal, mean);
  const [from, to] = [low, high].map((edge) => (edge - centre) / Math.sqrt(variance));
  return () => {
    const row = times(factor, Float64Array.from({ length: n }, () => stream.normal()));
    const place = truncatedNormal(from, to, stream) * Math.sqrt(variance);
    const shift = (place - dot(normal, row)) / variance;
    return row.map((value, i) => mean[i] + value + shift * direction[i]);
  };
}

/** A standard normal deviate in [from, to]: a uniform one, taken with the relative density; from 1,000 tries. */
function truncatedNormal(from: number, to: number, stream: RandomStream): number {
  const densest = Math.min(Math.max(0, from), to);
  for (let tries = 0; tries < 1000; tries++) {
    const at = from + (to - from) * stream.uniform();
    if (stream.uniform() < Math.exp((densest * densest - at * at) / 2)) return at;
  }
  return densest;
}

/** L·z of a lower triangular matrix. */
function times(factor: Float64Array, z: Float64Array): Float64Array {
  return z.map((_, i) => {
    let value = 0;
    for (let k = 0; k <= i; k++) value += factor[i * z.length + k] * z[k];
    return value;
  });
}
