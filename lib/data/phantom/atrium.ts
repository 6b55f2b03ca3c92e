/**
 * Left atria in gadolinium-enhanced MR at 1.25 mm. The blood of the left ventricle (across the mitral valve), of the
 * right atrium and of the aorta touches the atrium, and the pulmonary veins go on where the label ends. Shape, size
 * share, contrast and noise follow what was measured on the public left-atrium volumes, whose intensities were
 * normalised on a larger volume than the crop.
 */
import type { RandomStream } from "../../random.ts";
import type { Triple } from "../../volume/volume.ts";
import { atriumBox } from "../preprocess.ts";
import { addRicianNoise, applyBias, between, correlatedNoise, smoothNoise } from "./acquisition.ts";
import { type AtriumPlan, type Contrast, paintChest } from "./chest.ts";
import { cropField, type Drawing, extentOf, keepLargest } from "./drawing.ts";
import {
  type Bead,
  cutBeyond,
  emptyField,
  type Field,
  type Grid,
  insideOf,
  joinEllipsoid,
  joinField,
  joinTube,
  roughen,
  smoothBeads,
} from "./shapes.ts";

/** The frame in which the anatomy is placed, in voxels; the case is a window of it. */
const frame: Grid = { shape: [128, 104, 44], start: [-64, -52, -22] };

/** Draws one atrium. */
export function drawAtrium(stream: RandomStream): Drawing {
  const plan = planAtrium(stream);
  const whole = keepLargest(atriumField(plan, stream));
  const [x, y] = atriumBox({
    foreground: extentOf(whole),
    margins: Array.from({ length: 6 }, () => 5 + stream.integer(5)),
    crop: [56, 56, 40],
    shape: frame.shape,
  });
  // The public preparation keeps every slice.
  const atrium = cropField(whole, [x, y, [0, frame.shape[2]]]);
  const image = scan(paintChest(plan, atrium, stream), atrium, plan.contrast, stream);
  return { shape: atrium.shape, voxelSize: 1.25, image, label: insideOf(atrium) };
}

function planAtrium(stream: RandomStream): AtriumPlan {
  const draw = (low: number, high: number) => between(stream, low, high);
  const size = draw(0.66, 1.12);
  // A large atrium is wide rather than its veins long.
  const length = 0.6 + 0.52 * size;
  const depth = draw(1, 1.25) * (0.3 + 0.7 * size);
  const centre: Triple = [draw(-2, 2), draw(-2, 2), draw(-1, 3)];
  const place = (x: number, y: number, z: number, radius: number, play = 1.5): Bead => [
    centre[0] + length * x + draw(-play, play),
    centre[1] + depth * y + draw(-play, play),
    centre[2] + 0.9 * size * z + draw(-play, play) / 2,
    radius * draw(0.88, 1.12),
  ];
  const reach = draw(0.94, 1.12);
  const vein = (side: number, back: number, height: number, radius: number) => [
    place(9 * side, 0.2 * back, 0.4 * height, radius + 1.8),
    place(19 * side, 0.55 * back, 0.7 * height, radius + 0.7),
    place(34 * side * reach, back, height, radius, 2),
    place(46 * side, 1.5 * back + 3, 1.5 * height, radius * 0.85, 4),
    place(62 * side, 2 * back + 4, 2 * height, radius * 0.7, 6),
  ];
  return {
    centre,
    radii: [draw(17, 21) * size, draw(13, 16) * depth, draw(10.5, 13) * size],
    turn: draw(-0.25, 0.3),
    veins: [vein(-1, 1, 9, 4.4), vein(-1, 9, -5, 4.2), vein(1, 5, 9, 4.2), vein(1, 17, -3, 3.8)],
    appendage: [place(10, -7, 2, 6), place(19, -12, 4, 5), place(24, -17, 5, 3.6), place(28, -17, 2, 2.6)],
    vestibule: [place(4, -4, -4, 10.5), place(10, -15, -9, 10), place(14, -24, -12, 10.5)],
    contrast: drawContrast(stream),
  };
}

/** About one scan in eight has dark blood between bright fat and enhanced walls, as in the public set. */
function drawContrast(stream: RandomStream): Contrast {
  const none = between(stream, -0.62, -0.45);
  if (stream.uniform() < 0.12) {
    const blood = between(stream, 0.55, 0.9);
    const wall = blood + between(stream, 0.4, 1.2);
    return {
      none,
      blood,
      muscle: between(stream, 0.25, 0.45),
      fat: 0.3,
      wall,
      noise: between(stream, 0.15, 0.2),
    };
  }
  const blood = between(stream, 1.5, 3.9);
  return {
    none,
    blood,
    muscle: blood * between(stream, 0.28, 0.44),
    fat: blood * between(stream, 0.08, 0.22),
    wall: blood * between(stream, 0.3, 0.55),
    noise: between(stream, 0.17, 0.33),
  };
}

/** The labelled body: chamber, appendage and the veins up to their cut. */
function atriumField(
  { centre, radii, turn, veins, appendage, vestibule }: AtriumPlan,
  stream: RandomStream,
): Field {
  const field = emptyField(frame);
  joinEllipsoid(field, { centre, radii, turn });
  const valve = emptyField(frame);
  joinTube(valve, vestibule);
  const [from, through, beyond] = vestibule;
  cutBeyond(valve, centreOf(through), direction(from, beyond));
  joinField(field, valve, 4);
  joinTube(field, smoothBeads(appendage, 2), 2);
  for (const vein of veins) {
    const ostium = emptyField(frame);
    joinTube(ostium, smoothBeads(vein.slice(0, 4)));
    cutBeyond(ostium, centreOf(vein[2]), direction(vein[1], vein[3]));
    joinField(field, ostium, 4);
  }
  roughen(field, smoothNoise(frame.shape, stream, 7), 0.6);
  return field;
}

/** The magnitude image: coil sensitivity, flow in the blood, noise that the reconstruction has smoothed. */
function scan(
  image: Float32Array,
  { shape }: Field,
  { none, noise }: Contrast,
  stream: RandomStream,
): Float32Array {
  for (let i = 0; i < image.length; i++) image[i] = Math.max(image[i] - none, 0);
  applyBias(image, shape, stream, 0.1);
  const sharpness = between(stream, 0.86, 1.14);
  const grain: Triple = [0.7 * sharpness, 0.67 * sharpness, 0.35 + 0.28 * sharpness];
  const real = correlatedNoise(shape, stream, grain);
  const imaginary = correlatedNoise(shape, stream, grain);
  addRicianNoise(image, real, imaginary, noise);
  for (let i = 0; i < image.length; i++) image[i] += none;
  return image;
}

function centreOf([x, y, z]: Bead): Triple {
  return [x, y, z];
}

function direction(from: Bead, to: Bead): Triple {
  return [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
}
