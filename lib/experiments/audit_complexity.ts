/**
 * Table 11 against counts on the networks of the public code (112×112×80, one channel, two classes). The counting
 * rule is that of the tool that such tables use: a transposed convolution counts at its output voxels, a
 * normalisation as 2 or 4 operations a value.
 */
import type { AuditEntry } from "./audit_entry.ts";
import { table11 } from "./complexity_table.ts";

/** What was counted on a network; parameters of the layers that run. */
interface Count {
  readonly network: string;
  readonly parameters: number;
  readonly flops: number;
}

const plainVNet: Count = { network: "V-Net without normalisation", parameters: 9443266, flops: 46.8523 };
const twoHeads: Count = {
  network: "two-headed V-Net without normalisation",
  parameters: 9443300,
  flops: 46.8845,
};

const counts: Readonly<Record<string, Count>> = {
  "vnet": plainVNet,
  "ua-mt": plainVNet,
  "sassnet": twoHeads,
  "dtc": twoHeads,
  "urpc": { network: "3-D U-Net of the public code", parameters: 5884504, flops: 69.36 },
  "mc-net-plus": {
    network: "one decoder of MC-Net+, as its test network",
    parameters: 9448866,
    flops: 47.1825,
  },
  "sasnet": { network: "released network with batch normalisation", parameters: 11258376, flops: 76.3438 },
};

/** Each printed pair of parameters and FLOPs. */
export function complexityChecks(): AuditEntry[] {
  return table11.rows.map(({ label, method, parameters, flops }): AuditEntry => {
    const count = counts[method];
    const millions = count.parameters / 1e6;
    const same = [
      Math.abs(millions - parameters) <= 0.0051,
      Math.abs(count.flops - flops) <= 0.0051,
    ];
    const verdict = (agrees: boolean) => agrees ? "agrees" : "differs";
    return {
      check: "parameters and FLOPs of a network",
      where: `Table 11, ${label}`,
      arithmetic:
        `${count.network}: ${millions.toFixed(3)} M, printed ${parameters.toFixed(2)} (${
          verdict(same[0])
        }); ` +
        `${count.flops.toFixed(2)} G, printed ${flops.toFixed(2)} (${verdict(same[1])})`,
      finding: same.every((agrees) => agrees) ? "consistent" : "inconsistent",
    };
  });
}

/** Section 4.6: SASNet has many parameters, and slightly fewer FLOPs than URPC. */
export function complexityClaimChecks(): AuditEntry[] {
  const rowOf = (key: string) => table11.rows.find(({ method }) => method === key)!;
  const [own, urpc] = [rowOf("sasnet"), rowOf("urpc")];
  const others = table11.rows.filter((row) => row !== own);
  const most = Math.max(...others.map(({ parameters }) => parameters));
  const holds = own.parameters > most && own.flops < urpc.flops;
  return [{
    check: "claim of the text against the printed rows",
    where: "4.6, Table 11: SASNet has relatively many parameters, and slightly fewer FLOPs than URPC",
    arithmetic:
      `parameters ${own.parameters.toFixed(2)} M against ${most.toFixed(2)} M at most of the others; FLOPs ` +
      `${own.flops.toFixed(2)} − ${urpc.flops.toFixed(2)} = −${(urpc.flops - own.flops).toFixed(2)} G`,
    finding: holds ? "consistent" : "inconsistent",
  }];
}
