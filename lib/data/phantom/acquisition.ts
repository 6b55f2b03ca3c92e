/** How a scanner sees bodies: uneven tissue, a bias field, correlated noise, Rician where magnitudes are taken. */
import type { RandomStream } from "../../random.ts";
import { type Shape3, type Triple, voxelCount } from "../../volume/volume.ts";

/** A uniform number between two bounds. */
export function between(stream: RandomStream, low: number, high: number): number {
  return low + (high - low) * stream.uniform();
}

/**
 * Smooth noise of mean 0 and variance 1: normal deviates on a lattice of `cell` voxels, interpolated by cubic
 * B-splines. Its features are about one and a half cells wide.
 */
export function smoothNoise(shape: Shape3, stream: RandomStream, cell: number | Triple): Float32Array {
  const cells = typeof cell === "number" ? [cell, cell, cell] : cell;
  let sides = shape.map((side, axis) => Math.ceil(side / cells[axis]) + 3) as [number, number, number];
  let values = new Float32Array(voxelCount(sides));
  for (let i = 0; i < values.length; i++) values[i] = stream.normal();
  for (const axis of [2, 1, 0] as const) {
    values = interpolate(values, sides, axis, shape[axis], cells[axis]);
    sides = sides.map((side, other) => other === axis ? shape[axis] : side) as [number, number, number];
  }
  return standardise(values);
}

/** White noise, smoothed by a Gaussian of the given deviations in voxels, of mean 0 and variance 1. */
export function correlatedNoise(shape: Shape3, stream: RandomStream, deviations: Triple): Float32Array {
  const noise = new Float32Array(voxelCount(shape));
  for (let i = 0; i < noise.length; i++) noise[i] = stream.normal();
  return standardise(blur(noise, shape, deviations));
}

/** Gaussian smoothing of the given deviations in voxels along x, y, z, in place; the border is repeated. */
export function blur(data: Float32Array, shape: Shape3, deviations: Triple): Float32Array {
  for (const axis of [0, 1, 2] as const) {
    if (deviations[axis] > 0) blurAxis(data, shape, axis, deviations[axis]);
  }
  return data;
}

/** Multiplies by a smooth field: 1 in the middle, with a slope and a curvature of at most `strength` an axis. */
export function applyBias(
  data: Float32Array,
  [nx, ny, nz]: Shape3,
  stream: RandomStream,
  strength: number,
): void {
  const [a, b, c, d, e, f] = Array.from({ length: 6 }, () => between(stream, -strength, strength));
  for (let i = 0, at = 0; i < nx; i++) {
    const u = 2 * i / (nx - 1) - 1;
    for (let j = 0; j < ny; j++) {
      const v = 2 * j / (ny - 1) - 1;
      const plane = 1 + u * (a + d * u) + v * (b + e * v);
      for (let k = 0; k < nz; k++, at++) {
        const w = 2 * k / (nz - 1) - 1;
        data[at] *= Math.max(plane + w * (c + f * w), 0.2);
      }
    }
  }
}

/** The magnitude of a signal with noise in its real and its imaginary part, in place. */
export function addRicianNoise(
  signal: Float32Array,
  real: Float32Array,
  imaginary: Float32Array,
  deviation: number,
): void {
  for (let i = 0; i < signal.length; i++) {
    const inPhase = signal[i] + deviation * real[i];
    const quadrature = deviation * imaginary[i];
    signal[i] = Math.sqrt(inPhase * inPhase + quadrature * quadrature);
  }
}

/** `values` plus `amount` times a pattern, in place. */
export function addPattern(values: Float32Array, pattern: Float32Array, amount: number): void {
  for (let i = 0; i < values.length; i++) values[i] += amount * pattern[i];
}

function standardise(values: Float32Array): Float32Array {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    squares += values[i] * values[i];
  }
  const mean = sum / values.length;
  const scale = 1 / Math.sqrt(Math.max(squares / values.length - mean * mean, 1e-12));
  for (let i = 0; i < values.length; i++) values[i] = (values[i] - mean) * scale;
  return values;
}

/** Cubic B-spline interpolation along one axis, from `cell` voxels apart to every one of `length` voxels. */
function interpolate(
  values: Float32Array,
  sides: Shape3,
  axis: 0 | 1 | 2,
  length: number,
  cell: number,
): Float32Array<ArrayBuffer> {
  const inner = axis === 2 ? 1 : axis === 1 ? sides[2] : sides[1] * sides[2];
  const outer = voxelCount(sides) / (inner * sides[axis]);
  const result = new Float32Array(outer * length * inner);
  for (let i = 0; i < length; i++) {
    const base = Math.floor(i / cell);
    const t = i / cell - base;
    const w0 = (1 - t) ** 3 / 6;
    const w1 = (4 - 6 * t * t + 3 * t ** 3) / 6;
    const w3 = t ** 3 / 6;
    const w2 = 1 - w0 - w1 - w3;
    for (let o = 0; o < outer; o++) {
      let from = (o * sides[axis] + base) * inner;
      let to = (o * length + i) * inner;
      for (let k = 0; k < inner; k++, from++, to++) {
        result[to] = w0 * values[from] + w1 * values[from + inner] + w2 * values[from + 2 * inner] +
          w3 * values[from + 3 * inner];
      }
    }
  }
  return result;
}

function blurAxis(data: Float32Array, shape: Shape3, axis: 0 | 1 | 2, deviation: number): void {
  const radius = Math.max(Math.ceil(2.5 * deviation), 1);
  const kernel = Float32Array.from(
    { length: 2 * radius + 1 },
    (_, i) => Math.exp(-((i - radius) ** 2) / (2 * deviation * deviation)),
  );
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < kernel.length; i++) kernel[i] /= total;
  const length = shape[axis];
  const inner = axis === 2 ? 1 : axis === 1 ? shape[2] : shape[1] * shape[2];
  const outer = data.length / (inner * length);
  const line = new Float32Array(length + 2 * radius);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < inner; k++) {
      const first = o * length * inner + k;
      for (let i = 0; i < line.length; i++) {
        line[i] = data[first + Math.min(Math.max(i - radius, 0), length - 1) * inner];
      }
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (let j = 0; j < kernel.length; j++) sum += kernel[j] * line[i + j];
        data[first + i * inner] = sum;
      }
    }
  }
}
