/**
 * Brains with a glioma in FLAIR at 2 mm, skull-stripped and cut to the brain's box: bright cortex over darker white
 * matter, dark ventricles and sulci, and one bright, heterogeneous tumour with oedema that follows the white matter.
 * The label is the whole tumour. Intensities are in deviations of healthy brain, as the public set's are after
 * normalisation; share, contrast and texture follow what was measured there.
 */
import type { RandomStream } from "../../random.ts";
import { type Triple, voxelCount } from "../../volume/volume.ts";
import { marginBox } from "../preprocess.ts";
import { addPattern, between, blur, correlatedNoise, smoothNoise } from "./acquisition.ts";
import { brainField, brainFrame, paintBrain, planBrain, type Tissue, ventricleField } from "./brain.ts";
import { cropField, type Drawing, extentOf, keepLargest } from "./drawing.ts";
import {
  type Bead,
  emptyField,
  type Field,
  insideOf,
  joinEllipsoid,
  joinField,
  joinTube,
  keepWithin,
  paint,
  roughen,
  smoothBeads,
  subtract,
} from "./shapes.ts";

/** Draws one brain with a tumour. */
export function drawTumour(stream: RandomStream): Drawing {
  const plan = planBrain(stream);
  const whole = brainField(plan, stream);
  const brain = cropField(whole, marginBox(extentOf(whole), [0, 0, 0], brainFrame.shape));
  const { shape } = brain;
  const image = new Float32Array(voxelCount(shape));
  const ventricles = ventricleField(plan, brain, stream);
  const folds = smoothNoise(shape, stream, 3.6);
  paintBrain(image, { brain, ventricles, folds, plan, stream });
  const tumour = tumourField(brain, { ventricles, folds, plan, stream });
  paintTumour(image, tumour, stream);
  blur(image, shape, [0.35, 0.5, 0.4]);
  addPattern(image, correlatedNoise(shape, stream, [0.6, 1, 0.75]), between(stream, 0.08, 0.16));
  const label = insideOf(tumour);
  strip(image, brain, between(stream, -4.6, -3.2));
  return { shape, voxelSize: 2, image, label };
}

interface Tumour extends Field {
  /** About the distance to the core's surface. */
  readonly core: Float32Array;
}

/** A core of a few balls, and oedema whose fingers reach along the white matter. */
function tumourField(brain: Field, { ventricles, folds, plan, stream }: Omit<Tissue, "brain">): Tumour {
  const { size: [sx, sy, sz] } = plan;
  const draw = (low: number, high: number) => between(stream, low, high);
  const side = draw(-1, 1) < 0 ? -1 : 1;
  const centre: Triple = [side * draw(12, 23) * sx, draw(-22, 25) * sy, draw(-3, 19) * sz];
  const radius = draw(14.5, 23);
  const near = (spread: number): Triple => [
    centre[0] + draw(-spread, spread) * 0.8,
    centre[1] + draw(-spread, spread),
    centre[2] + draw(-spread, spread),
  ];
  const core = emptyField(brain);
  for (let i = 0; i < 3; i++) {
    const radii: Triple = [draw(0.45, 0.65) * radius, draw(0.5, 0.75) * radius, draw(0.45, 0.7) * radius];
    joinEllipsoid(core, { centre: near(0.35 * radius), radii, turn: draw(-1, 1), lean: draw(-1, 1) }, 3);
  }
  const field = emptyField(brain);
  joinField(field, core);
  for (let i = 0; i < field.data.length; i++) field.data[i] -= field.data[i] < 100 ? 0.15 * radius : 0;
  joinEllipsoid(field, {
    centre: near(0.4 * radius),
    radii: [0.7 * radius, radius, 0.8 * radius],
    turn: draw(-1, 1),
  }, 3);
  const fingers = 4 + stream.integer(5);
  for (let i = 0; i < fingers; i++) {
    const [u, v, w] = [draw(-1, 1), draw(-1, 1), draw(-1, 1)];
    const length = draw(1.1, 1.7) * radius / Math.max(Math.hypot(u, v, w), 0.3);
    const bend = draw(-0.35, 0.35) * radius;
    const thick = draw(0.2, 0.34) * radius;
    const beads: Bead[] = [
      [...centre, 1.6 * thick],
      [
        centre[0] + 0.5 * u * length + bend,
        centre[1] + 0.5 * v * length - bend,
        centre[2] + 0.5 * w * length,
        thick,
      ],
      [centre[0] + u * length, centre[1] + v * length, centre[2] + w * length, 0.5 * thick],
    ];
    joinTube(field, smoothBeads(beads, 3), 2.5);
  }
  roughen(field, smoothNoise(brain.shape, stream, 3.5), 1.1);
  // Oedema spares the cortex and does not cross sulci, the ventricles or the midline.
  for (let i = 0; i < field.data.length; i++) {
    const depth = -brain.data[i];
    if (depth < 5 && core.data[i] > 1) {
      field.data[i] += (5 - depth) * 0.5 * Math.max(0.8 - Math.abs(folds[i]), 0);
    }
  }
  subtract(field, ventricles, 0.3);
  keepWithin(field, brain, 0.6);
  const other = emptyField(brain);
  joinEllipsoid(other, { centre: [-side * 60, 0, 0], radii: [59.5, 400, 400] });
  subtract(field, other, 0);
  return { ...keepLargest(field), core: core.data };
}

function paintTumour(image: Float32Array, tumour: Tumour, stream: RandomStream): void {
  const draw = (low: number, high: number) => between(stream, low, high);
  const { shape, core } = tumour;
  const clumps = smoothNoise(shape, stream, 3);
  const grain = correlatedNoise(shape, stream, [0.6, 1.4, 0.9]);
  const oedema = draw(1.9, 3);
  const solid = oedema * draw(0.7, 1.3);
  // Necrosis: hardly darker, dark, or a cyst.
  const necrosis = [solid, 0.4 * solid, -1.6][stream.integer(3)];
  const texture = new Float32Array(image.length);
  for (let i = 0; i < texture.length; i++) texture[i] = 0.36 * clumps[i] + 0.2 * grain[i];
  paint(image, tumour, oedema, { softness: 2.4, texture, contrast: 1 });
  const solidField: Field = { ...tumour, data: core };
  keepWithin(solidField, tumour, 1);
  paint(image, solidField, solid, { softness: 2, texture, contrast: 1.2 });
  roughen(solidField, clumps, 1);
  paint(image, solidField, necrosis, { grow: -3.2, softness: 2.5, texture, contrast: 0.9 });
}

/** Everything outside of the brain becomes the background's one value. */
function strip(image: Float32Array, { data }: Field, background: number): void {
  for (let i = 0; i < image.length; i++) {
    image[i] = data[i] > 0 ? background : Math.max(image[i], background + 0.1);
  }
}
