/** Figures 1–8: what the kit needs to draw them. */
import { type DatasetName, datasets } from "../data/dataset.ts";
import type { PaperFigure, RunDeclaration } from "./item.ts";

function run(
  method: string,
  dataset: DatasetName,
  settings: RunDeclaration["settings"] = {},
): PaperFigure["runs"][number]["run"] {
  return { method, dataset, share: 20, settings };
}

/** The methods whose cost Table 11 compares; the paper's text does not name the columns of figures 6 and 7. */
function compared(dataset: DatasetName, methods: readonly (readonly [label: string, key: string])[]) {
  return methods.map(([label, method]) => ({
    label: `${label}, ${datasets[dataset].title}`,
    run: run(method, dataset),
  }));
}

const ofLa = [
  ["V-Net", "vnet"],
  ["UA-MT", "ua-mt"],
  ["SASSNet", "sassnet"],
  ["DTC", "dtc"],
  ["URPC", "urpc"],
  ["MC-Net+", "mc-net-plus"],
  ["SASNet", "sasnet"],
] as const;

const ofBrats = [
  ["V-Net", "vnet"],
  ["EM", "em"],
  ["UA-MT", "ua-mt"],
  ["DTC", "dtc"],
  ["URPC", "urpc"],
  ["SASNet", "sasnet"],
] as const;

export const figures: readonly PaperFigure[] = [
  {
    kind: "figure",
    key: "figure1",
    number: 1,
    caption:
      "Comparison of segmentation results between different branch networks and multi-view inputs in the dual-branch network.",
    needs: "predictions of one test case, of each view too",
    runs: [
      {
        label: "low-level branch alone",
        run: run("sasnet", "la", { branches: "low", sar: false, pseudoLabelLoss: false }),
      },
      {
        label: "high-level branch alone",
        run: run("sasnet", "la", { branches: "high", sar: false, pseudoLabelLoss: false }),
      },
      { label: "both branches", run: run("sasnet", "la") },
    ],
  },
  {
    kind: "figure",
    key: "figure2",
    number: 2,
    caption: "The framework of SASNet (the kit's title).",
    needs: "the layers of the network and its maps of a labelled crop",
    runs: [{ label: "SASNet", run: run("sasnet", "la") }],
  },
  {
    kind: "figure",
    key: "figure3",
    number: 3,
    caption: "Details of the Scale-Aware Adaptive Reweighting (SAR) strategy at the i-th epoch.",
    needs: "SAR's memory of a labelled case, and its confidence at every step",
    runs: [{ label: "SASNet", run: run("sasnet", "la") }],
  },
  {
    kind: "figure",
    key: "figure4",
    number: 4,
    caption:
      "Diagram of Scale-aware Adaptive Reweighting (SAR). Comparison of output results with and without SAR.",
    needs: "nothing: computed from the printed probabilities",
    runs: [],
  },
  {
    kind: "figure",
    key: "figure5",
    number: 5,
    caption: "Diagram of SDM (Signed Distance Map) Generation Pipeline.",
    needs: "the ensemble's mask of one test case",
    runs: [{ label: "SASNet", run: run("sasnet", "la") }],
  },
  {
    kind: "figure",
    key: "figure6",
    number: 6,
    caption:
      "Qualitative results of SASNet and other methods on the LA dataset and Pancreas-CT dataset with 20% of labeled data.",
    needs: "predictions of two test cases of each data set",
    runs: [...compared("la", ofLa), ...compared("pancreas", ofLa)],
  },
  {
    kind: "figure",
    key: "figure7",
    number: 7,
    caption: "Qualitative results of SASNet and other methods on the BraTS dataset with 20% of labeled data.",
    needs: "predictions of two test cases",
    runs: compared("brats", ofBrats),
  },
  {
    kind: "figure",
    key: "figure8",
    number: 8,
    caption: "Visual comparison between low-level and high-level feature maps of same case.",
    needs: "features of both decoders for one case",
    runs: [{ label: "SASNet", run: run("sasnet", "la") }],
  },
];
