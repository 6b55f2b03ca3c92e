/** A trained method applied to volumes. */
import { tf, tidy } from "../engine/tensor.ts";
import type { MethodRun } from "../methods/method.ts";
import type { Shape3 } from "../volume/volume.ts";
import { slidingWindow, type SlidingWindowOptions } from "./sliding_window.ts";

/**
 * Foreground probability of every voxel of an image by sliding windows.
 *
 * @param image [x, y, z] in C order, normalised as in training.
 */
export function predictVolume(
  run: MethodRun,
  image: Float32Array,
  shape: Shape3,
  options: SlidingWindowOptions,
): Float32Array {
  return overWindows(image, shape, options, (windows) => run.predict(windows));
}

/** The same for each branch of a method that has several, by name. */
export function predictBranches(
  run: MethodRun,
  image: Float32Array,
  shape: Shape3,
  options: SlidingWindowOptions,
): Map<string, Float32Array> {
  const scores = new Map<string, Float32Array>();
  if (run.predictBranches === undefined) return scores;
  const predict = run.predictBranches;
  for (const branch of run.branchNames ?? []) {
    const score = overWindows(
      image,
      shape,
      options,
      (windows) => predict(windows).find(({ name }) => name === branch)!.probability,
    );
    scores.set(branch, score);
  }
  return scores;
}

function overWindows(
  image: Float32Array,
  shape: Shape3,
  options: SlidingWindowOptions,
  predict: (windows: tf.Tensor5D) => tf.Tensor4D,
): Float32Array {
  const { crop } = options;
  return slidingWindow(
    image,
    shape,
    options,
    (windows, count) => tidy(() => predict(tf.tensor5d(windows, [count, ...crop, 1])).dataSync<"float32">()),
  ).score;
}
