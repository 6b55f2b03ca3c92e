/** Pictures of one thing at several values of a setting: beside each other on paper, one at a time on a screen. */
import { montage } from "./montage.ts";
import { plotlyLayout } from "./plotly_parts.ts";
import { type Figure, type PlotlySpec, svgDocument } from "./svg.ts";

/** One picture and the value that it was made at. */
export interface Frame {
  readonly label: string;
  readonly figure: Figure;
}

/** What a book shows beside its frames. */
export interface FlipBookOptions {
  /** What changes, such as "slice" or "θ". */
  readonly name: string;
  /** How many frames stand beside each other in print, evenly taken (default 4). */
  readonly printed?: number;
  readonly alt: string;
}

/** Frames of one size, in print a row of them, on a screen a slider. */
export function flipBook(frames: readonly Frame[], { name, printed = 4, alt }: FlipBookOptions): Figure {
  const count = Math.min(printed, frames.length);
  const chosen = Array.from(
    { length: count },
    (_, i) => frames[count === 1 ? 0 : Math.round(i * (frames.length - 1) / (count - 1))],
  );
  const panels = montage([{ panels: chosen.map(({ figure }) => figure) }], {
    titles: chosen.map(({ label }) => `${name} ${label}`),
    alt,
  });
  return { ...panels, plotly: slider(frames, name) };
}

function slider(frames: readonly Frame[], name: string): PlotlySpec {
  const start = Math.floor(frames.length / 2);
  const { width, height } = frames[start].figure;
  const hidden = { visible: false };
  const source = ({ figure }: Frame) => {
    const text = encodeURIComponent(svgDocument(figure));
    return `data:image/svg+xml;utf8,${
      text.replaceAll("%2B", "+").replaceAll("%2F", "/").replaceAll("%3D", "=")
    }`;
  };
  const magnification = 360 / width;
  return {
    data: [],
    layout: plotlyLayout({ width: width * magnification, height: height * magnification + 60 }, {
      margin: { l: 10, r: 10, t: 10, b: 80 },
      dragmode: "pan",
      xaxis: { ...hidden, range: [0, width] },
      yaxis: { ...hidden, range: [height, 0], scaleanchor: "x" },
      images: [{
        source: source(frames[start]),
        ...{ xref: "x", yref: "y", x: 0, y: 0, sizex: width, sizey: height },
        ...{ sizing: "stretch", layer: "below" },
      }],
      sliders: [{
        active: start,
        currentvalue: { prefix: `${name} ` },
        pad: { t: 10 },
        steps: frames.map((frame) => ({
          label: frame.label,
          method: "relayout",
          args: [{ "images[0].source": source(frame) }],
        })),
      }],
    }),
  };
}
