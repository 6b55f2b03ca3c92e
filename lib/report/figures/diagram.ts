/** Pieces of diagrams: arrows, boxes, cells of small matrices. Lengths are points. */
import { luminance, type Rgb } from "../colour_maps.ts";
import {
  element,
  escapeXml,
  formatNumber,
  ink,
  line,
  mutedInk,
  text,
  type TextStyle,
  textWidth,
} from "../svg.ts";

/** A place on the page. */
export type Point = readonly [x: number, y: number];

/** How an arrow looks. */
export interface ArrowStyle {
  readonly colour?: string;
  readonly dash?: string;
  /** Default 0.8. */
  readonly width?: number;
  /** Whether it ends in a head (default true). */
  readonly head?: boolean;
}

const headLength = 4.2;
const headHalf = 1.9;

/** A line through points that ends in a head. */
export function arrow(points: readonly Point[], style: ArrowStyle = {}): string {
  const { colour = mutedInk, dash, width = 0.8, head = true } = style;
  const [x, y] = points[points.length - 1];
  const [fromX, fromY] = points[points.length - 2];
  const length = Math.hypot(x - fromX, y - fromY) || 1;
  const [dx, dy] = [(x - fromX) / length, (y - fromY) / length];
  const end: Point = head ? [x - dx * headLength * 0.8, y - dy * headLength * 0.8] : [x, y];
  const d = [...points.slice(0, -1), end].map(([x, y], i) =>
    `${i === 0 ? "M" : "L"}${formatNumber(x)} ${formatNumber(y)}`
  ).join("");
  const corner = (side: number) =>
    `${formatNumber(x - dx * headLength - dy * headHalf * side)} ${
      formatNumber(y - dy * headLength + dx * headHalf * side)
    }`;
  return element(
    "g",
    { class: "arrow" },
    element("path", {
      d,
      fill: "none",
      stroke: colour,
      "stroke-width": width,
      "stroke-dasharray": dash,
      "stroke-linejoin": "round",
    }),
    head
      ? element("path", {
        d: `M${formatNumber(x)} ${formatNumber(y)}L${corner(1)}L${corner(-1)}Z`,
        fill: colour,
      })
      : "",
  );
}

/** What stands in a box. */
export interface BoxOptions {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fill?: string;
  readonly stroke?: string;
  readonly dash?: string;
  readonly lines?: readonly string[];
  readonly style?: TextStyle;
}

/** A rounded box with centred lines of text. */
export function box(options: BoxOptions): string {
  const { x, y, width, height, fill = "#ffffff", stroke = mutedInk, dash, lines = [], style = {} } = options;
  const size = style.size ?? 7;
  const step = size * 1.25;
  const first = y + height / 2 - (lines.length - 1) * step / 2;
  return element(
    "g",
    { class: "box" },
    element("rect", {
      x,
      y,
      width,
      height,
      rx: 2.5,
      fill,
      stroke,
      "stroke-width": 0.7,
      "stroke-dasharray": dash,
    }),
    ...lines.map((content, i) =>
      text(x + width / 2, first + i * step, content, { ...style, size, anchor: "middle", vertical: "middle" })
    ),
  );
}

/** A number in a cell whose shade tells its size. */
export interface ValueCell {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  /** 0 to 1: from white to dark; absent for a white cell. */
  readonly shade?: number;
  readonly bold?: boolean;
}

const white: Rgb = [255, 255, 255];
const darkest: Rgb = [31, 66, 110];

/** Between white and dark blue. */
function mixed(shade: number): Rgb {
  const at = (channel: 0 | 1 | 2) => Math.round(white[channel] + shade * (darkest[channel] - white[channel]));
  return [at(0), at(1), at(2)];
}

/** One cell of a small matrix. The ink is white on dark shades. */
export function valueCell({ x, y, width, height, label, shade, bold = false }: ValueCell): string {
  const rgb = shade === undefined ? white : mixed(shade);
  const isDark = luminance(rgb) < 0.3;
  return element("rect", {
    x,
    y,
    width,
    height,
    fill: `rgb(${rgb.join(",")})`,
    stroke: "#8c8c8c",
    "stroke-width": 0.5,
  }) + text(x + width / 2, y + height / 2, label, {
    size: 7,
    bold,
    anchor: "middle",
    vertical: "middle",
    fill: isDark ? "#ffffff" : ink,
  });
}

/** A bracket-like line below a group of columns, with its name. */
export function groupHeading(from: number, to: number, y: number, name: string): string {
  return line(from, y, to, y, { "stroke-width": 0.8 }) +
    text((from + to) / 2, y - 4, name, { size: 8, bold: true, anchor: "middle" });
}

/** How a symbol is set. */
export interface SymbolStyle {
  readonly size?: number;
  readonly bold?: boolean;
  readonly anchor?: "start" | "middle" | "end";
  readonly fill?: string;
}

const indexScale = 0.72;

/** A symbol with its index lowered: "P_seg", or raised: "C^l_i−1". */
export function symbol(x: number, y: number, content: string, style: SymbolStyle = {}): string {
  const { size = 7, bold, anchor, fill = ink } = style;
  const width = symbolWidth(content, style);
  let at = anchor === "middle" ? x - width / 2 : anchor === "end" ? x - width : x;
  const { base, raised, lowered } = partsOf(content);
  const set = (part: string, shift: number, scale: number) =>
    part === "" ? "" : element("text", {
      x: at,
      y: y + shift,
      "font-size": size * scale,
      "font-weight": bold ? "bold" : undefined,
      fill,
    }, escapeXml(part));
  const body = set(base, 0, 1);
  at += textWidth(base, { size, bold: bold ?? false });
  return body + set(raised, -0.38 * size, indexScale) + set(lowered, 0.22 * size, indexScale);
}

/** Width of a symbol in points. */
export function symbolWidth(content: string, { size = 7, bold = false }: SymbolStyle = {}): number {
  const { base, raised, lowered } = partsOf(content);
  const index = { size: size * indexScale, bold };
  return textWidth(base, { size, bold }) + Math.max(textWidth(raised, index), textWidth(lowered, index));
}

function partsOf(content: string): { base: string; raised: string; lowered: string } {
  const [, base, raised = "", lowered = ""] = /^([^_^]*)(?:\^([^_]*))?(?:_(.*))?$/.exec(content)!;
  return { base, raised, lowered };
}
