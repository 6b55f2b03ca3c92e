/** Small data of figures for tests. */
import type { FigureContents, StoredPlane } from "../../lib/experiments/figure_data.ts";

/** A plane of `width` × 5 with values made of their places. */
export function storedPlane(value: (x: number, y: number) => number, width = 6, height = 5): StoredPlane {
  const data = Float32Array.from(
    { length: width * height },
    (_, i) => value(i % width, Math.floor(i / width)),
  );
  return { width, height, data, spacing: [1, 1] };
}

/** A mask of 6 × 5 × 4 voxels: a block of 4 × 3 × 2. */
export const storedMask: FigureContents["figure5"] = {
  case: {
    case: "case-1",
    shape: [6, 5, 4],
    spacing: [1, 1, 1],
    slice: 1,
    image: storedPlane((x, y) => x + 10 * y),
  },
  mask: Uint8Array.from({ length: 120 }, (_, i) => {
    const [x, y, z] = [Math.floor(i / 20), Math.floor(i / 4) % 5, i % 4];
    return x >= 1 && x < 5 && y >= 1 && y < 4 && z >= 1 && z < 3 ? 1 : 0;
  }),
};
