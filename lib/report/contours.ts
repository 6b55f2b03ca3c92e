/** Iso-lines of a plane: marching squares with linear interpolation, as closed curves. */
import type { Plane } from "./planes.ts";
import { formatNumber } from "./svg.ts";

/** A closed curve: x, y, x, y, … in pixels of its plane, whose upper left corner is (0, 0). */
export type Loop = Float64Array;

/**
 * The closed curves where a plane crosses a level. Pixel (column, row) has its centre at (column + ½, row + ½).
 * An object that reaches the border is closed along the picture's edge. Saddles are cut so that the mean of
 * the four corners decides.
 */
export function contourLoops(plane: Plane, level: number): Loop[] {
  const { width, height, data } = plane;
  const sample = (column: number, row: number) =>
    column < 0 || row < 0 || column >= width || row >= height ? -Infinity : data[row * width + column];
  // A crossing is named by the edge that it lies on: two numbers for each padded grid point, one for each direction.
  const columns = width + 2;
  const horizontal = (column: number, row: number) => 2 * ((row + 1) * columns + column + 1);
  const vertical = (column: number, row: number) => horizontal(column, row) + 1;
  const next = new Map<number, number>();
  const place = new Map<number, [number, number]>();

  for (let row = -1; row < height; row++) {
    for (let column = -1; column < width; column++) {
      const a = sample(column, row), b = sample(column + 1, row);
      const c = sample(column + 1, row + 1), d = sample(column, row + 1);
      const code = (a >= level ? 1 : 0) | (b >= level ? 2 : 0) | (c >= level ? 4 : 0) | (d >= level ? 8 : 0);
      if (code === 0 || code === 15) continue;
      const x0 = column + 0.5, x1 = column + 1.5;
      const y0 = row + 0.5, y1 = row + 1.5;
      const edges = [
        horizontal(column, row),
        vertical(column + 1, row),
        horizontal(column, row + 1),
        vertical(column, row),
      ];
      const mix = (from: number, to: number, low: number, high: number) =>
        Number.isFinite(from) && Number.isFinite(to)
          ? low + (high - low) * (level - from) / (to - from)
          : (low + high) / 2;
      for (const [from, to] of cellSegments(code, (a + b + c + d) / 4 >= level)) {
        for (const side of [from, to]) {
          if (place.has(edges[side])) continue;
          place.set(
            edges[side],
            side === 0
              ? [mix(a, b, x0, x1), y0]
              : side === 1
              ? [x1, mix(b, c, y0, y1)]
              : side === 2
              ? [mix(d, c, x0, x1), y1]
              : [x0, mix(a, d, y0, y1)],
          );
        }
        next.set(edges[from], edges[to]);
      }
    }
  }

  const loops: Loop[] = [];
  while (next.size > 0) {
    const start = next.keys().next().value!;
    const points: number[] = [];
    let at: number | undefined = start;
    while (at !== undefined && next.has(at)) {
      points.push(...place.get(at)!);
      const following: number | undefined = next.get(at);
      next.delete(at);
      at = following;
    }
    loops.push(Float64Array.from(points));
  }
  return loops;
}

/** Rounds the stair steps of a voxel outline: `rounds` of Chaikin's corner cutting. The area changes by far less than a pixel a corner. */
export function roundCorners(loop: Loop, rounds: number): Loop {
  let points = loop;
  for (let round = 0; round < rounds; round++) {
    const count = points.length / 2;
    if (count < 4) return points;
    const out = new Float64Array(points.length * 2);
    for (let i = 0; i < count; i++) {
      const j = (i + 1) % count;
      for (let k = 0; k < 2; k++) {
        const from = points[2 * i + k];
        const to = points[2 * j + k];
        out[4 * i + k] = 0.75 * from + 0.25 * to;
        out[4 * i + 2 + k] = 0.25 * from + 0.75 * to;
      }
    }
    points = out;
  }
  return points;
}

/** Area within a set of loops in square pixels; holes count negative. */
export function loopArea(loops: readonly Loop[]): number {
  let sum = 0;
  for (const loop of loops) {
    for (let i = 0; i < loop.length; i += 2) {
      const j = (i + 2) % loop.length;
      sum += loop[i] * loop[j + 1] - loop[j] * loop[i + 1];
    }
  }
  return -sum / 2;
}

/** The loops as path data without their parts along the picture's edge, for iso-lines of maps that go on beyond it. */
export function openPath(loops: readonly Loop[], plane: Plane, scale: readonly [number, number]): string {
  const isInside = (x: number, y: number) =>
    x >= 0.5 && y >= 0.5 && x <= plane.width - 0.5 && y <= plane.height - 0.5;
  return loops.map((loop) => {
    const count = loop.length / 2;
    const border = Array.from({ length: count }, (_, i) => i).find((i) =>
      !isInside(loop[2 * i], loop[2 * i + 1])
    );
    if (border === undefined) return loopPath([loop], scale);
    let d = "";
    let command = "M";
    for (let k = 1; k < count; k++) {
      const at = 2 * ((border + k) % count);
      if (!isInside(loop[at], loop[at + 1])) {
        command = "M";
        continue;
      }
      d += `${command}${formatNumber(loop[at] * scale[0])} ${formatNumber(loop[at + 1] * scale[1])}`;
      command = "L";
    }
    return d;
  }).join("");
}

/** The loops as path data, with pixels of `scale[0]` × `scale[1]` points. */
export function loopPath(loops: readonly Loop[], scale: readonly [number, number]): string {
  return loops.map((loop) => {
    let d = "";
    for (let i = 0; i < loop.length; i += 2) {
      d += `${i === 0 ? "M" : "L"}${formatNumber(loop[i] * scale[0])} ${
        formatNumber(loop[i + 1] * scale[1])
      }`;
    }
    return `${d}Z`;
  }).join("");
}

// Sides: 0 top, 1 right, 2 bottom, 3 left. Corners' bits: 1 upper left, 2 upper right, 4 lower right, 8 lower left.
// Each segment keeps the inside on its left as seen on the page, so that loops can be followed and holes told apart.
const segments: readonly (readonly (readonly [number, number])[])[] = [
  [],
  [[3, 0]],
  [[0, 1]],
  [[3, 1]],
  [[1, 2]],
  [],
  [[0, 2]],
  [[3, 2]],
  [[2, 3]],
  [[2, 0]],
  [],
  [[2, 1]],
  [[1, 3]],
  [[1, 0]],
  [[0, 3]],
  [],
];

function cellSegments(code: number, centreInside: boolean): readonly (readonly [number, number])[] {
  if (code === 5) return centreInside ? [[3, 2], [1, 0]] : [[3, 0], [1, 2]];
  if (code === 10) return centreInside ? [[0, 3], [2, 1]] : [[0, 1], [2, 3]];
  return segments[code];
}
