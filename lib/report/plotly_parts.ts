/** What interactive twins of figures share: layout, axes, a strip of dots. */
import { ink, type PlotlySpec } from "./svg.ts";

/** Pixels of a screen a point of a figure, so that both forms of a figure have one size. */
export const pixelsPerPoint = 1.4;

const grid = "#e2e2e2";

/** Layout on white, in the fonts of the printed figures; sizes in points. */
export function plotlyLayout(
  size: { width: number; height: number },
  more: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return {
    width: Math.round(size.width * pixelsPerPoint),
    height: Math.round(size.height * pixelsPerPoint),
    margin: { l: 60, r: 20, t: 30, b: 50 },
    font: { family: "Arimo, Arial, Helvetica, sans-serif", size: 11, color: ink },
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    ...more,
  };
}

/** An axis with a line, a light grid and a title. */
export function plotlyAxis(title: string | undefined, more: Readonly<Record<string, unknown>> = {}): object {
  return {
    ...(title === undefined ? {} : { title: { text: title } }),
    gridcolor: grid,
    linecolor: ink,
    showline: true,
    zeroline: false,
    ticks: "outside",
    ...more,
  };
}

/** One dot a case in a row a group; the dots of a row are set apart a little, by their order alone. */
export function stripPlotly(
  groups: readonly { readonly name: string; readonly values: readonly (number | null)[] }[],
  colours: readonly string[],
  options: { width: number; height: number; xLabel?: string | undefined },
): PlotlySpec {
  return {
    data: groups.map(({ name, values }, row) => ({
      type: "scatter",
      mode: "markers",
      name,
      x: values,
      y: values.map((_, i) => row + 0.12 * (i % 3 - 1)),
      text: values.map((_, i) => `${name}, case ${i + 1}`),
      hovertemplate: "%{text}: %{x:.2f}<extra></extra>",
      marker: { color: colours[row % colours.length], size: 7, opacity: 0.75 },
    })),
    layout: plotlyLayout({ width: Math.max(options.width, 430), height: options.height + 40 }, {
      margin: { l: 170, r: 20, t: 20, b: 50 },
      hovermode: "closest",
      showlegend: false,
      xaxis: plotlyAxis(options.xLabel),
      yaxis: plotlyAxis(undefined, {
        tickvals: groups.map((_, row) => row),
        ticktext: groups.map(({ name }) => name),
        range: [groups.length - 0.5, -0.5],
      }),
    }),
  };
}
