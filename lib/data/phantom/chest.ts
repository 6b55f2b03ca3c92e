/** The chest around a left atrium in gadolinium-enhanced MR: lungs, spine, the other chambers and the great vessels. */
import type { RandomStream } from "../../random.ts";
import type { Triple } from "../../volume/volume.ts";
import { makeScene, type Scene } from "./scene.ts";
import { type Bead, type Field, joinEllipsoid, paint, subtract } from "./shapes.ts";

/** Intensities of the tissues. */
export interface Contrast {
  /** Normalised intensities: of no signal, of the atrium's blood, and of what surrounds it. */
  readonly none: number;
  readonly blood: number;
  readonly muscle: number;
  readonly fat: number;
  readonly wall: number;
  /** Standard deviation of the noise. */
  readonly noise: number;
}

/** What differs between atria. */
export interface AtriumPlan {
  readonly contrast: Contrast;
  /** Centre of the atrium's body. */
  readonly centre: Triple;
  readonly radii: Triple;
  readonly turn: number;
  /** Centre lines of the pulmonary veins: in the atrium, at the label's cut, and far beyond. */
  readonly veins: readonly (readonly Bead[])[];
  readonly appendage: readonly Bead[];
  readonly vestibule: readonly Bead[];
}

/** All tissues of the crop, in the order in which they hide each other. */
export function paintChest(plan: AtriumPlan, atrium: Field, stream: RandomStream): Float32Array {
  const scene = makeScene(atrium, stream);
  const { image, cloudy, fine } = scene;
  const { muscle, fat } = plan.contrast;
  const signal = muscle + 0.6;
  // Strands and small vessels run through the mediastinum's fat.
  for (let i = 0; i < image.length; i++) {
    image[i] = fat + signal * (0.14 * cloudy[i] + 0.13 * fine[i] * fine[i]);
  }
  paintLungs(scene, plan);
  paintSpineAndLiver(scene, plan);
  const { ventricle, right } = paintHeartMuscle(scene, plan);
  paintVessels(scene, plan);
  paintBlood(scene, plan, { ventricle, right });
  return image;
}

function paintLungs(
  { image, at, body, tube, draw, cloudy }: Scene,
  { contrast: { none, blood } }: AtriumPlan,
): void {
  for (const side of [-1, 1]) {
    const lung = body((field) => {
      joinEllipsoid(field, { centre: at(side * 58, 18, 4, 3), radii: [draw(27, 32), draw(30, 36), 50] });
      if (side > 0) joinEllipsoid(field, { centre: at(46, -8, 14, 3), radii: [18, 24, 24] }, 6);
    }, 0);
    paint(image, lung, none + 0.15, { softness: 2, texture: cloudy, contrast: 0.08 });
  }
  for (let i = 0; i < 26; i++) {
    const side = i % 2 === 0 ? -1 : 1;
    const from = at(side * 41, 12, 0, 15);
    const to = at(from[0] + 3 * side, from[1] + 2, from[2], 7);
    paint(image, tube([[...from, draw(0.7, 1.6)], [...to, 0.6]], 0), blood * draw(0.6, 1));
  }
}

function paintSpineAndLiver({ image, at, body, tube, draw, cloudy }: Scene, { contrast }: AtriumPlan): void {
  const { none, blood, muscle, wall } = contrast;
  const spine = tube([[...at(-13, 33, -40), 13], [...at(-13, 33, 40), 13]], 0);
  paint(image, spine, muscle + 0.25 * wall, { grow: 1 });
  paint(image, spine, none + 0.25, { grow: -0.8, texture: cloudy, contrast: 0.1 });
  const oesophagus = tube([[...at(-4, 21, -40), draw(3, 4)], [...at(-2, 19, 40), draw(3, 4)]], 0);
  paint(image, oesophagus, muscle * 1.2, { softness: 2.5 });
  const liver = body((field) => {
    joinEllipsoid(field, { centre: at(-38, -24, -34, 3), radii: [40, 30, draw(18, 22)] });
  });
  paint(image, liver, blood * draw(0.55, 0.8), { texture: cloudy, contrast: 0.04 * blood });
}

interface Chambers {
  /** The left ventricle's blood. */
  readonly ventricle: Field;
  /** The blood of right atrium and right ventricle. */
  readonly right: Field;
}

function paintHeartMuscle(
  { image, organ, at, body, draw, cloudy }: Scene,
  { contrast, centre }: AtriumPlan,
): Chambers {
  const { muscle, wall } = contrast;
  const [cx, cy] = centre;
  const radii: Triple = [draw(15, 18), draw(18, 22), draw(13, 16)];
  const ventricle = body((field) => {
    joinEllipsoid(field, { centre: at(cx + 24, cy - 32, -17), radii, turn: 0.7 });
  }, 1);
  paint(image, ventricle, muscle, { grow: draw(5, 7), texture: cloudy, contrast: 0.2 * muscle });
  const right = body((field) => {
    const radii: Triple = [draw(15, 18), draw(12, 15), draw(16, 20)];
    joinEllipsoid(field, { centre: at(cx - 23, cy - 17, -3), radii });
    joinEllipsoid(field, { centre: at(cx - 8, cy - 38, -12), radii: [20, 16, 16] }, 3);
  }, 1);
  // The septum between the atria is thinner than a voxel.
  subtract(right, organ, draw(0, 1));
  paint(image, right, muscle, { grow: 2.2 });
  paint(image, organ, wall, { grow: draw(1.2, 1.9), softness: 1.5 });
  return { ventricle, right };
}

/** Caval veins, aorta, pulmonary artery and coronary sinus, as bright as the atrium. */
function paintVessels(
  { image, at, tube, draw, cloudy }: Scene,
  { contrast, centre: [cx, cy] }: AtriumPlan,
): void {
  const { blood, wall } = contrast;
  const vessel = (places: readonly Triple[], radii: readonly number[], brightness: number) => {
    const beads = places.map((
      [x, y, z],
      i,
    ): Bead => [...at(cx + x, cy + y, z, 1.5), radii[i] * draw(0.9, 1.1)]);
    const field = tube(beads, 0.6);
    paint(image, field, wall * 0.6, { grow: 1.5 });
    paint(image, field, blood * brightness, { texture: cloudy, contrast: 0.03 * blood });
  };
  vessel([[-22, -16, 10], [-25, -15, 40]], [6.2, 6.2], draw(0.95, 1.08));
  vessel([[-4, -20, 0], [-8, -22, 40]], [9.5, 9.5], draw(0.96, 1.1));
  vessel([[14, -27, 4], [10, -20, 40]], [8.5, 8.5], draw(0.95, 1.08));
  vessel([[16, -22, 15], [-4, -9, 16.5], [-34, -2, 16]], [8, 7, 6.5], draw(0.95, 1.08));
  vessel([[26, -6, -11], [16, 7, -13], [-8, 5, -13]], [2.5, 3, 3.5], draw(0.8, 1));
  vessel([[11, 22, -40], [11, 22, 40]], [7.5, 7.5], draw(0.95, 1.08));
  vessel([[-30, -14, -30], [-27, -16, -8]], [6.5, 6.5], draw(0.75, 1));
}

/** The chambers' blood: it flows from the veins into the atrium and through the mitral valve. */
function paintBlood(
  scene: Scene,
  { contrast, veins, vestibule }: AtriumPlan,
  { ventricle, right }: Chambers,
): void {
  const { image, organ, tube, draw, cloudy } = scene;
  const { blood, wall } = contrast;
  const fill = (field: Field, brightness: number) =>
    paint(image, field, blood * brightness, { texture: cloudy, contrast: 0.04 * blood });
  fill(right, draw(0.95, 1.08));
  const left = draw(0.97, 1.08);
  fill(ventricle, left);
  fill(tube(vestibule.slice(1).map(([x, y, z, radius]) => [x, y, z, radius - 1]), 0), left);
  for (const vein of veins) {
    const whole = tube(vein, 0);
    paint(image, whole, wall * 0.5, { grow: 1 });
    fill(whole, draw(0.95, 1.05));
  }
  // Readers draw the contour a little within the bright blood.
  paint(image, organ, blood, { grow: 0.6, softness: 1.6, texture: cloudy, contrast: 0.04 * blood });
}
