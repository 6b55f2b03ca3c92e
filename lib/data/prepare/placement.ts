/** Where a prepared volume lies: the grid of the wanted spacing, and the box on it that is kept. */
import { randomStream } from "../../random.ts";
import { boundingBox, type Box, crop } from "../../volume/crop.ts";
import { boxGeometry } from "../../volume/geometry.ts";
import { gridWithSpacing, resample } from "../../volume/resample.ts";
import type { Geometry, Shape3, Triple, Volume } from "../../volume/volume.ts";
import { datasets } from "../dataset.ts";
import { atriumBox, type Brain, marginBox, type Range3 } from "../preprocess.ts";
import type { RawVolumes } from "./raw_volumes.ts";
import type { PrepareSettings } from "./record.ts";

/** Spacings that differ by less are one. */
const sameSpacing = 1e-3;

/** Voxels beside the foreground's box at the paper's spacing: Pancreas-CT along x, y, z (paper 4.1). */
const pancreasMargins: Triple = [25, 25, 0];

/** The same for left atria: the least, and how many values above it are drawn from (paper 4.1; 10 … 19 and 5 … 9). */
const atriumMargins = [[10, 10], [10, 10], [5, 5]] as const;

/** What a case is placed by. */
interface Placed extends Pick<RawVolumes, "image" | "label" | "labelBox"> {
  readonly brain?: Brain | undefined;
}

/** The part of a grid that is kept. */
export interface Placement {
  /** The grid of the kept box. */
  readonly geometry: Geometry;
  /** The kept box in voxels of the image's own grid; undefined where it is resampled. */
  readonly box: Box | undefined;
  readonly decisions: readonly string[];
}

/**
 * Chooses grid and box of a case, by its label and, for BraTS, by its brain.
 *
 * @param volumes.brain of BraTS, where its image shows one.
 * @param name of the case; its margins come from the stream "prepare/margins/NAME".
 */
export function placeCase(
  volumes: Placed & Pick<RawVolumes, "isReady">,
  name: string,
  settings: PrepareSettings,
): Placement {
  const { image, isReady } = volumes;
  const { spacing } = datasets[settings.dataset].profiles[settings.profile];
  const isResampled = image.spacing.some((side, axis) => Math.abs(side / spacing[axis] - 1) > sameSpacing);
  const grid = isResampled ? gridWithSpacing(image, spacing) : image;
  const { range, decisions } = isReady ? wholeRange(grid) : rangeOf(
    settings.dataset === "brats" ? brainRange(volumes, grid) : foregroundRange(volumes, grid),
    grid.shape,
    { name, settings },
  );
  const start = range.map(([first]) => first) as unknown as Triple;
  const size = range.map(([first, end]) => end - first) as unknown as Shape3;
  const text = (triple: readonly number[]) => triple.map((side) => Number(side.toPrecision(5))).join(" × ");
  const change = isResampled
    ? `resampled from ${text(image.spacing)} to ${
      text(spacing)
    } mm: linear; of the label what is at least one half`
    : `not resampled: its ${text(image.spacing)} mm are those of profile ${settings.profile}`;
  return {
    geometry: boxGeometry(grid, { start, size }),
    box: isResampled ? undefined : { start, size },
    decisions: [
      change,
      `${decisions}; kept ${range.map(([first, end]) => `${first}…${end - 1}`).join(", ")}`,
    ],
  };
}

/** The part of a volume at a placement: copied, or interpolated linearly, which rounds a label at one half. */
export function cutOut<T extends Float32Array | Uint8Array>(
  volume: Volume<T>,
  { geometry, box }: Placement,
): Volume<T> {
  if (box === undefined) return resample(volume, geometry, { interpolation: "linear" });
  return { ...geometry, data: crop(volume.data, volume.shape, box) };
}

function rangeOf(
  foreground: Range3,
  shape: Shape3,
  { name, settings: { dataset, profile, variant, seed } }: { name: string; settings: PrepareSettings },
): { range: Range3; decisions: string } {
  const { profiles } = datasets[dataset];
  if (dataset === "brats") {
    return { range: marginBox(foreground, [0, 0, 0], shape), decisions: "cut to the brain's box" };
  }
  const factors = profiles.paper.spacing.map((side, axis) => side / profiles[profile].spacing[axis]);
  if (dataset === "pancreas") {
    const margins = pancreasMargins.map((margin, axis) =>
      Math.round(margin * factors[axis])
    ) as unknown as Triple;
    const decisions = `cut to the label's box and ${margins.join(", ")} voxels on each side`;
    return { range: marginBox(foreground, margins, shape), decisions };
  }
  const stream = randomStream(seed, `prepare/margins/${name}`);
  const margins = atriumMargins.flatMap(([least, count], axis) =>
    [0, 1].map(() => Math.round((least + stream.integer(count)) * factors[axis]))
  );
  const { crop } = profiles[profile];
  const range = atriumBox({ foreground, margins, crop, shape });
  const drawn = `cut to the label's box, what it lacks to the crop of ${crop.join("×")}, and ${
    margins.join(", ")
  } voxels`;
  if (variant === "paper") return { range, decisions: `${drawn}, drawn by the case's stream` };
  return { range: [range[0], range[1], [0, shape[2]]], decisions: `${drawn}, but for all slices` };
}

/** First and last index of a mask, whose box is known, on another grid of the same axes and centre. */
function foregroundRange(
  { label: mask, labelBox: { start, size } }: Pick<Placed, "label" | "labelBox">,
  grid: Geometry,
): Range3 {
  if (mask.shape.join() === grid.shape.join() && mask.spacing.join() === grid.spacing.join()) {
    return rangeOfBox({ start, size });
  }
  const near = (axis: number, index: number) =>
    (index - (mask.shape[axis] - 1) / 2) * mask.spacing[axis] / grid.spacing[axis] +
    (grid.shape[axis] - 1) / 2;
  // Beyond the neighbours of the mask's voxels everything is zero, and need not be looked at.
  const first = start.map((v, axis) => Math.max(0, Math.floor(near(axis, v - 1)))) as unknown as Triple;
  const sides = first.map((v, axis) =>
    Math.min(grid.shape[axis] - 1, Math.ceil(near(axis, start[axis] + size[axis]))) - v + 1
  ) as unknown as Shape3;
  const part = resample(mask, boxGeometry(grid, { start: first, size: sides }), { interpolation: "linear" });
  const found = boundingBox(part.data, part.shape);
  // A mask that is too thin to survive keeps its place.
  if (found === undefined) return rangeOfBox({ start: first, size: sides });
  return rangeOfBox({
    start: found.start.map((v, axis) => v + first[axis]) as unknown as Triple,
    size: found.size,
  });
}

function wholeRange({ shape }: Geometry): { range: Range3; decisions: string } {
  return { range: shape.map((side) => [0, side]) as unknown as Range3, decisions: "not cut again" };
}

function rangeOfBox({ start, size }: Box): Range3 {
  return start.map((first, axis) => [first, first + size[axis] - 1]) as unknown as Range3;
}

/** First and last index of the brain and the label; of everything where the image shows no brain. */
function brainRange({ image, label, labelBox, brain }: Placed, grid: Geometry): Range3 {
  if (brain === undefined) return rangeOfBox({ start: [0, 0, 0], size: grid.shape });
  const box = unionOf(brain.box, labelBox);
  if (grid === image) return rangeOfBox(box);
  return foregroundRange({ label: brainMask(image, label, brain.outside), labelBox: box }, grid);
}

function unionOf(a: Box, b: Box): Box {
  const start = a.start.map((first, axis) => Math.min(first, b.start[axis])) as unknown as Triple;
  const end = (axis: number) => Math.max(a.start[axis] + a.size[axis], b.start[axis] + b.size[axis]);
  return { start, size: start.map((first, axis) => end(axis) - first) as unknown as Shape3 };
}

/** What differs from the value outside, and the label. */
function brainMask({ data, ...grid }: Volume, label: Volume<Uint8Array>, outside: number) {
  const brain = new Uint8Array(data.length);
  for (let i = 0; i < brain.length; i++) brain[i] = data[i] !== outside || label.data[i] !== 0 ? 1 : 0;
  return { ...grid, data: brain };
}
