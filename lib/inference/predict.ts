/** A trained method applied to volumes. */
import { tf, tidy } from "../engine/tensor.ts";
import type { MethodRun } from "../methods/method.ts";
import type { Shape3 } from "../volume/volume.ts";
import {
  finish,
  type MapsPredictor,
  slidingWindow,
  type SlidingWindowOptions,
  slidingWindowSteps,
} from "./sliding_window.ts";

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
  const predict = mapsOf((images) => [run.predict(images)], options.crop);
  return slidingWindow(image, shape, options, (windows, count) => predict(windows, count)[0]).score;
}

/** The same for each branch of a method that has several, by name. */
export function predictBranches(
  run: MethodRun,
  image: Float32Array,
  shape: Shape3,
  options: SlidingWindowOptions,
): Map<string, Float32Array> {
  const { branchNames = [], predictBranches } = run;
  if (predictBranches === undefined) return new Map();
  const predict = mapsOf((images) => branchesOf(run, images), options.crop);
  const maps = finish(slidingWindowSteps(image, shape, options, predict));
  return new Map(branchNames.map((name, i) => [name, maps[i]]));
}

/** What {@link windowMaps} predicts. */
export interface MapsWanted {
  /** Also every branch's probability, after the prediction's, for the branches' disagreement. */
  readonly branches: boolean;
  /** Each window is also predicted mirrored along its axes, in all eight ways, and the eight are averaged. */
  readonly mirror: boolean;
}

/** Predicts windows of this size with a method: first its foreground probability, then that of the branches. */
export function windowMaps(run: MethodRun, crop: Shape3, { branches, mirror }: MapsWanted): MapsPredictor {
  const maps = (images: tf.Tensor5D) => branches ? withBranches(run, images) : [run.predict(images)];
  return mapsOf(mirror ? (images) => overMirrorings(images, maps) : maps, crop);
}

/** The prediction and the branches, in one pass where the one comes of the others. */
function withBranches(run: MethodRun, images: tf.Tensor5D): tf.Tensor4D[] {
  const branches = branchesOf(run, images);
  if (run.combination === "first") return [branches[0], ...branches];
  if (run.combination === undefined) return [run.predict(images), ...branches];
  return [tf.div(tf.addN(branches), branches.length), ...branches];
}

/** The branches in the order of their names. */
function branchesOf({ branchNames = [], predictBranches }: MethodRun, images: tf.Tensor5D): tf.Tensor4D[] {
  const branches = predictBranches?.(images) ?? [];
  return branchNames.map((name) => branches.find((branch) => branch.name === name)!.probability);
}

/** Turns what works on tensors into what works on typed arrays. */
function mapsOf(predict: (images: tf.Tensor5D) => readonly tf.Tensor4D[], crop: Shape3): MapsPredictor {
  return (windows, count) =>
    tidy(() => predict(tf.tensor5d(windows, [count, ...crop, 1])).map((map) => map.dataSync<"float32">()));
}

/** The mean of the maps over all mirrorings of the windows, each map turned back. */
function overMirrorings(
  images: tf.Tensor5D,
  predict: (images: tf.Tensor5D) => readonly tf.Tensor4D[],
): tf.Tensor4D[] {
  const sums: tf.Tensor4D[] = [];
  for (let mirroring = 0; mirroring < 8; mirroring++) {
    const axes = [1, 2, 3].filter((axis) => (mirroring >> (axis - 1)) & 1);
    const turn = <T extends tf.Tensor>(tensor: T) => axes.length === 0 ? tensor : tf.reverse(tensor, axes);
    predict(turn(images)).forEach((map, m) => {
      const back = turn(map);
      sums[m] = sums[m] === undefined ? back : tf.add(sums[m], back);
    });
  }
  return sums.map((sum) => tf.div(sum, 8));
}
