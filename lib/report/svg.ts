/**
 * A small SVG builder. A figure is a record: its size, its marks as SVG text and a description. Lengths are
 * points (1/72 inch), so that a figure has its printed size; text is set in Arimo, whose widths are those of
 * Arial and Helvetica.
 */

/** A finished drawing, or a part of one. */
export interface Figure {
  /** Width and height in points. */
  readonly width: number;
  readonly height: number;
  /** SVG elements in a coordinate system whose origin is the upper left corner. */
  readonly body: string;
  /** What a reader who cannot see the figure is told. */
  readonly alt: string;
  /** Plots whose values a page can read out under the cursor. */
  readonly readouts?: readonly Readout[];
  /** An interactive twin; charts with read-outs need none of their own. */
  readonly plotly?: PlotlySpec;
  /** True where charts are a part of the drawing only, so that their interactive twin would be less. */
  readonly isDiagram?: boolean;
}

/** Traces and layout as Plotly's JSON schema has them. */
export interface PlotlySpec {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

/** The frame of one plot and the values that were drawn in it. */
export interface Readout {
  /** Frame in points, in the coordinates of its figure. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly xDomain: readonly [number, number];
  readonly xLog: boolean;
  readonly xLabel: string;
  readonly yLabel?: string;
  readonly yLog?: boolean;
  readonly title?: string;
  readonly series: readonly ReadoutSeries[];
}

/** One line of a plot; both arrays have the same length. */
export interface ReadoutSeries {
  readonly name: string;
  readonly colour: string;
  /** Dash pattern in points. */
  readonly dash?: string;
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

/** Attributes of an element; `undefined` and `false` are left out, numbers are shortened. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a piece of text is set. */
export interface TextStyle {
  /** Font size in points; default 8. */
  size?: number;
  bold?: boolean;
  /** CSS colour; default near black. */
  fill?: string;
  /** Which end of the text lies at `x`; default "start". */
  anchor?: "start" | "middle" | "end";
  /** What of the text lies at `y`; default "baseline". */
  vertical?: "baseline" | "middle" | "top";
  /** Degrees clockwise about (x, y). */
  rotate?: number;
  /** Colour of an outline that keeps the text readable on an image. */
  halo?: string;
}

/** Fonts in the order of preference; all have the same widths. */
const fontFamily = "Arimo, Arial, Helvetica, 'Liberation Sans', sans-serif";

/** Ink of text and axes. */
export const ink = "#1a1a1a";
/** Ink of secondary text. */
export const mutedInk = "#595959";

/** Text made safe for XML content and attribute values. Characters that XML forbids are dropped. */
export function escapeXml(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A coordinate with at most `decimals` decimals and no trailing zeros. */
export function formatNumber(value: number, decimals = 2): string {
  const text = value.toFixed(decimals);
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return short === "-0" ? "0" : short;
}

/** One element. Children are SVG text that was built by these functions. */
export function element(tag: string, attributes: Attributes, ...children: string[]): string {
  let opening = `<${tag}`;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    const text = typeof value === "number" ? formatNumber(value) : escapeXml(String(value));
    opening += ` ${name}="${text}"`;
  }
  return children.length === 0 ? `${opening}/>` : `${opening}>${children.join("")}</${tag}>`;
}

/** A line of text at (x, y). */
export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const size = style.size ?? 8;
  const shift = style.vertical === "middle" ? 0.345 * size : style.vertical === "top" ? 0.72 * size : 0;
  return element("text", {
    x,
    y: y + shift,
    "font-size": size,
    "font-weight": style.bold ? "bold" : undefined,
    "text-anchor": style.anchor === "start" ? undefined : style.anchor,
    fill: style.fill ?? ink,
    transform: style.rotate === undefined
      ? undefined
      : `rotate(${formatNumber(style.rotate)} ${formatNumber(x)} ${formatNumber(y)})`,
    stroke: style.halo,
    "stroke-width": style.halo === undefined ? undefined : size * 0.22,
    "stroke-linejoin": style.halo === undefined ? undefined : "round",
    "paint-order": style.halo === undefined ? undefined : "stroke",
  }, escapeXml(content));
}

/** A straight line. */
export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): string {
  return element("line", { x1, y1, x2, y2, stroke: ink, "stroke-width": 0.6, ...attributes });
}

/** A figure moved to (x, y) of an outer one. */
export function place(figure: Figure, x: number, y: number): string {
  if (x === 0 && y === 0) return figure.body;
  return element("g", { transform: `translate(${formatNumber(x)} ${formatNumber(y)})` }, figure.body);
}

/** The read-outs of a figure that was moved to (x, y). */
export function placeReadouts(figure: Figure, x: number, y: number): Readout[] {
  return (figure.readouts ?? []).map((readout) => ({ ...readout, x: readout.x + x, y: readout.y + y }));
}

/** The figure as a complete SVG document on white, without external references. */
export function svgDocument(figure: Figure): string {
  const width = formatNumber(figure.width);
  const height = formatNumber(figure.height);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}pt" height="${height}pt" ` +
    `viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(figure.alt)}" ` +
    `font-family="${fontFamily}">` +
    `<rect width="${width}" height="${height}" fill="#ffffff"/>${figure.body}</svg>\n`;
}

// Advance widths of the printable ASCII characters in 1/1000 em: the metrics that Helvetica, Arial and Arimo share.
const regularWidths =
  "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 " +
  "556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 " +
  "611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 " +
  "556 556 333 500 278 556 500 722 500 500 500 334 260 334 584";
const boldWidths =
  "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 " +
  "556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 " +
  "611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 " +
  "611 611 389 556 333 611 556 778 556 556 500 389 280 389 584";
const regular = regularWidths.split(" ").map(Number);
const bold = boldWidths.split(" ").map(Number);

const prime = 0x2032;

/** Width in points of a line of text; characters beyond ASCII count as a digit, wide scripts as one em. */
export function textWidth(content: string, style: { size?: number; bold?: boolean } = {}): number {
  const widths = style.bold ? bold : regular;
  let sum = 0;
  for (const character of content) {
    const code = character.codePointAt(0)!;
    sum += code >= 32 && code < 127 ? widths[code - 32] : code >= 0x2e80 ? 1000 : code === prime ? 187 : 565;
  }
  return sum * (style.size ?? 8) / 1000;
}

/** The text, shortened with an ellipsis until it is at most `width` points wide. */
export function fitText(
  content: string,
  width: number,
  style: { size?: number; bold?: boolean } = {},
): string {
  if (textWidth(content, style) <= width) return content;
  const characters = [...content];
  while (characters.length > 1 && textWidth(`${characters.join("")}…`, style) > width) characters.pop();
  return `${characters.join("").trimEnd()}…`;
}
