/**
 * Plain left atria: an ellipsoidal, lobed organ with four vessels and an appendage, beside a ventricle and an aorta
 * of nearly the same intensity, with a bias field, Rician noise and contrast that differs from case to case. A wall
 * parts the organ from everything else, so that a network learns it in minutes: for the demo, smoke runs and tests.
 */
import type { RandomStream } from "../../random.ts";
import { type Shape3, type Triple, voxelCount } from "../../volume/volume.ts";
import type { Drawing } from "./drawing.ts";

/** Voxel size in millimetres. */
const voxelSize = 1.25;

/** Draws one plain atrium. */
export function drawPlainAtrium(stream: RandomStream): Drawing {
  const shape: Shape3 = [72 + 2 * stream.integer(9), 64 + 2 * stream.integer(9), 44];
  const anatomy = drawAnatomy(shape, stream);
  const tissue = new Float32Array(voxelCount(shape));
  const label = new Uint8Array(tissue.length);
  paint(anatomy, shape, tissue, label);
  const image = blur(tissue, shape);
  acquire(image, shape, stream);
  normalise(image);
  return { shape, voxelSize, image, label };
}

/** A ball-ended tube from a to b whose radius goes from the first to the second. */
interface Tube {
  readonly a: Triple;
  readonly b: Triple;
  readonly radii: readonly [number, number];
}

interface Ellipsoid {
  readonly centre: Triple;
  readonly radii: Triple;
  /** Lobes: amplitude and phase of angular waves of the surface. */
  readonly lobes:
    readonly (readonly [amplitude: number, azimuth: number, elevation: number, phase: number])[];
}

interface Anatomy {
  readonly atrium: Ellipsoid;
  readonly vessels: readonly Tube[];
  readonly ventricle: Ellipsoid;
  readonly aorta: Tube;
  readonly body: Ellipsoid;
  readonly intensities: {
    readonly atrium: number;
    readonly ventricle: number;
    readonly aorta: number;
    readonly wall: number;
    readonly muscle: number;
    readonly lung: number;
  };
}

function drawAnatomy(shape: Shape3, stream: RandomStream): Anatomy {
  const between = (low: number, high: number) => low + (high - low) * stream.uniform();
  const centre: Triple = [
    shape[0] / 2 + between(-5, 5),
    shape[1] / 2 + between(-4, 4),
    shape[2] / 2 + between(-3, 3),
  ];
  const radii: Triple = [between(14, 19), between(11, 15), between(9.5, 13)];
  const lobes = Array.from(
    { length: 4 },
    () =>
      [between(0.03, 0.1), 1 + stream.integer(4), 1 + stream.integer(3), between(0, 2 * Math.PI)] as const,
  );
  const from = (dx: number, dy: number, dz: number): Triple => [
    centre[0] + dx * radii[0],
    centre[1] + dy * radii[1],
    centre[2] + dz * radii[2],
  ];
  const vessel = (side: number, height: number): Tube => ({
    a: from(0.55 * side, 0.35, 0.35 * height),
    b: from(between(1.5, 1.9) * side, between(0.5, 1.1), between(0.3, 0.9) * height),
    radii: [between(3.6, 5), between(2.4, 3.6)],
  });
  const vessels = [vessel(-1, -1), vessel(-1, 1), vessel(1, -1), vessel(1, 1)];
  const appendage: Tube = {
    a: from(0.6, -0.4, 0.3),
    b: from(between(1, 1.25), between(-1.2, -0.9), between(0.2, 0.6)),
    radii: [between(4, 5.5), between(2.5, 3.5)],
  };
  const blood = between(0.75, 1.1);
  return {
    atrium: { centre, radii, lobes },
    vessels: [...vessels, appendage],
    ventricle: {
      centre: from(between(-0.3, 0.5), between(-2.15, -1.85), between(-0.9, -0.3)),
      radii: [between(12, 16), between(9, 12), between(9, 13)],
      lobes: lobes.slice(0, 2),
    },
    aorta: {
      a: from(between(-0.5, 0.1), between(1.55, 1.8), -3),
      b: from(between(-0.5, 0.1), between(1.55, 1.8), 3),
      radii: [between(4.5, 6.5), between(4.5, 6.5)],
    },
    body: {
      centre: [shape[0] / 2, shape[1] / 2, shape[2] / 2],
      radii: [shape[0] * between(0.42, 0.5), shape[1] * between(0.44, 0.52), shape[2]],
      lobes: lobes.slice(1, 3),
    },
    intensities: {
      atrium: blood,
      ventricle: blood * between(0.85, 1.05),
      aorta: blood * between(0.85, 1.1),
      wall: between(0.3, 0.45),
      muscle: between(0.4, 0.55),
      lung: between(0.08, 0.18),
    },
  };
}

/** Gives every voxel its tissue, and the atrium with its vessels the label. */
function paint(anatomy: Anatomy, [nx, ny, nz]: Shape3, tissue: Float32Array, label: Uint8Array): void {
  const { atrium, vessels, ventricle, aorta, body, intensities } = anatomy;
  const wallThickness = 1.6;
  for (let x = 0, i = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      for (let z = 0; z < nz; z++, i++) {
        let distance = ellipsoidDistance(atrium, x, y, z);
        for (const vessel of vessels) distance = Math.min(distance, tubeDistance(vessel, x, y, z));
        if (distance <= 0) {
          label[i] = 1;
          tissue[i] = intensities.atrium;
        } else if (distance <= wallThickness) tissue[i] = intensities.wall;
        else if (ellipsoidDistance(ventricle, x, y, z) <= 0) tissue[i] = intensities.ventricle;
        else if (tubeDistance(aorta, x, y, z) <= 0) tissue[i] = intensities.aorta;
        else if (ellipsoidDistance(body, x, y, z) <= 0) tissue[i] = intensities.muscle;
        else tissue[i] = intensities.lung;
      }
    }
  }
}

/** About the distance to the surface in voxels, negative inside. */
function ellipsoidDistance({ centre, radii, lobes }: Ellipsoid, x: number, y: number, z: number): number {
  const u = (x - centre[0]) / radii[0];
  const v = (y - centre[1]) / radii[1];
  const w = (z - centre[2]) / radii[2];
  const r = Math.sqrt(u * u + v * v + w * w);
  const scale = Math.min(radii[0], radii[1], radii[2]);
  if (r > 1.6) return (r - 1) * scale;
  const azimuth = Math.atan2(v, u);
  const elevation = Math.atan2(w, Math.sqrt(u * u + v * v));
  let surface = 1;
  for (const [amplitude, m, n, phase] of lobes) {
    surface += amplitude * Math.cos(m * azimuth + phase) * Math.cos(n * elevation);
  }
  return (r - surface) * scale;
}

function tubeDistance({ a, b, radii }: Tube, x: number, y: number, z: number): number {
  const [dx, dy, dz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const along = ((x - a[0]) * dx + (y - a[1]) * dy + (z - a[2]) * dz) / (dx * dx + dy * dy + dz * dz);
  const t = Math.min(Math.max(along, 0), 1);
  const [ex, ey, ez] = [x - a[0] - t * dx, y - a[1] - t * dy, z - a[2] - t * dz];
  return Math.sqrt(ex * ex + ey * ey + ez * ez) - (radii[0] + t * (radii[1] - radii[0]));
}

/** The point spread of the scanner: a [1, 2, 1]/4 kernel along each axis. */
function blur(data: Float32Array, [nx, ny, nz]: Shape3): Float32Array {
  let source = data;
  for (const [stride, length] of [[ny * nz, nx], [nz, ny], [1, nz]]) {
    const out = new Float32Array(source.length);
    for (let i = 0; i < source.length; i++) {
      const position = Math.floor(i / stride) % length;
      const before = position > 0 ? source[i - stride] : source[i];
      const after = position < length - 1 ? source[i + stride] : source[i];
      out[i] = (before + 2 * source[i] + after) / 4;
    }
    source = out;
  }
  return source;
}

/** Coil sensitivity (a smooth bias field), tissue texture and Rician noise. */
function acquire(image: Float32Array, [nx, ny, nz]: Shape3, stream: RandomStream): void {
  const slope = [0, 1, 2].map(() => 0.5 * (stream.uniform() - 0.5));
  const curve = [0, 1, 2].map(() => 0.35 * (stream.uniform() - 0.5));
  const noise = 0.07 + 0.06 * stream.uniform();
  for (let x = 0, i = 0; x < nx; x++) {
    const u = 2 * x / (nx - 1) - 1;
    for (let y = 0; y < ny; y++) {
      const v = 2 * y / (ny - 1) - 1;
      for (let z = 0; z < nz; z++, i++) {
        const w = 2 * z / (nz - 1) - 1;
        const bias = 1 + slope[0] * u + slope[1] * v + slope[2] * w + curve[0] * u * u + curve[1] * v * v +
          curve[2] * w * w;
        const real = image[i] * Math.max(bias, 0.3) + noise * stream.normal();
        const imaginary = noise * stream.normal();
        image[i] = Math.sqrt(real * real + imaginary * imaginary);
      }
    }
  }
}

/** Zero mean and unit variance, as the public left-atrium volumes. */
function normalise(image: Float32Array): void {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < image.length; i++) {
    sum += image[i];
    squares += image[i] * image[i];
  }
  const mean = sum / image.length;
  const deviation = Math.sqrt(squares / image.length - mean * mean);
  for (let i = 0; i < image.length; i++) image[i] = (image[i] - mean) / deviation;
}
