/** What a notebook's cell shows of a figure, by MIME type. */
import { plotlyMime, plotlyOf } from "./plotly.ts";
import { figurePng } from "./png.ts";
import { type Figure, svgDocument } from "./svg.ts";

/** Data of one output by MIME type, and its metadata. */
export interface DisplayBundle {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Dots an inch of the PNG, which is shown at the size of the SVG. */
const dotsPerInch = 144;

/**
 * The bundle of a figure. With an interactive twin: Plotly's specification and a PNG for viewers without Plotly; an SVG
 * beside them would be preferred to both. Without: SVG, and PNG for viewers without it.
 */
export async function displayBundle(figure: Figure): Promise<DisplayBundle> {
  const plotly = plotlyOf(figure);
  const drawing = plotly === undefined ? { "image/svg+xml": svgDocument(figure) } : { [plotlyMime]: plotly };
  const png = await figurePng(figure, dotsPerInch);
  const size = { width: Math.round(figure.width * 1.4), height: Math.round(figure.height * 1.4) };
  return {
    data: { ...drawing, "image/png": png.toBase64(), "text/plain": figure.alt },
    metadata: { "image/png": size },
  };
}
