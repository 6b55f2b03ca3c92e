/** Grids of panels with titles, row labels and letters; colour bars; figures beside each other. */
import { linearTicks, position, type Scale, tickLabels } from "./axis.ts";
import { type ColourMapName, colourTable } from "./colour_maps.ts";
import { encode } from "fast-png";
import { pngAddress } from "./planes.ts";
import {
  element,
  type Figure,
  fitText,
  line,
  mutedInk,
  place,
  placeReadouts,
  text,
  textWidth,
} from "./svg.ts";

/** One row of a montage. */
export interface MontageRow {
  readonly label?: string;
  /** Panels of one width, `undefined` leaves a place empty. */
  readonly panels: readonly (Figure | undefined)[];
}

/** What a montage shows beside its panels. */
export interface MontageOptions {
  /** Titles above the columns. */
  titles?: readonly string[];
  /** "panels": a, b, c … row by row; "columns": one letter a column; default none. */
  letters?: "panels" | "columns";
  /** Meaning of the outlines, below the grid. */
  key?: readonly KeyEntry[];
  /** Below the grid, right of the key. */
  colourBars?: readonly ColourBar[];
  /** Points between panels; default 4. */
  gap?: number;
  alt: string;
}

/** One line of a key. */
export interface KeyEntry {
  readonly name: string;
  readonly colour: string;
  readonly dash?: string;
}

/** A colour bar: which values the colours mean. */
export interface ColourBar {
  readonly map: ColourMapName;
  readonly domain: readonly [number, number];
  readonly label: string;
  /** Points; default 110. */
  readonly width?: number;
}

/** Panels in a grid: a row a case, a column a view of it. */
export function montage(rows: readonly MontageRow[], options: MontageOptions): Figure {
  const gap = options.gap ?? 4;
  const columns = Math.max(...rows.map((row) => row.panels.length));
  const columnWidths = Array.from(
    { length: columns },
    (_, column) => Math.max(...rows.map((row) => row.panels[column]?.width ?? 0)),
  );
  const rowHeights = rows.map((row) => Math.max(...row.panels.map((panel) => panel?.height ?? 0)));
  const left = rows.some((row) => row.label !== undefined) ? 13 : 0;
  const top = options.titles === undefined && options.letters !== "columns" ? 0 : 14;
  const columnX = columnWidths.map((_, i) => left + sum(columnWidths.slice(0, i)) + i * gap);
  const rowY = rowHeights.map((_, i) => top + sum(rowHeights.slice(0, i)) + i * gap);
  const width = left + sum(columnWidths) + (columns - 1) * gap;
  const gridBottom = top + sum(rowHeights) + (rows.length - 1) * gap;

  const parts: string[] = [];
  columnWidths.forEach((columnWidth, column) => {
    const letter = options.letters === "columns" ? `${letterOf(column)} ` : "";
    const letterWidth = textWidth(letter, { bold: true });
    const title = fitText(options.titles?.[column] ?? "", columnWidth - letterWidth);
    const from = columnX[column] + (columnWidth - letterWidth - textWidth(title)) / 2;
    if (letter !== "") parts.push(text(from, 9, letter.trim(), { bold: true }));
    if (title !== "") parts.push(text(from + letterWidth, 9, title));
  });
  rows.forEach((row, i) => {
    if (row.label !== undefined) {
      const middle = rowY[i] + rowHeights[i] / 2;
      const label = fitText(row.label, rowHeights[i]);
      parts.push(text(6, middle, label, { anchor: "middle", vertical: "middle", rotate: -90 }));
    }
    row.panels.forEach((panel, column) => {
      if (panel === undefined) return;
      parts.push(place(panel, columnX[column], rowY[i]));
      if (options.letters === "panels") {
        const letter = letterOf(i * columns + column);
        parts.push(text(columnX[column] + 4, rowY[i] + 4, letter, {
          bold: true,
          vertical: "top",
          fill: "#ffffff",
          halo: "#000000",
        }));
      }
    });
  });

  const key = contourKey(options.key ?? []);
  const bars = (options.colourBars ?? []).map(colourBar);
  const barsWidth = sum(bars.map((bar) => bar.width)) + Math.max(0, bars.length - 1) * 16;
  const stacked = key.width > 0 && bars.length > 0 && key.width + barsWidth + 16 > width - left;
  const keyHeight = Math.max(0, ...(stacked ? [] : bars.map((bar) => bar.height)), key.height);
  if (key.width > 0) {
    const keyX = bars.length === 0 || stacked ? left + (width - left - key.width) / 2 : left;
    parts.push(place(key, keyX, gridBottom + 6));
  }
  let barX = key.width > 0 && !stacked ? width - barsWidth : left + (width - left - barsWidth) / 2;
  const barY = gridBottom + 6 + (stacked ? key.height + 4 : 0);
  for (const bar of bars) {
    parts.push(place(bar, barX, barY));
    barX += bar.width + 16;
  }
  const below = keyHeight === 0 && bars.length === 0
    ? 0
    : 6 + keyHeight + (stacked ? 4 + Math.max(...bars.map((bar) => bar.height)) : 0);
  return { width, height: gridBottom + below, alt: options.alt, body: parts.join("") };
}

/** Figures side by side, wrapped into rows of `columns`, each with a bold letter when `letters` is set. */
export function arrange(
  figures: readonly Figure[],
  options: { columns: number; alt: string; letters?: boolean; gap?: number },
): Figure {
  const gap = options.gap ?? 14;
  const parts: string[] = [];
  const readouts: NonNullable<Figure["readouts"]>[number][] = [];
  let y = 0;
  let width = 0;
  for (let from = 0; from < figures.length; from += options.columns) {
    const row = figures.slice(from, from + options.columns);
    let x = 0;
    row.forEach((figure, i) => {
      parts.push(place(figure, x, y));
      readouts.push(...placeReadouts(figure, x, y));
      if (options.letters) parts.push(text(x, y + 10, letterOf(from + i), { size: 9, bold: true }));
      x += figure.width + gap;
    });
    width = Math.max(width, x - gap);
    y += Math.max(...row.map((figure) => figure.height)) + gap;
  }
  return { width, height: Math.max(0, y - gap), alt: options.alt, body: parts.join(""), readouts };
}

/** A horizontal colour bar with ticks and its label below. */
export function colourBar(bar: ColourBar): Figure {
  const width = bar.width ?? 110;
  const inset = 8;
  const thickness = 7;
  const scale: Scale = { domain: bar.domain, range: [inset, width - inset], log: false };
  const ticks = linearTicks(bar.domain, 4);
  const labels = tickLabels(ticks);
  const strip = encode({ width: 256, height: 1, data: colourTable(bar.map), channels: 3, depth: 8 });
  const frame = { x: inset, y: 0.5, width: width - 2 * inset, height: thickness };
  return {
    width,
    height: 28,
    alt: `Colour bar of ${bar.label} from ${bar.domain[0]} to ${bar.domain[1]}`,
    body: element(
      "g",
      { class: "colour-bar" },
      element("image", { ...frame, preserveAspectRatio: "none", href: pngAddress(strip) }),
      element("rect", { ...frame, fill: "none", stroke: mutedInk, "stroke-width": 0.4 }),
      ...ticks.map((tick, i) => {
        const x = position(scale, tick);
        return line(x, thickness + 0.5, x, thickness + 2.5) +
          text(x, thickness + 4, labels[i], { size: 6.5, anchor: "middle", vertical: "top" });
      }),
      text(width / 2, 19, bar.label, { size: 7, anchor: "middle", vertical: "top" }),
    ),
  };
}

function contourKey(entries: readonly KeyEntry[]): Figure {
  if (entries.length === 0) return { width: 0, height: 0, alt: "", body: "" };
  let x = 0;
  const body = entries.map((entry) => {
    const mark = line(x, 5, x + 18, 5, { stroke: "#000000", "stroke-opacity": 0.45, "stroke-width": 2.4 }) +
      line(x, 5, x + 18, 5, { stroke: entry.colour, "stroke-width": 1.5, "stroke-dasharray": entry.dash }) +
      text(x + 22, 5, entry.name, { size: 7.5, vertical: "middle" });
    x += 22 + textWidth(entry.name, { size: 7.5 }) + 14;
    return mark;
  }).join("");
  return { width: x - 14, height: 11, alt: "Key", body: element("g", { class: "key" }, body) };
}

function letterOf(index: number): string {
  return String.fromCharCode(97 + index % 26);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
