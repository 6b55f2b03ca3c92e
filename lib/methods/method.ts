/**
 * The seam that every method of the paper's tables fits: a method is the loss of one batch. It owns its networks,
 * its own hyper-parameters, its named loss terms, and what happens after a step. It never sees files, loops,
 * optimisers, logging or evaluation.
 */
import type { Augmentation, BatchItem } from "../data/batch.ts";
import type { Dataset } from "../data/dataset.ts";
import type { tf } from "../engine/tensor.ts";
import type { Network } from "../network/network.ts";
import type { RandomStream } from "../random.ts";

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
  /** The first step is 1, as the released code counts. */
  readonly iteration: number;
  /** Of the whole run. */
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
  readonly iterations: number;
  /** Labelled cases of the run. */
  readonly labelledCases: number;
  readonly labelledPerBatch: number;
  /** False switches dropout off, for comparisons with recorded numbers. */
  readonly dropout: boolean;
}

/** A method in a run. */
export interface MethodRun {
  /** By name, as checkpoints store them. */
  readonly networks: Readonly<Record<string, Network>>;
  /** Names of the networks that the run's optimiser trains. */
  readonly trained: readonly string[];
  /** The loss of one batch, on the tape. */
  loss(batch: TensorBatch, step: StepContext): Terms;
  /** What follows the optimiser's step, for example a teacher's moving average. */
  afterStep?(step: StepContext): void;
  /** Foreground probability [n, x, y, z] of a prediction. */
  predict(images: tf.Tensor5D): tf.Tensor4D;
  /** The branches of `predictBranches`. */
  readonly branchNames?: readonly string[];
  /** The predictions of the branches, where there are several, for figures. */
  predictBranches?(
    images: tf.Tensor5D,
  ): readonly { readonly name: string; readonly probability: tf.Tensor4D }[];
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
  /** Paper and, where one exists, public code. */
  readonly source: string;
  /** Tables of the paper with a row of this method. */
  readonly tables: readonly number[];
  /** False for a method that reads labelled cases only. */
  readonly usesUnlabelled: boolean;
  readonly augmentation: (dataset: Dataset, hyperparameters: H) => Augmentation;
  /** What is this method's own, per variant. */
  readonly defaults: (variant: Variant) => H;
  /** The values that a text hyper-parameter may take. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
  create(setting: MethodSetting<H>): MethodRun;
}
