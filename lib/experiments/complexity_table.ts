/** Table 11: parameters and multiply–accumulates, typed once from the paper. */
import type { ComplexityTable } from "./item.ts";

export const table11: ComplexityTable = {
  kind: "complexity",
  key: "table11",
  number: 11,
  caption:
    "Comparisons of computational complexity of inference between SASNet and other methods on the LA dataset.",
  rows: [
    { label: "V-Net", method: "vnet", parameters: 9.18, flops: 46.85 },
    { label: "UA-MT", method: "ua-mt", parameters: 9.18, flops: 46.85 },
    { label: "SASSNet", method: "sassnet", parameters: 9.44, flops: 46.88 },
    { label: "DTC", method: "dtc", parameters: 9.44, flops: 46.88 },
    { label: "URPC", method: "urpc", parameters: 5.85, flops: 69.36 },
    { label: "MC-Net+", method: "mc-net-plus", parameters: 9.44, flops: 46.88 },
    { label: "SASNet", method: "sasnet", parameters: 11.26, flops: 67.31 },
  ],
};
