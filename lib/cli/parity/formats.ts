/** The JSON of the golden files, as far as the checks read it. */
import type { Permutation } from "../../data/dataset.ts";
import type { Range3 } from "../../data/preprocess.ts";
import type { Shape3, Triple } from "../../volume/volume.ts";

type Named<T> = Readonly<Record<string, T>>;
type Pair = readonly [number, number];

export interface SdmJson {
  readonly cases: Named<
    StatisticsJson & {
      readonly shape: Shape3;
      readonly foreground: number;
      readonly boundary_voxels: number;
    }
  >;
}

export interface MetricsJson {
  readonly cases: Named<{
    readonly shape: Shape3;
    readonly spacing: Triple | null;
    readonly dc: number | "nan";
    readonly jc: number | "nan";
    readonly hd95: number | null;
    readonly asd: number | null;
    readonly asd_reverse: number | null;
    /** Null where the released evaluation stops with an error. */
    readonly official_tuple: readonly (number | "nan")[] | null;
  }>;
  readonly largest_cc: { readonly components: number; readonly largest: number; readonly ties: number };
}

export interface ViewJson {
  readonly probability: Named<Named<number>>;
  readonly permutation: Named<unknown>;
  readonly default_view_without_transform: Named<number>;
  readonly cases: Named<{ readonly permutation: Permutation; readonly shape_out: Shape3 }>;
}

export interface SarJson {
  readonly figure4: {
    readonly alpha: number;
    readonly voxels: readonly {
      readonly prob_low: Pair;
      readonly prob_high: Pair;
      readonly gt: 0 | 1;
      readonly confidence_low: number;
      readonly confidence_high: number;
      readonly weighted_low: Pair;
      readonly weighted_high: Pair;
      readonly sum_without_sar: Pair;
      readonly sum_with_sar: Pair;
      readonly ratio_without: number;
      readonly ratio_with: number;
      readonly softmax_without: Pair;
      readonly softmax_with: Pair;
    }[];
  };
  readonly variants: Named<{
    readonly index: "branch" | "item";
    readonly memory: "two" | "running";
    readonly init: number;
  }>;
  readonly sequences: Named<{
    readonly patch: Shape3;
    readonly sizes: Named<Shape3>;
    readonly alpha: number;
    readonly visits: readonly {
      readonly names: readonly string[];
      readonly views: readonly number[];
      readonly locations: readonly Triple[];
    }[];
  }>;
}

export interface ScheduleJson {
  readonly ramp: {
    readonly official: Named<number>;
    readonly paper_text_epochs: { readonly values: Named<number> };
    readonly length_zero: number;
  };
  readonly two_stream: Named<{
    readonly labelled: number;
    readonly unlabelled: number;
    readonly batch_size: number;
    readonly labelled_bs: number;
    readonly batches_per_epoch: number;
    readonly labelled_seen_per_epoch: number;
    readonly labelled_left_out_per_epoch: number;
    readonly unlabelled_seen_per_epoch: number;
    readonly max_epoch_at_40000: number;
    readonly iterations_for_40_epochs: number;
  }>;
  readonly two_stream_replay: readonly {
    readonly batch_size: number;
    readonly unlabelled_bs: number;
    readonly primary_permutation: readonly number[];
    readonly secondary_permutations: readonly (readonly number[])[];
    readonly batches: readonly (readonly number[])[];
  }[];
}

export interface SlidingJson {
  readonly cases: Named<{
    readonly shape: Shape3;
    readonly patch: Shape3;
    readonly stride_xy: number;
    readonly stride_z: number;
    readonly pad_total: Triple;
    readonly pad_low: Triple;
    readonly pad_high: Triple;
    readonly padded_shape: Shape3;
    readonly starts: unknown;
    readonly patches: number;
    readonly count_min: number;
    readonly count_max: number;
    readonly count_sum: number;
    readonly count_profile: unknown;
    /** Only of cases whose tensors are recorded. */
    readonly foreground?: number;
  }>;
}

export interface PreprocessJson {
  readonly la: {
    readonly boxes: readonly BoxJson[];
    readonly small: Omit<BoxJson, "shape" | "box_official"> & {
      readonly mean: number;
      readonly std_population: number;
    };
  };
  readonly pancreas: {
    readonly window: Pair;
    readonly hu: readonly number[];
    readonly rescaled_0_1: readonly number[];
    readonly rescaled_minus1_1: readonly number[];
    readonly boxes: readonly {
      readonly shape: Shape3;
      readonly foreground_first_last: Range3;
      readonly margins: Triple;
      readonly box_last_included: unknown;
    }[];
  };
  readonly random_crop: {
    readonly cases: readonly {
      readonly shape: Shape3;
      readonly patch: Shape3;
      readonly pad_each_side: Triple;
      readonly start_exclusive_max: Triple;
    }[];
  };
}

interface BoxJson {
  readonly shape: Shape3;
  readonly foreground_first_last: Range3;
  readonly margins: readonly number[];
  readonly size: Shape3;
  readonly box_xyz: unknown;
  /** The released script keeps all slices. */
  readonly box_official: unknown;
}

export interface ComplexityJson {
  readonly models: Named<
    Named<{
      readonly parameters: number;
      readonly conv_weights: number;
      readonly conv_macs: number;
      readonly conv_macs_transposed_at_output: number;
      readonly bias_adds: number;
      readonly batchnorm_ops: number;
      readonly relu_ops: number;
      readonly ptflops_style: number;
    }>
  >;
}

export interface LossesJson {
  readonly values: Named<number>;
  readonly beta: number;
  readonly T: number;
  readonly gamma: Named<number>;
  readonly sharpening: Named<readonly number[]>;
  readonly dice_no_foreground_label: number;
  readonly dice_all_zero: number;
  /** Its keys name every gradient that is recorded. */
  readonly float32_vs_float64: { readonly grads: Named<unknown> };
}

export interface NetworkJson {
  readonly n_filters: number;
  readonly loss: number;
  /** Every name of the official state with its shape, in its order. */
  readonly state_dict_order: Named<readonly number[]>;
  readonly num_batches_tracked: { readonly before: number; readonly after: number };
  readonly output_stats: Named<Named<StatisticsJson>>;
  readonly gradient_stats: Named<StatisticsJson>;
  readonly parameters_without_gradient: readonly string[];
  readonly zero_gradient_by_batchnorm: readonly string[];
}

export interface StatisticsJson {
  readonly mean: number;
  readonly l2: number;
  readonly max: number;
  readonly min: number;
}

export interface TrainingJson {
  readonly n_filters: number;
  readonly patch: Shape3;
  readonly dataset: string;
  readonly labelled_bs: number;
  readonly sharpen_T: number;
  readonly alpha: number;
  readonly beta: number;
  readonly sgd: { readonly lr: number; readonly momentum: number; readonly weight_decay: number };
  readonly steps: readonly {
    readonly iteration: number;
    readonly names: readonly string[];
    readonly views: readonly number[];
    readonly locations: readonly Triple[];
    readonly img_sizes: readonly Shape3[];
  }[];
  readonly variants: Named<{
    readonly options: {
      readonly ce: boolean;
      readonly index: "branch" | "item";
      readonly memory: "two" | "running";
      readonly init: number;
    };
    readonly steps: readonly {
      readonly terms: {
        readonly dice: number;
        readonly ce: number;
        readonly plc: number;
        readonly src: number;
        readonly total: number;
      };
      readonly ramp: number;
      readonly grad_l2?: number;
      readonly foreground_voxels?: readonly number[];
      readonly memory?: Named<readonly StatisticsJson[]>;
    }[];
    readonly final_stats?: Named<StatisticsJson>;
    readonly final_change_l2?: Named<number>;
    /** The keys of `kept` name the final tensors that are recorded in full. */
    readonly float32_vs_float64?: { readonly kept: Named<unknown> };
  }>;
}
