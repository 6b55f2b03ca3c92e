/** What every kind of phantom hands back, and the window it is cut to. */
import { boundingBox, crop } from "../../volume/crop.ts";
import { largestComponent } from "../../volume/components.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { Range3 } from "../preprocess.ts";
import { far, type Field, insideOf } from "./shapes.ts";

/** A drawn case on a cubic grid: x to the patient's left, y to the back, z to the head. */
export interface Drawing {
  readonly shape: Shape3;
  /** Millimetres. */
  readonly voxelSize: number;
  readonly image: Float32Array;
  /** 1 in the organ, 0 elsewhere. */
  readonly label: Uint8Array;
}

/** First and last index of a body along each axis of its grid. */
export function extentOf(field: Field): Range3 {
  const { start, size } = boundingBox(insideOf(field), field.shape)!;
  return [0, 1, 2].map((axis) => [start[axis], start[axis] + size[axis] - 1]) as unknown as Range3;
}

/** The part of a field in a window of its grid, ends exclusive; distances stay those to the whole body. */
export function cropField(field: Field, range: Range3): Field {
  const start = range.map(([first]) => first) as unknown as Shape3;
  const size = range.map(([first, end]) => end - first) as unknown as Shape3;
  return {
    shape: size,
    start: [0, 1, 2].map((axis) => field.start[axis] + start[axis]) as unknown as Shape3,
    data: crop(field.data, field.shape, { start, size }),
  };
}

/** The field without the pieces that do not hang together with its largest one. */
export function keepLargest(field: Field): Field {
  const inside = insideOf(field);
  const largest = largestComponent(inside, field.shape, 6);
  const data = field.data.slice();
  for (let i = 0; i < data.length; i++) {
    if (inside[i] > largest[i]) data[i] = far;
  }
  return { ...field, data };
}
