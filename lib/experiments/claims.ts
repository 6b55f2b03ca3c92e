/** What the paper's text claims of its tables, each as a comparison of rows that runs can test. */
import type { Metric } from "./item.ts";

/** "The first row is better than each of the others", in the metrics named. */
export interface Claim {
  /** Key of the table. */
  readonly table: string;
  /** The claim in few words. */
  readonly statement: string;
  /** Where the paper says it. */
  readonly source: string;
  /** Row that is said to be better. */
  readonly better: string;
  /** Rows that it is compared with. */
  readonly than: readonly string[];
  readonly metrics: readonly Metric[];
  /** Differences that the text prints, as positive numbers. */
  readonly differences?: Readonly<Partial<Record<Metric, number>>>;
}

const all: readonly Metric[] = ["dice", "jaccard", "hd95", "asd"];
const overlap: readonly Metric[] = ["dice", "jaccard"];
const rivals = (share: number, methods: readonly string[]) => methods.map((method) => `${method}-${share}`);
const laRivals = [
  ...["ua-mt", "sassnet", "dtc", "urpc", "mrnet", "scc", "ict", "mc-net-plus", "caussl", "plgcl", "auss"],
  ...["midss", "galoss"],
];
const pancreasRivals = [
  ...["ua-mt", "sassnet", "dtc", "urpc", "mrnet", "mc-net-plus", "plgcl", "bcp", "auss", "midss", "galoss"],
];
const bratsRivals = ["em", "ua-mt", "dtc", "urpc", "auss", "midss", "galoss"];

function best(table: string, title: string, methods: readonly string[]): Claim[] {
  return [10, 20].map((share) => ({
    table,
    statement:
      `SASNet is better than every other semi-supervised method with ${share}% of the labels (${title})`,
    source: "abstract, introduction, conclusion",
    better: `sasnet-${share}`,
    than: rivals(share, methods),
    metrics: all,
  }));
}

function component(
  table: string,
  title: string,
  [sar, sdm]: readonly [number, number],
): Claim[] {
  const claim = (key: string, label: string, more: Partial<Claim>): Claim => ({
    table,
    statement: `${label} improves Dice (${title})`,
    source: "4.4.3",
    better: `with-${key}`,
    than: [`without-${key}`],
    metrics: ["dice"],
    ...more,
  });
  return [
    claim("sar", "SAR", { differences: { dice: sar } }),
    claim("sar", "SAR", { statement: `SAR reduces HD95 (${title})`, metrics: ["hd95"] }),
    claim("sdm", "SDM", { differences: { dice: sdm } }),
    claim("low-level", "low-level features", {
      statement: `low-level features improve segmentation, with better boundaries (${title})`,
      metrics: all,
    }),
  ];
}

/** In the order of the tables. */
export const claims: readonly Claim[] = [
  ...best("table1", "LA", laRivals),
  {
    table: "table1",
    statement: "SASNet improves on DTC with 10% of the labels",
    source: "4.3.1",
    better: "sasnet-10",
    than: ["dtc-10"],
    metrics: overlap,
    differences: { dice: 2.11, jaccard: 3.16 },
  },
  {
    table: "table1",
    statement: "SASNet improves on MC-Net+ with 20% of the labels",
    source: "4.3.1",
    better: "sasnet-20",
    than: ["mc-net-plus-20"],
    metrics: overlap,
    differences: { dice: 1.70, jaccard: 2.81 },
  },
  {
    table: "table1",
    statement: "SASNet with 20% of the labels outperforms V-Net with all of them",
    source: "4.3.1",
    better: "sasnet-20",
    than: ["vnet-100"],
    metrics: all,
  },
  ...best("table2", "Pancreas-CT", pancreasRivals),
  {
    table: "table2",
    statement: "SASNet outperforms URPC with 10% of the labels",
    source: "4.3.2",
    better: "sasnet-10",
    than: ["urpc-10"],
    metrics: overlap,
    differences: { dice: 2.85, jaccard: 3.40 },
  },
  {
    table: "table2",
    statement: "SASNet outperforms URPC with 20% of the labels",
    source: "4.3.2",
    better: "sasnet-20",
    than: ["urpc-20"],
    metrics: overlap,
    differences: { dice: 1.58, jaccard: 2.09 },
  },
  ...best("table3", "BraTS", bratsRivals),
  {
    table: "table3",
    statement: "SASNet with 20% of the labels outperforms V-Net with all of them",
    source: "4.3.3",
    better: "sasnet-20",
    than: ["vnet-100"],
    metrics: all,
  },
  {
    table: "table3",
    statement: "SASNet surpasses URPC with 20% of the labels",
    source: "4.3.3",
    better: "sasnet-20",
    than: ["urpc-20"],
    metrics: overlap,
    differences: { dice: 3.04, jaccard: 4.07 },
  },
  {
    table: "table4",
    statement: "two branches beat one with L_seg alone (the one branch is MC-Net+)",
    source: "4.4.1",
    better: "two-seg",
    than: ["mc-net-plus"],
    metrics: ["dice"],
    differences: { dice: 0.51 },
  },
  {
    table: "table4",
    statement: "two branches beat one with L_seg and L_src",
    source: "4.4.1",
    better: "two-seg-src",
    than: ["one-seg-src"],
    metrics: ["dice"],
  },
  {
    table: "table5",
    statement: "L_src improves on L_seg alone",
    source: "4.4.2",
    better: "seg-src",
    than: ["seg"],
    metrics: all,
  },
  {
    table: "table5",
    statement: "L_plc improves on L_seg alone",
    source: "4.4.2",
    better: "seg-plc",
    than: ["seg"],
    metrics: all,
  },
  {
    table: "table5",
    statement: "all three losses are better than two",
    source: "4.4.2",
    better: "all",
    than: ["seg-src", "seg-plc"],
    metrics: all,
  },
  {
    table: "table5",
    statement: "the view variance enhancement improves segmentation",
    source: "4.4.2",
    better: "all",
    than: ["no-view"],
    metrics: all,
  },
  ...component("table6", "LA", [0.30, 0.92]),
  ...component("table7", "Pancreas-CT", [0.74, 0.93]),
  ...component("table8", "BraTS", [0.27, 0.52]),
  {
    table: "table9",
    statement: "a low-level decoder of 4 layers outperforms one of 3",
    source: "4.4.4",
    better: "four",
    than: ["three"],
    metrics: all,
  },
  {
    table: "table10",
    statement: "ramping γ up is better than γ = 1 from the start",
    source: "4.4.5",
    better: "balanced",
    than: ["no-ramp"],
    metrics: all,
  },
  {
    table: "table10",
    statement: "β = 0.5 with γ = 1 and ramp-up is best in all metrics",
    source: "4.4.5",
    better: "balanced",
    than: ["no-ramp", "gamma-half", "beta-one-gamma-half", "beta-one"],
    metrics: all,
  },
  {
    table: "table10",
    statement: "stronger consistency is better: γ = 1 than γ = 0.5 at β = 0.5",
    source: "4.4.5",
    better: "balanced",
    than: ["gamma-half"],
    metrics: all,
  },
  {
    table: "table10",
    statement: "β above 0.5 gains less: 0.5 is better than 1 at γ = 0.5",
    source: "4.4.5",
    better: "gamma-half",
    than: ["beta-one-gamma-half"],
    metrics: all,
  },
];
