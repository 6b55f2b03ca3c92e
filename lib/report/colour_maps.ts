/** Colours: the Okabe–Ito palette for series, and maps from a scalar to a colour. */

/** An sRGB colour, each channel 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Names of the colour maps. */
export type ColourMapName = "grey" | "viridis" | "cividis" | "diverging";

/**
 * The palette of Okabe and Ito (Color Universal Design, 2008) in the order in which series take colours:
 * the light ones come late, because they are weak as lines on white.
 */
export const seriesColours: readonly string[] = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#000000",
  "#56b4e9",
];

/** Dash patterns, in points, that go with the colours so that lines stay distinct in grey. */
export const seriesDashes: readonly (string | undefined)[] = [
  undefined,
  "5 1.6",
  "1.4 1.4",
  "5 1.6 1.4 1.6",
  "2.8 1.4",
  "8 1.6 1.4 1.6 1.4 1.6",
  "8 2.4",
];

/** Colours of contours on grey images, from Okabe and Ito: bright, middle and dark, so they differ in grey too. */
export const contourColours = { groundTruth: "#f0e442", prediction: "#56b4e9", second: "#d55e00" } as const;

// Seventeen equidistant colours of viridis (van der Walt and Smith, 2015) and of cividis (Nuñez, Anderton and
// Renslow, 2018); ColorBrewer's RdBu with eleven classes (Brewer and Harrower), blue first.
const controlPoints: Readonly<Record<ColourMapName, readonly Rgb[]>> = {
  grey: parse("000000 ffffff"),
  viridis: parse(
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1f9f88 27ad81 3dbc74 5cc863 81d34d aadc32 " +
      "d5e21a fde725",
  ),
  cividis: parse(
    "00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8b8778 9a9376 aaa073 bbad6d ccba64 ddc858 " +
      "efd748 fee838",
  ),
  diverging: parse("053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"),
};

/**
 * The colour of a map at a position.
 *
 * @param position 0 to 1; values outside are clamped, NaN is treated as 0.
 */
export function mapColour(name: ColourMapName, position: number): Rgb {
  const points = controlPoints[name];
  const clamped = position > 0 ? Math.min(1, position) : 0;
  const at = clamped * (points.length - 1);
  const low = Math.min(points.length - 2, Math.floor(at));
  const weight = at - low;
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(points[low][channel] * (1 - weight) + points[low + 1][channel] * weight);
  return [mix(0), mix(1), mix(2)];
}

/** A map as 256 colours, three bytes each, for colouring many pixels. */
export function colourTable(name: ColourMapName): Uint8Array {
  const table = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) table.set(mapColour(name, i / 255), 3 * i);
  return table;
}

/** The colour that "#rrggbb" names. */
export function parseHex(text: string): Rgb {
  const value = parseInt(text.replace("#", ""), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Relative luminance of an sRGB colour, 0 to 1 (WCAG 2, IEC 61966-2-1). */
export function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function parse(list: string): Rgb[] {
  return list.split(" ").map(parseHex);
}
