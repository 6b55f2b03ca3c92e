/**
 * The seam that every method of the paper's tables fits: a method is the loss of one batch. It owns its networks,
 * its own hyper-parameters, its named loss terms, and what happens after a step. It never sees files, loops,
 * optimisers at work, logging or evaluation. Critics, pre-training and the like are further losses, each with the
 * networks that it moves.
 */
import type { Augmentation, BatchItem } from "../data/batch.ts";
import type { Dataset } from "../data/dataset.ts";
import type { tf } from "../engine/tensor.ts";
import type { Network } from "../network/network.ts";
import type { RandomStream } from "../random.ts";
import type { Shape3 } from "../volume/volume.ts";
import type { Limits } from "./limits.ts";
import type { OptimiserSettings } from "./optimiser_settings.ts";

/** The two variants of every disputed point: the paper's equations, or the released code. */
export type Variant = "paper" | "official";

/** Values that users set with `--set key=value`. */
export type Hyperparameters = Readonly<Record<string, string | number | boolean>>;

/** A batch on the engine. */
export interface TensorBatch {
  /** [labelled then unlabelled, x, y, z, 1] */
  readonly images: tf.Tensor5D;
  /** 0 or 1, [labelled, x, y, z] */
  readonly labels: tf.Tensor4D;
  /** The same labels as bytes, for work outside of the engine. */
  readonly labelBytes: Uint8Array;
  readonly items: readonly BatchItem[];
  /** How many of the items are labelled. */
  readonly labelled: number;
}

/** Where a run stands. */
export interface StepContext {
  /** Of the phase; the first step is 1, as the released code counts. */
  readonly iteration: number;
  /** Steps of the phase. */
  readonly iterations: number;
  /** A random stream for one purpose of this step. */
  stream(name: string): RandomStream;
}

/** One named part of the loss. */
export interface Term {
  readonly weight: number;
  readonly value: tf.Scalar;
}

/** The parts of a loss; the total is Σ weight·value. */
export type Terms = Readonly<Record<string, Term>>;

/** An array of a method's own state, for the checkpoint. */
export interface StateArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Uint16Array;
}

/** What a method is told when a run begins. */
export interface MethodSetting<H> {
  readonly hyperparameters: H;
  readonly dataset: Dataset;
  /** Base width F of the networks. */
  readonly width: number;
  readonly seed: number;
  /** Steps of the segmenter. */
  readonly iterations: number;
  readonly crop: Shape3;
  /** Labelled cases of the run. */
  readonly labelledCases: number;
  readonly labelledPerBatch: number;
  /** False switches dropout off, for comparisons with recorded numbers. */
  readonly dropout: boolean;
}

/** One loss and the networks that it moves. */
export interface Objective {
  /** Unique within its phase; "" for the main one. Its terms are logged as "name.term". */
  readonly name: string;
  /** Names of the networks that it moves; no other network has an optimiser state for it. */
  readonly trains: readonly string[];
  /** "run": the settings of the run, which are the segmenter's. */
  readonly optimiser: "run" | OptimiserSettings;
  /** How often it is minimised in this step (default once). */
  repeats?(step: StepContext): number;
  loss(batch: TensorBatch, step: StepContext, repeat: number): Terms;
}

/** Consecutive steps with objectives of their own, each minimised in turn in every step. */
export interface Phase {
  readonly name: string;
  readonly steps: number;
  /** True where the steps come on top of the run's budget, because they do not train the segmenter. */
  readonly extra?: boolean;
  readonly objectives: readonly Objective[];
  afterStep?(step: StepContext): void;
  /** What follows its last step. */
  end?(): void;
}

/** A method in a run. */
export interface MethodRun {
  /** All networks by name, as checkpoints store them: teachers and critics, too. */
  readonly networks: Readonly<Record<string, Network>>;
  /** Names of the networks that `loss` moves, with the run's optimiser. */
  readonly trained: readonly string[];
  /** The loss of one batch, on the tape. */
  loss(batch: TensorBatch, step: StepContext): Terms;
  /** Objectives that follow it in every step: critics, classifiers. */
  readonly further?: readonly Objective[];
  /** Phases in front of the training proper: pre-training. */
  readonly phases?: readonly Phase[];
  /** What follows the optimisers' steps, for example a teacher's moving average. */
  afterStep?(step: StepContext): void;
  /** The layers that a prediction runs, for cost tables (default: those of the trained networks). */
  readonly predictor?: Network;
  /** Foreground probability [n, x, y, z] of a prediction. */
  predict(images: tf.Tensor5D): tf.Tensor4D;
  /** The branches of `predictBranches`. */
  readonly branchNames?: readonly string[];
  /** The predictions of the branches, where there are several, for figures. */
  predictBranches?(
    images: tf.Tensor5D,
  ): readonly { readonly name: string; readonly probability: tf.Tensor4D }[];
  /** Numbers of the last step beside its loss, for the log. */
  readings?(): Readonly<Record<string, number>>;
  /** How `predict` comes of the branches' probabilities, where it does: one pass then gives both. */
  readonly combination?: "mean" | "first";
  /** State beside the networks. */
  saveState?(): ReadonlyMap<string, StateArray>;
  loadState?(state: ReadonlyMap<string, StateArray>): void;
}

/** A row of the paper's tables. */
export interface Method<H extends Hyperparameters = Hyperparameters> {
  /** What users type. */
  readonly key: string;
  /** The label of the tables' rows, exactly. */
  readonly name: string;
  /** Where it was published, for example "MICCAI 2019". */
  readonly venue: string;
  /** Paper and, where one exists, public code. */
  readonly source: string;
  /** Tables of the paper with a row of this method. */
  readonly tables: readonly number[];
  /** Names of the terms that learn from unlabelled crops; none for a method that reads labelled cases only. */
  readonly unlabelledTerms: readonly string[];
  /** Settings that switch these terms off, for example ["consistency=0"]. */
  readonly supervisedOnly: readonly string[];
  /** How crops vary (default: the data set's augmentation of all methods but SASNet). */
  readonly augmentation?: (dataset: Dataset, hyperparameters: H) => Augmentation;
  /** What is this method's own, per variant. */
  readonly defaults: (variant: Variant) => H;
  /** The values that a text hyper-parameter may take. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
  /** What a number may be, where it may not be everything from 0 on. */
  readonly limits?: Readonly<Record<string, Limits>>;
  /** The optimiser of the method's own publication, for `--recipe native`, where it is not the kit's. */
  readonly nativeOptimiser?: (dataset: Dataset) => OptimiserSettings;
  /** An operation that only libtensorflow computes, where the method needs one. */
  readonly nativeOperation?: string;
  /** Why the method cannot run in this setting; undefined where it can. */
  readonly refuses?: (setting: MethodSetting<H>) => string | undefined;
  create(setting: MethodSetting<H>): MethodRun;
}

/** How a method's crops vary. */
export function augmentationOf(
  { augmentation }: Method,
  dataset: Dataset,
  hyperparameters: Hyperparameters,
): Augmentation {
  return augmentation?.(dataset, hyperparameters) ?? dataset.baselineAugmentation;
}
