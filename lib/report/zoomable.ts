/** The interactive twin of a figure that has none of its own: the drawing itself, to zoom and to move. */
import { plotlyLayout } from "./plotly_parts.ts";
import { type Figure, type PlotlySpec, svgDocument } from "./svg.ts";

/** The drawing as a picture whose lines stay sharp at every zoom. */
export function zoomable(figure: Figure): PlotlySpec {
  const { width, height } = figure;
  const bytes = new TextEncoder().encode(svgDocument(figure));
  const hidden = { visible: false, fixedrange: false };
  return {
    data: [],
    layout: plotlyLayout(figure, {
      margin: { l: 0, r: 0, t: 0, b: 0 },
      showlegend: false,
      dragmode: "pan",
      xaxis: { ...hidden, range: [0, width] },
      yaxis: { ...hidden, range: [height, 0], scaleanchor: "x" },
      images: [{
        source: `data:image/svg+xml;base64,${bytes.toBase64()}`,
        ...{ xref: "x", yref: "y", x: 0, y: 0, sizex: width, sizey: height },
        ...{ sizing: "stretch", layer: "below" },
      }],
    }),
  };
}
