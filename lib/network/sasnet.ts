/** SASNet's dual-branch network (paper §3.1, eq. 1–3). */
import { createSegmenter, type VNet } from "./segmenter.ts";

/** Index of a branch wherever branches are listed. */
export const branches = { high: 0, low: 1 } as const;

/** Shape of a SASNet. */
export interface SasNetSpec {
  /** Channels of the first stage; 16 in the paper. */
  readonly width: number;
  /** Which decoders there are; both in the paper. */
  readonly branches: "both" | "high" | "low";
  /** Layers of the low-level decoder: 4 starts from encoder stage 4, 3 (table 9) from stage 3. */
  readonly lowLayers: 4 | 3;
  /** Keep the transposed convolution that the released code declares in the low-level decoder and never runs. */
  readonly keepUnused: boolean;
  readonly dropout: boolean;
  readonly seed: number;
}

/** The paper's network. */
export const sasNetDefaults: Omit<SasNetSpec, "seed"> = {
  width: 16,
  branches: "both",
  lowLayers: 4,
  keepUnused: false,
  dropout: true,
};

/** SASNet; its outputs are listed high-level branch first, then low-level. */
export type SasNet = VNet;

/** Creates a SASNet. Names: "encoder.", "decoder2." (low-level), "decoder3." (high-level). */
export function createSasNet(spec: SasNetSpec): SasNet {
  const { width, dropout, seed, keepUnused, lowLayers } = spec;
  const head = { regression: "out_conv", segmentation: "out_conv2" };
  const high = { prefix: "decoder3.", from: 5, head } as const;
  const low = { prefix: "decoder2.", from: lowLayers, head, keepUnused } as const;
  const decoders = { both: [high, low], high: [high], low: [low] }[spec.branches];
  return createSegmenter({ width, dropout, seed, encoder: "encoder.", decoders });
}
