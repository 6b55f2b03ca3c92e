/** DICOM series of CT and MR: one file a slice, put in order by where the slices lie, never by their names. */
import { join } from "node:path";
import { InputError } from "../errors.ts";
import { type DicomSlice, isDicom, parseDicomSlice } from "./dicom_slice.ts";
import { geometryFromAxes } from "./geometry.ts";
import type { ReadFile } from "./nrrd.ts";
import type { StoredArray } from "./scalars.ts";
import { requireReadableShape, type StoredVolume } from "./stored_volume.ts";
import type { Geometry, Triple } from "./volume.ts";
import { readFolder } from "./whole_file.ts";

/** Folders in folders are searched down to this depth. */
const deepest = 6;

/**
 * Reads the one series of a folder. Files of other kinds are passed over, and so are DICOM objects that are no scans.
 *
 * @throws InputError where there is no series or more than one, or {@link joinSlices} cannot make a volume of it.
 */
export async function readDicomFolder(folder: string, readFile: ReadFile): Promise<StoredVolume> {
  const slices: DicomSlice[] = [];
  for (const path of await filesBelow(folder, deepest)) {
    if (!isDicom(await beginningOf(path))) continue;
    const slice = parseDicomSlice(await readFile(path), path);
    if (slice !== undefined) slices.push(slice);
  }
  if (slices.length === 0) {
    throw new InputError(
      `${folder}: no DICOM slices in this folder; give a folder with one series, or one file`,
    );
  }
  return joinSlices(slices, folder);
}

/** Whether a folder, or one down to `depth` below it, holds a DICOM file. */
export async function hasDicomSlices(folder: string, depth: number): Promise<boolean> {
  for (const path of await filesBelow(folder, depth)) if (isDicom(await beginningOf(path))) return true;
  return false;
}

/** Reads a single slice as a volume of one. */
export function readDicomFile(bytes: Uint8Array, path: string): StoredVolume {
  const slice = parseDicomSlice(bytes, path);
  if (slice === undefined) {
    throw new InputError(
      `${path}: a DICOM object that is no scan (such as a segmentation); give the scan's files`,
    );
  }
  return joinSlices([slice], path);
}

/**
 * Makes a volume of the slices of one series: sorted along the normal of their plane, spacing from their positions.
 *
 * @param path the folder or file, for messages.
 * @throws InputError where the slices are of several series, differ in size, orientation, pixel spacing or number
 * type, are missing, doubled or irregular, or were taken with a tilted gantry.
 */
export function joinSlices(slices: readonly DicomSlice[], path: string): StoredVolume {
  requireOneSeries(slices, path);
  const [{ along: [row, column], columns, rows, spacing, dtype }] = slices;
  for (const slice of slices) requireAlike(slice, slices[0], path);
  const normal: Triple = [
    row[1] * column[2] - row[2] * column[1],
    row[2] * column[0] - row[0] * column[2],
    row[0] * column[1] - row[1] * column[0],
  ];
  const depth = (slice: DicomSlice) => dot(slice.position, normal);
  const sorted = [...slices].sort((a, b) => depth(a) - depth(b));
  const first = sorted[0];
  const distance = sliceDistance(sorted, sorted.map(depth), path);
  requireStraight(sorted, normal, path);
  const shape = requireReadableShape([columns, rows, sorted.length], path);
  const axes = [scaled(row, spacing[0]), scaled(column, spacing[1]), scaled(normal, distance)] as const;
  const geometry: Geometry = geometryFromAxes(axes, first.position, { shape, path });
  return { ...geometry, format: "DICOM", dtype, fastest: "i", ...joinPixels(sorted) };
}

function requireOneSeries(slices: readonly DicomSlice[], path: string) {
  const series = new Map<string, DicomSlice[]>();
  for (const slice of slices) series.set(slice.series, [...series.get(slice.series) ?? [], slice]);
  if (series.size === 1) return;
  const listed = [...series.values()].slice(0, 4).map((some) =>
    `${some[0].title} with ${counted(some.length)}`
  )
    .join(
      ", ",
    );
  throw new InputError(
    `${path}: slices of ${series.size} series (${listed}${
      series.size > 4 ? ", …" : ""
    }); give a folder with one series`,
  );
}

function requireAlike(slice: DicomSlice, first: DicomSlice, path: string) {
  const isNear = (a: readonly number[], b: readonly number[]) => a.every((v, i) => Math.abs(v - b[i]) < 1e-3);
  const differs = slice.columns !== first.columns || slice.rows !== first.rows
    ? `size (${slice.columns}×${slice.rows} and ${first.columns}×${first.rows})`
    : !isNear(slice.along.flat(), first.along.flat())
    ? "orientation"
    : !isNear(slice.spacing, first.spacing)
    ? "pixel spacing"
    : slice.dtype !== first.dtype
    ? `number type (${slice.dtype} and ${first.dtype})`
    : undefined;
  if (differs === undefined) return;
  throw new InputError(`${path}: slices differ in ${differs}: ${nameOf(slice)} and ${nameOf(first)}`);
}

function sliceDistance(sorted: readonly DicomSlice[], depths: readonly number[], path: string): number {
  if (sorted.length === 1) return sorted[0].thickness ?? 1;
  const gaps = depths.slice(1).map((depth, i) => depth - depths[i]);
  const usual = [...gaps].sort((a, b) => a - b)[gaps.length >> 1];
  const between = (i: number) => `between ${nameOf(sorted[i])} and ${nameOf(sorted[i + 1])}`;
  const doubled = gaps.findIndex((gap) => gap < 1e-3 || gap < 0.02 * usual);
  if (doubled !== -1) {
    throw new InputError(
      `${path}: doubled slices: ${nameOf(sorted[doubled])} and ${
        nameOf(sorted[doubled + 1])
      } lie at one position; ` +
        `keep one of each (or one time point of several)`,
    );
  }
  const odd = gaps.findIndex((gap) => Math.abs(gap - usual) > 0.02 * usual + 0.005);
  if (odd !== -1) {
    const steps = gaps[odd] / usual;
    const count = Math.round(steps) - 1;
    const isWhole = count > 0 && Math.abs(steps - Math.round(steps)) < 0.1;
    const what = isWhole ? `missing ${counted(count)}` : "irregular distance of slices";
    throw new InputError(
      `${path}: ${what} ${between(odd)}: ${rounded(gaps[odd])} mm where the others are ${
        rounded(usual)
      } mm apart; ` +
        `copy the series again`,
    );
  }
  return (depths[depths.length - 1] - depths[0]) / gaps.length;
}

/** Slices of a tilted gantry are shifted against each other in their plane. */
function requireStraight(sorted: readonly DicomSlice[], normal: Triple, path: string) {
  const first = sorted[0];
  const last = sorted[sorted.length - 1];
  const step = last.position.map((v, c) => v - first.position[c]) as unknown as Triple;
  const height = dot(step, normal);
  const shift = Math.hypot(...step.map((v, c) => v - height * normal[c]));
  if (shift <= 0.1 * Math.min(...first.spacing)) return;
  const angle = Math.atan2(shift, height) * 180 / Math.PI;
  throw new InputError(
    `${path}: a gantry tilt of ${rounded(angle)}° (the slices are shifted by ${
      rounded(shift)
    } mm in their plane) is ` +
      `not read; straighten the series first, as dcm2niix does`,
  );
}

/** All pixels; where the scaling differs between slices, as in PET and some MR, it is applied here. */
function joinPixels(sorted: readonly DicomSlice[]): Pick<StoredVolume, "stored" | "slope" | "intercept"> {
  const [{ slope, intercept, pixels }] = sorted;
  const size = pixels.length;
  const isCommon = sorted.every((slice) => slice.slope === slope && slice.intercept === intercept);
  const stored = isCommon
    ? new (pixels.constructor as new (length: number) => StoredArray)(size * sorted.length)
    : new Float32Array(size * sorted.length);
  sorted.forEach((slice, k) => {
    if (isCommon) return stored.set(slice.pixels, k * size);
    for (let i = 0; i < size; i++) stored[k * size + i] = slice.pixels[i] * slice.slope + slice.intercept;
  });
  return isCommon ? { stored, slope, intercept } : { stored, slope: 1, intercept: 0 };
}

async function filesBelow(folder: string, depth: number): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readFolder(folder)) {
    const path = join(folder, entry.name);
    if (entry.isFile || (entry.isSymlink && (await Deno.stat(path).catch(() => undefined))?.isFile)) {
      paths.push(path);
    } else if (entry.isDirectory && depth > 0) paths.push(...await filesBelow(path, depth - 1));
  }
  return paths.sort();
}

async function beginningOf(path: string): Promise<Uint8Array> {
  const file = await Deno.open(path);
  try {
    const bytes = new Uint8Array(132);
    const count = await file.read(bytes);
    return bytes.subarray(0, count ?? 0);
  } finally {
    file.close();
  }
}

function counted(count: number): string {
  return count === 1 ? "1 slice" : `${count} slices`;
}

function nameOf({ path }: DicomSlice): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function dot(a: Triple, b: Triple): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function scaled(v: Triple, factor: number): Triple {
  return [v[0] * factor, v[1] * factor, v[2] * factor];
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
