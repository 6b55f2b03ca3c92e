/** One panel of a figure: a plane of a volume with contours, masks, a scale bar and orientation letters. */
import { niceStep } from "./axis.ts";
import { type ColourMapName, contourColours, parseHex } from "./colour_maps.ts";
import { contourLoops, loopPath, openPath, roundCorners } from "./contours.ts";
import { encodeMask, encodePlane, enlarge, percentileWindow, type Plane, pngAddress } from "./planes.ts";
import { element, type Figure, formatNumber, line, text, textWidth } from "./svg.ts";

/** An outline over the picture. */
export interface Contour {
  /** A label map, or probabilities; it covers what the picture covers, on its own or another grid. */
  readonly plane: Plane;
  /** Value of the iso-line; default 0.5. */
  readonly level?: number;
  readonly colour: string;
  /** Dash pattern in points. */
  readonly dash?: string;
  /** Line width in points; default 0.9. */
  readonly lineWidth?: number;
  /** A dark line below it that keeps it visible on bright tissue; default true. */
  readonly casing?: boolean;
  /** Whether the line ends where it leaves the picture instead of following its edge; default false. */
  readonly open?: boolean;
}

/** A filled region over the picture. */
export interface Overlay {
  /** Weights 0 to 1; same grid as the picture. */
  readonly plane: Plane;
  readonly colour: string;
  /** 0 to 1; default 0.4. */
  readonly opacity?: number;
}

/** What a panel shows. */
export interface PanelOptions {
  /** Width in points; the height follows from the voxel spacing. */
  width: number;
  /** Default "grey". */
  map?: ColourMapName;
  /** Values at the two ends of the colour map; default for grey: percentiles 1 and 99, else 0 to 1 (diverging: −1 to 1). */
  window?: readonly [number, number];
  /** "nearest" shows the voxels as they are, for masks; default "smooth". */
  interpolation?: "smooth" | "nearest";
  contours?: readonly Contour[];
  overlays?: readonly Overlay[];
  /** Draws a bar of a round length in millimetres; default false. */
  scaleBar?: boolean;
  /** Draws the orientation letters where the plane knows them; default false. */
  orientation?: boolean;
  /** Text in the upper right corner, for example "Dice 91.2". */
  corner?: string;
  alt?: string;
}

/** Looks of the three usual outlines: ground truth, prediction and a second prediction. */
export const contourLooks = {
  groundTruth: { colour: contourColours.groundTruth, lineWidth: 0.8, dash: "2.2 1.8" },
  prediction: { colour: contourColours.prediction, lineWidth: 0.9 },
  second: { colour: contourColours.second, lineWidth: 1.1, dash: "4 1.2" },
} as const;

const sharpSide = 240;

/** A plane as a panel whose aspect is that of the tissue. */
export function slicePanel(plane: Plane, options: PanelOptions): Figure {
  const width = options.width;
  const height = panelHeight(plane, width);
  const map = options.map ?? "grey";
  const window = options.window ??
    (map === "grey" ? percentileWindow(plane) : map === "diverging" ? [-1, 1] as const : [0, 1] as const);
  const parts = [
    image(addressOf(plane, { map, window, interpolation: options.interpolation ?? "smooth" }), width, height),
    ...(options.overlays ?? []).map((overlay) =>
      image(
        pngAddress(encodeMask(
          enlarge(overlay.plane, enlargement(overlay.plane), "nearest"),
          parseHex(overlay.colour),
          overlay.opacity ?? 0.4,
        )),
        width,
        height,
      )
    ),
    ...(options.contours ?? []).map((contour) => contourPath(contour, { width, height })),
  ];
  if (options.scaleBar) parts.push(scaleBar(plane, width, height));
  if (options.orientation) parts.push(orientationLetters(plane, width, height));
  if (options.corner !== undefined) {
    parts.push(
      text(width - 3.5, 4, options.corner, {
        size: 7.5,
        bold: true,
        anchor: "end",
        vertical: "top",
        ...onImage,
      }),
    );
  }
  return { width, height, alt: options.alt ?? "Slice of a volume", body: element("g", {}, ...parts) };
}

/** Height in points of a panel of a given width. */
function panelHeight(plane: Plane, width: number): number {
  return width * (plane.height * plane.spacing[1]) / (plane.width * plane.spacing[0]);
}

const onImage = { fill: "#ffffff", halo: "#000000" } as const;

function enlargement(plane: Plane): number {
  return Math.max(1, Math.min(8, Math.round(sharpSide / Math.max(plane.width, plane.height))));
}

function image(href: string, width: number, height: number): string {
  return element("image", { x: 0, y: 0, width, height, preserveAspectRatio: "none", href });
}

/** How a plane becomes a picture. */
interface Look {
  readonly map: ColourMapName;
  readonly window: readonly [number, number];
  readonly interpolation: "smooth" | "nearest";
}

/** Pictures of planes: a row of predictions shows one image many times. */
const pictures = new WeakMap<Plane, Map<string, string>>();

function addressOf(plane: Plane, look: Look): string {
  const known = pictures.get(plane) ?? new Map<string, string>();
  pictures.set(plane, known);
  const key = JSON.stringify(look);
  const address = known.get(key) ??
    pngAddress(encodePlane(enlarge(plane, enlargement(plane), look.interpolation), look.map, look.window));
  known.set(key, address);
  return address;
}

function contourPath(contour: Contour, panel: { width: number; height: number }): string {
  const { plane } = contour;
  const scale: [number, number] = [panel.width / plane.width, panel.height / plane.height];
  const loops = contourLoops(plane, contour.level ?? 0.5);
  if (loops.length === 0) return "";
  const steps = isBinary(plane) ? 3 : 0;
  const rounded = loops.map((loop) => roundCorners(loop, steps));
  const d = contour.open ? openPath(rounded, plane, scale) : loopPath(rounded, scale);
  const lineWidth = contour.lineWidth ?? 0.9;
  const casing = contour.casing === false ? "" : element("path", {
    d,
    fill: "none",
    stroke: "#000000",
    "stroke-opacity": 0.45,
    "stroke-width": lineWidth + 0.9,
    "stroke-linejoin": "round",
  });
  return element(
    "g",
    { class: "contour" },
    casing,
    element("path", {
      d,
      fill: "none",
      stroke: contour.colour,
      "stroke-width": lineWidth,
      "stroke-linejoin": "round",
      "stroke-dasharray": contour.dash,
    }),
  );
}

function isBinary(plane: Plane): boolean {
  return plane.data.every((value) => value === 0 || value === 1);
}

function scaleBar(plane: Plane, width: number, height: number): string {
  const millimetres = plane.width * plane.spacing[0];
  const length = niceStep(millimetres * 0.32, 2);
  const points = length / millimetres * width;
  const label = `${formatNumber(length)} mm`;
  const x = 5;
  const y = height - 5;
  return element(
    "g",
    { class: "scale-bar" },
    line(x - 0.5, y, x + points + 0.5, y, { stroke: "#000000", "stroke-width": 2.6, "stroke-opacity": 0.7 }),
    line(x, y, x + points, y, { stroke: "#ffffff", "stroke-width": 1.6 }),
    text(x + Math.max(0, (points - textWidth(label, { size: 6.5 })) / 2), y - 3.4, label, {
      size: 6.5,
      ...onImage,
    }),
  );
}

function orientationLetters(plane: Plane, width: number, height: number): string {
  if (plane.letters === undefined) return "";
  const style = { size: 6.5, vertical: "middle", anchor: "middle", ...onImage } as const;
  return element(
    "g",
    { class: "orientation" },
    text(5, height / 2, plane.letters.left, style),
    text(width - 5, height / 2, plane.letters.right, style),
    text(width / 2, 6, plane.letters.top, style),
    text(width / 2, height - 6, plane.letters.bottom, style),
  );
}
