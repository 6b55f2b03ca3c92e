/** Tables 1–3: SASNet and the other methods on the three data sets, typed once from the paper. */
import type { DatasetName } from "../data/dataset.ts";
import type { LabelledShare, PaperRow, PaperTable, Printed } from "./item.ts";

/** A method's two rows. Labels and venues are as printed, with their differences between the tables. */
type MethodRows = readonly [
  method: string,
  label: string,
  reference: number | undefined,
  venue: string | undefined,
  ten: Printed,
  twenty: Printed,
];

interface Comparison {
  readonly number: number;
  readonly dataset: DatasetName;
  readonly caption: string;
  /** Training cases of the paper. */
  readonly train: number;
  readonly labelled: readonly [ten: number, twenty: number];
  /** V-Net with 10 %, 20 % and all labels. */
  readonly vnet: readonly [ten: Printed, twenty: Printed, all: Printed];
  readonly methods: readonly MethodRows[];
}

/** What a reader of these rows must know of the kit's own numbers. */
const remarks: Readonly<Record<string, string>> = {
  "mrnet":
    "MRNet needs several masks a case and no unlabelled ones. The kit gives labelled cases synthetic raters and " +
    "the others pseudo-raters; how the printed numbers were made is not documented.",
  "plgcl": "A re-implementation in 3-D: the released code of PLGCL cannot run.",
};

function comparison({ number, dataset, caption, train, labelled, vnet, methods }: Comparison): PaperTable {
  const row = (
    method: string,
    label: string,
    share: LabelledShare,
    printed: Printed,
    options: {
      reference?: number | undefined;
      venue?: string | undefined;
      block: string;
      unlabelled: boolean;
    },
  ): PaperRow => {
    const count = share === 100 ? train : labelled[share === 10 ? 0 : 1];
    const unlabelled = options.unlabelled ? train - count : 0;
    return {
      id: `${method}-${share}`,
      cells: [label, `${count} (${share}%)`, String(unlabelled)],
      block: options.block,
      printed,
      run: { method, dataset, share, settings: {} },
      ...(options.reference === undefined ? {} : { reference: options.reference }),
      ...(options.venue === undefined ? {} : { venue: options.venue }),
      scans: [count, unlabelled],
      ...(method in remarks ? { note: remarks[method] } : {}),
    };
  };
  const supervised = { reference: 32, venue: "3DV 2016", block: "V-Net", unlabelled: false };
  const block = (share: 10 | 20) =>
    methods.map(([method, label, reference, venue, ten, twenty]) =>
      row(method, label, share, share === 10 ? ten : twenty, {
        reference,
        venue,
        block: `${share}%`,
        unlabelled: true,
      })
    );
  return {
    kind: "table",
    key: `table${number}`,
    number,
    caption,
    headings: ["Method", "Labeled", "Un"],
    rows: [
      row("vnet", "V-Net", 10, vnet[0], supervised),
      row("vnet", "V-Net", 20, vnet[1], supervised),
      row("vnet", "V-Net", 100, vnet[2], supervised),
      ...block(10),
      ...block(20),
    ],
  };
}

export const table1: PaperTable = comparison({
  number: 1,
  dataset: "la",
  caption: "Compared with the other SOTA methods on the LA dataset with 10% and 20% of the labeled data.",
  train: 80,
  labelled: [8, 16],
  vnet: [[79.99, 68.12, 21.11, 5.48], [86.03, 76.06, 14.26, 3.51], [91.14, 83.82, 5.75, 1.52]],
  methods: [
    ["ua-mt", "UA-MT", 18, "MICCAI 2019", [86.28, 76.11, 18.71, 4.63], [88.74, 79.94, 8.39, 2.32]],
    ["sassnet", "SASSNet", 33, "MICCAI 2020", [85.22, 75.09, 11.18, 2.89], [89.16, 80.60, 8.95, 2.26]],
    ["dtc", "DTC", 28, "AAAI 2021", [87.51, 78.17, 8.23, 2.36], [89.52, 81.22, 7.07, 1.96]],
    ["urpc", "URPC", 3, "MICCAI 2021", [85.01, 74.36, 15.37, 3.96], [88.74, 79.93, 12.73, 3.66]],
    ["mrnet", "MRNet", 34, "CVPR 2021", [86.07, 75.86, 19.24, 5.51], [88.62, 80.94, 8.83, 2.48]],
    ["scc", "SCC", 35, "CMIG 2022", [86.51, 76.54, 10.51, 2.56], [89.81, 81.64, 7.15, 1.82]],
    ["ict", "ICT", 36, "Neural Networks 2022", [85.39, 74.84, 17.45, 2.88], [89.02, 80.34, 10.38, 1.97]],
    ["mc-net-plus", "MC-Net+", 37, "MedIA 2022", [87.50, 77.98, 11.28, 2.30], [90.12, 82.12, 8.07, 1.99]],
    ["caussl", "CauSSL", 38, "ICCV 2023", [87.49, 77.95, 18.85, 5.11], [90.16, 82.17, 6.11, 1.97]],
    ["plgcl", "PLGCL", 39, "ICCV 2023", [87.28, 77.54, 18.98, 5.32], [90.01, 82.04, 6.21, 2.15]],
    ["auss", "AUSS", 12, "MedIA 2024", [87.57, 78.32, 8.17, 2.22], [90.79, 82.91, 6.13, 1.93]],
    ["midss", "MiDSS", 13, "CVPR 2024", [88.03, 78.69, 8.04, 2.16], [90.47, 82.55, 6.17, 1.80]],
    ["galoss", "GALoss", 11, "ECCV 2024", [87.86, 78.55, 8.01, 2.07], [90.39, 82.46, 6.35, 2.01]],
    ["sasnet", "SASNet", undefined, undefined, [89.62, 81.33, 6.59, 1.89], [91.82, 84.93, 4.63, 1.42]],
  ],
});

export const table2: PaperTable = comparison({
  number: 2,
  dataset: "pancreas",
  caption:
    "Compared with the other SOTA methods on the Pancreas-CT dataset with 10% and 20% of the labeled data.",
  train: 62,
  labelled: [6, 12],
  vnet: [[54.94, 40.87, 47.48, 17.43], [71.52, 57.68, 18.12, 5.41], [82.60, 70.81, 5.61, 1.33]],
  methods: [
    ["ua-mt", "UA-MT", 18, "MICCAI 2019", [66.44, 52.02, 17.04, 3.03], [76.10, 62.62, 10.84, 2.43]],
    ["sassnet", "SASSNet", 33, "MICCAI 2020", [68.97, 54.29, 18.83, 1.96], [76.39, 63.17, 11.06, 1.42]],
    ["dtc", "DTC", 28, "AAAI 2021", [66.27, 52.07, 15.00, 4.44], [78.27, 64.75, 8.36, 2.25]],
    ["urpc", "URPC", 3, "MICCAI 2021", [73.53, 59.44, 22.57, 7.85], [80.02, 67.30, 8.51, 1.98]],
    ["mrnet", "MRNet", 34, "CVPR 2021", [72.47, 56.92, 15.08, 5.14], [77.82, 63.85, 13.86, 4.53]],
    ["mc-net-plus", "MC-Net+", 37, "Media 2022", [68.94, 54.74, 16.28, 3.16], [79.05, 65.83, 10.29, 2.72]],
    ["plgcl", "PLGCL", 39, "CVPR 2023", [73.15, 58.83, 14.36, 4.51], [78.41, 65.17, 14.13, 4.68]],
    ["bcp", "BCP", 19, "CVPR 2023", [74.25, 60.03, 14.23, 4.42], [80.37, 67.81, 11.53, 2.06]],
    ["auss", "AUSS", 12, "Media 2024", [73.82, 59.33, 14.68, 4.95], [80.02, 66.73, 12.38, 3.14]],
    ["midss", "MidSS", 13, "CVPR 2024", [74.12, 59.84, 13.93, 3.97], [79.74, 66.56, 12.65, 3.47]],
    ["galoss", "GALoss", 11, "ECCV 2024", [73.94, 59.51, 14.52, 4.71], [80.21, 66.92, 11.78, 2.83]],
    ["sasnet", "SASNet", undefined, undefined, [76.38, 62.84, 13.47, 1.82], [81.60, 69.39, 11.25, 1.81]],
  ],
});

export const table3: PaperTable = comparison({
  number: 3,
  dataset: "brats",
  caption: "Compared with the other SOTA methods on the BraTS dataset with 10% and 20% of the labeled data.",
  train: 250,
  labelled: [25, 50],
  vnet: [[73.00, 59.96, 42.64, 2.96], [76.14, 64.15, 36.01, 2.70], [84.81, 75.53, 8.08, 1.94]],
  methods: [
    ["em", "EM", 40, "ECCV 2019", [81.74, 71.42, 13.71, 2.37], [82.37, 72.28, 15.83, 2.30]],
    ["ua-mt", "UA-MT", 18, "MICCAI 2019", [80.85, 70.32, 14.61, 2.57], [81.87, 71.42, 13.98, 2.49]],
    ["dtc", "DTC", 28, "AAAI 2021", [81.96, 71.84, 12.08, 2.43], [82.78, 72.47, 13.43, 2.20]],
    ["urpc", "URPC", 3, "MICCAI 2021", [81.80, 71.63, 11.50, 2.48], [82.80, 72.72, 12.48, 2.72]],
    ["auss", "AUSS", 12, "MedIA 2024", [81.99, 71.92, 11.47, 2.44], [83.21, 73.55, 11.39, 2.03]],
    ["midss", "MiDSS", 13, "CVPR 2024", [81.91, 71.03, 11.38, 2.37], [83.74, 73.93, 11.06, 2.29]],
    ["galoss", "GALoss", 11, "ECCV 2024", [82.13, 72.11, 11.25, 2.39], [83.49, 73.72, 10.61, 2.18]],
    ["sasnet", "SASNet", undefined, undefined, [82.84, 73.00, 10.91, 2.31], [85.84, 76.79, 7.52, 1.62]],
  ],
});
