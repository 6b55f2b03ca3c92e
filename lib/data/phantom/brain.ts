/** Healthy brains in FLAIR at 2 mm: hemispheres, cerebellum, ventricles, cortex over white matter, deep nuclei. */
import type { RandomStream } from "../../random.ts";
import type { Triple } from "../../volume/volume.ts";
import { applyBias, between, smoothNoise } from "./acquisition.ts";
import {
  type Bead,
  cutBeyond,
  type Ellipsoid,
  emptyField,
  type Field,
  type Grid,
  joinEllipsoid,
  joinField,
  joinTube,
  paint,
  roughen,
  smoothBeads,
} from "./shapes.ts";

/** The frame in which the anatomy is placed, in voxels; the case is a window of it. */
export const brainFrame: Grid = { shape: [88, 104, 88], start: [-44, -52, -46] };

/** What differs between brains. */
export interface BrainPlan {
  /** Factors of the head's sides. */
  readonly size: Triple;
  readonly play: (amount: number) => number;
  /** Thickness of the ventricles. */
  readonly ventricle: number;
}

/** Draws the sizes of a brain. */
export function planBrain(stream: RandomStream): BrainPlan {
  const draw = (low: number, high: number) => between(stream, low, high);
  return {
    size: [draw(0.95, 1.06), draw(0.94, 1.05), draw(0.95, 1.05)],
    play: (amount) => draw(-amount, amount),
    ventricle: draw(0.9, 1.75),
  };
}

/** Two hemispheres with temporal lobes, cerebellum and brain stem: what skull stripping leaves. */
export function brainField({ size: [sx, sy, sz], play }: BrainPlan, stream: RandomStream): Field {
  const field = emptyField(brainFrame);
  const lobe = (x: number, y: number, z: number, radii: Triple, blend: number, turn = 0, lean = 0) => {
    for (const side of [-1, 1]) {
      const body: Ellipsoid = {
        centre: [side * x * sx + play(0.5), y * sy + play(0.5), z * sz + play(0.5)],
        radii: [radii[0] * sx, radii[1] * sy, radii[2] * sz],
        turn: side * turn,
        lean: side * lean,
      };
      joinEllipsoid(field, body, blend);
    }
  };
  lobe(11.5, 0, 3, [22, 42, 27], 0.5, 0, -0.1);
  lobe(14, 8, 5, [20.5, 31, 26], 3);
  lobe(22.5, -10, -15, [11, 21, 9.5], 3, -0.15);
  const behind = emptyField(brainFrame);
  for (const side of [-1, 1]) {
    joinEllipsoid(behind, { centre: [side * 12 * sx, 24 * sy, -25 * sz], radii: [15, 14, 10.5] }, 3);
  }
  joinTube(behind, [[0, 6, -12, 7], [0, 9, -24, 6.5], [0, 13, -46, 5]], 4);
  cutBeyond(behind, [0, 13, -37.5], [0, 0.15, -1]);
  joinField(field, behind, 0.8);
  roughen(field, smoothNoise(brainFrame.shape, stream, 5), 0.7);
  return field;
}

/** Lateral ventricles with their horns, third and fourth ventricle. */
export function ventricleField(
  { size: [sx, sy, sz], play, ventricle: w }: BrainPlan,
  brain: Field,
  stream: RandomStream,
): Field {
  const field = emptyField(brain);
  for (const side of [-1, 1]) {
    const bead = (x: number, y: number, z: number, r: number): Bead => [
      side * sx * x + play(0.5),
      sy * y + play(0.7),
      sz * z + play(0.5),
      r * w,
    ];
    const body = [
      bead(7, -20, 2, 1.2),
      bead(5, -14, 6, 2.2),
      bead(4, -3, 10, 2),
      bead(6, 9, 9, 2.1),
      bead(11, 17, 4, 2.6),
      bead(9, 27, 1, 1.3),
    ];
    joinTube(field, smoothBeads(body), 1);
    joinTube(field, smoothBeads([body[4], bead(16, 11, -5, 1.6), bead(18, 1, -10, 1)]), 1);
  }
  joinTube(field, [[0, -6, 0, 0.9 * w], [0, 6, 0, 1.1 * w]]);
  joinTube(field, [[0, 19, -19, 1.2], [0, 17, -26, 2]]);
  roughen(field, smoothNoise(brain.shape, stream, 4), 0.4);
  return field;
}

/** A brain on the case's grid. */
export interface Tissue {
  readonly brain: Field;
  readonly ventricles: Field;
  /** The pattern whose zero lines are the sulci. */
  readonly folds: Float32Array;
  readonly plan: BrainPlan;
  readonly stream: RandomStream;
}

/** Intensity of cerebrospinal fluid. */
const fluid = -2.4;

/** Paints all of the healthy brain; outside of it the image means nothing. */
export function paintBrain(image: Float32Array, { brain, ventricles, folds, plan, stream }: Tissue): void {
  const { size: [sx, sy, sz], play } = plan;
  const { shape, data: surface } = brain;
  const [white, grey] = [between(stream, -0.5, -0.25), between(stream, 0.4, 0.7)];
  const texture = smoothNoise(shape, stream, 2.2);
  const sulcus = between(stream, 0.2, 0.34);
  for (let i = 0; i < image.length; i++) {
    const depth = -surface[i];
    // A sulcus runs along the zero lines of the folds, and closes with depth; the cortex lines it.
    const open = Math.min(Math.max(1.2 - depth / 11, 0), 1);
    const wall = Math.abs(folds[i]);
    const cortexDepth = 2.2 + 12 * open * Math.max(0.75 - wall, 0);
    const cortex = Math.min(Math.max((cortexDepth - depth) / 1.5 + 0.5, 0), 1);
    let value = white + (grey - white) * cortex;
    const wet = open * Math.min(Math.max((sulcus - wall) / sulcus, 0), 1);
    value += 0.8 * wet * (fluid - value);
    const rim = Math.min(Math.max(0.9 - depth, 0), 1);
    value += 0.55 * rim * (fluid - value);
    image[i] = value + 0.1 * texture[i];
  }
  const put = (bodies: readonly Ellipsoid[], value: number) => {
    const field = emptyField(brain);
    for (const body of bodies) joinEllipsoid(field, body);
    roughen(field, texture, 0.3);
    paint(image, field, value, { softness: 2, texture, contrast: 0.1 });
  };
  const pair = (x: number, y: number, z: number, radii: Triple, turn = 0): Ellipsoid[] =>
    [-1, 1].map((side) => ({
      centre: [side * x * sx + play(0.4), y * sy, z * sz] as const,
      radii,
      turn: side * turn,
    }));
  put(pair(7, 4, 2, [4.6, 6.5, 4.5], -0.3), grey * 0.8);
  put(pair(14, -5, 1, [3.2, 8.5, 5], -0.25), grey * 0.7);
  put(pair(9, -13, 5, [2.6, 4.5, 4.5]), grey);
  // The fissure between the hemispheres, and the two lateral ones.
  const fissure = emptyField(brain);
  joinEllipsoid(fissure, { centre: [0, -26, 12], radii: [0.9, 22, 26] });
  joinEllipsoid(fissure, { centre: [0, 30, 14], radii: [0.9, 20, 22] });
  joinEllipsoid(fissure, { centre: [0, 2, 30], radii: [0.9, 40, 13] });
  for (const side of [-1, 1]) {
    const lateral: Bead[] = [[side * 33 * sx, -14, -6, 1.6], [side * 24 * sx, -8, -5, 1.2], [
      side * 24 * sx,
      6,
      2,
      0.9,
    ]];
    joinTube(fissure, lateral);
  }
  roughen(fissure, texture, 0.35);
  paint(image, fissure, fluid, { softness: 1.6 });
  // Around the ventricles FLAIR is a little bright.
  paint(image, ventricles, white + 0.55, { grow: 1, softness: 1.6 });
  paint(image, ventricles, fluid - 0.4, { softness: 1 });
  applyCoil(image, shape, stream);
}

/** The coil's field on intensities whose zero is healthy tissue. */
function applyCoil(image: Float32Array, shape: Triple, stream: RandomStream): void {
  const signal = 4;
  for (let i = 0; i < image.length; i++) image[i] += signal;
  applyBias(image, shape, stream, 0.035);
  for (let i = 0; i < image.length; i++) image[i] -= signal;
}
