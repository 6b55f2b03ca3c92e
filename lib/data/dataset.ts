/**
 * The three data sets of the paper and their phantoms as declarations: what is segmented, crop and width
 * of each profile, strides of the sliding window, split sizes, numbers of labelled cases, views.
 */
import { unknownName } from "../errors.ts";
import type { Shape3, Triple } from "../volume/volume.ts";
import type { PhantomKind } from "./phantom.ts";

/** Axis j of the result is axis `permutation[j]` of the volume. */
export type Permutation = readonly [number, number, number];

/** One view of eq. 10: a permutation of the axes, and how often training draws it. */
export interface View {
  /** The released code's number of this view in this data set. */
  readonly code: number;
  readonly permutation: Permutation;
  readonly probability: number;
}

/** Keys of the data sets. */
export const datasetNames = [
  "la",
  "pancreas",
  "brats",
  "phantom",
  "phantom-la",
  "phantom-pancreas",
  "phantom-brats",
] as const;
export type DatasetName = typeof datasetNames[number];

/** How large an experiment is: seconds, hours on a small machine, or the paper's size. */
export const profileNames = ["smoke", "mini", "paper"] as const;
export type ProfileName = typeof profileNames[number];

/** The size of one profile. */
export interface DatasetProfile {
  /** Crop in voxels; a multiple of 16 on each axis, because the encoder halves four times. */
  readonly crop: Shape3;
  /** Step of the sliding window in voxels. */
  readonly stride: Shape3;
  /** Base width F of the network. */
  readonly width: number;
  /** Voxel size of the volumes in millimetres. */
  readonly spacing: Triple;
}

/** A number of labelled training cases as the tables name it. */
export interface LabelCount {
  /** Percentage in the table's heading. */
  readonly percent: number;
  readonly cases: number;
}

/** What a data set is. */
export interface Dataset {
  readonly name: DatasetName;
  /** As the paper prints it. */
  readonly title: string;
  /** Name of the foreground class. */
  readonly foreground: string;
  readonly modality: string;
  /** Published numbers of cases; BraTS has validation cases besides. */
  readonly split: { readonly train: number; readonly validation: number; readonly test: number };
  /** Labelled cases of the paper's two settings: the first ones of the training list. */
  readonly labelled: readonly LabelCount[];
  readonly views: readonly View[];
  /** How methods without view variance augment this data set, beside the random crop. */
  readonly baselineAugmentation: "flips" | "none";
  readonly profiles: Readonly<Record<ProfileName, DatasetProfile>>;
  /** What the kit draws where the cases are not read from files. */
  readonly drawn?: PhantomKind;
}

const laViews: readonly View[] = [
  { code: 0, permutation: [1, 0, 2], probability: 1 / 2 },
  { code: 1, permutation: [0, 1, 2], probability: 1 / 2 },
];

const cubicViews: readonly View[] = [
  { code: 0, permutation: [0, 2, 1], probability: 1 / 3 },
  { code: 1, permutation: [2, 1, 0], probability: 1 / 3 },
  { code: 2, permutation: [0, 1, 2], probability: 1 / 3 },
];

const cubicStride: Shape3 = [16, 16, 16];

/** Left atrium, 100 gadolinium-enhanced MR volumes (paper 4.1). `mini` reads volumes averaged to 1.25 mm. */
export const la: Dataset = {
  name: "la",
  title: "LA",
  foreground: "left atrium",
  modality: "MR",
  split: { train: 80, validation: 0, test: 20 },
  labelled: [{ percent: 10, cases: 8 }, { percent: 20, cases: 16 }],
  views: laViews,
  baselineAugmentation: "flips",
  profiles: {
    smoke: { crop: [32, 32, 16], stride: [18, 18, 4], width: 4, spacing: [1.25, 1.25, 1.25] },
    mini: { crop: [64, 64, 32], stride: [18, 18, 4], width: 8, spacing: [1.25, 1.25, 1.25] },
    paper: { crop: [112, 112, 80], stride: [18, 18, 4], width: 16, spacing: [0.625, 0.625, 0.625] },
  },
};

/** NIH Pancreas-CT, 82 volumes of which two were withdrawn as duplicates (paper 4.1). */
const pancreas: Dataset = {
  name: "pancreas",
  title: "Pancreas-CT",
  foreground: "pancreas",
  modality: "CT",
  split: { train: 62, validation: 0, test: 20 },
  labelled: [{ percent: 10, cases: 6 }, { percent: 20, cases: 12 }],
  views: cubicViews,
  baselineAugmentation: "none",
  profiles: {
    smoke: { crop: [32, 32, 32], stride: cubicStride, width: 4, spacing: [2, 2, 2] },
    mini: { crop: [48, 48, 48], stride: cubicStride, width: 8, spacing: [2, 2, 2] },
    paper: { crop: [96, 96, 96], stride: cubicStride, width: 16, spacing: [1, 1, 1] },
  },
};

/** BraTS 2019, whole tumour on 335 FLAIR volumes (paper 4.1). */
const brats: Dataset = {
  name: "brats",
  title: "BraTS",
  foreground: "whole tumour",
  modality: "FLAIR MR",
  split: { train: 250, validation: 25, test: 60 },
  labelled: [{ percent: 10, cases: 25 }, { percent: 20, cases: 50 }],
  views: cubicViews,
  baselineAugmentation: "flips",
  profiles: {
    smoke: { crop: [32, 32, 32], stride: cubicStride, width: 4, spacing: [2, 2, 2] },
    mini: { crop: [48, 48, 48], stride: cubicStride, width: 8, spacing: [2, 2, 2] },
    paper: { crop: [96, 96, 96], stride: cubicStride, width: 16, spacing: [1, 1, 1] },
  },
};

/** Plain synthetic atria, learnt in minutes: the demo, smoke runs and tests need no download. */
export const phantom: Dataset = {
  name: "phantom",
  title: "Phantom",
  foreground: "plain synthetic left atrium",
  modality: "synthetic MR",
  split: { train: 20, validation: 0, test: 6 },
  labelled: [{ percent: 10, cases: 2 }, { percent: 20, cases: 4 }],
  views: laViews,
  baselineAugmentation: "flips",
  profiles: {
    smoke: { crop: [32, 32, 16], stride: [32, 32, 16], width: 4, spacing: [1.25, 1.25, 1.25] },
    mini: { crop: [48, 48, 32], stride: [16, 16, 4], width: 8, spacing: [1.25, 1.25, 1.25] },
    paper: { crop: [64, 64, 32], stride: [16, 16, 4], width: 16, spacing: [1.25, 1.25, 1.25] },
  },
  drawn: "plain",
};

/** Synthetic atria at 1.25 mm as hard as real ones, treated as LA. */
const phantomLa: Dataset = {
  ...phantom,
  name: "phantom-la",
  title: "Phantom (atrium)",
  foreground: "synthetic left atrium",
  profiles: {
    smoke: { crop: [32, 32, 16], stride: [18, 18, 8], width: 4, spacing: [1.25, 1.25, 1.25] },
    mini: { crop: [64, 64, 32], stride: [18, 18, 4], width: 8, spacing: [1.25, 1.25, 1.25] },
    paper: { crop: [64, 64, 32], stride: [18, 18, 4], width: 16, spacing: [1.25, 1.25, 1.25] },
  },
  drawn: "atrium",
};

/** At 2 mm the paper's crop of 96 mm has 48 voxels a side. */
const coarseProfiles: Dataset["profiles"] = {
  smoke: { crop: [32, 32, 32], stride: [24, 24, 24], width: 4, spacing: [2, 2, 2] },
  mini: { crop: [48, 48, 48], stride: cubicStride, width: 8, spacing: [2, 2, 2] },
  paper: { crop: [48, 48, 48], stride: [8, 8, 8], width: 16, spacing: [2, 2, 2] },
};

/** Synthetic pancreases at 2 mm, treated as Pancreas-CT. */
const phantomPancreas: Dataset = {
  name: "phantom-pancreas",
  title: "Phantom (pancreas)",
  foreground: "synthetic pancreas",
  modality: "synthetic CT",
  split: { train: 20, validation: 0, test: 6 },
  labelled: [{ percent: 10, cases: 2 }, { percent: 20, cases: 4 }],
  views: cubicViews,
  baselineAugmentation: "none",
  profiles: coarseProfiles,
  drawn: "pancreas",
};

/** Synthetic brain tumours at 2 mm, treated as BraTS. */
const phantomBrats: Dataset = {
  name: "phantom-brats",
  title: "Phantom (tumour)",
  foreground: "synthetic whole tumour",
  modality: "synthetic FLAIR MR",
  split: { train: 20, validation: 0, test: 6 },
  labelled: [{ percent: 10, cases: 2 }, { percent: 20, cases: 4 }],
  views: cubicViews,
  baselineAugmentation: "flips",
  profiles: coarseProfiles,
  drawn: "tumour",
};

/** All data sets by key. */
export const datasets: Readonly<Record<DatasetName, Dataset>> = {
  la,
  pancreas,
  brats,
  phantom,
  "phantom-la": phantomLa,
  "phantom-pancreas": phantomPancreas,
  "phantom-brats": phantomBrats,
};

/** The drawn data set of the same organ; a drawn one stands for itself. */
export function standInOf(dataset: Dataset): Dataset {
  const { la, pancreas, brats } = datasets;
  if (dataset === la) return phantomLa;
  if (dataset === pancreas) return phantomPancreas;
  return dataset === brats ? phantomBrats : dataset;
}

/**
 * The declaration of a data set.
 *
 * @throws InputError for an unknown key.
 */
export function datasetOf(name: string): Dataset {
  const dataset = Object.hasOwn(datasets, name) ? datasets[name as DatasetName] : undefined;
  if (dataset === undefined) throw unknownName("data set", name, datasetNames);
  return dataset;
}

/**
 * The size of a profile.
 *
 * @throws InputError for an unknown profile.
 */
export function profileOf(dataset: Dataset, profile: string): DatasetProfile {
  if (!Object.hasOwn(dataset.profiles, profile)) throw unknownName("profile", profile, profileNames);
  return dataset.profiles[profile as ProfileName];
}
