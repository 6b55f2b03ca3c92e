/** Figures to try a volume and the method's settings with: one setting moves, the rest stays. */
import type { View } from "../data/dataset.ts";
import { figure4 } from "../sasnet/figure4.ts";
import { gammaRamp, stepsPerTick } from "../sasnet/schedule.ts";
import { rotateByFrequency, viewByFrequency } from "../sasnet/view.ts";
import { lineChart } from "./curves.ts";
import { flipBook } from "./flip_book.ts";
import { montage } from "./montage.ts";
import { type Axis, type Grid, largestPlane, percentileWindow, takePlane } from "./planes.ts";
import { contourLooks, slicePanel } from "./slices.ts";
import type { Figure } from "./svg.ts";

const panelWidth = 110;
/** Slices of a book: more make the notebook large, not clearer. */
const mostFrames = 16;

/** The slices of a volume along an axis with the outline of its label. */
export function sliceBook(image: Grid, label: Grid, axis: Axis = 2): Figure {
  const sides = image.shape[axis];
  const stride = Math.ceil(sides / mostFrames);
  const window = percentileWindow(takePlane(image, axis, largestPlane(label, axis)));
  const frames = Array.from({ length: Math.floor((sides - 1) / stride) + 1 }, (_, i) => {
    const plane = (grid: Grid) => takePlane(grid, axis, i * stride);
    const figure = slicePanel(plane(image), {
      width: panelWidth,
      window,
      interpolation: "nearest",
      contours: [{ plane: plane(label), ...contourLooks.groundTruth }],
      scaleBar: true,
    });
    return { label: String(i * stride), figure };
  });
  return flipBook(frames, {
    name: `slice ${"xyz"[axis]} =`,
    alt: `Slices along ${"xyz"[axis]} with the outline of the label`,
  });
}

/** The views that training draws (eq. 9–11), each the volume with its axes exchanged through frequency space. */
export function viewsFigure(image: Grid, views: readonly View[]): Figure {
  const panels = views.map(({ permutation }) => {
    const data = viewByFrequency(image.data, image.shape, permutation);
    const shape = permutation.map((axis) => image.shape[axis]) as [number, number, number];
    const spacing = permutation.map((axis) => image.spacing[axis]) as [number, number, number];
    return slicePanel(takePlane({ data, shape, spacing }, 2, shape[2] >> 1), {
      width: panelWidth,
      scaleBar: true,
    });
  });
  return montage([{ panels }], {
    titles: views.map(({ permutation, probability }) =>
      `axes ${permutation.map((axis) => "xyz"[axis]).join("")}, drawn ${Math.round(100 * probability)} %`
    ),
    alt: `The ${views.length} views that training draws, middle slice`,
  });
}

/** The volume turned about z by angles θ in frequency space (eq. 10 as it is written), middle slice. */
export function rotationBook(image: Grid, angles: readonly number[]): Figure {
  const { data, shape, spacing } = image;
  const z = shape[2] >> 1;
  const plane = takePlane(image, 2, z);
  const frames = angles.map((degrees) => {
    const turned = rotateByFrequency(data, shape, { axis: 2, degrees });
    const figure = slicePanel(takePlane({ data: turned, shape, spacing }, 2, z), {
      width: panelWidth,
      window: percentileWindow(plane),
      interpolation: "nearest",
    });
    return { label: `${degrees}°`, figure };
  });
  return flipBook(frames, { name: "θ =", alt: "The middle slice, turned about z in frequency space" });
}

/** What SAR's α does to the two voxels of figure 4: the share of the foreground, and the softmax of eq. 6. */
export function alphaFigure(): Figure {
  const alphas = Array.from({ length: 41 }, (_, i) => i / 20);
  const voxels = alphas.map((alpha) => figure4(alpha));
  const series = ([0, 1] as const).flatMap((v) => {
    const truth = voxels[0][v].truth === 1 ? "foreground" : "background";
    return [
      {
        name: `${truth}: share of the sums`,
        steps: alphas,
        values: voxels.map((at) => at[v].weightedSum[1] / (at[v].weightedSum[0] + at[v].weightedSum[1])),
        style: v,
      },
      {
        name: `${truth}: softmax (eq. 6)`,
        steps: alphas,
        values: voxels.map((at) => at[v].weightedForeground),
        style: v + 2,
      },
    ];
  });
  return lineChart(series, {
    title: "Figure 4's voxels over α (the paper has 0.5)",
    xLabel: "α",
    yLabel: "Foreground",
    width: 380,
    height: 210,
  });
}

/** The weights of the losses over a run: β of the labelled, γ(t) of the unlabelled ones, for rows of Table 10. */
export function weightsFigure(
  rows: readonly { readonly beta: number; readonly gamma: number; readonly rampUp: number }[],
  iterations: number,
): Figure {
  const tick = stepsPerTick({ clock: "iterations", iterations, stepsPerEpoch: 1 });
  const steps = Array.from({ length: 101 }, (_, i) => Math.round(i * iterations / 100));
  const series = rows.map(({ beta, gamma, rampUp }) => ({
    name: `β ${beta}, γ ${gamma}, ${rampUp === 0 ? "no ramp-up" : `ramp-up ${rampUp}`}`,
    steps,
    values: steps.map((step) =>
      gammaRamp(step, { stepsPerTick: tick, length: rampUp, maximum: gamma }) / beta
    ),
  }));
  return lineChart(series, {
    title: "Weight of the unlabelled losses over that of the labelled ones",
    xLabel: "Step",
    yLabel: "γ(t) / β",
    width: 380,
    height: 220,
  });
}
