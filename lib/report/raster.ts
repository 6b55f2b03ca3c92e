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
  const [a, b, c] = [3 * first, 3 * second, 3 * third];
  const ax = screen[a], ay = screen[a + 1], bx = screen[b], by = screen[b + 1];
  const cx = screen[c], cy = screen[c + 1];
  const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  if (area === 0) return;
  const x0 = Math.max(0, Math.ceil(Math.min(ax, bx, cx)));
  const x1 = Math.min(buffer.width - 1, Math.floor(Math.max(ax, bx, cx)));
  const y0 = Math.max(0, Math.ceil(Math.min(ay, by, cy)));
  const y1 = Math.min(buffer.height - 1, Math.floor(Math.max(ay, by, cy)));
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area;
      const v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area;
      const w = 1 - u - v;
      if (u < -1e-6 || v < -1e-6 || w < -1e-6) continue;
      const at = y * buffer.width + x;
      const depth = u * screen[a + 2] + v * screen[b + 2] + w * screen[c + 2];
      if (depth <= buffer.depth[at]) continue;
      // A net leaves the depth and half of the dots as they are.
      if (net && ((x >> 2) + (y >> 2)) % 2 !== 0) continue;
      if (!net) buffer.depth[at] = depth;
      const light = u * shade[first] + v * shade[second] + w * shade[third];
      for (let k = 0; k < 3; k++) buffer.colour[3 * at + k] = Math.min(255, colour[k] * light);
    }
  }
}

/** The mean of the samples of each dot. */
export function averaged({ width, height, colour }: Buffer): Uint8Array {
  const [columns, rows] = [width / samples, height / samples];
  const out = new Uint8Array(3 * columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let k = 0; k < 3; k++) {
        let sum = 0;
        for (let i = 0; i < samples * samples; i++) {
          const x = samples * column + i % samples;
          const y = samples * row + (i / samples | 0);
          sum += colour[3 * (y * width + x) + k];
        }
        out[3 * (row * columns + column) + k] = Math.round(sum / samples ** 2);
      }
    }
  }
  return out;
}
