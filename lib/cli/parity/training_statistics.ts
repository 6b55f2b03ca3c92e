/** What the recorded training steps keep of large tensors. */
import { tf, tidy } from "../../engine/tensor.ts";
import type { Shape3 } from "../../volume/volume.ts";

/** Every fourth voxel along each axis, as the set keeps them. */
export function everyFourth(values: Float32Array, [nx, ny, nz]: Shape3): number[] {
  const samples: number[] = [];
  for (let x = 0; x < nx; x += 4) {
    for (let y = 0; y < ny; y += 4) {
      for (let z = 0; z < nz; z += 4) samples.push(values[(x * ny + y) * nz + z]);
    }
  }
  return samples;
}

/** The length of the difference. */
export function distance(values: Float32Array, before: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - before[i]) ** 2;
  return Math.sqrt(sum);
}

/** The squared length of a gradient. */
export function squares(gradient: tf.Tensor): number {
  return tidy(() => tf.sum(tf.square(gradient)).dataSync()[0]);
}

/** Voxels above one half, per item. */
export function countForeground(ensemble: Float32Array, items: number): number[] {
  const voxels = ensemble.length / items;
  return Array.from({ length: items }, (_, item) => {
    let count = 0;
    for (let i = item * voxels; i < (item + 1) * voxels; i++) if (ensemble[i] > 0.5) count++;
    return count;
  });
}
