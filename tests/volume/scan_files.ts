/** Small writers of scan files for the tests of the readers, independent of the library's own. */
import type { Shape3, Triple } from "../../lib/volume/volume.ts";

/** A NIfTI file to be. */
export interface NiftiSpec {
  readonly version?: 1 | 2;
  readonly littleEndian?: boolean;
  /** All sides; three in a volume. */
  readonly shape: readonly number[];
  /** Code of the number type and bytes of a number. */
  readonly type?: readonly [number, number];
  /** Bytes of the voxels, i fastest. */
  readonly voxels?: Uint8Array;
  readonly slope?: number;
  readonly intercept?: number;
  /** Code and three rows of four, RAS. */
  readonly sform?: readonly [number, readonly number[]];
  /** Code and b, c, d, x, y, z. */
  readonly qform?: readonly [number, readonly number[]];
  /** qfac and the voxel sizes. */
  readonly pixdim?: readonly number[];
  readonly units?: number;
  /** Bytes between the header and the voxels. */
  readonly extension?: Uint8Array;
  readonly offset?: number;
  readonly mark?: string;
}

/** The bytes of a NIfTI file, by the field tables of nifti1.h and nifti2.h. */
export function niftiBytes(spec: NiftiSpec): Uint8Array {
  const { version = 1, littleEndian = true, shape, type = [2, 1], extension = new Uint8Array(4) } = spec;
  const voxels = spec.voxels ?? new Uint8Array(shape.reduce((n, side) => n * side, type[1]));
  const size = version === 1 ? 348 : 540;
  const offset = spec.offset ?? size + extension.length;
  const bytes = new Uint8Array(size + extension.length + voxels.length);
  const view = new DataView(bytes.buffer);
  const real = (at: number, values: readonly number[]) =>
    values.forEach((v, n) =>
      version === 1
        ? view.setFloat32(at + 4 * n, v, littleEndian)
        : view.setFloat64(at + 8 * n, v, littleEndian)
    );
  const small = (at: number, v: number) => view.setInt16(at, v, littleEndian);
  view.setInt32(0, size, littleEndian);
  const dims = [shape.length, ...shape, 1, 1, 1, 1, 1, 1, 1].slice(0, 8);
  const pixdim = spec.pixdim ?? [1, 1, 1, 1];
  const sform = spec.sform ?? [0, []];
  const qform = spec.qform ?? [0, []];
  const scaling = [spec.slope ?? 1, spec.intercept ?? 0];
  const mark = spec.mark ?? (version === 1 ? "n+1\0" : "n+2\0\r\n\x1a\n");
  const text = Uint8Array.from(mark, (c) => c.charCodeAt(0));
  if (version === 1) {
    dims.forEach((v, n) => small(40 + 2 * n, v));
    small(70, type[0]);
    small(72, 8 * type[1]);
    real(76, pixdim);
    real(108, [offset, ...scaling]);
    view.setUint8(123, spec.units ?? 2);
    small(252, qform[0]);
    small(254, sform[0]);
    real(256, qform[1]);
    real(280, sform[1]);
    bytes.set(text, 344);
  } else {
    bytes.set(text, 4);
    small(12, type[0]);
    small(14, 8 * type[1]);
    dims.forEach((v, n) => view.setBigInt64(16 + 8 * n, BigInt(v), littleEndian));
    real(104, pixdim);
    view.setBigInt64(168, BigInt(offset), littleEndian);
    real(176, scaling);
    view.setInt32(344, qform[0], littleEndian);
    view.setInt32(348, sform[0], littleEndian);
    real(352, qform[1]);
    real(400, sform[1]);
    view.setInt32(500, spec.units ?? 2, littleEndian);
  }
  bytes.set(extension, size);
  bytes.set(voxels, size + extension.length);
  return bytes;
}

/** A text header, one line a field, with bytes behind it. */
export function withHeader(lines: readonly string[], data: Uint8Array = new Uint8Array()): Uint8Array {
  const header = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  const bytes = new Uint8Array(header.length + data.length);
  bytes.set(header);
  bytes.set(data, header.length);
  return bytes;
}

/** A DICOM slice to be. */
export interface DicomSpec {
  readonly position?: Triple;
  readonly orientation?: readonly number[];
  readonly spacing?: readonly [number, number];
  readonly columns?: number;
  readonly rows?: number;
  readonly pixels?: Int16Array | Uint16Array;
  readonly bitsStored?: number;
  readonly slope?: number;
  readonly intercept?: number;
  readonly series?: string;
  readonly modality?: string;
  readonly syntax?: "implicit" | "explicit" | "big" | string;
  readonly frames?: number;
}

const syntaxes: Readonly<Record<string, string>> = {
  implicit: "1.2.840.10008.1.2",
  explicit: "1.2.840.10008.1.2.1",
  big: "1.2.840.10008.1.2.2",
};

/** The bytes of a DICOM file (PS3.5 and PS3.10), with a sequence of undefined length to be passed over. */
export function dicomBytes(spec: DicomSpec = {}): Uint8Array {
  const { columns = 3, rows = 2, syntax = "explicit", bitsStored = 16 } = spec;
  const { pixels = Int16Array.from({ length: columns * rows }, (_, i) => i) } = spec;
  const littleEndian = syntax !== "big";
  const isImplicit = syntax === "implicit";
  const text = (tag: number, vr: string, value: string) =>
    element(tag, vr, ascii(value.length % 2 ? `${value} ` : value));
  const short = (tag: number, value: number) => {
    const bytes = new Uint8Array(2);
    new DataView(bytes.buffer).setUint16(0, value, littleEndian);
    return element(tag, "US", bytes);
  };
  const element = (tag: number, vr: string, value: Uint8Array, length = value.length): Uint8Array => {
    const isLong = ["OB", "OW", "SQ", "UN"].includes(vr);
    const view = new DataView(new ArrayBuffer(isImplicit || !isLong ? 8 : 12));
    view.setUint16(0, tag >>> 16, littleEndian);
    view.setUint16(2, tag & 0xffff, littleEndian);
    if (isImplicit) view.setUint32(4, length, littleEndian);
    else {
      view.setUint8(4, vr.charCodeAt(0));
      view.setUint8(5, vr.charCodeAt(1));
      if (isLong) view.setUint32(8, length, littleEndian);
      else view.setUint16(6, length, littleEndian);
    }
    return join([new Uint8Array(view.buffer), value]);
  };
  const item = (tag: number, length: number) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint16(0, 0xfffe, littleEndian);
    view.setUint16(2, tag, littleEndian);
    view.setUint32(4, length, littleEndian);
    return new Uint8Array(view.buffer);
  };
  const pixelBytes = new Uint8Array(pixels.length * 2);
  pixels.forEach((v, i) => new DataView(pixelBytes.buffer).setUint16(2 * i, v & 0xffff, littleEndian));
  const inner = text(0x00081150, "UI", "1.2.3");
  const unclosed = join([item(0xe000, 0xffffffff), inner, item(0xe00d, 0), item(0xe0dd, 0)]);
  const body = join([
    text(0x00080060, "CS", spec.modality ?? "CT"),
    element(0x00081140, "SQ", unclosed, 0xffffffff),
    text(0x00180050, "DS", "2.5"),
    text(0x0020000e, "UI", spec.series ?? "1.2.3.4"),
    text(0x00200032, "DS", (spec.position ?? [0, 0, 0]).join("\\")),
    text(0x00200037, "DS", (spec.orientation ?? [1, 0, 0, 0, 1, 0]).join("\\")),
    short(0x00280002, 1),
    ...(spec.frames === undefined ? [] : [text(0x00280008, "IS", String(spec.frames))]),
    short(0x00280010, rows),
    short(0x00280011, columns),
    text(0x00280030, "DS", (spec.spacing ?? [0.5, 0.75]).join("\\")),
    short(0x00280100, 16),
    short(0x00280101, bitsStored),
    short(0x00280102, bitsStored - 1),
    short(0x00280103, pixels instanceof Int16Array ? 1 : 0),
    text(0x00281052, "DS", String(spec.intercept ?? 0)),
    text(0x00281053, "DS", String(spec.slope ?? 1)),
    element(0x7fe00010, "OW", pixelBytes),
  ]);
  // The group of the file itself is explicit and little-endian always.
  const meta = join([
    metaElement(0x0001, "OB", Uint8Array.of(0, 1)),
    metaElement(0x0002, "UI", ascii("1.2.840.10008.5.1.4.1.1.2\0")),
    metaElement(0x0010, "UI", ascii(even(syntaxes[syntax] ?? syntax))),
  ]);
  const groupLength = new Uint8Array(4);
  new DataView(groupLength.buffer).setUint32(0, meta.length, true);
  return join([new Uint8Array(128), ascii("DICM"), metaElement(0, "UL", groupLength), meta, body]);
}

function metaElement(element: number, vr: string, value: Uint8Array): Uint8Array {
  const isLong = vr === "OB";
  const view = new DataView(new ArrayBuffer(isLong ? 12 : 8));
  view.setUint16(0, 2, true);
  view.setUint16(2, element, true);
  view.setUint8(4, vr.charCodeAt(0));
  view.setUint8(5, vr.charCodeAt(1));
  if (isLong) view.setUint32(8, value.length, true);
  else view.setUint16(6, value.length, true);
  return join([new Uint8Array(view.buffer), value]);
}

/** Joins arrays of bytes. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** 0, 1, 2, … as the bytes of 16-bit integers. */
export function counting(shape: Shape3, littleEndian = true): Uint8Array {
  const count = shape[0] * shape[1] * shape[2];
  const view = new DataView(new ArrayBuffer(2 * count));
  for (let i = 0; i < count; i++) view.setInt16(2 * i, i, littleEndian);
  return new Uint8Array(view.buffer);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function even(text: string): string {
  return text.length % 2 === 0 ? text : `${text}\0`;
}

/** The numbers 0 to 23 as 16-bit little-endian integers, compressed by bzip2 1.0.8. */
export const bzip2Of24: Uint8Array = Uint8Array.from(
  atob("QlpoOTFBWSZTWUFhb1UAAADgAH///4AgACI1AAADIUGjRoMgNEUS2Nc+EZTpW18Z1vnfGhgAvi7kinChIILC3qo="),
  (c) => c.charCodeAt(0),
);

/** 16 MiB of zeros, compressed by bzip2 1.0.8 to 45 bytes. */
export const bzip2Of16MiBOfZeros: Uint8Array = Uint8Array.fromBase64(
  "QlpoOTFBWSZTWVKFPiUAgIDAAMAAAAggADCAKRoBANIBAOLuSKcKEgpQp8Sg",
);
