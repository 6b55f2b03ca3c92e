/** The order and sense of a volume's axes: to one that a network was trained on, and back. */
import { permuteAxes } from "./crop.ts";
import type { Geometry, Triple, Volume, VoxelArray } from "./volume.ts";

/** How axes are rearranged: new axis `a` is old axis `axes[a]`, run through backwards where `reversed[a]`. */
export interface Reorientation {
  readonly axes: Triple;
  readonly reversed: readonly [boolean, boolean, boolean];
}

const orders: readonly Triple[] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/**
 * What turns a grid's axes to the nearest ones of the patient: i to the left, j to the back, k to the head (LPS). Of all
 * orders the one is taken whose axes point most into these directions; oblique grids stay as oblique as they are.
 */
export function toPatientAxes({ direction }: Geometry): Reorientation {
  const agreement = (order: Triple) =>
    order.reduce((sum, axis, target) => sum + Math.abs(direction[axis][target]), 0);
  const axes = orders.reduce((best, order) => agreement(order) > agreement(best) + 1e-9 ? order : best);
  const isReversed = (target: 0 | 1 | 2) => direction[axes[target]][target] < 0;
  return { axes, reversed: [isReversed(0), isReversed(1), isReversed(2)] };
}

/** What undoes a reorientation. */
export function inverseOf({ axes, reversed }: Reorientation): Reorientation {
  const place = (axis: number) => axes.indexOf(axis) as 0 | 1 | 2;
  const [x, y, z] = [place(0), place(1), place(2)];
  return { axes: [x, y, z], reversed: [reversed[x], reversed[y], reversed[z]] };
}

/** Rearranges a volume; every voxel keeps its place in the patient. The voxels are always copied. */
export function reorient<T extends VoxelArray>(
  volume: Volume<T>,
  { axes, reversed }: Reorientation,
): Volume<T> {
  const { data, shape } = permuteAxes(volume.data, volume.shape, axes);
  const pick = <V>(values: readonly [V, V, V]) => axes.map((axis) => values[axis]) as [V, V, V];
  const spacing = pick(volume.spacing);
  const direction = pick(volume.direction);
  const origin: [number, number, number] = [...volume.origin];
  reversed.forEach((isReversed, axis) => {
    if (!isReversed) return;
    reverseAxis(data, shape, axis);
    const reach = (shape[axis] - 1) * spacing[axis];
    direction[axis].forEach((component, c) => origin[c] += component * reach);
    direction[axis] = direction[axis].map((component) =>
      component === 0 ? 0 : -component
    ) as unknown as Triple;
  });
  return { data, shape, spacing, direction, origin };
}

/** Runs through one axis backwards, in place. */
function reverseAxis(data: VoxelArray, shape: Triple, axis: number) {
  const inner = shape.slice(axis + 1).reduce((product, side) => product * side, 1);
  const side = shape[axis];
  for (let start = 0; start < data.length; start += side * inner) {
    if (inner === 1) {
      data.subarray(start, start + side).reverse();
      continue;
    }
    for (let low = 0, high = side - 1; low < high; low++, high--) {
      const [a, b] = [start + low * inner, start + high * inner];
      const kept = data.slice(a, a + inner);
      data.copyWithin(a, b, b + inner);
      data.set(kept, b);
    }
  }
}
