/** The paper's figures 6 and 7: methods beside each other on the same cases, as slices and as surfaces. */
import { datasets } from "../../data/dataset.ts";
import type { PredictedCases, StoredCase, StoredPrediction } from "../../experiments/figure_data.ts";
import type { FigurePart } from "../../experiments/figure_parts.ts";
import { montage, type MontageRow } from "../montage.ts";
import { takePlane } from "../planes.ts";
import { contourLooks, slicePanel } from "../slices.ts";
import { type Figure, mutedInk, text } from "../svg.ts";
import { caseSurfaces, surfaceColours, surfaceMenu, surfacePanels } from "./surfaces.ts";
import { cutPlane, windowAbout } from "./zoom.ts";

/** Settings of the figures 6 and 7. */
export interface ComparisonOptions {
  /** Adds the surfaces of the first case as an interactive scene (default false: it is large). */
  readonly interactive?: boolean;
}

type Part = FigurePart<"figure6" | "figure7">;

/** Points that the columns share. */
const totalWidth = 500;
const gap = 3;

/** Figure 6: LA and Pancreas-CT, 20 % labelled. */
export function figure6(parts: readonly Part[], options: ComparisonOptions = {}): Figure {
  return comparison(parts, options);
}

/** Figure 7: BraTS, 20 % labelled. */
export function figure7(parts: readonly Part[], options: ComparisonOptions = {}): Figure {
  return comparison(parts, options);
}

/** A column a method; for each data set and case a row of slices and a row of surfaces. */
function comparison(parts: readonly Part[], { interactive = false }: ComparisonOptions): Figure {
  const names = [...new Set(parts.map(methodOf))];
  const width = (totalWidth - 13 - names.length * gap) / (names.length + 1);
  const rows: MontageRow[] = [];
  let plotly: Figure["plotly"];
  for (const [dataset, ofDataset] of Map.groupBy(parts, ({ dataset }) => dataset)) {
    const byMethod = new Map(ofDataset.map((part) => [methodOf(part), part.stored?.content]));
    const cases = casesOf([...byMethod.values()]);
    cases.forEach((example, i) => {
      const predictions = names.map((name) => predictionOf(byMethod.get(name), example.case));
      const title = `${datasets[dataset].title} ${i + 1}`;
      const slices = sliceRow(example, predictions, width);
      const present = predictions.filter((one) => one !== undefined);
      const surfaces = caseSurfaces(example, present.map(({ mask }) => mask));
      const [truth, ...drawn] = surfacePanels(surfaces, { width, height: width * 0.8, name: example.case });
      rows.push(
        { label: title, panels: slices },
        {
          ...(ofDataset.some(({ standsFor }) => standsFor !== undefined) && { label: "(phantom)" }),
          panels: [truth, ...predictions.map((one) => one && drawn[present.indexOf(one)])],
        },
      );
      if (interactive && plotly === undefined) {
        const shown = names.filter((_, k) => predictions[k] !== undefined);
        plotly = surfaceMenu(surfaces, shown, `${title}: ${example.case}`);
      }
    });
  }
  const figure = montage(rows, {
    titles: ["Ground truth", ...names],
    gap,
    key: [
      { name: "ground truth", ...contourLooks.groundTruth },
      { name: "prediction", ...contourLooks.prediction },
      { name: "surface too far outside", colour: surfaceColours.outside },
      { name: "missed surface", colour: surfaceColours.missed, dash: "1.4 1.4" },
    ],
    alt: `Predictions of ${names.join(", ")} as slices and surfaces, with Dice in per cent`,
  });
  return plotly === undefined ? figure : { ...figure, plotly };
}

/** The method of a declared run, which is labelled "METHOD, DATA SET". */
function methodOf({ label }: Part): string {
  return label.replace(/, [^,]*$/, "");
}

/** The cases of the first run that has data. */
function casesOf(contents: readonly (PredictedCases | undefined)[]): readonly StoredCase[] {
  return contents.find((content) => content !== undefined)?.cases ?? [];
}

function predictionOf(content: PredictedCases | undefined, name: string): StoredPrediction | undefined {
  return content?.cases.find((example) => example.case === name)?.predictions[0];
}

/** The slice with the true outline, then with each prediction's; the number is the Dice of the volume in per cent. */
export function sliceRow(
  example: StoredCase,
  predictions: readonly (StoredPrediction | undefined)[],
  width: number,
): Figure[] {
  const { shape, spacing, slice } = example;
  const whole = takePlane({ data: example.truth, shape, spacing }, 2, slice);
  const window = windowAbout(whole);
  const truth = { plane: cutPlane(whole, window), ...contourLooks.groundTruth };
  const image = cutPlane(example.image, window);
  const alt = `Slice ${slice} of ${example.case}`;
  return [
    slicePanel(image, { width, contours: [truth], scaleBar: true, alt }),
    ...predictions.map((prediction) =>
      prediction === undefined ? noData(width) : slicePanel(image, {
        width,
        contours: [truth, { plane: cutPlane(prediction.probability, window), ...contourLooks.prediction }],
        corner: diceText(prediction.dice),
        alt,
      })
    ),
  ];
}

/** The place of a run that has no data. */
function noData(width: number): Figure {
  const body = text(width / 2, width / 2, "no data", { size: 7, anchor: "middle", fill: mutedInk });
  return { width, height: width, alt: "no data", body };
}

/** Dice in per cent as it stands in a corner. */
export function diceText(dice: number | null): string {
  return dice === null ? "–" : (100 * dice).toFixed(1);
}
