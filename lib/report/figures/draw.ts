/**
 * The paper's figures from stored data, for reports and notebooks:
 *
 * ```ts
 * const parts = await loadFigure("figure5", { results: "../results", profile: "smoke" });
 * await showFigure(figure5(parts[0].stored!.content));
 * ```
 *
 * Figures 2, 3, 5 and 8 take the content of one run, figures 1, 6 and 7 the parts of all, figure 4 nothing.
 */
import { type Dataset, datasetOf, datasets } from "../../data/dataset.ts";
import type { FigureKey, StoredFigure } from "../../experiments/figure_data.ts";
import type { FigurePart } from "../../experiments/figure_parts.ts";
import type { PaperFigure } from "../../experiments/item.ts";
import type { Figure } from "../svg.ts";
import { figure6, figure7 } from "./comparison.ts";
import { figure1 } from "./figure1.ts";
import { figure2 } from "./figure2.ts";
import { figure3 } from "./figure3.ts";
import { figure4 } from "./figure4.ts";
import { figure5 } from "./figure5.ts";
import { figure8 } from "./figure8.ts";
import { markedDistance } from "./surfaces.ts";

type Parts = readonly FigurePart[];

/** The stored data of the one run that a figure shows. */
function only<K extends FigureKey>(parts: Parts): StoredFigure<K> | undefined {
  return parts.find(({ stored }) => stored !== undefined)?.stored as StoredFigure<K> | undefined;
}

/** The parts, where any has data. */
function any<K extends FigureKey>(parts: Parts): FigurePart<K>[] | undefined {
  return parts.some(({ stored }) => stored !== undefined) ? parts as FigurePart<K>[] : undefined;
}

const drawings: Readonly<Record<string, (parts: Parts) => Figure | undefined>> = {
  figure1: (parts) => {
    const some = any<"figure1">(parts);
    return some && figure1(some);
  },
  figure2: (parts) => {
    const stored = only<"figure2">(parts);
    return stored && figure2(stored.content, { views: datasetOf(stored.choice.dataset).views });
  },
  figure3: (parts) => {
    const stored = only<"figure3">(parts);
    return stored && figure3(stored.content);
  },
  figure4: () => figure4(),
  figure5: (parts) => {
    const stored = only<"figure5">(parts);
    return stored && figure5(stored.content);
  },
  figure6: (parts) => {
    const some = any<"figure6">(parts);
    return some && figure6(some);
  },
  figure7: (parts) => {
    const some = any<"figure7">(parts);
    return some && figure7(some);
  },
  figure8: (parts) => {
    const stored = only<"figure8">(parts);
    return stored && figure8(stored.content);
  },
};

/** The drawing of a figure; undefined where none of its runs has data. */
export function drawFigure({ key }: PaperFigure, parts: Parts): Figure | undefined {
  return drawings[key]?.(parts);
}

const compared =
  "The first and the middle case of the test list, in the slice where the organ is largest, about the organ. Dashed: " +
  "ground truth; solid: prediction; the number is the Dice coefficient of the whole volume in per cent. Surfaces below: " +
  `dark where a prediction lies more than ${markedDistance} mm outside of the truth, dotted where it misses the truth ` +
  "by as much.";

const howToRead: Readonly<Record<string, string>> = {
  figure1:
    "a, networks with one of the branches and with both on the first case of the test list; b, the network with both on " +
    "views of the volume (order of its axes; training draws only views that keep the crop's shape), and its branches. The " +
    "number is the Dice coefficient of the whole volume in per cent; two numbers: low-level, high-level branch.",
  figure6: compared,
  figure7: compared,
  figure8:
    "A crop of the first test case. Blocks of the decoders on a quarter and on half of the grid: mean of the channels, and " +
    "the three channels that vary most; line: ground truth. Colours run from 0 to each map's own largest value.",
  figure2:
    "Boxes are the layers of the created network: count and kernel of the convolutions, channels, grid, " +
    "parameters. Maps: one labelled training crop at the last checkpoint; outline: ground truth. Probabilities run from " +
    "0 (dark) to 1 (light), signed distances from −1 (blue) to 1 (red) with dashed lines inside.",
  figure3:
    "One labelled training crop with what the run's memory holds of it: the confidences of its last two visits weight " +
    "the current probabilities, and the current confidences (dashed arrows) replace the older visit. Outline: ground " +
    "truth. Below: mean confidence in the true class of each step's labelled crops.",
  figure4: "a, the two voxels whose sums the paper prints. b, every pair of the branches' probabilities.",
  figure5: "The mask that the ensemble predicts for a test case, in the slice where it is largest.",
};

/**
 * What stands under a figure: how to read it, its scale, seed and checkpoint, what stands in for what, and the command
 * that makes it again.
 */
export function figureCaption(item: PaperFigure, parts: Parts, command: string): string {
  const sentences = [`${item.caption.replace(/\.?$/, ".")} ${howToRead[item.key] ?? ""}`.trim()];
  const found = parts.flatMap((part) => part.stored === undefined ? [] : [{ ...part, stored: part.stored }]);
  if (item.runs.length > 0) {
    const scales = found.map(({ stored: { choice, checkpoint } }) =>
      `profile ${choice.profile}${
        choice.variant === "paper" ? "" : `, variant ${choice.variant}`
      }, seed ${choice.seed}, ` +
      `${checkpoint.rule} checkpoint (step ${checkpoint.step})`
    );
    sentences.push(`Scale: ${[...new Set(scales)].join("; ")}.`);
    const standIns = found.flatMap(({ stored, standsFor }) =>
      standsFor === undefined
        ? []
        : [`${titleOf(datasetOf(stored.choice.dataset))} stands in for ${datasets[standsFor].title}`]
    );
    if (standIns.length > 0) sentences.push(`${[...new Set(standIns)].join("; ")}.`);
    const missing = parts.filter(({ stored }) => stored === undefined).map(({ label }) => label);
    if (missing.length > 0) sentences.push(`Missing: ${missing.join("; ")}.`);
  }
  return `${sentences.join(" ")} Command: ${command}`;
}

function titleOf({ title, foreground }: Dataset): string {
  return `${title} (${foreground})`;
}
