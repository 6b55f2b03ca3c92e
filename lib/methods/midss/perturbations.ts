/** How MiDSS makes intermediate samples: amplitude spectra, cuboids and strong intensity changes in three dimensions. */
import { fft3d, realInverseFft3d } from "../../engine/fourier.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import type { RandomStream } from "../../random.ts";
import { type Shape3, voxelCount } from "../../volume/volume.ts";

/**
 * The low frequencies of each image get a part of another image's amplitude and keep their phase (TP-RAM, after
 * Yang & Soatto, CVPR 2020). Values stay within the image's own range.
 *
 * @param images [n, x, y, z]
 * @param others [n, x, y, z]
 * @param options.window share of a side that is the half-width of the window of low frequencies, at least one
 * frequency: 0.01 of 112 voxels would be the mean alone.
 * @param options.ratios the part of the other amplitude, one an image.
 */
export function mixAmplitudes(
  images: tf.Tensor4D,
  others: tf.Tensor4D,
  { window, ratios }: { window: number; ratios: readonly number[] },
): tf.Tensor4D {
  return tidy(() => {
    const spectrum = fft3d(images);
    const [own, other] = [amplitude(spectrum), amplitude(fft3d(others))];
    const low = lowFrequencies(images.shape.slice(1) as unknown as Shape3, window);
    const part = tf.mul(tf.tensor4d([...ratios], [ratios.length, 1, 1, 1]), low);
    const factor = tf.add(1, tf.mul(part, tf.sub(tf.div(other, tf.maximum(own, 1e-20)), 1)));
    const mixed = realInverseFft3d(tf.mul(spectrum, tf.expandDims(factor, 0)));
    const axes = [1, 2, 3];
    return tf.minimum(tf.maximum(mixed, tf.min(images, axes, true)), tf.max(images, axes, true));
  });
}

function amplitude(spectrum: tf.Tensor5D): tf.Tensor4D {
  return tidy(() => tf.sqrt(tf.sum(tf.square(spectrum), 0)) as tf.Tensor4D);
}

/** 1 at the frequencies −h … h of each axis, [1, x, y, z]. */
function lowFrequencies(shape: Shape3, window: number): tf.Tensor4D {
  const axes = shape.map((side) => {
    const half = Math.max(1, Math.floor(side * window));
    return Float32Array.from({ length: side }, (_, k) => Math.min(k, side - k) <= half ? 1 : 0);
  });
  const along = (axis: number) =>
    tf.reshape(tf.tensor1d(axes[axis]), [1, ...shape.map((side, i) => i === axis ? side : 1)]);
  return tf.mul(tf.mul(along(0), along(1)), along(2)) as tf.Tensor4D;
}

/** Bounds of the cuboids: share of the volume, and ratio of two sides. */
const volumes = [0.02, 0.4] as const;
const ratios = [0.3, 1 / 0.3] as const;

/** Whether the largest cuboid fits into a crop, with some room for its random shape. */
export function fitsCuboids(crop: Shape3): boolean {
  const [x, y, z] = crop;
  // The longest first side with which the others may still be short enough.
  const first = Math.min(x, y / ratios[0], z / ratios[0]);
  const largest = first * Math.min(y, first * ratios[1]) * Math.min(z, first * ratios[1]);
  return largest > 1.5 * volumes[1] * voxelCount(crop);
}

/** 1 in a cuboid of random volume and shape and 0 outside, one an item, [items, x, y, z]. */
export function cuboids(items: number, crop: Shape3, stream: RandomStream): tf.Tensor4D {
  const size = voxelCount(crop);
  const masks = new Float32Array(items * size);
  for (let item = 0; item < items; item++) {
    const volume = between(volumes, stream) * size;
    let corner: number[], sides: number[];
    do {
      const [second, third] = [between(ratios, stream), between(ratios, stream)];
      const first = Math.cbrt(volume / (second * third));
      sides = [first, first * second, first * third].map(Math.floor);
      corner = crop.map((side) => stream.integer(side));
    } while (crop.some((side, axis) => corner[axis] + sides[axis] > side));
    for (let i = corner[0]; i < corner[0] + sides[0]; i++) {
      for (let j = corner[1]; j < corner[1] + sides[1]; j++) {
        const row = item * size + (i * crop[1] + j) * crop[2] + corner[2];
        masks.fill(1, row, row + sides[2]);
      }
    }
  }
  return tf.tensor4d(masks, [items, ...crop]);
}

/** Range of the factors of brightness and contrast. */
export type Factors = readonly [least: number, most: number];
/** Range of the blur's standard deviation in voxels. */
const deviations = [0.1, 2] as const;

/**
 * Random brightness, contrast and blur of each image. The first two act on values scaled to 0 … 1, where they are
 * cut off, as they were made for photographs.
 *
 * @param images [n, x, y, z]
 */
export function strongly(images: tf.Tensor4D, factors: Factors, stream: RandomStream): tf.Tensor4D {
  return tidy(() => {
    const changed = (tf.unstack(images) as tf.Tensor3D[]).map((image) => {
      const [brightness, contrast] = [between(factors, stream), between(factors, stream)];
      const deviation = between(deviations, stream);
      return tidy(() => {
        const least = tf.min(image);
        const range = tf.maximum(tf.sub(tf.max(image), least), 1e-6);
        const scaled = tf.div(tf.sub(image, least), range);
        const bright = tf.clipByValue(tf.mul(scaled, brightness), 0, 1);
        const mean = tf.mean(bright);
        const varied = tf.clipByValue(tf.add(mean, tf.mul(tf.sub(bright, mean), contrast)), 0, 1);
        return blurred(tf.add(tf.mul(varied, range), least), deviation);
      });
    });
    return tf.stack(changed) as tf.Tensor4D;
  });
}

/** Gaussian blur of [x, y, z]: along each axis the product with a banded matrix. */
function blurred(image: tf.Tensor3D, deviation: number): tf.Tensor3D {
  const [x, y, z] = image.shape;
  const [alongX, alongY, alongZ] = image.shape.map((side) =>
    tf.tensor2d(gaussianRows(side, deviation), [side, side])
  );
  const first = tf.reshape(tf.matMul(alongX, tf.reshape(image, [x, y * z])), [x, y, z]);
  const second = tf.matMul(tf.reshape(alongY, [1, y, y]), first);
  return tf.reshape(tf.matMul(tf.reshape(second, [x * y, z]), alongZ, false, true), [x, y, z]);
}

/** [side, side]: each row the weights of a voxel's neighbours; beyond an end the line is reflected. */
function gaussianRows(side: number, deviation: number): Float32Array {
  // Half a twentieth of the side, as released, of which a blur of 2 voxels at most needs 6.
  const radius = Math.floor(Math.floor(0.1 * side) / 2);
  const weights = Array.from(
    { length: 2 * radius + 1 },
    (_, i) => Math.exp(-((i - radius) ** 2) / (2 * deviation ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const rows = new Float32Array(side * side);
  for (let i = 0; i < side; i++) {
    weights.forEach((weight, k) => {
      const at = Math.abs(i + k - radius);
      rows[i * side + (at < side ? at : 2 * (side - 1) - at)] += weight / total;
    });
  }
  return rows;
}

function between([least, most]: readonly [number, number], stream: RandomStream): number {
  return least + (most - least) * stream.uniform();
}
