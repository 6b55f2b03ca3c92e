/** One case as TensorBoard shows it: three planes with the outlines of reference and prediction. */
import type { Case } from "../data/source.ts";
import { arrange } from "./montage.ts";
import { type Axis, largestPlane, takePlane } from "./planes.ts";
import { figurePng } from "./png.ts";
import { contourLooks, slicePanel } from "./slices.ts";

const panelWidth = 150;
/** Pixels an inch: a point a pixel and a half. */
const resolution = 108;

/** A picture with its size in pixels. */
export interface CasePicture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The planes with the most of the reference, perpendicular to z, y and x. */
export async function casePicture(
  { image, label }: Case,
  { mask, dice }: { mask: Uint8Array; dice: number | null },
): Promise<CasePicture> {
  const { shape, spacing } = image;
  const panels = ([2, 1, 0] as const).map((axis: Axis) => {
    const index = largestPlane(label, axis);
    const outline = (data: Uint8Array) => takePlane({ data, shape, spacing }, axis, index);
    return slicePanel(takePlane(image, axis, index), {
      width: panelWidth,
      contours: [
        { plane: outline(mask), ...contourLooks.prediction },
        { plane: outline(label.data), ...contourLooks.groundTruth },
      ],
      ...(axis === 2 && dice !== null && { corner: `Dice ${(100 * dice).toFixed(1)}` }),
    });
  });
  const figure = arrange(panels, { columns: 3, alt: "Three planes of a case", gap: 4 });
  const png = await figurePng(figure, resolution);
  // Width and height stand in the header (PNG specification, 11.2.2).
  const view = new DataView(png.buffer, png.byteOffset);
  return { png, width: view.getUint32(16), height: view.getUint32(20) };
}
