/**
 * The three passes of the distance transform: the first by two scans, the others by lower envelopes. Each works on a
 * part of the volume that depends on no other part, so that several threads can share a pass.
 */
import type { Box } from "./crop.ts";
import { makeEnvelope, transformLine } from "./envelope.ts";
import type { Shape3, Triple } from "./volume.ts";

/** What the passes work on. */
export interface Transform {
  /** One byte a voxel, C order; non-zero is foreground. */
  readonly mask: Uint8Array;
  /** The signed squared distances as far as the passes have come. */
  readonly squared: Float64Array;
  readonly shape: Shape3;
  /** The foreground's box. */
  readonly box: Box;
  /** The squared voxel distance along each axis. */
  readonly weights: Triple;
}

/** The rows of a pass's outermost loop, `to` not included. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** The largest squared distances that a pass has written. */
export interface Reach {
  readonly largestOutside: number;
  readonly largestInside: number;
}

/** A pass and how many rows its outermost loop has. */
export interface Pass {
  rows(transform: Transform): number;
  run(transform: Transform, part: Part): Reach;
}

/** The passes in their order; only the reach of the last one is that of the distances. */
export const passes: readonly Pass[] = [
  { rows: ({ box }) => box.size[1], run: alongX },
  { rows: ({ shape }) => shape[0], run: alongY },
  { rows: ({ shape }) => shape[0], run: alongZ },
];

const nothingWritten: Reach = { largestOutside: 0, largestInside: 0 };

// Longer than any line, small enough that adding a line's length stays an int32.
const unreached = 1 << 28;

/** First pass: signed squared distances within the lines along x, for the lines that meet the box; rows are its y. */
export function alongX(
  { mask, squared, shape, box, weights: [weight] }: Transform,
  { from, to }: Part,
): Reach {
  const [nx, ny, nz] = shape;
  const plane = ny * nz;
  const width = box.size[2];
  const runs = new Int32Array(nx * width);
  const next = new Int32Array(width);
  for (let y = box.start[1] + from; y < box.start[1] + to; y++) {
    const row = y * nz + box.start[2];
    runs.fill(unreached, 0, width);
    for (let x = 1; x < nx; x++) {
      const at = x * plane + row;
      const count = x * width;
      for (let k = 0; k < width; k++) {
        // −1 where the voxel and its predecessor are of different classes, else 0. Arithmetic instead of
        // branches, here and below, because a processor cannot foresee the class of the next voxel.
        const changes = (-mask[at + k] ^ -mask[at - plane + k]) >> 31;
        runs[count + k] = 1 + (runs[count - width + k] & ~changes);
      }
    }
    next.fill(unreached);
    for (let x = nx - 1; x >= 0; x--) {
      const at = x * plane + row;
      const count = x * width;
      for (let k = 0; k < width; k++) {
        const inside = -mask[at + k] >> 31;
        if (x < nx - 1) {
          const changes = inside ^ (-mask[at + plane + k] >> 31);
          next[k] = 1 + (next[k] & ~changes);
        }
        const nearest = Math.min(runs[count + k], next[k]);
        const value = nearest < unreached ? nearest * nearest * weight : Infinity;
        squared[at + k] = (1 + 2 * inside) * value;
      }
    }
  }
  return nothingWritten;
}

/** Second pass: lines along y, for the z range of the box; rows are x. */
export function alongY({ squared, shape, box, weights: [, weight] }: Transform, { from, to }: Part): Reach {
  const [, ny, nz] = shape;
  const low = box.start[1];
  const line = { squared, first: 0, stride: nz, length: ny, low, high: low + box.size[1] };
  const envelope = makeEnvelope(ny, weight);
  for (let x = from; x < to; x++) {
    for (let z = box.start[2]; z < box.start[2] + box.size[2]; z++) {
      line.first = x * ny * nz + z;
      transformLine(line, envelope);
    }
  }
  return { largestOutside: envelope.largest[0], largestInside: envelope.largest[1] };
}

/** Last pass: all lines along z; rows are x. */
function alongZ({ squared, shape, box, weights: [, , weight] }: Transform, { from, to }: Part): Reach {
  const [, ny, nz] = shape;
  const low = box.start[2];
  const line = { squared, first: 0, stride: 1, length: nz, low, high: low + box.size[2] };
  const envelope = makeEnvelope(nz, weight);
  for (let row = from * ny; row < to * ny; row++) {
    line.first = row * nz;
    transformLine(line, envelope);
  }
  return { largestOutside: envelope.largest[0], largestInside: envelope.largest[1] };
}
