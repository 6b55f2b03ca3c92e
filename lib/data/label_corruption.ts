/**
 * Label maps that are wrong the way segmentations are: what a denoising auto-encoder of shapes learns to mend
 * (Adiga et al., MedIA 2024). Each axial plane may have voxels near its boundary exchanged with others a few voxels
 * away, and may be eroded, dilated, opened or closed.
 */
import type { RandomStream } from "../random.ts";
import { close, dilate, erode, open } from "../volume/morphology.ts";
import type { Shape3 } from "../volume/volume.ts";

/** Distances, in voxels, over which voxels are exchanged. */
const distances = { shortest: 3, longest: 8 } as const;
/** One in so many of the voxels near the boundary is exchanged in each direction. */
const exchangedShare = 10;
/** Largest radius of the disk, in voxels. */
const largestRadius = 4;
const operations = [erode, dilate, open, close] as const;

/**
 * A corrupted copy of a label map.
 *
 * @param map 0 or 1, C order.
 * @param options.exchange probability that voxels of a plane are exchanged.
 * @param options.deform probability that a plane is eroded, dilated, opened or closed.
 */
export function corruptLabels(
  map: Uint8Array,
  shape: Shape3,
  { exchange, deform, stream }: { exchange: number; deform: number; stream: RandomStream },
): Uint8Array {
  const [nx, ny, nz] = shape;
  const planeShape: Shape3 = [nx, ny, 1];
  const result = map.slice();
  for (let z = 0; z < nz; z++) {
    const exchanged = stream.uniform() < exchange;
    const deformed = stream.uniform() < deform;
    if (!exchanged && !deformed) continue;
    let plane = new Uint8Array(nx * ny);
    for (let i = 0; i < plane.length; i++) plane[i] = map[i * nz + z];
    if (exchanged) exchangeNearBoundary(plane, planeShape, stream);
    if (deformed) {
      const operation = operations[stream.integer(operations.length)];
      plane = operation(plane, planeShape, { radius: 1 + stream.integer(largestRadius) }) as typeof plane;
    }
    for (let i = 0; i < plane.length; i++) result[i * nz + z] = plane[i];
  }
  return result;
}

/**
 * Exchanges foreground voxels within a drawn distance of the boundary with the voxels at that distance along ±x and
 * ±y. Voxels nearer to the plane's border than that stay: the released code leaves out two of the borders and wraps
 * around at the two others.
 */
function exchangeNearBoundary(plane: Uint8Array, shape: Shape3, stream: RandomStream): void {
  const [nx, ny] = shape;
  const reach = distances.shortest + stream.integer(distances.longest - distances.shortest + 1);
  const inner = erode(plane, shape, { radius: reach });
  const candidates: number[] = [];
  for (let x = reach; x < nx - reach; x++) {
    for (let y = reach; y < ny - reach; y++) {
      const i = x * ny + y;
      if (plane[i] !== inner[i]) candidates.push(i);
    }
  }
  const count = Math.floor(candidates.length / exchangedShare);
  for (const offset of [-reach, reach, reach * ny, -reach * ny]) {
    const chosen = Int32Array.from({ length: count }, () => candidates[stream.integer(candidates.length)]);
    // All are read before the first is written, so that a voxel that is drawn twice is exchanged once.
    const here = chosen.map((i) => plane[i]);
    const there = chosen.map((i) => plane[i + offset]);
    for (let k = 0; k < count; k++) plane[chosen[k] + offset] = here[k];
    for (let k = 0; k < count; k++) plane[chosen[k]] = there[k];
  }
}

/**
 * A label map enlarged (or, below 1, reduced) about its centre, by nearest neighbours. Beyond the edge of the map its
 * outermost voxels go on.
 *
 * @param factor of lengths, above 0.
 */
export function scaleLabels(map: Uint8Array, shape: Shape3, factor: number): Uint8Array {
  const [fromX, fromY, fromZ] = shape.map((side) => scaledPlaces(side, factor));
  const [nx, ny, nz] = shape;
  const result = new Uint8Array(map.length);
  for (let x = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      const from = (fromX[x] * ny + fromY[y]) * nz;
      const to = (x * ny + y) * nz;
      for (let z = 0; z < nz; z++) result[to + z] = map[from + fromZ[z]];
    }
  }
  return result;
}

function scaledPlaces(side: number, factor: number): Int32Array {
  const centre = (side - 1) / 2;
  return Int32Array.from(
    { length: side },
    (_, i) => Math.min(Math.max(Math.round((i - centre) / factor + centre), 0), side - 1),
  );
}
