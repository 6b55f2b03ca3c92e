/** What the paper does not show: the losses of a table's runs over their steps. */
import { lineChart } from "../curves.ts";
import { arrange } from "../montage.ts";
import type { Figure } from "../svg.ts";

/** The curve of one run, as its record has it. */
export interface NamedCurve {
  readonly name: string;
  readonly steps: readonly number[];
  /** Values over the steps, by name of the loss term. */
  readonly terms: Readonly<Record<string, readonly number[]>>;
}

/** A chart a run with its loss terms, unweighted; the faint line is every kept step, the strong one a moving mean. */
export function learningCurves(curves: readonly NamedCurve[]): Figure {
  const charts = curves.map(({ name, steps, terms }) =>
    lineChart(
      Object.entries(terms).map(([term, values]) => ({ name: term, steps, values })),
      {
        title: name,
        xLabel: "Step",
        yLabel: "Loss term",
        smoothing: Math.max(1, Math.round(steps.length / 20)),
        width: 240,
        height: 165,
      },
    )
  );
  return arrange(charts, {
    columns: 2,
    alt: `Loss terms over the steps of training: ${curves.map(({ name }) => name).join(", ")}`,
  });
}
