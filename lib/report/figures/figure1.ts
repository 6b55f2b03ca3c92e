/** The paper's figure 1: networks of one and of both branches, and views of the input, on one case. */
import type { StoredCase, StoredPrediction } from "../../experiments/figure_data.ts";
import type { FigurePart } from "../../experiments/figure_parts.ts";
import { montage, type MontageRow } from "../montage.ts";
import { takePlane } from "../planes.ts";
import { contourLooks, slicePanel } from "../slices.ts";
import { type Figure, place, text } from "../svg.ts";
import { diceText, sliceRow } from "./comparison.ts";
import { caseSurfaces, surfaceColours, surfaceMenu, surfacePanels } from "./surfaces.ts";
import { cutPlane, windowAbout } from "./zoom.ts";

/** Settings of {@link figure1}. */
export interface Figure1Options {
  /** Adds the surfaces as an interactive scene (default false: it is large). */
  readonly interactive?: boolean;
}

const width = 118;
/** The declared runs in the order of the columns. */
const networks = ["low-level branch alone", "high-level branch alone", "both branches"] as const;
const views = ["xyz", "yxz", "zyx"] as const;

/**
 * a, networks of one branch and of both; b, the network of both branches on views of the input, and its branches.
 * The number in a corner is the Dice of the whole volume in per cent.
 */
export function figure1(
  parts: readonly FigurePart<"figure1">[],
  { interactive = false }: Figure1Options = {},
): Figure {
  const contents = networks.map((name) => parts.find(({ label }) => label === name)?.stored?.content);
  const example = contents.find((content) => content !== undefined)!.cases[0];
  // A run on other data, such as phantoms beside real volumes, has another case and no place here.
  const shown = contents.map((content) => content?.cases.find((one) => one.case === example.case));
  const predictions = shown.map((one) => one?.predictions[0]);
  const present = predictions.filter((one) => one !== undefined);
  const surfaces = caseSurfaces(example, present.map(({ mask }) => mask));
  const [truth, ...drawn] = surfacePanels(surfaces, { width, height: width * 0.62, name: example.case });
  const rows: MontageRow[] = [
    { label: "slice", panels: sliceRow(example, predictions, width) },
    { label: "surface", panels: [truth, ...predictions.map((one) => one && drawn[present.indexOf(one)])] },
  ];
  const first = montage(rows, {
    titles: ["Ground truth", "Low-level branch", "High-level branch", "Both branches"],
    key: [
      { name: "surface more than 4 mm outside", colour: surfaceColours.outside },
      { name: "missed surface", colour: surfaceColours.missed, dash: "1.4 1.4" },
    ],
    alt: "Networks of one branch and of both",
  });
  const both = shown[2];
  const second = both && viewRow(example, both.predictions);
  const alt = `Predictions of ${example.case}: ` +
    networks.map((name, i) => `${name} ${predictions[i] ? diceText(predictions[i].dice) : "missing"}`).join(
      ", ",
    );
  const letter = (y: number, content: string) => text(0, y + 9, content, { size: 9, bold: true });
  const y = first.height + 12;
  return {
    width: first.width,
    height: second === undefined ? first.height : y + second.height,
    alt,
    body: letter(0, "a") + first.body + (second === undefined ? "" : letter(y, "b") + place(second, 0, y)),
    ...(interactive && {
      plotly: surfaceMenu(
        surfaces,
        networks.filter((_, i) => predictions[i] !== undefined),
        example.case,
      ),
    }),
  };
}

/** Part b: the views of the input, and both branches in one panel. */
function viewRow(example: StoredCase, all: readonly StoredPrediction[]): Figure {
  const named = (name: string) => all.find((one) => one.name === name);
  const [, ...ofViews] = sliceRow(example, views.map(named), width);
  const panels = [...ofViews, branchPanel(example, named("low"), named("high"))];
  return montage([{ label: "slice", panels }], {
    titles: ["View x, y, z", "View y, x, z", "View z, y, x", "Branches"],
    key: [
      { name: "ground truth", ...contourLooks.groundTruth },
      { name: "prediction; low-level branch", ...contourLooks.prediction },
      { name: "high-level branch", ...contourLooks.second },
    ],
    alt: "Views of the input and branches of the network",
  });
}

function branchPanel(
  example: StoredCase,
  low: StoredPrediction | undefined,
  high: StoredPrediction | undefined,
): Figure | undefined {
  if (low === undefined || high === undefined) return undefined;
  const { shape, spacing, slice, truth, image } = example;
  const whole = takePlane({ data: truth, shape, spacing }, 2, slice);
  const window = windowAbout(whole);
  return slicePanel(cutPlane(image, window), {
    width,
    contours: [
      { plane: cutPlane(whole, window), ...contourLooks.groundTruth },
      { plane: cutPlane(low.probability, window), ...contourLooks.prediction },
      { plane: cutPlane(high.probability, window), ...contourLooks.second },
    ],
    corner: `${diceText(low.dice)} / ${diceText(high.dice)}`,
  });
}
