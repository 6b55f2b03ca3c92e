/**
 * What a figure needs of a run: plain records and typed arrays. A study extracts them where the networks are, a
 * report draws them without a tensor engine. Planes lie as on the page, row by row from the upper left corner.
 */
import type { CheckpointRule } from "../training/config.ts";
import type { Choice } from "./choice.ts";
import type { NetworkOutline } from "../network/outline.ts";
import type { Shape3, Triple } from "../volume/volume.ts";

/** A plane of a volume, as figures show it. */
export interface StoredPlane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
  /** Distance of pixel centres across and down, in millimetres. */
  readonly spacing: readonly [number, number];
  readonly letters?: {
    readonly left: string;
    readonly right: string;
    readonly top: string;
    readonly bottom: string;
  };
}

/** One prediction of a case. */
export interface StoredPrediction {
  /** "ensemble", "high", "low", or the axes of a view such as "yxz". */
  readonly name: string;
  /** Foreground probability in the slice of the case. */
  readonly probability: StoredPlane;
  /** One byte a voxel of the case, 0 or 1. */
  readonly mask: Uint8Array;
  /** Of the whole volume, as a fraction; null where neither mask has a voxel. */
  readonly dice: number | null;
}

/** A test case with what a run predicts for it. */
export interface StoredCase {
  readonly case: string;
  readonly shape: Shape3;
  /** Millimetres. */
  readonly spacing: Triple;
  /** Index of the plane perpendicular to z that holds most of the true label. */
  readonly slice: number;
  readonly image: StoredPlane;
  /** One byte a voxel, 0 or 1. */
  readonly truth: Uint8Array;
  readonly predictions: readonly StoredPrediction[];
}

/** Cases that were predicted, in the order of the test list. */
export interface PredictedCases {
  readonly cases: readonly StoredCase[];
}

/** What one branch does with a labelled crop at the end of training. */
export interface BranchMoment {
  /** Foreground probability P¹. */
  readonly probability: StoredPlane;
  /** C₍i−1₎ and C₍i−2₎: confidence in the true class at the last visit and at the one before. */
  readonly last: StoredPlane;
  readonly before: StoredPlane;
  /** P′ of eq. 4 and 5 for the foreground, in [0, 1 + α]. */
  readonly weighted: StoredPlane;
  /** C₍i₎ of eq. 7 and 8. */
  readonly confidence: StoredPlane;
  /** The regression's signed distance. */
  readonly distance: StoredPlane;
}

/**
 * SASNet on one labelled training crop, in evaluation mode with the last checkpoint. Each branch is weighted with its
 * own confidences, whatever the run's `sarIndex`.
 */
export interface TrainingMoment {
  readonly case: string;
  /** Rule of the memory: with "running" there is one remembered confidence, and `before` equals `last`. */
  readonly memory: "two" | "running";
  /** α of eq. 4. */
  readonly alpha: number;
  /** Share of the crop's voxels that training has visited. */
  readonly visited: number;
  readonly image: StoredPlane;
  readonly truth: StoredPlane;
  readonly high: BranchMoment;
  readonly low: BranchMoment;
  /** P_ensemble of eq. 6 and the mean of the branches, which unlabelled crops get. */
  readonly ensemble: StoredPlane;
  readonly mean: StoredPlane;
  /** The signed distance map of the ensemble's mask. */
  readonly sdm: StoredPlane;
}

/** A number of the log over the steps. */
export interface History {
  readonly steps: readonly number[];
  /** Null where a step has none. */
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** The feature maps of one decoder block. */
export interface FeatureBlock {
  /** Grid in voxels and channels of the block. */
  readonly grid: Shape3;
  readonly channels: number;
  /** Mean over the channels. */
  readonly mean: StoredPlane;
  /** The channels that vary most in the volume, strongest first. */
  readonly strongest: readonly { readonly channel: number; readonly plane: StoredPlane }[];
}

/** What figures need, by figure. */
export interface FigureContents {
  readonly figure1: PredictedCases;
  readonly figure2: { readonly network: NetworkOutline; readonly moment: TrainingMoment };
  readonly figure3: { readonly moment: TrainingMoment; readonly history: History };
  readonly figure5: { readonly case: Omit<StoredCase, "predictions" | "truth">; readonly mask: Uint8Array };
  readonly figure6: PredictedCases;
  readonly figure7: PredictedCases;
  readonly figure8: {
    readonly case: string;
    readonly image: StoredPlane;
    readonly truth: StoredPlane;
    readonly branches: readonly { readonly name: "high" | "low"; readonly blocks: readonly FeatureBlock[] }[];
  };
}

/** A figure that is drawn from runs. */
export type FigureKey = keyof FigureContents;

/** What is kept of a run for one figure. */
export interface StoredFigure<K extends FigureKey = FigureKey> {
  readonly format: 1;
  readonly figure: K;
  /** Name of the run folder and of its record. */
  readonly run: string;
  readonly choice: Choice;
  readonly checkpoint: { readonly rule: CheckpointRule; readonly step: number };
  readonly content: FigureContents[K];
}
