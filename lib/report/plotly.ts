/**
 * Interactive twins of figures, as Plotly specifications: plain data that JupyterLab and VS Code draw, without scripts.
 */
import type { Figure, PlotlySpec, Readout, ReadoutSeries } from "./svg.ts";

/** MIME type of a specification in a notebook's output. */
export const plotlyMime = "application/vnd.plotly.v1+json";

/** The specification of a figure: its own, or one made of its line charts; undefined where it has neither. */
export function plotlyOf(figure: Figure): PlotlySpec | undefined {
  if (figure.plotly !== undefined) return figure.plotly;
  if (figure.isDiagram) return undefined;
  const { readouts = [] } = figure;
  return readouts.length === 0 ? undefined : chartsSpec(figure, readouts);
}

/** Pixels a point. */
const scale = 1.8;
/** Pixels above the charts, for the legend and the titles, and below them. */
const above = 84;
const below = 60;

/** Every chart at its place in the figure, with one legend entry a name. */
function chartsSpec(figure: Figure, readouts: readonly Readout[]): PlotlySpec {
  const { width } = figure;
  const top = Math.min(...readouts.map(({ y }) => y));
  const bottom = Math.max(...readouts.map(({ y, height }) => y + height));
  const shareY = (y: number) => 1 - (y - top) / (bottom - top);
  const layout: Record<string, unknown> = {
    width: Math.round(width * scale),
    height: Math.round((bottom - top) * scale) + above + below,
    margin: { l: 55, r: 15, t: above, b: below },
    template: { layout: { plot_bgcolor: "#ffffff", paper_bgcolor: "#ffffff" } },
    hovermode: "x unified",
    legend: { orientation: "h", x: 0, y: 1 + 26 / ((bottom - top) * scale), yanchor: "bottom" },
    annotations: readouts.flatMap(({ title, x, y }) =>
      title === undefined ? [] : [{
        text: `<b>${title}</b>`,
        x: x / width,
        y: shareY(y),
        xref: "paper",
        yref: "paper",
        xanchor: "left",
        yanchor: "bottom",
        showarrow: false,
      }]
    ),
  };
  const named = new Set<string>();
  const data = readouts.flatMap((readout, i) => {
    const suffix = i === 0 ? "" : String(i + 1);
    const axis = { showline: true, ticks: "outside", gridcolor: "#e2e2e2" };
    layout[`xaxis${suffix}`] = {
      ...axis,
      title: { text: readout.xLabel },
      domain: [readout.x / width, (readout.x + readout.width) / width],
      anchor: `y${suffix}`,
      type: readout.xLog ? "log" : "linear",
    };
    layout[`yaxis${suffix}`] = {
      ...axis,
      ...(readout.yLabel === undefined ? {} : { title: { text: readout.yLabel } }),
      domain: [shareY(readout.y + readout.height), shareY(readout.y)],
      anchor: `x${suffix}`,
      type: readout.yLog ? "log" : "linear",
    };
    return readout.series.map((series) => {
      const isNew = !named.has(series.name);
      named.add(series.name);
      return traceOf(series, { suffix, isNew });
    });
  });
  return { data, layout };
}

function traceOf(
  { name, colour, dash, steps, values }: ReadoutSeries,
  { suffix, isNew }: { suffix: string; isNew: boolean },
): Record<string, unknown> {
  return {
    type: "scatter",
    mode: "lines",
    name,
    legendgroup: name,
    showlegend: isNew,
    x: steps,
    y: values,
    xaxis: `x${suffix}`,
    yaxis: `y${suffix}`,
    line: {
      color: colour,
      width: 2,
      dash: dash === undefined ? "solid" : dash.replaceAll(" ", "px,") + "px",
    },
  };
}
