/** A crop about the true label of a case, for figures of what goes on inside of a network. */
import type { Case } from "../../data/source.ts";
import { type Grid, largestPlane, type Plane, takePlane } from "../../report/planes.ts";
import { boundingBox, crop as cut } from "../../volume/crop.ts";
import type { Shape3, Triple } from "../../volume/volume.ts";

/** A crop of a case. */
export interface LabelCrop {
  /** First voxel in the volume; negative where the volume is smaller than the crop. */
  readonly start: Triple;
  readonly image: Float32Array;
  /** 0 or 1. */
  readonly label: Uint8Array;
  /** The plane of the crop that holds most of the label. */
  readonly slice: number;
  /** That plane of a map on the crop's grid. */
  plane(data: Grid["data"]): Plane;
}

/** The crop whose centre is the middle of the label's bounding box, moved into the volume. */
export function cropAboutLabel({ image, label }: Case, size: Shape3): LabelCrop {
  const { shape, spacing, direction } = image;
  const bounds = boundingBox(label.data, shape) ?? { start: [0, 0, 0], size: shape };
  const start = shape.map((side, axis) => {
    const middle = bounds.start[axis] + bounds.size[axis] / 2;
    const wanted = Math.round(middle - size[axis] / 2);
    return side <= size[axis]
      ? -Math.floor((size[axis] - side) / 2)
      : Math.min(side - size[axis], Math.max(0, wanted));
  }) as unknown as Triple;
  const gridOf = (data: Grid["data"]): Grid => ({ data, shape: size, spacing, direction });
  const cutLabel = cut(label.data, shape, { start, size }).map((value) => value === 0 ? 0 : 1);
  const slice = largestPlane(gridOf(cutLabel), 2);
  return {
    start,
    image: cut(image.data, shape, { start, size }),
    label: cutLabel,
    slice,
    plane: (data) => takePlane(gridOf(data), 2, slice),
  };
}
