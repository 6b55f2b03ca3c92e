/** Table 11 beside the kit's own counts. */
import type { ComplexityTable } from "../experiments/item.ts";
import type { Table } from "./table.ts";

/** What the kit counts of a method's network, one forward pass of one crop. */
export interface Complexity {
  readonly key: string;
  /** Of the layers that run. */
  readonly parameters: number;
  /** Multiplications that are done. */
  readonly macs: number;
  /** By the rule of counting tools: a transposed convolution counts at its output voxels. */
  readonly macsAtOutput: number;
  readonly withElementwise: number;
}

/** Printed and counted size and cost. */
export function complexityTable(item: ComplexityTable, counted: readonly Complexity[]): Table {
  const columns = [
    { label: "Method" },
    ...["paper", "ours", "difference"].map((label) => ({ label, decimals: 2, group: "Parameters (M)" })),
    ...["paper", "ours, at output", "difference", "ours, multiplications done"].map((label) => ({
      label,
      decimals: 2,
      group: "FLOPs (G)",
    })),
  ];
  return {
    title: `Table ${item.number}. ${item.caption}`,
    columns,
    rows: item.rows.map(({ label, method, parameters, flops }) => {
      const count = counted.find(({ key }) => key === method);
      const millions = count === undefined ? null : count.parameters / 1e6;
      const giga = count === undefined ? null : count.macsAtOutput / 1e9;
      return {
        cells: [
          label,
          parameters,
          millions,
          millions === null ? null : millions - parameters,
          flops,
          giga,
          giga === null ? null : giga - flops,
          count === undefined ? null : count.macs / 1e9,
        ],
      };
    }),
    caption: [
      "Input 112×112×80, base width 16; the networks of training. FLOPs are multiply–accumulates of one forward pass; " +
      "at output: a transposed convolution counts at its output voxels, as counting tools do, eight times too many.",
    ],
    footnotes: [],
  };
}

/** Of every printed size and cost, whether the kit's own count rounds to it. */
export function complexityVerdicts(item: ComplexityTable, counted: readonly Complexity[]): Table {
  const sentence = (printed: number, own: number | undefined, what: string): string =>
    own === undefined
      ? "not counted"
      : own.toFixed(2) === printed.toFixed(2)
      ? `the same: ${printed.toFixed(2)} ${what}`
      : `differs: ${printed.toFixed(2)} printed, ${own.toFixed(2)} ${what} counted`;
  return {
    title: `Which numbers of table ${item.number} the kit's own count confirms`,
    columns: [{ label: "Method" }, { label: "Parameters" }, { label: "FLOPs, as counting tools count" }],
    rows: item.rows.map(({ label, method, parameters, flops }) => {
      const count = counted.find(({ key }) => key === method);
      return {
        cells: [
          label,
          sentence(parameters, count && count.parameters / 1e6, "M"),
          sentence(flops, count && count.macsAtOutput / 1e9, "G"),
        ],
      };
    }),
    caption: [],
    footnotes: [],
  };
}
