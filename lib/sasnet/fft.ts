/**
 * Discrete Fourier transforms of any length in float64: powers of two by fft.js, every other length by
 * Bluestein's chirp convolution on top of it. Forward transforms are unnormalised with e^(−i…), inverse ones
 * divide by the length, as in NumPy and PyTorch.
 */
import FFT from "fft.js";
import type { Shape3 } from "../volume/volume.ts";

/** A complex volume in C order. */
export interface ComplexVolume {
  readonly shape: Shape3;
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

/** Transforms `data`, `length` complex numbers as (real, imaginary) pairs, forward and in place. */
type Plan = (data: Float64Array) => void;

const plans = new Map<number, Plan>();

/**
 * One-dimensional transform in place.
 *
 * @param data complex numbers as (real, imaginary) pairs; its length is twice that of the transform.
 * @param direction "forward", or "inverse" which divides by the length.
 */
function transformLine(data: Float64Array, direction: "forward" | "inverse" = "forward"): void {
  const length = data.length / 2;
  if (direction === "inverse") swapParts(data);
  planOf(length)(data);
  if (direction === "inverse") {
    swapParts(data);
    for (let i = 0; i < data.length; i++) data[i] /= length;
  }
}

/** Three-dimensional transform of a real volume (eq. 9). */
export function fft3(image: ArrayLike<number>, shape: Shape3): ComplexVolume {
  const real = Float64Array.from(image);
  const volume = { shape, real, imaginary: new Float64Array(real.length) };
  transformAxes(volume, [2, 1, 0], "forward");
  return volume;
}

/** Three-dimensional inverse transform in place (eq. 11). The volume handed in is the one returned. */
export function inverseFft3(spectrum: ComplexVolume): ComplexVolume {
  transformAxes(spectrum, [2, 1, 0], "inverse");
  return spectrum;
}

/** Transforms a complex volume along the given axes, in place. */
export function transformAxes(
  volume: ComplexVolume,
  axes: readonly (0 | 1 | 2)[],
  direction: "forward" | "inverse",
): void {
  const { shape, real, imaginary } = volume;
  const strides = [shape[1] * shape[2], shape[2], 1];
  for (const axis of axes) {
    const length = shape[axis];
    const stride = strides[axis];
    const line = new Float64Array(2 * length);
    const block = stride * length;
    for (let outer = 0; outer < real.length; outer += block) {
      for (let inner = outer; inner < outer + stride; inner++) {
        for (let i = 0, at = inner; i < length; i++, at += stride) {
          line[2 * i] = real[at];
          line[2 * i + 1] = imaginary[at];
        }
        transformLine(line, direction);
        for (let i = 0, at = inner; i < length; i++, at += stride) {
          real[at] = line[2 * i];
          imaginary[at] = line[2 * i + 1];
        }
      }
    }
  }
}

/** The inverse transform is the forward one of the numbers with real and imaginary part exchanged. */
function swapParts(data: Float64Array): void {
  for (let i = 0; i < data.length; i += 2) {
    const real = data[i];
    data[i] = data[i + 1];
    data[i + 1] = real;
  }
}

function planOf(length: number): Plan {
  let plan = plans.get(length);
  if (plan === undefined) {
    plan = length === 1 ? () => {} : isPowerOfTwo(length) ? radixPlan(length) : bluesteinPlan(length);
    plans.set(length, plan);
  }
  return plan;
}

function isPowerOfTwo(n: number): boolean {
  return (n & (n - 1)) === 0;
}

function radixPlan(length: number): Plan {
  const fft = new FFT(length);
  const out = new Float64Array(2 * length);
  return (data) => {
    fft.transform(out, data);
    data.set(out);
  };
}

/** X_k = w_k Σ_j (x_j w_j) w̄_(k−j) with w_k = e^(−iπk²/n): a convolution, done at a power of two. */
function bluesteinPlan(length: number): Plan {
  let size = 1;
  while (size < 2 * length - 1) size *= 2;
  const fft = new FFT(size);
  const chirp = new Float64Array(2 * length);
  const kernel = new Float64Array(2 * size);
  for (let k = 0; k < length; k++) {
    // k² modulo 2n keeps the angle small, and with it the rounding error.
    const angle = (Math.PI * ((k * k) % (2 * length))) / length;
    const cosine = Math.cos(angle);
    const sine = Math.sin(angle);
    chirp[2 * k] = cosine;
    chirp[2 * k + 1] = -sine;
    for (const at of k === 0 ? [0] : [k, size - k]) {
      kernel[2 * at] = cosine;
      kernel[2 * at + 1] = sine;
    }
  }
  const kernelSpectrum = new Float64Array(2 * size);
  fft.transform(kernelSpectrum, kernel);
  const padded = new Float64Array(2 * size);
  const spectrum = new Float64Array(2 * size);
  return (data) => {
    padded.fill(0);
    multiply(data, chirp, padded, 2 * length);
    fft.transform(spectrum, padded);
    multiply(spectrum, kernelSpectrum, spectrum, 2 * size);
    fft.inverseTransform(padded, spectrum);
    multiply(padded, chirp, data, 2 * length);
  };
}

/** out = a · b for complex numbers as pairs; `end` counts reals. */
function multiply(a: Float64Array, b: Float64Array, out: Float64Array, end: number): void {
  for (let i = 0; i < end; i += 2) {
    const real = a[i] * b[i] - a[i + 1] * b[i + 1];
    out[i + 1] = a[i] * b[i + 1] + a[i + 1] * b[i];
    out[i] = real;
  }
}
