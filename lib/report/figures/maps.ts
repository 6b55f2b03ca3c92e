/** Panels of stored planes, in the looks that all figures share. */
import type { StoredPlane } from "../../experiments/figure_data.ts";
import type { Plane } from "../planes.ts";
import { type Contour, contourLooks, slicePanel } from "../slices.ts";
import type { Figure } from "../svg.ts";

/** What is drawn over a map. */
export interface MapOptions {
  readonly width: number;
  /** Outlines the true label. */
  readonly truth?: StoredPlane;
  readonly corner?: string;
  readonly alt?: string;
}

/** Yellow is the upper end of the map of probabilities: outlines are white there. */
const onMap = { colour: "#ffffff", lineWidth: 0.7 } as const;

/** The image in grey with the true outline. */
export function imagePanel(image: StoredPlane, { width, truth, corner, alt }: MapOptions): Figure {
  return slicePanel(image, {
    width,
    ...(truth && { contours: [{ plane: truth, ...contourLooks.groundTruth }] }),
    ...(corner !== undefined && { corner }),
    ...(alt !== undefined && { alt }),
  });
}

/** A map of values from 0 to `largest` (default 1), such as probabilities and confidences. */
export function levelPanel(
  plane: StoredPlane,
  { width, truth, corner, alt }: MapOptions,
  largest = 1,
): Figure {
  return slicePanel(plane, {
    width,
    map: "cividis",
    window: [0, largest],
    ...(truth && { contours: [{ plane: truth, ...onMap }] }),
    ...(corner !== undefined && { corner }),
    ...(alt !== undefined && { alt }),
  });
}

/** A label or mask, voxel by voxel. */
export function maskPanel(plane: StoredPlane, { width, alt }: MapOptions): Figure {
  return slicePanel(plane, {
    width,
    window: [0, 1],
    interpolation: "nearest",
    ...(alt !== undefined && { alt }),
  });
}

/** A signed map: blue inside, red outside, with lines at 0 (thick) and every quarter of the range (dashed inside). */
export function signedPanel(plane: StoredPlane, { width, alt }: MapOptions, range = 1): Figure {
  return slicePanel(plane, {
    width,
    map: "diverging",
    window: [-range, range],
    contours: isoLines(plane, range),
    ...(alt !== undefined && { alt }),
  });
}

/** The lines tell the sign where the figure is printed in grey. */
function isoLines(plane: Plane, range: number): Contour[] {
  return [-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75].map((share) => ({
    plane,
    level: share * range,
    colour: "#1a1a1a",
    lineWidth: share === 0 ? 0.9 : 0.35,
    casing: false,
    open: true,
    ...(share < 0 ? { dash: "1.6 1" } : {}),
  }));
}
