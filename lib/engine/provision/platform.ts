/**
 * Which build of the native tensor library belongs to which machine: the wheels, pinned by version and hash, and what
 * is taken out of them. This is the only place to edit when the library moves to another version.
 */

import { EnvironmentError } from "../../errors.ts";

/** `cpu` runs on the processor; `cuda` also on an NVIDIA GPU and without one falls back to the processor. */
export type Variant = "cpu" | "cuda";

/** A wheel, as pip names it, pinned. Sizes in bytes. */
export interface Wheel {
  /** Project name and version for pip, as in `tensorflow-cpu==2.18.1`. */
  readonly requirement: string;
  /** pip's platform tag. */
  readonly tag: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Bytes of what is unpacked from it. */
  readonly unpackedBytes: number;
}

/** The native library for one variant and machine. */
export interface Library {
  readonly version: string;
  readonly variant: Variant;
  /** For example `linux-x86_64`. */
  readonly platform: string;
  readonly wheel: Wheel;
  /** File names in the wheel's `tensorflow` folder; the binding is linked with them in this order. */
  readonly files: readonly string[];
  /** More wheels that are installed beside the library, as lines of a requirements file with hashes. */
  readonly companions: readonly string[];
  /** Rough size of the companions, unpacked, in bytes. */
  readonly companionBytes: number;
  /** False where nobody has run this build yet. */
  readonly tested: boolean;
}

const version = "2.18.1";
const linuxFiles = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
const macFiles = ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"];

/** The wheel's `and-cuda` extra. They are looked up by the library's run path in `../nvidia`. */
const nvidiaWheels = [
  "nvidia-cublas-cu12==12.5.3.2 --hash=sha256:ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b",
  "nvidia-cuda-cupti-cu12==12.5.82 --hash=sha256:bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953",
  "nvidia-cuda-nvcc-cu12==12.5.82 --hash=sha256:b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0",
  "nvidia-cuda-nvrtc-cu12==12.5.82 --hash=sha256:3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd",
  "nvidia-cuda-runtime-cu12==12.5.82 --hash=sha256:3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115",
  "nvidia-cudnn-cu12==9.3.0.75 --hash=sha256:9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d",
  "nvidia-cufft-cu12==11.2.3.61 --hash=sha256:9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8",
  "nvidia-curand-cu12==10.3.6.82 --hash=sha256:2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536",
  "nvidia-cusolver-cu12==11.6.3.83 --hash=sha256:93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b",
  "nvidia-cusparse-cu12==12.5.1.3 --hash=sha256:016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752",
  "nvidia-nccl-cu12==2.21.5 --hash=sha256:8579076d30a8c24988834445f8d633c697d42397e92ffc3f63fa26766d25e0a0",
  "nvidia-nvjitlink-cu12==12.5.82 --hash=sha256:f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212",
];

const base = { version, variant: "cpu", files: linuxFiles, companions: [], companionBytes: 0 } as const;

/**
 * Every build that exists. `tensorflow-cpu` is published for x86-64 alone; elsewhere the wheel called `tensorflow` is
 * the processor build. For Intel Macs and Windows there is no wheel of this version with these libraries.
 */
export const libraries: readonly Library[] = [
  {
    ...base,
    platform: "linux-x86_64",
    wheel: {
      requirement: `tensorflow-cpu==${version}`,
      tag: "manylinux2014_x86_64",
      sha256: "810c75d7149d2da0cb2092187817b0dcabb80728ca9f9cf3a61f3f42fadd1298",
      bytes: 230_236_181,
      unpackedBytes: 684_000_000,
    },
    tested: true,
  },
  {
    ...base,
    variant: "cuda",
    platform: "linux-x86_64",
    wheel: {
      requirement: `tensorflow==${version}`,
      tag: "manylinux2014_x86_64",
      sha256: "c9f87e5d2a680a4595f5dc30daf6bbaec9d4129b46d7ef1b2af63c46ac7d2828",
      bytes: 615_510_377,
      unpackedBytes: 1_253_000_000,
    },
    companions: nvidiaWheels,
    companionBytes: 3_500_000_000,
    tested: false,
  },
  {
    ...base,
    platform: "linux-aarch64",
    wheel: {
      requirement: `tensorflow==${version}`,
      tag: "manylinux2014_aarch64",
      sha256: "8a6485edd2148f70d011dbd1d8dc2c775e91774a5a159466e83d0d1f21580944",
      bytes: 231_937_898,
      unpackedBytes: 768_000_000,
    },
    tested: false,
  },
  {
    ...base,
    platform: "darwin-aarch64",
    wheel: {
      requirement: `tensorflow==${version}`,
      tag: "macosx_12_0_arm64",
      sha256: "661029cd769b311db910b79a3a6ef50a5a61ecc947172228c777a49989722508",
      bytes: 239_549_037,
      unpackedBytes: 657_000_000,
    },
    files: macFiles,
    tested: false,
  },
];

/** The C++ compiler that pip can bring where the machine has none; about 80 MB to download. */
export const ziglang = {
  version: "0.14.1",
  /** Unpacked size in bytes, roughly. */
  bytes: 350_000_000,
  requirement: "ziglang==0.14.1" +
    " --hash=sha256:6eb9d4d759b292c83810dbee2e9e8e3fbfbf01d864e6e9811bae711fd74e1c2f" +
    " --hash=sha256:7994b27f3cbfcedea43f9b7552e38b45857bdf0e9a45065474092dd74e7048cf" +
    " --hash=sha256:eae7d46746b8e80a4d1a8369b09f7a6aace973ee39207b1b63cfb6bb086e84dc",
};

/**
 * The library for a variant on a platform.
 *
 * @throws EnvironmentError where no wheel exists.
 */
export function libraryFor(variant: Variant, platform: string): Library {
  const found = libraries.find((library) => library.variant === variant && library.platform === platform);
  if (found !== undefined) return found;
  const known = libraries.filter((library) => library.variant === variant).map((library) => library.platform);
  const other = variant === "cuda"
    ? "unset SASNET_CUDA to use the processor"
    : "use --engine wasm, or Linux in a container or in WSL";
  throw new EnvironmentError(
    `no ${variant} build of libtensorflow ${version} exists for ${platform} (there are: ${
      known.join(", ")
    }); ${other}`,
  );
}

/** The name of the library's folder in the cache. */
export function libraryName(library: Library): string {
  return `tensorflow-${library.version}-${library.variant}-${library.platform}`;
}
