/** The part of a slice about the organ, the same for every method. */
import type { StoredPlane } from "../../experiments/figure_data.ts";

/** A window of a plane in pixels. */
export interface PlaneWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Side of the window over the longer side of the organ. */
const room = 1.7;

/**
 * A square window, in millimetres, about the true label; as far as the plane reaches. The whole plane where the label
 * is empty.
 */
export function windowAbout(truth: StoredPlane): PlaneWindow {
  const { width, height, data, spacing } = truth;
  let [x0, y0, x1, y1] = [width, height, -1, -1];
  for (let i = 0; i < data.length; i++) {
    if (data[i] < 0.5) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
  }
  if (x1 < 0) return { x: 0, y: 0, width, height };
  const longer = Math.max((x1 - x0 + 1) * spacing[0], (y1 - y0 + 1) * spacing[1]);
  const side = Math.min(room * longer, width * spacing[0], height * spacing[1]);
  const along = (low: number, high: number, length: number, step: number): [number, number] => {
    const size = Math.min(length, Math.max(1, Math.round(side / step)));
    const start = Math.round((low + high + 1 - size) / 2);
    return [Math.min(length - size, Math.max(0, start)), size];
  };
  const [x, windowWidth] = along(x0, x1, width, spacing[0]);
  const [y, windowHeight] = along(y0, y1, height, spacing[1]);
  return { x, y, width: windowWidth, height: windowHeight };
}

/** The window of a plane on the same grid. */
export function cutPlane(plane: StoredPlane, { x, y, width, height }: PlaneWindow): StoredPlane {
  const data = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (y + row) * plane.width + x;
    data.set(plane.data.subarray(from, from + width), row * width);
  }
  return { ...plane, width, height, data };
}
