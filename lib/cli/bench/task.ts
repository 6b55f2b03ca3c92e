/** What is measured: the works, their sizes, and what each is compared with. */
import type { Shape3 } from "../../volume/volume.ts";

/** The works, in the order of `all`. */
export const works = [
  "step",
  "forward",
  "predict",
  "scan",
  "sdm",
  "metrics",
  "read",
  "nifti",
  "prepare",
  "prepare-brats",
  "start",
] as const;
export type Work = typeof works[number];

/** One work at one size, as both sides are told it. */
export interface BenchTask {
  /** "windows": of a scan, alone. Of the roofline: "product" of matrices and "sum" of arrays. */
  readonly work: Work | "windows" | "product" | "sum";
  /** The crop, or the size of the window. */
  readonly size: Shape3;
  readonly width: number;
  readonly batch: number;
  /** An h5 file with `image` and `label`, to prepare the folder of a raw case; empty where the work reads none. */
  readonly file: string;
  /** For the peer that prepares: the steps of the public scripts alone, without hashes and fingerprint. */
  readonly bare?: true;
}

/** What a work is. */
export interface WorkFacts {
  /** One line for the help. */
  readonly what: string;
  /** Its Python original; none for what only the kit does. */
  readonly peer?: string;
  /** The size where none is given. */
  readonly size: Shape3;
  readonly repeat: number;
  readonly readsFile: boolean;
  /** Whether its original needs SimpleITK or nibabel, and none of the others. */
  readonly needsSimpleItk?: true;
}

const crop: Shape3 = [64, 64, 32];
const paperCrop: Shape3 = [112, 112, 80];

/** The step of the sliding window on left-atrium volumes, as in the released test code. */
export const windowStride: Shape3 = [18, 18, 4];

/** What each work is. */
export const workFacts: Readonly<Record<Work, WorkFacts>> = {
  step: {
    what: "a training step of SASNet with SAR and signed distance maps",
    peer: "PyTorch with SciPy and scikit-image",
    size: crop,
    repeat: 5,
    readsFile: false,
  },
  forward: {
    what: "one crop through both branches",
    peer: "PyTorch",
    size: crop,
    repeat: 5,
    readsFile: false,
  },
  predict: {
    what: "a whole volume by sliding windows, stride 18×18×4",
    peer: "PyTorch",
    size: paperCrop,
    repeat: 1,
    readsFile: true,
  },
  scan: {
    what: "the verb predict from a scan's file to its mask's file, beside its windows alone",
    peer: "its windows alone",
    size: [48, 48, 48],
    repeat: 3,
    readsFile: false,
  },
  sdm: {
    what: "the signed distance map of one crop",
    peer: "SciPy and scikit-image",
    size: crop,
    repeat: 5,
    readsFile: false,
  },
  metrics: {
    what: "the four measures of one pair of masks",
    peer: "medpy",
    size: crop,
    repeat: 5,
    readsFile: false,
  },
  read: { what: "reading an h5 volume", peer: "h5py", size: crop, repeat: 5, readsFile: true },
  nifti: {
    what: "reading a gzip NIfTI of 240×240×155 float32, the size of BraTS",
    peer: "nibabel",
    size: [240, 240, 155],
    repeat: 5,
    readsFile: false,
    needsSimpleItk: true,
  },
  prepare: {
    what: "a raw CT of 0.75×0.75×1.25 mm and its label to a case of Pancreas-CT, from NIfTI to h5",
    peer: "SimpleITK, NumPy and h5py",
    size: [512, 512, 208],
    repeat: 3,
    readsFile: false,
    needsSimpleItk: true,
  },
  "prepare-brats": {
    what: "a raw FLAIR of 1 mm and its label to a case of BraTS, from NIfTI to h5",
    peer: "SimpleITK, NumPy and h5py",
    size: [240, 240, 155],
    repeat: 5,
    readsFile: false,
    needsSimpleItk: true,
  },
  start: {
    what: "the verb train from its start until its first step is saved, smallest profile",
    size: [32, 32, 16],
    repeat: 3,
    readsFile: false,
  },
};
