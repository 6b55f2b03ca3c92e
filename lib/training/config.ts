/** Everything that determines a run, and its identity. */
import type { ProfileName } from "../data/dataset.ts";
import type { Hyperparameters, Variant } from "../methods/method.ts";
import type { OptimiserSettings } from "../methods/optimiser_settings.ts";
import type { Shape3 } from "../volume/volume.ts";

/** Iterations of each profile; ramp-ups scale with them. */
export const iterationsOf: Readonly<Record<ProfileName, number>> = { smoke: 20, mini: 3000, paper: 40000 };

/** Steps between two looks of each profile, and how many training cases choose a checkpoint. */
export const selectionOf: Readonly<Record<ProfileName, { readonly every: number; readonly cases: number }>> =
  {
    smoke: { every: 10, cases: 2 },
    mini: { every: 300, cases: 4 },
    paper: { every: 400, cases: 4 },
  };

/** Cases that may choose a checkpoint; their names are keys of what a look reports. */
export const selectors = ["validation", "test"] as const;
export type Selector = typeof selectors[number];

/** Which checkpoint of a run is measured. */
export const checkpointRules = ["last", "best-on-test", "validation"] as const;
export type CheckpointRule = typeof checkpointRules[number];

/**
 * The checkpoints that a run keeps beside the last one: those with the best mean Dice on other cases, at which it looks
 * while it trains. Looking changes nothing of the training.
 */
export interface Selection {
  /** Steps between two looks; the last step is looked at too. */
  readonly every: number;
  /** Step of the sliding window in a look: a whole crop. An evaluation has the run's own, which is finer. */
  readonly stride: Shape3;
  /**
   * The data set's own validation cases, or else training cases behind the labelled ones: their images are trained on
   * as unlabelled, their labels only choose. None where all cases are labelled.
   */
  readonly validation: readonly string[];
  /** Whether the test cases choose a checkpoint of their own, as in the released code: no fair estimate. */
  readonly test: boolean;
}

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
  /** Absent where the last checkpoint is all that is kept. */
  readonly selection?: Selection;
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
