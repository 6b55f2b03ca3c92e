/** Table 11 counted again: each printed number beside the network and the rule that give it, or the nearest ones. */
import { table11 } from "../../experiments/complexity_table.ts";
import { complexityOf } from "../../network/complexity.ts";
import { disposeNetwork, type Network, parametersOf } from "../../network/network.ts";
import { createSasNet, sasNetDefaults } from "../../network/sasnet.ts";
import { createVNet } from "../../network/segmenter.ts";
import { createUNet } from "../../network/unet.ts";
import type { Shape3 } from "../../volume/volume.ts";

/** A count, exact, and what was counted how. */
interface Count {
  readonly value: number;
  readonly how: string;
}

/** One printed number. */
export interface Recount extends Count {
  /** The rows of the table that print it. */
  readonly rows: readonly string[];
  readonly quantity: "parameters" | "multiply–accumulates";
  /** In millions or thousand millions. */
  readonly printed: number;
  /** True where the count, rounded as printed, is the printed number. */
  readonly reproduced: boolean;
}

/** The crop of the table's caption, and the one at which SASNet's number comes out. */
const la: Shape3 = [112, 112, 80];
const cube: Shape3 = [96, 96, 96];

/** Every printed number of the table, counted; equal numbers of networks that are counted alike are one entry. */
export function recountTable11(): Recount[] {
  const spec = { width: 16, dropout: false, seed: 1 };
  const vnet = createVNet(spec);
  const twoHeads = createVNet({ ...spec, regression: true });
  const unet = createUNet(spec);
  const sasnet = createSasNet({ ...sasNetDefaults, ...spec });
  const networks: readonly Network[] = [vnet, twoHeads, unet, sasnet];
  const [plain, dual, pyramid, branched] = networks.map((network) => complexityOf(network, la));
  const raising = parametersOf(vnet).filter(({ name }) => /^block_five_up\.conv\.0\./.test(name));
  const deepest = raising.reduce((sum, { variable }) => sum + variable.size, 0);
  const counts: Readonly<Record<string, { parameters: Count; flops: Count }>> = {
    "vnet": {
      parameters: {
        value: plain.parametersWithoutNormalisation,
        how: "V-Net without normalisations; 9.18 M is that less its deepest transposed convolution " +
          `(${(plain.parametersWithoutNormalisation - deepest).toLocaleString("en")}), which 46.85 G contain`,
      },
      flops: { value: plain.macsAtOutput, how: "V-Net without normalisations, thop's rule" },
    },
    "dtc": {
      parameters: {
        value: dual.parametersWithoutNormalisation,
        how: "V-Net with two heads of two channels, without normalisations",
      },
      flops: { value: dual.macsAtOutput, how: "the same, thop's rule" },
    },
    "urpc": {
      parameters: { value: pyramid.parameters, how: "the released 3-D U-Net; no variant has 5.85 M" },
      flops: { value: pyramid.withNormalisation, how: "the same, thop's rule with normalisations" },
    },
    "mc-net-plus": {
      parameters: {
        value: plain.parametersWithoutNormalisation,
        how: "the decoder that predicts, without normalisations",
      },
      flops: {
        value: plain.macsAtOutput,
        how: "the same, thop's rule; 46.88 G is V-Net with two heads, which this network has not",
      },
    },
    "sasnet": {
      parameters: { value: branched.parameters, how: "the layers that run" },
      flops: {
        value: complexityOf(sasnet, cube).withElementwise,
        how: `the same at ${cube.join("×")} by ptflops' rule; at ${la.join("×")} it gives ` +
          `${(branched.withElementwise / 1e9).toFixed(2)} G`,
      },
    },
  };
  networks.forEach(disposeNetwork);
  const alike: Readonly<Record<string, string>> = { "ua-mt": "vnet", "sassnet": "dtc" };
  const groups = Map.groupBy(table11.rows, ({ method }) => alike[method] ?? method);
  return [...groups].flatMap(([key, rows]) => {
    const labels = rows.map(({ label }) => label);
    const { parameters, flops } = counts[key];
    return [
      recount(labels, "parameters", rows[0].parameters, parameters),
      recount(labels, "multiply–accumulates", rows[0].flops, flops),
    ];
  });
}

function recount(
  rows: readonly string[],
  quantity: Recount["quantity"],
  printed: number,
  count: Count,
): Recount {
  const unit = quantity === "parameters" ? 1e6 : 1e9;
  const reproduced = (count.value / unit).toFixed(2) === printed.toFixed(2);
  return { rows, quantity, printed, ...count, reproduced };
}

/** Lines for a reader. */
export function recountLines(recounts: readonly Recount[]): string[] {
  return recounts.map(({ rows, quantity, printed, value, how, reproduced }) => {
    const [unit, sign] = quantity === "parameters" ? [1e6, "M"] : [1e9, "G"];
    const numbers = `printed ${printed.toFixed(2).padStart(5)} ${sign}, counted ${
      (value / unit).toFixed(4).padStart(7)
    } ${sign}`;
    const verdict = reproduced ? "reproduced    " : "not reproduced";
    return `  ${rows.join(", ").padEnd(12)} ${numbers}  ${verdict}  ${how}`;
  });
}
