/** The interactive twin of a figure that has none of its own: the drawing itself, to zoom and to move. */
import { plotlyLayout } from "./plotly_parts.ts";
import { type Figure, type PlotlySpec, svgDocument } from "./svg.ts";

/**
 * The drawing as a picture: as SVG, whose lines stay sharp at every zoom, unless it is made of images and larger than
 * `png`, the same drawing in base64.
 */
export function zoomable(figure: Figure, png: string): PlotlySpec {
  const { width, height } = figure;
  const svg = new TextEncoder().encode(svgDocument(figure)).toBase64();
  const source = svg.length <= png.length
    ? `data:image/svg+xml;base64,${svg}`
    : `data:image/png;base64,${png}`;
  return {
    data: [],
    layout: plotlyLayout(figure, {
      margin: { l: 0, r: 0, t: 0, b: 0 },
      showlegend: false,
      dragmode: "pan",
      xaxis: { visible: false, range: [0, width] },
      yaxis: { visible: false, range: [height, 0], scaleanchor: "x" },
      images: [{
        source,
        ...{ xref: "x", yref: "y", x: 0, y: 0, sizex: width, sizey: height },
        ...{ sizing: "stretch", layer: "below" },
      }],
    }),
  };
}
