/** The table and the figures of the demo. */
import { caseChart, meanAndDeviation } from "./case_chart.ts";
import { lineChart } from "./curves.ts";
import type { DemoCase, DemoInner, DemoMethod, DemoRecord } from "./demo_record.ts";
import { arrange, montage } from "./montage.ts";
import type { PageFigure } from "./page.ts";
import { type Grid, largestPlane, type Plane, takePlane } from "./planes.ts";
import { type Contour, contourLooks, slicePanel } from "./slices.ts";
import type { Figure } from "./svg.ts";
import type { Cell, Table } from "./table.ts";

const panelWidth = 92;

/** Means over the test cases, a row a method. */
export function demoTable({ methods, caption }: DemoRecord): Table {
  const cell = (values: readonly (number | null)[], factor = 1): Cell => {
    const defined = values.filter((value) => value !== null).map((value) => value * factor);
    if (defined.length === 0) return null;
    const { mean, deviation } = meanAndDeviation(defined);
    return { value: mean, spread: deviation };
  };
  return {
    title: "Segmentation of unseen cases",
    columns: [
      { label: "Method" },
      { label: "Labelled", decimals: 0 },
      { label: "Unlabelled", decimals: 0 },
      { label: "Dice", unit: "%", direction: "up" },
      { label: "Jaccard", unit: "%", direction: "up" },
      { label: "HD95", unit: "voxel", direction: "down" },
      { label: "ASD", unit: "voxel", direction: "down" },
      { label: "Missed", decimals: 0 },
      { label: "Training", unit: "s", decimals: 0 },
    ],
    rows: methods.map(({ name, labelled, unlabelled, cases, seconds }) => ({
      cells: [
        name,
        labelled,
        unlabelled,
        cell(cases.map((c) => c.dice), 100),
        cell(cases.map((c) => c.jaccard), 100),
        cell(cases.map((c) => c.hd95)),
        cell(cases.map((c) => c.asd)),
        cases.filter((c) => c.hd95 === null).length,
        seconds,
      ],
    })),
    caption: ["Mean ± standard deviation over the cases.", ...caption],
    footnotes: [],
  };
}

/** All figures of the demo with their captions and file names. */
export function demoFigures(record: DemoRecord): PageFigure[] {
  const figures: PageFigure[] = [
    {
      figure: curvesFigure(record.methods),
      file: "figures/learning_curves",
      caption: "Loss terms during training; the faint line is every step, the strong one a moving mean.",
    },
    {
      figure: qualitativeFigure(record.cases),
      file: "figures/predictions",
      caption:
        "Unseen cases in the slice where the organ is largest. Dashed: ground truth; solid: prediction. " +
        "The number is the Dice coefficient of the whole volume in per cent.",
    },
  ];
  if (record.inner !== undefined) {
    figures.push(
      {
        figure: confidenceFigure(record.inner),
        file: "figures/sar_confidence",
        caption:
          `What SAR remembers of the labelled case ${record.inner.name}: how confident each branch was in ` +
          "the true class at its last visits (0.5 where no crop has been yet).",
      },
      {
        figure: sdmFigure(record.inner),
        file: "figures/signed_distance_map",
        caption:
          "From the ensemble's mask to the signed distance map that the regression learns (paper, figure 5). " +
          "Lines every 0.25: thick at 0, dashed inside.",
      },
    );
  }
  figures.push({
    figure: caseChart(
      record.methods.map(({ name, cases }) => ({
        name,
        values: cases.map(({ dice }) => dice === null ? null : 100 * dice),
      })),
      { xLabel: "Dice (%)", paired: true },
    ),
    file: "figures/dice_per_case",
    caption: "Dice of each unseen case; grey lines join the same case.",
  });
  return figures;
}

function curvesFigure(methods: readonly DemoMethod[]): Figure {
  const charts = methods.map(({ name, steps, terms }) =>
    lineChart(
      Object.entries(terms).map(([term, values]) => ({ name: term, steps, values })),
      {
        title: name,
        xLabel: "Step",
        yLabel: "Loss term",
        smoothing: Math.max(1, Math.round(steps.length / 20)),
        alt: `Loss terms of ${name} over ${steps.length} steps`,
      },
    )
  );
  return arrange(charts, { columns: 2, alt: charts.map((chart) => chart.alt).join("; ") });
}

/**
 * Predictions on unseen cases, a row a case: the slice where the organ is largest with the true contour and the
 * predicted ones.
 */
export function qualitativeFigure(cases: readonly DemoCase[]): Figure {
  const names = cases[0].predictions.map(({ name }) => name);
  const rows = cases.map((example) => {
    const slice = slicesOf(example, largestPlane(gridOf(example, example.label), 2));
    const truth = { plane: slice(example.label), ...contourLooks.groundTruth };
    const image = slice(example.image);
    return {
      label: example.name,
      panels: [
        slicePanel(image, { width: panelWidth, contours: [truth], scaleBar: true }),
        ...example.predictions.map(({ probability, dice }) =>
          slicePanel(image, {
            width: panelWidth,
            contours: [{ plane: slice(probability), ...contourLooks.prediction }, {
              ...truth,
              casing: false,
            }],
            corner: dice === null ? "–" : (100 * dice).toFixed(1),
          })
        ),
      ],
    };
  });
  return montage(rows, {
    titles: ["Ground truth", ...names],
    key: [
      { name: "ground truth", ...contourLooks.groundTruth },
      { name: "prediction", ...contourLooks.prediction },
    ],
    alt: `Predictions of ${names.join(", ")} on ${cases.length} unseen cases`,
  });
}

/** What SAR remembers of a labelled case: the image and the confidence of each branch in the true class. */
export function confidenceFigure(inner: DemoInner): Figure {
  const slice = slicesOf(inner, largestPlane(gridOf(inner, inner.label), 2));
  const truth = { plane: slice(inner.label), ...contourLooks.groundTruth };
  const width = panelWidth * 1.3;
  // Yellow is the upper end of the colour map: the outline is white there.
  const outline = { plane: truth.plane, colour: "#ffffff", lineWidth: 0.8 };
  const map = (data: Float32Array) =>
    slicePanel(slice(data), { width, map: "cividis", window: [0, 1], contours: [outline] });
  return montage([{
    panels: [
      slicePanel(slice(inner.image), { width, contours: [truth], scaleBar: true }),
      map(inner.confidence.high),
      map(inner.confidence.low),
    ],
  }], {
    titles: ["Image", "High-level branch", "Low-level branch"],
    colourBars: [{ map: "cividis", domain: [0, 1], label: "confidence in the true class" }],
    alt: "Confidence maps of the two branches on a labelled training case",
  });
}

/** From a mask to its signed distance map: the stages of the paper's figure 5. */
export function sdmFigure(
  inner: Pick<DemoInner, "shape" | "spacing" | "mask" | "boundary" | "positive" | "negative" | "sdm">,
): Figure {
  const slice = slicesOf(inner, largestPlane(gridOf(inner, inner.mask), 2));
  const largest = (data: Float32Array) => Math.max(1, maximum(slice(data).data));
  const binary = (data: Uint8Array) =>
    slicePanel(slice(data), { width: panelWidth, window: [0, 1], interpolation: "nearest" });
  const distance = (data: Float32Array) =>
    slicePanel(slice(data), { width: panelWidth, map: "cividis", window: [0, largest(data)] });
  return montage([{
    panels: [
      binary(inner.mask),
      binary(inner.boundary),
      distance(inner.positive),
      distance(inner.negative),
      slicePanel(slice(inner.sdm), {
        width: panelWidth,
        map: "diverging",
        window: [-1, 1],
        contours: isoLines(slice(inner.sdm)),
      }),
    ],
  }], {
    titles: ["Ensemble mask", "Border", "Distance inside", "Distance outside", "Signed distance"],
    colourBars: [
      { map: "cividis", domain: [0, 1], label: "distance / largest in the slice" },
      { map: "diverging", domain: [-1, 1], label: "signed distance, normalised" },
    ],
    alt: "Mask, border, inside and outside distances, and the signed distance map",
  });
}

/** The line at 0, thick, and lines every 0.25, dashed inside: they tell the sign where the figure is printed in grey. */
function isoLines(plane: Plane): Contour[] {
  return [-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75].map((level) => ({
    plane,
    level,
    colour: "#1a1a1a",
    lineWidth: level === 0 ? 0.9 : 0.35,
    casing: false,
    open: true,
    ...(level < 0 ? { dash: "1.6 1" } : {}),
  }));
}

type OnGrid = Pick<DemoCase, "shape" | "spacing">;

function gridOf({ shape, spacing }: OnGrid, data: Float32Array | Uint8Array): Grid {
  return { shape, spacing, data };
}

function slicesOf(grid: OnGrid, index: number): (data: Float32Array | Uint8Array) => Plane {
  return (data) => takePlane(gridOf(grid, data), 2, index);
}

function maximum(values: Float32Array): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] > largest) largest = values[i];
  return largest;
}
