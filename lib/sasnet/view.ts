/**
 * View variance (paper 3.3, eq. 9–11): a crop goes into frequency space, is turned there and comes back as
 * another view of the same anatomy. A discrete Fourier transform commutes with permutations of the axes, so the
 * views that training draws equal permutations of the crop itself: training takes that short cut
 * (`permuteAxes` of volume/crop.ts), study and figures the way through frequency space.
 */
import { datasetOf, type Permutation, type View } from "../data/dataset.ts";
import type { Shape3 } from "../volume/volume.ts";
import { type ComplexVolume, fft3, inverseFft3, transformAxes } from "./fft.ts";

/**
 * The views of a data set with their codes, permutations and probabilities (released code; the paper only says
 * "rotate").
 *
 * @throws InputError for an unknown data set.
 */
export function viewsOf(dataset: string): readonly View[] {
  return datasetOf(dataset).views;
}

/** The shape after a permutation: axis j of the result is axis `permutation[j]` of the volume. */
function permutedShape(shape: Shape3, permutation: Permutation): Shape3 {
  return [shape[permutation[0]], shape[permutation[1]], shape[permutation[2]]];
}

/**
 * Eq. 9–11 as they are written: transform, permute the axes of the spectrum, transform back, real part.
 *
 * @param image volume of `shape` in C order.
 * @returns the view, of shape `permutedShape(shape, permutation)`; equal to the permuted volume up to rounding.
 */
export function viewByFrequency(
  image: ArrayLike<number>,
  shape: Shape3,
  permutation: Permutation,
): Float32Array {
  const view = inverseFft3(permuteSpectrum(fft3(image, shape), permutation));
  return Float32Array.from(view.real);
}

/** The spectrum with its axes permuted (eq. 10). */
function permuteSpectrum(spectrum: ComplexVolume, permutation: Permutation): ComplexVolume {
  const { real, imaginary } = spectrum;
  const shape = permutedShape(spectrum.shape, permutation);
  const strides = [spectrum.shape[1] * spectrum.shape[2], spectrum.shape[2], 1];
  const [stepX, stepY, stepZ] = permutation.map((axis) => strides[axis]);
  const out = { shape, real: new Float64Array(real.length), imaginary: new Float64Array(real.length) };
  for (let x = 0, to = 0; x < shape[0]; x++) {
    for (let y = 0; y < shape[1]; y++) {
      for (let z = 0, from = x * stepX + y * stepY; z < shape[2]; z++, from += stepZ, to++) {
        out.real[to] = real[from];
        out.imaginary[to] = imaginary[from];
      }
    }
  }
  return out;
}

/** A rotation in frequency space. */
export interface FrequencyRotation {
  /** The axis that stays; the turn goes from the next axis towards the one after it (x → y about z). */
  readonly axis: 0 | 1 | 2;
  readonly degrees: number;
  /**
   * How many times finer the spectrum is sampled, by placing the image in a grid that is so many times larger
   * with zeros around (integer ≥ 1, default 2).
   */
  readonly oversampling?: number;
}

/**
 * Rotates a volume by any angle about its centre, in frequency space (eq. 10 with an angle θ), for study.
 *
 * The spectrum is centred on the volume's centre and read between its samples by linear interpolation. That has
 * limits: interpolating frequencies dims the image away from the centre, by sinc² of the distance over the
 * enlarged side (0.41 at the middle of an edge without oversampling, 0.81 with 2, 0.95 with 4), and leaves a
 * faint ghost; parts that turn out of the grid are cut off, and frequencies that turn out of the band become
 * zero. At 0° nothing is changed and at multiples of 90° with equal sides of the plane the result is the
 * exact permutation with reversal, both up to rounding.
 *
 * @returns a volume of the same shape.
 */
export function rotateByFrequency(
  image: ArrayLike<number>,
  shape: Shape3,
  { axis, degrees, oversampling = 2 }: FrequencyRotation,
): Float32Array {
  const first = ((axis + 1) % 3) as 0 | 1 | 2;
  const second = ((axis + 2) % 3) as 0 | 1 | 2;
  // The transform along the axis that stays would be undone untouched: slices are turned one by one.
  const largeShape = [...shape] as [number, number, number];
  largeShape[first] *= oversampling;
  largeShape[second] *= oversampling;
  const spectrum = enlarge(image, shape, largeShape);
  transformAxes(spectrum, [first, second], "forward");
  const turned = turnSpectrum(spectrum, { axis, first, second, degrees, centre: centreOf(shape) });
  transformAxes(turned, [first, second], "inverse");
  return cutBack(turned, shape);
}

function centreOf(shape: Shape3): readonly number[] {
  return shape.map((side) => (side - 1) / 2);
}

/** The image in the corner of a larger grid of zeros. */
function enlarge(image: ArrayLike<number>, shape: Shape3, largeShape: Shape3): ComplexVolume {
  const real = new Float64Array(largeShape[0] * largeShape[1] * largeShape[2]);
  for (let x = 0, from = 0; x < shape[0]; x++) {
    for (let y = 0; y < shape[1]; y++) {
      const to = (x * largeShape[1] + y) * largeShape[2];
      for (let z = 0; z < shape[2]; z++) real[to + z] = image[from++];
    }
  }
  return { shape: largeShape, real, imaginary: new Float64Array(real.length) };
}

function cutBack(volume: ComplexVolume, shape: Shape3): Float32Array {
  const out = new Float32Array(shape[0] * shape[1] * shape[2]);
  for (let x = 0, to = 0; x < shape[0]; x++) {
    for (let y = 0; y < shape[1]; y++) {
      const from = (x * volume.shape[1] + y) * volume.shape[2];
      for (let z = 0; z < shape[2]; z++) out[to++] = volume.real[from + z];
    }
  }
  return out;
}

interface Turn {
  readonly axis: 0 | 1 | 2;
  readonly first: 0 | 1 | 2;
  readonly second: 0 | 1 | 2;
  readonly degrees: number;
  readonly centre: readonly number[];
}

/** The rotated spectrum: each frequency of the result is read from the turned-back place in `spectrum`. */
function turnSpectrum(
  spectrum: ComplexVolume,
  { axis, first, second, degrees, centre }: Turn,
): ComplexVolume {
  const { shape, real, imaginary } = spectrum;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const [n, m, depth] = [shape[first], shape[second], shape[axis]];
  const [strideN, strideM, strideDepth] = [strides[first], strides[second], strides[axis]];
  const out = { shape, real: new Float64Array(real.length), imaginary: new Float64Array(real.length) };
  const cosine = Math.cos((degrees * Math.PI) / 180);
  const sine = Math.sin((degrees * Math.PI) / 180);
  const phaseN = phaseOf(n, centre[first]);
  const phaseM = phaseOf(m, centre[second]);
  for (let a = -Math.floor(n / 2); a < Math.ceil(n / 2); a++) {
    for (let b = -Math.floor(m / 2); b < Math.ceil(m / 2); b++) {
      const u = snap(((cosine * a) / n + (sine * b) / m) * n);
      const v = snap(((cosine * b) / m - (sine * a) / n) * m);
      if (Math.abs(u) > n / 2 || Math.abs(v) > m / 2) continue;
      const u0 = Math.floor(u);
      const v0 = Math.floor(v);
      const to = wrap(a, n) * strideN + wrap(b, m) * strideM;
      for (let corner = 0; corner < 4; corner++) {
        const du = corner >> 1;
        const dv = corner & 1;
        const weight = (du === 1 ? u - u0 : 1 - u + u0) * (dv === 1 ? v - v0 : 1 - v + v0);
        if (weight === 0) continue;
        // Shifts the origin of phase to the centre for reading (source) and back for writing (target).
        const angle = phaseN(u0 + du) + phaseM(v0 + dv) - phaseN(a) - phaseM(b);
        const c = weight * Math.cos(angle);
        const s = weight * Math.sin(angle);
        const from = wrap(u0 + du, n) * strideN + wrap(v0 + dv, m) * strideM;
        for (let d = 0, i = from, j = to; d < depth; d++, i += strideDepth, j += strideDepth) {
          out.real[j] += c * real[i] - s * imaginary[i];
          out.imaginary[j] += c * imaginary[i] + s * real[i];
        }
      }
    }
  }
  return out;
}

/** The phase that moves the origin to `centre`, for frequency index k of a line of `length` samples. */
function phaseOf(length: number, centre: number): (k: number) => number {
  return (k) => (2 * Math.PI * k * centre) / length;
}

/** Rounds away the error of sine and cosine, so that quarter turns meet the samples. */
function snap(index: number): number {
  const nearest = Math.round(index);
  return Math.abs(index - nearest) < 1e-9 ? nearest : index;
}

function wrap(index: number, length: number): number {
  return ((index % length) + length) % length;
}
