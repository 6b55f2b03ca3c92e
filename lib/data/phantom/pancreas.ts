/**
 * Pancreases in portal-venous CT at 2 mm: a curved, lobulated tube whose head lies in the duodenum's loop, at nearly
 * the duodenum's attenuation, with the splenic vein along its back, in fat between liver, stomach, spleen, kidneys and
 * spine. The case is cut and normalised as the paper prepares Pancreas-CT: the organ's box widened by 25, 25 and
 * 0 mm, −125 to 275 HU, zero mean and unit variance.
 */
import type { RandomStream } from "../../random.ts";
import type { Triple } from "../../volume/volume.ts";
import { marginBox, normaliseIntensities, pancreasWindow, windowIntensities } from "../preprocess.ts";
import { addPattern, between, correlatedNoise, smoothNoise } from "./acquisition.ts";
import { cropField, type Drawing, extentOf, keepLargest } from "./drawing.ts";
import { makeScene, type Scene } from "./scene.ts";
import {
  type Bead,
  emptyField,
  type Field,
  type Grid,
  insideOf,
  joinEllipsoid,
  joinTube,
  keepWithin,
  paint,
  roughen,
  smoothBeads,
} from "./shapes.ts";

/** The frame in which the anatomy is placed, in voxels; the case is a window of it. */
const frame: Grid = { shape: [128, 104, 88], start: [-64, -52, -46] };

/** Draws one pancreas. */
export function drawPancreas(stream: RandomStream): Drawing {
  const course = planCourse(stream);
  const lobulated = emptyField(frame);
  joinTube(lobulated, smoothBeads(course), 2);
  roughen(lobulated, smoothNoise(frame.shape, stream, 4.5), 0.9);
  roughen(lobulated, smoothNoise(frame.shape, stream, 2.2), 0.45);
  const whole = keepLargest(lobulated);
  const pancreas = cropField(whole, marginBox(extentOf(whole), [12, 12, 0], frame.shape));
  const hounsfield = paintAbdomen(course, pancreas, stream);
  const grain: Triple = [0.75, 0.75, 0.5];
  addPattern(hounsfield, correlatedNoise(pancreas.shape, stream, grain), between(stream, 9, 17));
  const image = normaliseIntensities(windowIntensities(hounsfield, pancreasWindow));
  return { shape: pancreas.shape, voxelSize: 2, image, label: insideOf(pancreas) };
}

/** The centre line from the uncinate process through head, neck and body to the tail. */
function planCourse(stream: RandomStream): Bead[] {
  const draw = (low: number, high: number) => between(stream, low, high);
  const [width, depth, height] = [draw(0.86, 1.04), draw(1, 1.3), draw(1.15, 1.5)];
  const thickness = draw(0.74, 0.92);
  const bead = (x: number, y: number, z: number, radius: number, play = 2): Bead => [
    width * x + draw(-play, play),
    depth * y + draw(-play, play),
    height * z + draw(-play, play),
    thickness * radius * draw(0.92, 1.08),
  ];
  return [
    bead(-20, 9, -22, 4.2),
    bead(-26, 7, -17, 6.8),
    bead(-27, 3, -8, 7.8),
    bead(-18, -7, -1, 5.4),
    bead(-5, -12, 4, 5.2),
    bead(10, -8, 9, 5.6),
    bead(23, 4, 13, 5.2),
    bead(33, 15, 17, 4.6),
    bead(37, 21, 20, 3.6),
  ];
}

/** Everything in the crop in Hounsfield units, in the order in which it hides what is below. */
function paintAbdomen(course: readonly Bead[], pancreas: Field, stream: RandomStream): Float32Array {
  const scene = makeScene(pancreas, stream);
  const { image, cloudy, fine, draw } = scene;
  const fat = draw(-108, -92);
  // Small vessels and septa run through the fat.
  for (let i = 0; i < image.length; i++) image[i] = fat + 5 * fine[i] * fine[i] + 5 * cloudy[i];
  paintSpine(scene);
  paintLiverAndSpleen(scene);
  for (const side of [-1, 1]) paintKidney(scene, side);
  paintStomach(scene);
  paintBowel(scene);
  const gland = draw(78, 112);
  paintDuodenum(scene, course, gland);
  paintVessels(scene, course);
  paintGland(scene, course, gland);
  return image;
}

function paintSpine({ image, tube, body, draw, fine, solid }: Scene): void {
  const column: Bead[] = [[-8, 42, -50, 11.5], [-8, 42, 50, 11.5]];
  for (const side of [-1, 1]) {
    const psoas: Bead[] = [[-8 + side * 17, 43, -50, 8], [-8 + side * 13, 43, 10, 5], [
      -8 + side * 11,
      42,
      50,
      3,
    ]];
    solid(tube(psoas), draw(52, 68));
    const crus: Bead[] = [[-8 + side * 6, 33, -10, 2.2], [-8 + side * 8, 30, 50, 3]];
    solid(tube(crus), 60);
  }
  const bone = tube(column);
  paint(image, bone, draw(300, 420));
  paint(image, bone, draw(140, 200), { grow: -1.6, texture: fine, contrast: 30 });
  const level = draw(-10, 10);
  for (const height of [level - 36, level - 18, level, level + 18, level + 36]) {
    const disc = body((field) => joinEllipsoid(field, { centre: [-8, 42, height], radii: [11, 11, 2] }), 0);
    paint(image, disc, 85);
  }
}

function paintLiverAndSpleen({ at, body, tube, apart, solid, draw }: Scene): void {
  const liver = body((field) => {
    joinEllipsoid(field, { centre: at(-62, -16, 20, 3), radii: [draw(28, 33), 40, 36], lean: 0.35 });
    joinEllipsoid(field, { centre: at(-30, -44, 26, 3), radii: [34, 18, 20], lean: 0.2 }, 6);
  }, 1.2);
  const value = draw(95, 125);
  solid(apart(liver, 2), value, 5);
  const portal = tube([[...at(-36, -14, 14), 3.4], [...at(-50, -18, 20), 2.8], [...at(-62, -22, 26), 2]]);
  solid(portal, value + draw(25, 50));
  const gallbladder = body((field) => joinEllipsoid(field, { centre: at(-42, -26, -4), radii: [6.5, 9, 8] }));
  solid(apart(gallbladder, 2), draw(0, 18));
  const spleen = body((field) => {
    joinEllipsoid(field, { centre: at(58, 26, 24, 3), radii: [15, 20, 22], turn: 0.3 });
  });
  solid(apart(spleen, 1.2), value + draw(0, 20));
}

function paintKidney({ image, at, body, apart, draw }: Scene, side: number): void {
  const [x, y, z] = at(side * 36 + 2, side < 0 ? 33 : 37, side < 0 ? -10 : -4);
  const turn = -0.5 * side;
  const outline = body((field) => joinEllipsoid(field, { centre: [x, y, z], radii: [12, 10, 24], turn }));
  const kidney = apart(outline, 2);
  const cortex = draw(165, 215);
  paint(image, kidney, cortex);
  paint(image, kidney, cortex - draw(20, 50), { grow: -3.2, softness: 2.5 });
  const hilum: Triple = [x - side * 8, y - 2, z];
  const sinus = body((field) => joinEllipsoid(field, { centre: hilum, radii: [8, 4.5, 10], turn }), 1.5);
  paint(image, sinus, -80);
}

function paintStomach({ image, at, body, apart, draw, fine, solid }: Scene): void {
  const outline = body((field) => {
    joinEllipsoid(field, {
      centre: at(24, -24, 20, 3),
      radii: [draw(20, 26), draw(11, 15), 16],
      turn: -0.25,
    });
    joinTube(
      field,
      smoothBeads([[...at(8, -30, 12), 9], [...at(-12, -29, 6), 7], [...at(-28, -20, 4), 5]]),
      5,
    );
  }, 1.2);
  const stomach = apart(outline, 1.6);
  solid(stomach, draw(75, 100));
  // Water, food or oral contrast, with air in front of it.
  const content = [draw(5, 25), draw(30, 55), draw(180, 330)][Math.floor(draw(0, 3))];
  paint(image, stomach, content, { grow: -2.2, softness: 2, texture: fine, contrast: 6 });
  const gas = body((field) => joinEllipsoid(field, { centre: at(24, -34, 20), radii: [12, 4, 9] }), 0);
  keepWithin(gas, stomach, 2.6);
  paint(image, gas, -800, { softness: 0.8 });
}

/** Places of the small bowel's loops in the crop. */
const bowelLoops: readonly (readonly Triple[])[] = [
  [[14, 4, -10], [24, 8, -18], [34, 2, -22], [38, -8, -16]],
  [[10, -18, -16], [22, -16, -12], [32, -22, -18], [20, -28, -24]],
  [[-2, -20, -22], [-14, -24, -26], [-4, -30, -20], [8, -34, -24]],
  [[40, 8, -6], [46, -2, -14], [42, -16, -4]],
  [[4, -8, -34], [16, -4, -30], [26, -10, -36], [38, -4, -32]],
  [[-30, -12, -30], [-20, -8, -36], [-10, -12, -34]],
  [[28, 14, -26], [38, 12, -34], [46, 0, -28], [48, -14, -20]],
  [[36, -18, 2], [44, -12, 8], [48, 0, 4], [46, 10, 6]],
];

/** Small bowel with its contents, the mesentery's vessels, and the colon with stool and gas. */
function paintBowel({ image, at, tube, apart, draw, cloudy, fine, solid }: Scene): void {
  for (let i = 0; i < 22; i++) {
    const [x, y, z] = [draw(-24, 44), draw(-30, 6), draw(-44, 2)];
    const twig: Bead[] = [[x, y, z, draw(0.8, 1.5)], [
      x + draw(-9, 9),
      y + draw(-9, 9),
      z + draw(-5, 9),
      0.8,
    ]];
    solid(apart(tube(twig, 0), 1.5), draw(60, 140));
  }
  for (const loop of bowelLoops) {
    const radius = draw(5, 7.5);
    const wall = apart(tube(loop.map(([x, y, z]) => [...at(x, y, z, 3), radius]), 0.9), draw(0.6, 2));
    solid(wall, draw(75, 120), 8);
    paint(image, wall, draw(10, 70), { grow: -1.8, softness: 2.4, texture: cloudy, contrast: 20 });
  }
  const course: Bead[] = [[-44, -30, -30, 8], [-20, -38, -12, 7.5], [10, -42, -6, 7.5], [50, -30, 2, 8]];
  const colon = apart(tube(course, 1.2), 2);
  solid(colon, 65);
  paint(image, colon, -60, { grow: -1.5, texture: fine, contrast: 120 });
}

/** The loop around the head, touching it, at nearly the gland's attenuation. */
function paintDuodenum(
  { image, tube, draw, cloudy, solid }: Scene,
  course: readonly Bead[],
  gland: number,
): void {
  const [uncinate, low, high] = course;
  const radius = draw(5, 6.5);
  const beside = (bead: Bead, x: number, y: number, z: number): Bead => {
    const away = (bead[3] + radius - 0.4) / Math.hypot(x, y, z);
    return [bead[0] + x * away, bead[1] + y * away, bead[2] + z * away, radius];
  };
  const loop = tube([
    [-26, -18, high[2] + 12, radius],
    beside(high, -0.6, -0.5, 0.8),
    beside(high, -1, -0.1, 0),
    beside(low, -1, 0.2, -0.2),
    beside(low, -0.5, 0.3, -1),
    beside(uncinate, 0.2, 0.4, -1),
    [-6, 12, uncinate[2] - 8, radius * 0.9],
    [14, 8, uncinate[2] - 4, radius * 0.9],
  ], 0.8);
  solid(loop, gland + draw(-14, 8), 7);
  roughen(loop, cloudy, -1.4);
  const content = draw(0, 1) < 0.35 ? draw(150, 260) : draw(20, 60);
  paint(image, loop, content, { grow: -0.8 * radius, softness: 2 });
}

/** Aorta and vena cava, the superior mesenteric vessels, the portal and the splenic vein. */
function paintVessels({ at, tube, draw, solid }: Scene, course: readonly Bead[]): void {
  const [, head, , neck, first, second, third, tail] = course;
  const venous = draw(135, 185);
  solid(tube([[...at(-10, 24, -50, 1), 5.6], [...at(-9, 23, 50, 1), 6]]), venous + draw(-15, 25));
  solid(tube([[...at(-25, 20, -50, 1), 5.2], [...at(-24, 19, 50, 1), 6.2]]), venous + draw(-35, 0));
  solid(tube([[-8, 18, 4, 2.4], [-8, 6, -2, 2], [-8, 2, -16, 1.8], [-6, 0, -50, 1.6]]), venous + draw(0, 25));
  const [x, y, z]: Triple = [neck[0] + 2, neck[1] + neck[3] + 3.4, neck[2] + 1];
  const mesenteric: Bead[] = [
    [x - 2, y - 1, -50, 2.6],
    [x - 1, y, head[2], 3],
    [x, y, z, 3.6],
    [x - 8, y - 5, z + 12, 3.6],
    [-40, -12, 24, 3.2],
  ];
  const behind = (
    bead: Bead,
  ): Bead => [bead[0] - 1.5, bead[1] + 0.95 * bead[3] + 1, bead[2] + 1.5, draw(1.8, 2.4)];
  const splenic: Bead[] = [[x, y, z, 2.8], ...[first, second, third, tail].map(behind), [50, 24, 24, 2]];
  for (const beads of [mesenteric, splenic]) solid(tube(beads, 0.1), venous + draw(-5, 20));
}

/** The pancreas itself, over all others: fat grows into the clefts between its lobules, the duct is dark. */
function paintGland(
  { image, organ, tube, draw, cloudy, fine }: Scene,
  course: readonly Bead[],
  gland: number,
): void {
  paint(image, organ, gland);
  const infiltration = draw(2, 12);
  for (let i = 0; i < image.length; i++) {
    if (organ.data[i] < 0) image[i] += 5 * cloudy[i] - infiltration * Math.max(fine[i] + 0.3, 0) ** 2;
  }
  const duct = course.slice(3, 8).map(([x, y, z]): Bead => [x, y, z, 0.75]);
  paint(image, tube(duct, 0), gland - draw(25, 60), { softness: 1.4 });
}
