/** What the demo hands to its report: plain records and arrays. */
import type { Shape3, Triple } from "../volume/volume.ts";

/** A trained and evaluated method. */
export interface DemoMethod {
  readonly name: string;
  readonly labelled: number;
  readonly unlabelled: number;
  readonly parameters: number;
  /** Training time. */
  readonly seconds: number;
  readonly steps: readonly number[];
  /** Values over the steps, by name of the loss term. */
  readonly terms: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly {
    readonly case: string;
    readonly dice: number | null;
    readonly jaccard: number;
    readonly hd95: number | null;
    readonly asd: number | null;
  }[];
}

/** Volumes of one case on one grid. */
export interface DemoCase {
  readonly name: string;
  readonly shape: Shape3;
  readonly spacing: Triple;
  readonly image: Float32Array;
  readonly label: Uint8Array;
  /** Foreground probabilities by name of the column: a method, or a branch of SASNet. */
  readonly predictions: readonly {
    readonly name: string;
    readonly probability: Float32Array;
    readonly dice: number | null;
  }[];
}

/** SASNet's inner maps on one labelled training case. */
export interface DemoInner {
  readonly name: string;
  readonly shape: Shape3;
  readonly spacing: Triple;
  readonly image: Float32Array;
  readonly label: Uint8Array;
  /** Remembered confidences of the branches. */
  readonly confidence: { readonly high: Float32Array; readonly low: Float32Array };
  /** Figure 5's stages for the ensemble's mask. */
  readonly mask: Uint8Array;
  readonly boundary: Uint8Array;
  readonly positive: Float32Array;
  readonly negative: Float32Array;
  readonly sdm: Float32Array;
}

/** All of the demo. */
export interface DemoRecord {
  readonly title: string;
  readonly lead: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly methods: readonly DemoMethod[];
  readonly cases: readonly DemoCase[];
  readonly inner: DemoInner | undefined;
  /** Scale, seeds, checkpoint rule, metric definition, command. */
  readonly caption: readonly string[];
}
