/**
 * The input of one training step: random crops of labelled and unlabelled cases, each in a random view. Every
 * draw is keyed by the step and the item, so that a resumed run sees what an uninterrupted one would have seen.
 */
import { InputError } from "../errors.ts";
import { type RandomStream, randomStream } from "../random.ts";
import { crop as cutWindow, permuteAxes, randomCropPadding, readWindow } from "../volume/crop.ts";
import { type Shape3, type Triple, type VoxelArray, voxelCount } from "../volume/volume.ts";
import type { Permutation, View } from "./dataset.ts";
import { batchIndices } from "./sampler.ts";
import type { CaseSource } from "./source.ts";

/**
 * How crops are varied: "view", the view variance of SASNet; "flips", a quarter turn by 0 to 3 in the x-y plane
 * and then always a mirror of x or y, as the released left-atrium code does for other methods; "none".
 */
export type Augmentation = "view" | "flips" | "none";

/** Settings of {@link makeBatch}. */
export interface BatchOptions {
  readonly seed: number;
  /** Number of labelled cases: the first ones of the source's training list. */
  readonly labelled: number;
  /** Labelled and unlabelled crops in a batch (default 2 and 2). */
  readonly labelledPerBatch?: number;
  readonly unlabelledPerBatch?: number;
  /** Shape of a crop. */
  readonly crop: Shape3;
  readonly augmentation: Augmentation;
  /** The data set's views; read by "view" only. */
  readonly views: readonly View[];
  /** Also draw the last possible position, which the released code never does (default false). */
  readonly lastPosition?: boolean;
}

/** Where one crop comes from. */
export interface BatchItem {
  readonly case: string;
  readonly labelled: boolean;
  /** The case's volume with the zero padding of the random crop. */
  readonly paddedShape: Shape3;
  /** Zero voxels on each side of each axis. */
  readonly padding: Triple;
  /** First voxel of the crop in the padded volume, before any permutation or mirror. */
  readonly location: Triple;
  /** Code of the view, for "view" only. */
  readonly view?: number;
  /** Axis j of the crop is axis `permutation[j]` of the volume. */
  readonly permutation: Permutation;
  /** Axes of the crop that are mirrored after the permutation. */
  readonly mirrored: readonly [boolean, boolean, boolean];
}

/** A training step's input. Labels exist for the labelled crops only. */
export interface Batch {
  /** [labelled then unlabelled, x, y, z] */
  readonly images: Float32Array;
  /** [labelled, x, y, z], 0 or 1 */
  readonly labels: Uint8Array;
  readonly items: readonly BatchItem[];
}

/**
 * Cuts the batch of a step.
 *
 * @param step 0-based.
 * @throws InputError where there are too few cases, or a view would change the shape of the crop.
 */
export async function makeBatch(source: CaseSource, step: number, options: BatchOptions): Promise<Batch> {
  const { seed, labelled, crop, labelledPerBatch = 2, unlabelledPerBatch = 2 } = options;
  requireKeptShape(options);
  const unlabelled = source.train.length - labelled;
  const chosen = batchIndices(step, { seed, labelled, unlabelled, labelledPerBatch, unlabelledPerBatch });
  const indices = [...chosen.labelled, ...chosen.unlabelled];
  const cases = await Promise.all(indices.map((index) => source.load(source.train[index])));
  const voxels = voxelCount(crop);
  const images = new Float32Array(indices.length * voxels);
  const labels = new Uint8Array(labelledPerBatch * voxels);
  const items = cases.map(({ name, image, label }, position): BatchItem => {
    const isLabelled = position < labelledPerBatch;
    const drawn = drawCrop(image.shape, options, {
      place: randomStream(seed, "crop", step, position),
      turn: randomStream(seed, options.augmentation, step, position),
    });
    const item = { case: name, labelled: isLabelled, ...drawn };
    cutItem(image.data, { shape: image.shape, crop, item, destination: images, offset: position * voxels });
    if (isLabelled) {
      cutItem(label.data, { shape: image.shape, crop, item, destination: labels, offset: position * voxels });
    }
    return item;
  });
  return { images, labels, items };
}

type Draw = Pick<BatchItem, "paddedShape" | "padding" | "location" | "view" | "permutation" | "mirrored">;

/** Place and view of one crop of a volume of `shape`. */
function drawCrop(
  shape: Shape3,
  options: BatchOptions,
  streams: { place: RandomStream; turn: RandomStream },
): Draw {
  const turn = drawTurn(options, streams.turn);
  // Flips turn the whole volume before the crop: the window in the unturned volume has the turned sides.
  const size = unpermuted(options.crop, turn.permutation);
  const padding = randomCropPadding(shape, size);
  const paddedShape: Shape3 = [
    shape[0] + 2 * padding[0],
    shape[1] + 2 * padding[1],
    shape[2] + 2 * padding[2],
  ];
  const extra = options.lastPosition ? 1 : 0;
  const start = (axis: number) => streams.place.integer(paddedShape[axis] - size[axis] + extra);
  return { paddedShape, padding, location: [start(0), start(1), start(2)], ...turn };
}

const upright: readonly [boolean, boolean, boolean] = [false, false, false];

function drawTurn(
  { augmentation, views }: BatchOptions,
  stream: RandomStream,
): Pick<BatchItem, "view" | "permutation" | "mirrored"> {
  if (augmentation === "none") return { permutation: [0, 1, 2], mirrored: upright };
  if (augmentation === "view") {
    const { code, permutation } = drawView(views, stream.uniform());
    return { view: code, permutation, mirrored: upright };
  }
  const quarters = stream.integer(4);
  const mirror = stream.integer(2);
  // Quarter turns: 1 transposes and mirrors x, 2 mirrors both, 3 transposes and mirrors y.
  const mirrorX = (quarters === 1 || quarters === 2) !== (mirror === 0);
  const mirrorY = (quarters === 2 || quarters === 3) !== (mirror === 1);
  return {
    permutation: quarters % 2 === 1 ? [1, 0, 2] : [0, 1, 2],
    mirrored: [mirrorX, mirrorY, false],
  };
}

/** The view whose share of [0, 1) holds `uniform`. */
function drawView(views: readonly View[], uniform: number): View {
  let sum = 0;
  for (const view of views) {
    sum += view.probability;
    if (uniform < sum) return view;
  }
  return views[views.length - 1];
}

interface Cut<T extends VoxelArray> {
  readonly shape: Shape3;
  readonly crop: Shape3;
  readonly item: BatchItem;
  readonly destination: T;
  readonly offset: number;
}

/** Reads the crop from the unpadded volume and turns it. */
function cutItem<T extends VoxelArray>(source: T, { shape, crop, item, destination, offset }: Cut<T>): void {
  const { permutation, mirrored, location, padding } = item;
  const start: Triple = [location[0] - padding[0], location[1] - padding[1], location[2] - padding[2]];
  const size = unpermuted(crop, permutation);
  if (permutation.every((axis, j) => axis === j)) {
    readWindow(source, shape, start, size, destination, offset);
  } else {
    permuteAxes(cutWindow(source, shape, { start, size }), size, permutation, { destination, offset });
  }
  mirrorPlanes(destination.subarray(offset, offset + voxelCount(crop)), crop, mirrored);
}

/** Mirrors x and y of a volume in place, row by row. */
function mirrorPlanes(data: VoxelArray, [nx, ny, nz]: Shape3, mirrored: readonly boolean[]): void {
  if (!mirrored[0] && !mirrored[1]) return;
  const original = data.slice();
  for (let x = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      const fromX = mirrored[0] ? nx - 1 - x : x;
      const fromY = mirrored[1] ? ny - 1 - y : y;
      const from = (fromX * ny + fromY) * nz;
      data.set(original.subarray(from, from + nz), (x * ny + y) * nz);
    }
  }
}

/** The sides, in the volume, of a crop whose axis j is axis `permutation[j]` of the volume. */
function unpermuted(crop: Shape3, permutation: Permutation): Shape3 {
  const size = [0, 0, 0] as [number, number, number];
  permutation.forEach((axis, j) => size[axis] = crop[j]);
  return size;
}

function requireKeptShape({ augmentation, views, crop }: BatchOptions): void {
  if (augmentation !== "view") return;
  for (const { code, permutation } of views) {
    if (permutation.some((axis, j) => crop[axis] !== crop[j])) {
      throw new InputError(
        `view ${code} exchanges axes [${permutation.join(", ")}] and would change a crop of ${
          crop.join("×")
        }; ` +
          `choose a crop with equal sides on the exchanged axes`,
      );
    }
  }
}
