/** A picture with a depth buffer: triangles in, dots out. */
import type { Rgb } from "./colour_maps.ts";

/** Samples a dot along each side. */
export const samples = 2;

/** The samples of a picture. */
export interface Buffer {
  readonly width: number;
  readonly height: number;
  /** Larger is nearer. */
  readonly depth: Float32Array;
  readonly colour: Uint8Array;
}

/** White, and nothing in front of it. */
export function createBuffer(width: number, height: number): Buffer {
  return {
    width,
    height,
    depth: new Float32Array(width * height).fill(-Infinity),
    colour: new Uint8Array(3 * width * height).fill(255),
  };
}

/** A triangle on the screen. */
export interface ScreenTriangle {
  /** x, y and depth of all vertices, in samples. */
  readonly screen: Float32Array;
  /** Brightness of all vertices. */
  readonly shade: Float32Array;
  readonly corners: readonly [number, number, number];
  readonly colour: Rgb;
  /** Drawn as a net of dots that hides nothing. */
  readonly net: boolean;
}

/** Draws a triangle where nothing nearer is. */
export function fillTriangle(
  buffer: Buffer,
  { screen, shade, corners: [first, second, third], colour, net }: ScreenTriangle,
): void {
  const { width, height, depth, colour: dots } = buffer;
  const a = 3 * first, b = 3 * second, c = 3 * third;
  const ax = screen[a], ay = screen[a + 1], az = screen[a + 2];
  const bx = screen[b], by = screen[b + 1], bz = screen[b + 2];
  const cx = screen[c], cy = screen[c + 1], cz = screen[c + 2];
  const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  // A closed surface hides its triangles that face away from the eye.
  if (area === 0 || (area > 0 && !net)) return;
  const [red, green, blue] = colour;
  const x0 = Math.max(0, Math.ceil(Math.min(ax, bx, cx)));
  const x1 = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx)));
  const y0 = Math.max(0, Math.ceil(Math.min(ay, by, cy)));
  const y1 = Math.min(height - 1, Math.floor(Math.max(ay, by, cy)));
  for (let y = y0; y <= y1; y++) {
    const aDown = ay - y, bDown = by - y, cDown = cy - y;
    for (let x = x0; x <= x1; x++) {
      const u = ((bx - x) * cDown - bDown * (cx - x)) / area;
      const v = ((cx - x) * aDown - cDown * (ax - x)) / area;
      const w = 1 - u - v;
      if (u < -1e-6 || v < -1e-6 || w < -1e-6) continue;
      const at = y * width + x;
      const near = u * az + v * bz + w * cz;
      if (near <= depth[at]) continue;
      // A net leaves the depth and half of the dots as they are.
      if (net && ((x >> 2) + (y >> 2)) % 2 !== 0) continue;
      if (!net) depth[at] = near;
      const light = u * shade[first] + v * shade[second] + w * shade[third];
      dots[3 * at] = Math.min(255, red * light);
      dots[3 * at + 1] = Math.min(255, green * light);
      dots[3 * at + 2] = Math.min(255, blue * light);
    }
  }
}

/** The mean of the samples of each dot. */
export function averaged({ width, height, colour }: Buffer): Uint8Array {
  const columns = width / samples, rows = height / samples;
  const out = new Uint8Array(3 * columns * rows);
  const sums = new Uint16Array(3 * columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let y = samples * row; y < samples * (row + 1); y++) {
      for (let x = 0, i = 3 * y * width; x < width; x++, i += 3) {
        const to = 3 * (x / samples | 0);
        sums[to] += colour[i];
        sums[to + 1] += colour[i + 1];
        sums[to + 2] += colour[i + 2];
      }
    }
    const from = 3 * row * columns;
    for (let i = 0; i < sums.length; i++) out[from + i] = Math.round(sums[i] / samples ** 2);
  }
  return out;
}
