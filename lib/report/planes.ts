/** Planes of a volume, as they lie on the page: cut, windowed, enlarged, coloured, encoded. */
import { encode } from "fast-png";
import type { Geometry, Shape3, Triple } from "../volume/volume.ts";
import { InputError } from "../errors.ts";
import { type ColourMapName, colourTable } from "./colour_maps.ts";

/** What a plane can be cut from; a geometry is not needed beyond the grid. */
export interface Grid {
  /** Voxels in C order, z fastest. */
  readonly data: Float32Array | Uint8Array;
  readonly shape: Shape3;
  /** Millimetres. */
  readonly spacing: Triple;
  /** Direction of the axes in LPS, where known: gives the orientation letters. */
  readonly direction?: Geometry["direction"];
}

/** A plane, row by row from the upper left corner. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
  /** Distance of pixel centres across and down, in millimetres. */
  readonly spacing: readonly [number, number];
  /** Letters of the left, right, upper and lower edge, for example R, L, A, P; absent where not known. */
  readonly letters?: { left: string; right: string; top: string; bottom: string };
}

/** The axis that a plane is perpendicular to: 0 is x, 1 is y, 2 is z. */
export type Axis = 0 | 1 | 2;

/**
 * The plane `index` perpendicular to `axis`. Perpendicular to z: x runs to the right and y down; perpendicular
 * to x or y: the other in-plane axis runs to the right and z up.
 *
 * @throws InputError when the index lies outside the volume.
 */
export function takePlane(grid: Grid, axis: Axis, index: number): Plane {
  const { shape, spacing, data } = grid;
  if (!Number.isInteger(index) || index < 0 || index >= shape[axis]) {
    throw new InputError(
      `slice ${index} of axis ${"xyz"[axis]}: expected an integer from 0 to ${shape[axis] - 1}`,
    );
  }
  const across = axis === 0 ? 1 : 0;
  const down = axis === 2 ? 1 : 2;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const width = shape[across];
  const height = shape[down];
  const out = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const along = down === 2 ? height - 1 - row : row;
    let at = index * strides[axis] + along * strides[down];
    for (let column = 0; column < width; column++, at += strides[across]) {
      out[row * width + column] = data[at];
    }
  }
  const letters = grid.direction === undefined
    ? undefined
    : planeLetters(grid.direction[across], grid.direction[down], down === 2);
  return {
    width,
    height,
    data: out,
    spacing: [spacing[across], spacing[down]],
    ...(letters === undefined ? {} : { letters }),
  };
}

/** Index of the plane perpendicular to `axis` that holds the most voxels of a label map; the middle one if none does. */
export function largestPlane(label: Grid, axis: Axis): number {
  const [, ny, nz] = label.shape;
  const counts = new Float64Array(label.shape[axis]);
  for (let i = 0; i < label.data.length; i++) {
    if (label.data[i] === 0) continue;
    const z = i % nz;
    const y = Math.floor(i / nz) % ny;
    counts[axis === 2 ? z : axis === 1 ? y : Math.floor(i / (nz * ny))]++;
  }
  let best = -1;
  for (let i = 0; i < counts.length; i++) if (counts[i] > (best < 0 ? 0 : counts[best])) best = i;
  return best < 0 ? Math.floor(counts.length / 2) : best;
}

/** Low and high percentile of the finite values of a plane, as a grey window; a constant plane gives a width of 1. */
export function percentileWindow(plane: Plane, low = 1, high = 99): [number, number] {
  const sorted = plane.data.filter(Number.isFinite).sort();
  if (sorted.length === 0) return [0, 1];
  const at = (percent: number) => sorted[Math.round((sorted.length - 1) * percent / 100)];
  const window: [number, number] = [at(low), at(high)];
  return window[1] > window[0] ? window : [window[0], window[0] + 1];
}

/**
 * A plane enlarged by a whole factor, so that every viewer shows the same picture.
 *
 * "smooth" interpolates with Catmull–Rom splines between pixel centres, limited to the range of the four
 * neighbours that it uses; "nearest" repeats pixels.
 */
export function enlarge(plane: Plane, factor: number, mode: "smooth" | "nearest"): Plane {
  if (factor <= 1) return plane;
  const { width, height, data } = plane;
  const rows = alongRows(data, width, height, factor, mode);
  const turned = transpose(rows, width * factor, height);
  const both = alongRows(turned, height, width * factor, factor, mode);
  return {
    ...plane,
    width: width * factor,
    height: height * factor,
    data: transpose(both, height * factor, width * factor),
    spacing: [plane.spacing[0] / factor, plane.spacing[1] / factor],
  };
}

/** A plane as an 8 bit PNG: `window` becomes the two ends of the colour map. Values that are not finite are the lower end. */
export function encodePlane(plane: Plane, map: ColourMapName, window: readonly [number, number]): Uint8Array {
  const levels = new Uint8Array(plane.data.length);
  const scale = 255 / (window[1] - window[0]);
  for (let i = 0; i < levels.length; i++) {
    const level = (plane.data[i] - window[0]) * scale;
    levels[i] = level > 0 ? Math.min(255, Math.round(level)) : 0;
  }
  const { width, height } = plane;
  if (map === "grey") {
    return encode({ width, height, data: levels, channels: 1, depth: 8 });
  }
  const table = colourTable(map);
  const palette = Array.from({ length: 256 }, (_, i) => table.subarray(3 * i, 3 * i + 3));
  const colours = new Uint8Array(levels.length * 3);
  for (let i = 0; i < levels.length; i++) colours.set(palette[levels[i]], 3 * i);
  return encode({ width, height, data: colours, channels: 3, depth: 8 });
}

/** A plane of weights 0 to 1 as a PNG of one colour with that opacity. */
export function encodeMask(
  plane: Plane,
  colour: readonly [number, number, number],
  opacity: number,
): Uint8Array {
  const pixels = new Uint8Array(plane.data.length * 4);
  for (let i = 0; i < plane.data.length; i++) {
    pixels.set(colour, 4 * i);
    pixels[4 * i + 3] = Math.round(255 * opacity * Math.min(1, Math.max(0, plane.data[i])));
  }
  return encode({ width: plane.width, height: plane.height, data: pixels, channels: 4, depth: 8 });
}

/** A PNG as a data address. */
export function pngAddress(png: Uint8Array): string {
  return `data:image/png;base64,${png.toBase64()}`;
}

function planeLetters(across: Triple, down: Triple, flipped: boolean): NonNullable<Plane["letters"]> {
  const [left, right] = axisLetters(across);
  const [first, last] = axisLetters(down);
  return flipped ? { left, right, top: last, bottom: first } : { left, right, top: first, bottom: last };
}

/** Letters of where an axis comes from and where it goes; world axes run to L, P and S. */
function axisLetters(direction: Triple): [string, string] {
  const sizes = direction.map(Math.abs);
  const main = sizes.indexOf(Math.max(...sizes));
  const pair: [string, string] = [["R", "L"], ["A", "P"], ["I", "S"]][main] as [string, string];
  return direction[main] > 0 ? pair : [pair[1], pair[0]];
}

function alongRows(
  data: Float32Array,
  width: number,
  height: number,
  factor: number,
  mode: "smooth" | "nearest",
): Float32Array {
  const out = new Float32Array(width * factor * height);
  for (let column = 0; column < width * factor; column++) {
    const centre = (column + 0.5) / factor - 0.5;
    const base = mode === "nearest" ? Math.round(centre) : Math.floor(centre);
    const t = mode === "nearest" ? 0 : centre - base;
    const weights = [
      ((-t + 2) * t - 1) * t / 2,
      ((3 * t - 5) * t * t + 2) / 2,
      ((-3 * t + 4) * t + 1) * t / 2,
      (t - 1) * t * t / 2,
    ];
    const at = [-1, 0, 1, 2].map((offset) => Math.min(width - 1, Math.max(0, base + offset)));
    for (let row = 0; row < height; row++) {
      const from = row * width;
      const a = data[from + at[0]], b = data[from + at[1]], c = data[from + at[2]], d = data[from + at[3]];
      const value = weights[0] * a + weights[1] * b + weights[2] * c + weights[3] * d;
      out[row * width * factor + column] = Math.min(
        Math.max(a, b, c, d),
        Math.max(Math.min(a, b, c, d), value),
      );
    }
  }
  return out;
}

function transpose(data: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) out[column * height + row] = data[row * width + column];
  }
  return out;
}
