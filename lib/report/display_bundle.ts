/** What a notebook's cell shows of a figure, by MIME type. */
import { plotlyMime, plotlyOf } from "./plotly.ts";
import { pixelsPerPoint } from "./plotly_parts.ts";
import { figurePng } from "./png.ts";
import type { Figure } from "./svg.ts";
import { zoomable } from "./zoomable.ts";

/** Data of one output by MIME type, and its metadata. */
export interface DisplayBundle {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Dots an inch of the PNG, which is shown at `pixelsPerPoint`. */
const dotsPerInch = 144;

/**
 * The bundle of a figure: Plotly's specification of its interactive twin, and a PNG for viewers without Plotly. An SVG
 * beside them would be preferred to both.
 */
export async function displayBundle(figure: Figure): Promise<DisplayBundle> {
  const png = (await figurePng(figure, dotsPerInch)).toBase64();
  const [width, height] = [figure.width, figure.height].map((points) => Math.round(points * pixelsPerPoint));
  return {
    data: {
      [plotlyMime]: plotlyOf(figure) ?? zoomable(figure, png),
      "image/png": png,
      "text/plain": figure.alt,
    },
    metadata: { "image/png": { width, height } },
  };
}
