/** One DICOM file as a slice of a series: where it lies, how it is scaled, and its pixels. */
import dicomParser from "dicom-parser";
import { InputError } from "../errors.ts";
import { decodeScalars, type ScalarName, type StoredArray } from "./scalars.ts";
import { shown } from "./shown.ts";
import type { Triple } from "./volume.ts";

/** A slice of a series. */
export interface DicomSlice {
  readonly path: string;
  readonly series: string;
  /** Modality and description of the series, for messages. */
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  /** Centre of the first pixel in LPS millimetres. */
  readonly position: Triple;
  /** Unit vectors along a row (to the next column) and along a column (to the next row). */
  readonly along: readonly [Triple, Triple];
  /** Millimetres from column to column and from row to row. */
  readonly spacing: readonly [number, number];
  /** Distance to the next slice as the file states it; undefined where it does not. */
  readonly thickness: number | undefined;
  readonly slope: number;
  readonly intercept: number;
  readonly dtype: ScalarName;
  /** One number a pixel, column by column in each row. */
  readonly pixels: StoredArray;
}

type DataSet = dicomParser.DataSet;

const implicitLittleEndian = "1.2.840.10008.1.2";
const explicitLittleEndian = "1.2.840.10008.1.2.1";
const explicitBigEndian = "1.2.840.10008.1.2.2";

/** Transfer syntaxes that are not read, by the beginning of their number. */
const compressions: readonly (readonly [string, string])[] = [
  ["1.2.840.10008.1.2.1.99", "deflated"],
  ["1.2.840.10008.1.2.5", "RLE"],
  ["1.2.840.10008.1.2.4.5", "JPEG"],
  ["1.2.840.10008.1.2.4.7", "lossless JPEG"],
  ["1.2.840.10008.1.2.4.8", "JPEG-LS"],
  ["1.2.840.10008.1.2.4.9", "JPEG 2000"],
  ["1.2.840.10008.1.2.4.10", "video"],
  ["1.2.840.10008.1.2.4.20", "HTJ2K"],
];

/** Objects that belong to a study and are no scans. */
const otherModalities = [
  "SEG",
  "RTSTRUCT",
  "RTPLAN",
  "RTDOSE",
  "RTRECORD",
  "SR",
  "PR",
  "KO",
  "REG",
  "DOC",
  "FID",
];

/** Whether a file begins as DICOM does: "DICM" behind a preamble of 128 bytes. */
export function isDicom(beginning: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(beginning.subarray(128, 132)) === "DICM";
}

/**
 * Parses a file.
 *
 * @returns `undefined` for objects that are no scans: segmentations, structure sets, reports, directories.
 * @throws InputError where the file is damaged, or is compressed or of a kind that is not read.
 */
export function parseDicomSlice(bytes: Uint8Array, path: string): DicomSlice | undefined {
  const littleEndian = byteOrderOf(bytes, path);
  const file = parsed(() => dicomParser.parseDicom(bytes), path);
  return parsed(() => sliceOf(file, littleEndian, path), path);
}

/** The parser throws errors, strings and records; what is not already a clear line becomes one. */
function parsed<T>(parse: () => T, path: string): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = (error as { exception?: unknown }).exception ?? error;
    const text = (reason instanceof Error ? reason.message : String(reason)).replace(
      /^dicomParser[.:]\s?/,
      "",
    );
    throw new InputError(`${path}: the DICOM file is truncated or damaged (${shown(text)}); copy it again`);
  }
}

function byteOrderOf(bytes: Uint8Array, path: string): boolean {
  if (!isDicom(bytes)) throw new InputError(`${path}: not a DICOM file (no DICM at byte 128)`);
  const syntax = parsed(() => dicomParser.readPart10Header(bytes).string("x00020010"), path);
  if (syntax === implicitLittleEndian || syntax === explicitLittleEndian) return true;
  if (syntax === explicitBigEndian) return false;
  const name = compressions.filter(([uid]) => syntax?.startsWith(uid)).at(-1)?.[1] ?? "unknown";
  throw new InputError(
    `${path}: its transfer syntax ${
      shown(syntax)
    } (${name}) is not read; convert the series to uncompressed DICOM ` +
      `(gdcmconv --raw) or to NIfTI (dcm2niix)`,
  );
}

function sliceOf(file: DataSet, littleEndian: boolean, path: string): DicomSlice | undefined {
  const modality = file.string("x00080060") ?? "";
  if (otherModalities.includes(modality) || file.elements.x7fe00010 === undefined) return undefined;
  requirePlainPixels(file, path);
  const columns = positiveInteger(file.uint16("x00280011"), "Columns", path);
  const rows = positiveInteger(file.uint16("x00280010"), "Rows", path);
  const orientation = numbers(file, "x00200037", 6);
  const position = numbers(file, "x00200032", 3);
  const spacing = numbers(file, "x00280030", 2);
  if (orientation === undefined || position === undefined || spacing === undefined) {
    const lacking = orientation === undefined
      ? "ImageOrientationPatient"
      : position === undefined
      ? "ImagePositionPatient"
      : "PixelSpacing";
    throw new InputError(`${path}: it lacks ${lacking}, so that the slice has no place in the patient`);
  }
  const dtype = pixelType(file, path);
  const description = file.string("x0008103e");
  return {
    path,
    series: file.string("x0020000e") ?? "",
    title: description === undefined ? modality : `${modality} ${shown(description)}`,
    columns,
    rows,
    position: [position[0], position[1], position[2]],
    along: unitAxes(orientation, path),
    // The file states the distance of rows first.
    spacing: [spacing[1], spacing[0]],
    thickness: positive(numbers(file, "x00180088", 1)) ?? positive(numbers(file, "x00180050", 1)),
    slope: numbers(file, "x00281053", 1)?.[0] ?? 1,
    intercept: numbers(file, "x00281052", 1)?.[0] ?? 0,
    dtype,
    pixels: pixelsOf(file, { count: columns * rows, dtype, littleEndian }, path),
  };
}

function requirePlainPixels(file: DataSet, path: string) {
  const frames = Number(file.string("x00280008") ?? 1);
  if (frames !== 1) {
    throw new InputError(
      `${path}: ${frames} frames in one file (enhanced DICOM) are not read; convert it to NIfTI (dcm2niix)`,
    );
  }
  const samples = file.uint16("x00280002") ?? 1;
  if (samples !== 1) {
    throw new InputError(`${path}: ${samples} numbers a pixel (a colour image); one was expected`);
  }
}

function pixelType(file: DataSet, path: string): ScalarName {
  const allocated = file.uint16("x00280100");
  const isSigned = file.uint16("x00280103") === 1;
  if (allocated === 8) return isSigned ? "int8" : "uint8";
  if (allocated === 16) return isSigned ? "int16" : "uint16";
  if (allocated === 32) return isSigned ? "int32" : "uint32";
  throw new InputError(`${path}: ${allocated ?? "no"} bits a pixel; 8, 16 and 32 are read`);
}

interface PixelLayout {
  readonly count: number;
  readonly dtype: ScalarName;
  readonly littleEndian: boolean;
}

function pixelsOf(file: DataSet, { count, dtype, littleEndian }: PixelLayout, path: string): StoredArray {
  const { dataOffset, length } = file.elements.x7fe00010;
  const allocated = file.uint16("x00280100") ?? 16;
  const needed = count * allocated / 8;
  if (length < needed || dataOffset + needed > file.byteArray.length) {
    throw new InputError(
      `${path}: its pixel data has ${length} bytes, ${needed} are needed; the file is truncated or its header wrong`,
    );
  }
  const bytes = (file.byteArray as Uint8Array).subarray(dataOffset, dataOffset + needed);
  const pixels = decodeScalars(bytes, dtype, littleEndian);
  const stored = file.uint16("x00280101") ?? allocated;
  const highBit = file.uint16("x00280102") ?? stored - 1;
  if (stored < 1 || stored > allocated || highBit !== stored - 1) {
    throw new InputError(`${path}: ${stored} bits up to bit ${highBit} of ${allocated} are not read`);
  }
  // Bits above the stored ones may hold anything; a shift up and down clears them or repeats the sign.
  const spare = 32 - stored;
  if (stored === allocated) return pixels;
  const clean = pixels.slice();
  if (dtype.startsWith("u")) { for (let i = 0; i < count; i++) clean[i] = (pixels[i] << spare) >>> spare; }
  else for (let i = 0; i < count; i++) clean[i] = (pixels[i] << spare) >> spare;
  return clean;
}

function unitAxes(orientation: readonly number[], path: string): readonly [Triple, Triple] {
  const [a, b] = [orientation.slice(0, 3), orientation.slice(3)];
  const [lengthA, lengthB] = [Math.hypot(...a), Math.hypot(...b)];
  const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  if (Math.abs(lengthA - 1) > 0.01 || Math.abs(lengthB - 1) > 0.01 || Math.abs(dot) > 0.01) {
    throw new InputError(
      `${path}: its ImageOrientationPatient ${orientation.join(", ")} is not two unit vectors`,
    );
  }
  return [a.map((v) => v / lengthA) as never, b.map((v) => v / lengthB) as never];
}

/** Numbers of a decimal string; undefined where it is absent, or has not `count` finite numbers. */
function numbers(file: DataSet, tag: string, count: number): number[] | undefined {
  const words = file.string(tag)?.split("\\") ?? [];
  const values = words.map((word) => word.trim() === "" ? NaN : Number(word));
  return values.length === count && values.every(Number.isFinite) ? values : undefined;
}

function positive(values: number[] | undefined): number | undefined {
  return values !== undefined && values[0] > 0 ? values[0] : undefined;
}

function positiveInteger(value: number | undefined, name: string, path: string): number {
  if (value !== undefined && value > 0) return value;
  throw new InputError(`${path}: its header states ${value ?? "no"} ${name}`);
}
