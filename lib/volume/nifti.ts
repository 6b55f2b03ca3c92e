/**
 * NIfTI-1 and NIfTI-2 in one file (.nii, .nii.gz), with the rules of nibabel: the sform where its code is positive,
 * else the qform, else the voxel sizes around the centre.
 *
 * The header is parsed here because nifti-reader-js 0.8 prefers the qform where its code is the larger one and
 * forgets the sform, knows no qform in NIfTI-2, mistakes 64-bit offsets of big-endian files, and can loop without
 * end over damaged extensions. What it reads rightly is compared with this parser in the tests.
 */
import { InputError } from "../errors.ts";
import { type Affine, geometryFromAffine } from "./geometry.ts";
import { niftiAffine } from "./nifti_orientation.ts";
import { inflate, inflateBeginning, isGzip } from "./inflate.ts";
import { bytesOf, decodeScalars, type ScalarName } from "./scalars.ts";
import { requireReadableShape, type StoredVolume } from "./stored_volume.ts";
import { voxelCount } from "./volume.ts";

/** Number types by their code in the header. */
const niftiTypes: Readonly<Record<number, ScalarName>> = {
  2: "uint8",
  4: "int16",
  8: "int32",
  16: "float32",
  64: "float64",
  256: "int8",
  512: "uint16",
  768: "uint32",
  1024: "int64",
  1280: "uint64",
};

/** What types that are not read are called. */
const otherTypes: Readonly<Record<number, string>> = {
  1: "single bits",
  32: "complex numbers",
  128: "colours",
  1536: "128-bit floats",
  1792: "complex numbers",
  2048: "complex numbers",
  2304: "colours",
};

/** Whether a file, decompressed where it is gzip, begins as NIfTI does: in one file or as a pair. */
export function isNifti(beginning: Uint8Array): boolean {
  return versionOf(beginning) !== undefined;
}

/**
 * Reads a file's bytes, gzip or not.
 *
 * @param path the file, for messages.
 * @throws InputError where the file is not NIfTI or a pair of files, damaged, has more than three axes, or voxels
 * that are not plain numbers.
 */
export function readNifti(bytes: Uint8Array, path: string): StoredVolume {
  const isCompressed = isGzip(bytes);
  const header = readHeader(isCompressed ? inflateBeginning(bytes) : bytes, path);
  const { littleEndian, offset, dtype, shape } = header;
  const needed = offset + voxelCount(shape) * bytesOf[dtype];
  const plain = isCompressed ? inflate(bytes, "gzip", { path, needed }) : bytes;
  if (plain.length < needed) {
    throw new InputError(
      `${path}: the file has ${plain.length} of the ${needed} bytes that its header asks for; it is truncated ` +
        `or its header is wrong`,
    );
  }
  const stored = decodeScalars(plain.subarray(offset, needed), dtype, littleEndian);
  const { affine, slope, intercept, format } = header;
  return {
    ...geometryFromAffine(affine, shape, path),
    format,
    dtype,
    stored,
    fastest: "i",
    slope,
    intercept,
  };
}

interface Header extends Pick<StoredVolume, "shape" | "dtype" | "slope" | "intercept" | "format"> {
  readonly littleEndian: boolean;
  /** First byte of the voxels. */
  readonly offset: number;
  /** Voxel indices to LPS millimetres. */
  readonly affine: Affine;
}

/** Positions of the fields; NIfTI-2 has them in another order and wider. */
const layouts = {
  1: {
    format: "NIfTI-1",
    size: 348,
    firstVoxel: 352,
    dim: 40,
    type: 70,
    pixdim: 76,
    offset: 108,
    scaling: 112,
    units: 123,
    qform: 252,
    sform: 254,
    quaternion: 256,
    rows: 280,
  },
  2: {
    format: "NIfTI-2",
    size: 540,
    firstVoxel: 544,
    dim: 16,
    type: 12,
    pixdim: 104,
    offset: 168,
    scaling: 176,
    units: 500,
    qform: 344,
    sform: 348,
    quaternion: 352,
    rows: 400,
  },
} as const;

function readHeader(bytes: Uint8Array, path: string): Header {
  const found = versionOf(bytes);
  if (found === undefined) {
    throw new InputError(`${path}: not a NIfTI file (its header has neither the size nor the mark of one)`);
  }
  const { version, littleEndian, isPair } = found;
  if (isPair) {
    throw new InputError(
      `${path}: the header of a NIfTI pair (.hdr and .img); convert the pair to one .nii or .nii.gz file`,
    );
  }
  const at = layouts[version];
  if (bytes.length < at.size) {
    throw new InputError(`${path}: truncated: the header has ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const width = version === 1 ? 4 : 8;
  const integer = (position: number) =>
    version === 1 ? view.getInt16(position, littleEndian) : view.getInt32(position, littleEndian);
  const side = (n: number) =>
    version === 1
      ? view.getInt16(at.dim + 2 * n, littleEndian)
      : Number(view.getBigInt64(at.dim + 8 * n, littleEndian));
  const real = (position: number) =>
    version === 1 ? view.getFloat32(position, littleEndian) : view.getFloat64(position, littleEndian);
  const reals = (position: number, count: number) =>
    Array.from({ length: count }, (_, n) => real(position + n * width));
  const shape = shapeOf(side, path);
  // In NIfTI-2 the codes are 32-bit integers, the type is a 16-bit one in both.
  const dtype = typeOf(view.getInt16(at.type, littleEndian), path);
  const offset = version === 1 ? real(at.offset) : Number(view.getBigInt64(at.offset, littleEndian));
  const affine = niftiAffine({
    shape,
    pixdim: reals(at.pixdim, 4),
    quaternion: reals(at.quaternion, 6),
    rows: reals(at.rows, 12),
    qform: integer(at.qform),
    sform: integer(at.sform),
    unit: (version === 1 ? view.getUint8(at.units) : integer(at.units)) & 7,
  }, path);
  return {
    format: at.format,
    littleEndian,
    shape,
    dtype,
    offset: offsetOf(offset, at.firstVoxel, path),
    affine,
    ...scalingOf(real(at.scaling), real(at.scaling + width), path),
  };
}

function versionOf(
  bytes: Uint8Array,
): { version: 1 | 2; littleEndian: boolean; isPair: boolean } | undefined {
  if (bytes.length < 348) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const littleEndian of [true, false]) {
    const size = view.getInt32(0, littleEndian);
    const version = size === 348 ? 1 : size === 540 ? 2 : undefined;
    if (version === undefined) continue;
    const mark = new TextDecoder("latin1").decode(bytes.subarray(version === 1 ? 344 : 4).subarray(0, 3));
    if (mark !== `n+${version}` && mark !== `ni${version}`) continue;
    return { version, littleEndian, isPair: mark[1] === "i" };
  }
  return undefined;
}

function shapeOf(side: (n: number) => number, path: string) {
  const axes = side(0);
  if (!(axes >= 1 && axes <= 7)) {
    throw new InputError(`${path}: its header states ${axes} axes; expected three`);
  }
  const sides = Array.from({ length: axes }, (_, n) => side(n + 1));
  // A fourth axis of one time point is common and harmless.
  if (sides.slice(3).some((length) => length !== 1)) {
    throw new InputError(
      `${path}: ${axes} axes (${
        sides.join("×")
      }); one volume with three axes was expected: take it out of the series`,
    );
  }
  return requireReadableShape([...sides, 1, 1].slice(0, 3), path);
}

function typeOf(code: number, path: string): ScalarName {
  const type = niftiTypes[code];
  if (type !== undefined) return type;
  const name = otherTypes[code] ?? "of a type that is not known";
  throw new InputError(
    `${path}: its voxels are ${name} (data type ${code}); integers and floats of up to 64 bits are read`,
  );
}

function offsetOf(stated: number, firstVoxel: number, path: string): number {
  const offset = stated === 0 ? firstVoxel : stated;
  if (!Number.isSafeInteger(offset) || offset < firstVoxel) {
    throw new InputError(
      `${path}: its header places the voxels at byte ${stated}; expected a whole number from ${firstVoxel} on`,
    );
  }
  return offset;
}

function scalingOf(slope: number, intercept: number, path: string): { slope: number; intercept: number } {
  if (slope === 0 || !Number.isFinite(slope)) return { slope: 1, intercept: 0 };
  if (!Number.isFinite(intercept)) {
    throw new InputError(
      `${path}: its header states slope ${slope} and intercept ${intercept}; expected two numbers`,
    );
  }
  return { slope, intercept };
}
