/** Everything that determines a run, and its identity. */
import type { ProfileName } from "../data/dataset.ts";
import type { Hyperparameters, Variant } from "../methods/method.ts";
import type { OptimiserSettings } from "../methods/optimiser_settings.ts";
import type { Shape3 } from "../volume/volume.ts";

/** Iterations of each profile; ramp-ups scale with them. */
export const iterationsOf: Readonly<Record<ProfileName, number>> = { smoke: 20, mini: 3000, paper: 40000 };

/** A complete run declaration; two runs with equal configurations give equal numbers on one machine. */
export interface RunConfig {
  readonly method: string;
  readonly variant: Variant;
  readonly dataset: string;
  readonly profile: ProfileName;
  /** Labelled cases: the first ones of the training list. */
  readonly labelled: number;
  /** Names of the training and test cases, in order. */
  readonly train: readonly string[];
  readonly test: readonly string[];
  readonly seed: number;
  readonly iterations: number;
  readonly width: number;
  readonly crop: Shape3;
  readonly stride: Shape3;
  readonly labelledPerBatch: number;
  readonly unlabelledPerBatch: number;
  /** Of the segmenter; a network beside it has its method's own. */
  readonly optimiser: OptimiserSettings;
  readonly hyperparameters: Hyperparameters;
}

/** SHA-256 over the configuration with sorted keys, in hexadecimal. */
export async function configHash(config: RunConfig): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(sorted(config)));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A readable name with the first digits of the hash, for example "sasnet-la-8-mini-seed1-3f9a12". */
export async function runName(config: RunConfig): Promise<string> {
  const { method, dataset, labelled, profile, seed } = config;
  return `${method}-${dataset}-${labelled}-${profile}-seed${seed}-${(await configHash(config)).slice(0, 6)}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, inner]) => [key, sorted(inner)]),
  );
}
