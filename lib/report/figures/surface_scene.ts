/** The surfaces of one case of the figures 1, 6 and 7, to turn on a screen. */
import type { FigurePart } from "../../experiments/figure_parts.ts";
import { montage } from "../montage.ts";
import type { Figure } from "../svg.ts";
import { caseSurfaces, surfaceMenu, surfacePanels } from "./surfaces.ts";

/** Points of a panel, and panels in a row. */
const panel = { width: 96, height: 72 };
const perRow = 4;

/** The first case of the first data set: in print the surfaces in rows, on a screen one of them over the truth. */
export function surfaceScene(
  parts: readonly FigurePart<"figure1" | "figure6" | "figure7">[],
): Figure | undefined {
  const found = parts.filter(({ dataset }) => dataset === parts[0].dataset).flatMap(({ label, stored }) =>
    stored === undefined ? [] : [{ name: label.replace(/, [^,]*$/, ""), cases: stored.content.cases }]
  );
  if (found.length === 0) return undefined;
  const [example] = found[0].cases;
  const masks = found.map(({ cases }) => cases[0].predictions[0].mask);
  const surfaces = caseSurfaces(example, masks);
  const names = found.map(({ name }) => name);
  const titles = ["ground truth", ...names];
  const panels = surfacePanels(surfaces, { ...panel, name: example.case });
  const titled = panels.map((figure, i) =>
    montage([{ panels: [figure] }], { titles: [titles[i]], alt: titles[i] })
  );
  const rows = Array.from(
    { length: Math.ceil(titled.length / perRow) },
    (_, row) => ({ panels: titled.slice(row * perRow, (row + 1) * perRow) }),
  );
  return {
    ...montage(rows, { alt: `Surfaces of ${example.case}: ${titles.join(", ")}` }),
    plotly: surfaceMenu(surfaces, names, example.case),
  };
}
