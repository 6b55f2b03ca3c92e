/** Tables 4–10: what of SASNet matters, typed once from the paper. All rows have 20 % of the labels. */
import type { DatasetName } from "../data/dataset.ts";
import type { PaperRow, PaperTable, Printed, RunDeclaration } from "./item.ts";

/** Settings that several tables share; a run that two tables name is one run. */
const full = {};
const withoutSar = { sar: false };
const withoutSdm = { sdm: false };
const supervisedAlone = { sar: false, regressionLoss: false, pseudoLabelLoss: false };
const withoutPseudoLabels = { sar: false, pseudoLabelLoss: false };
const withoutRegression = { sar: false, regressionLoss: false };
const withoutViews = { sar: false, viewVariance: false };
const oneBranch = { branches: "high", ...withoutPseudoLabels };
const oneBranchSupervised = { branches: "high", ...supervisedAlone };

function sasnet(dataset: DatasetName, settings: RunDeclaration["settings"]): RunDeclaration {
  return { method: "sasnet", dataset, share: 20, settings };
}

/** A row of an ablation; the whole table is one block. */
function row(
  id: string,
  cells: readonly string[],
  printed: Printed,
  run: RunDeclaration,
  more: Partial<PaperRow> = {},
): PaperRow {
  return { id, cells, block: "", printed, run, ...more };
}

const yes = "✓";

export const table4: PaperTable = {
  kind: "table",
  key: "table4",
  number: 4,
  caption: "Results of different branch numbers and training objectives on the LA dataset.",
  headings: ["Method", "Nums", "L_seg", "L_src", "L_plc"],
  rows: [
    row("mc-net-plus", ["MC-Net+", "1", yes, "", ""], [90.12, 82.12, 8.07, 1.99], {
      method: "mc-net-plus",
      dataset: "la",
      share: 20,
      settings: {},
    }, {
      note: "Printed as one branch with L_seg alone; the numbers are those of MC-Net+ in Table 1, " +
        "a network of three decoders trained with its own losses, which is what the kit runs.",
    }),
    {
      id: "mc-net-plus-one",
      cells: ["MC-Net+", "1", yes, "", ""],
      block: "",
      run: { method: "mc-net-plus", dataset: "la", share: 20, settings: { decoders: 1 } },
      note:
        "Not printed: what the first row's marks say, MC-Net+ with its first decoder and its Dice loss alone.",
    },
    {
      id: "one-seg",
      cells: ["SASNet", "1", yes, "", ""],
      block: "",
      run: sasnet("la", oneBranchSupervised),
      note: "Not printed: the same marks for SASNet, its high-level branch alone with L_seg.",
    },
    row(
      "one-seg-src",
      ["SASNet", "1", yes, yes, ""],
      [90.23, 82.37, 8.90, 2.44],
      sasnet("la", oneBranch),
    ),
    row(
      "two-seg",
      ["SASNet", "2", yes, "", ""],
      [90.63, 82.99, 6.50, 2.13],
      sasnet("la", supervisedAlone),
    ),
    row(
      "two-seg-src",
      ["SASNet", "2", yes, yes, ""],
      [90.94, 83.85, 6.01, 1.93],
      sasnet("la", withoutPseudoLabels),
    ),
    row("two-all", ["SASNet", "2", yes, yes, yes], [91.52, 84.42, 4.98, 1.48], sasnet("la", withoutSar)),
  ],
};

export const table5: PaperTable = {
  kind: "table",
  key: "table5",
  number: 5,
  caption:
    "Results of view variance enhancement mechanism and training objectives without SAR on the LA dataset.",
  headings: ["Method", "View Variance", "L_seg", "L_src", "L_plc"],
  rows: [
    row(
      "seg",
      ["SASNet", yes, yes, "", ""],
      [90.63, 82.99, 6.50, 2.13],
      sasnet("la", supervisedAlone),
    ),
    row(
      "seg-src",
      ["SASNet", yes, yes, yes, ""],
      [90.94, 83.53, 6.01, 1.93],
      sasnet("la", withoutPseudoLabels),
    ),
    row(
      "seg-plc",
      ["SASNet", yes, yes, "", yes],
      [91.25, 84.00, 5.06, 1.56],
      sasnet("la", withoutRegression),
    ),
    row("no-view", ["SASNet", "", yes, yes, yes], [91.16, 83.84, 5.80, 1.65], sasnet("la", withoutViews)),
    row("all", ["SASNet", yes, yes, yes, yes], [91.52, 84.42, 4.98, 1.48], sasnet("la", withoutSar)),
  ],
};

/** Numbers of one of the tables 6–8: without, with, and the printed difference. */
type Pair = readonly [without: Printed, withIt: Printed, gains: Printed];

function components(
  number: number,
  dataset: DatasetName,
  title: string,
  pairs: { sar: Pair; sdm: Pair; lowLevel: Pair },
): PaperTable {
  const both = (key: string, label: string, [without, withIt, gains]: Pair, runs: readonly object[]) => [
    row(`without-${key}`, [`w/o ${label}`], without, sasnet(dataset, runs[0] as RunDeclaration["settings"]), {
      block: label,
    }),
    row(`with-${key}`, [`with ${label}`], withIt, sasnet(dataset, runs[1] as RunDeclaration["settings"]), {
      block: label,
      gains,
    }),
  ];
  return {
    kind: "table",
    key: `table${number}`,
    number,
    caption: `Ablation studies of SAR/SDM/low-level on the ${title} dataset.`,
    headings: ["Method"],
    rows: [
      ...both("sar", "SAR", pairs.sar, [withoutSar, full]),
      ...both("sdm", "SDM", pairs.sdm, [withoutSdm, full]),
      ...both("low-level", "low-level", pairs.lowLevel, [oneBranch, withoutPseudoLabels]),
    ],
  };
}

export const table6: PaperTable = components(6, "la", "LA", {
  sar: [[91.52, 84.42, 4.98, 1.48], [91.82, 84.93, 4.63, 1.42], [0.30, 0.51, -0.35, -0.06]],
  sdm: [[90.90, 83.39, 5.13, 1.57], [91.82, 84.93, 4.63, 1.42], [0.92, 1.54, -0.50, -0.15]],
  lowLevel: [[90.23, 82.37, 8.90, 2.44], [90.94, 83.85, 6.01, 1.93], [0.71, 1.48, -2.89, -0.51]],
});

export const table7: PaperTable = components(7, "pancreas", "Pancreas-CT", {
  sar: [[80.86, 68.49, 8.55, 1.31], [81.60, 69.39, 11.25, 1.81], [0.74, 0.90, 2.70, 0.50]],
  sdm: [[80.67, 68.13, 12.72, 1.77], [81.60, 69.39, 11.25, 1.81], [0.93, 1.26, -1.47, 0.04]],
  lowLevel: [[79.56, 66.84, 10.41, 1.62], [80.22, 67.59, 10.20, 1.92], [0.66, 0.75, -0.21, 0.30]],
});

export const table8: PaperTable = components(8, "brats", "BraTS", {
  sar: [[85.57, 76.33, 7.73, 1.81], [85.84, 76.79, 7.52, 1.62], [0.27, 0.46, -0.21, -0.19]],
  sdm: [[85.32, 76.16, 7.89, 1.90], [85.84, 76.79, 7.52, 1.62], [0.52, 0.63, -0.37, -0.28]],
  lowLevel: [[84.39, 75.22, 8.67, 2.12], [85.03, 75.94, 8.25, 1.96], [0.64, 0.72, -0.42, -0.16]],
});

export const table9: PaperTable = {
  kind: "table",
  key: "table9",
  number: 9,
  caption: "Results of employing different layers to the low-level decoder on LA dataset.",
  headings: ["Method"],
  rows: [
    row("three", ["SASNet (3 Layers)"], [91.20, 83.90, 5.38, 1.80], sasnet("la", { lowLayers: 3 })),
    row("four", ["SASNet (4 Layers)"], [91.82, 84.93, 4.63, 1.42], sasnet("la", full), {
      gains: [0.62, 1.03, -0.75, -0.38],
    }),
  ],
};

export const table10: PaperTable = {
  kind: "table",
  key: "table10",
  number: 10,
  caption: "Ablation studies of the hyperparameters (β and γ) on the LA datasets.",
  headings: ["β", "γ"],
  rows: [
    row(
      "no-ramp",
      ["0.5", "1.0 (w/o ramp-up)"],
      [91.36, 84.24, 5.02, 1.75],
      sasnet("la", { rampUp: 0 }),
    ),
    row(
      "gamma-half",
      ["0.5", "0.5 (with ramp-up)"],
      [91.02, 83.87, 5.12, 1.98],
      sasnet("la", { gamma: 0.5 }),
    ),
    row("balanced", ["0.5", "1.0 (with ramp-up)"], [91.82, 84.93, 4.63, 1.42], sasnet("la", full)),
    row(
      "beta-one-gamma-half",
      ["1.0", "0.5 (with ramp-up)"],
      [91.15, 84.03, 5.06, 1.86],
      sasnet("la", { beta: 1, gamma: 0.5 }),
    ),
    row("beta-one", ["1.0", "1.0 (with ramp-up)"], [91.64, 84.55, 4.91, 1.47], sasnet("la", { beta: 1 })),
  ],
};
