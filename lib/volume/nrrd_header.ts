/** The text header of NRRD files (versions 1 to 5, teem.sourceforge.net/nrrd/format.html): fields, axes, grid. */
import { InputError } from "../errors.ts";
import { geometryFromAxes } from "./geometry.ts";
import type { ScalarName } from "./scalars.ts";
import { requireReadableShape } from "./stored_volume.ts";
import type { Geometry, Triple } from "./volume.ts";

/** What a header says. */
export interface NrrdHeader {
  readonly geometry: Geometry;
  readonly dtype: ScalarName;
  readonly encoding: "raw" | "text" | "gzip" | "bzip2";
  /** Undefined where the number type needs no byte order. */
  readonly littleEndian: boolean | undefined;
  /** Lines before the data, undecoded. */
  readonly lineSkip: number;
  /** Bytes before the data, decoded; -1: the data are the last bytes. */
  readonly byteSkip: number;
  /** The file of the data; undefined where they follow the header. */
  readonly dataFile: string | undefined;
  /** First byte behind the header. */
  readonly end: number;
}

const magic = "NRRD000";

/** Headers are text of a few hundred bytes; the end of one is looked for in this many. */
const longestHeader = 2 ** 20;

/** Whether a file begins as NRRD does. */
export function isNrrd(beginning: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(beginning.subarray(0, magic.length)) === magic;
}

/**
 * Parses a header.
 *
 * @param path the file, for messages.
 * @throws InputError where a field is missing, malformed or of a kind that is not read.
 */
export function parseNrrdHeader(bytes: Uint8Array, path: string): NrrdHeader {
  if (!isNrrd(bytes)) throw new InputError(`${path}: not an NRRD file (it does not begin with ${magic})`);
  const { fields, end } = splitFields(bytes);
  const field = (...names: string[]) =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined);
  const required = (name: string) => {
    const value = field(name);
    if (value === undefined) throw new InputError(`${path}: its NRRD header lacks the field "${name}"`);
    return value;
  };
  const dataFile = field("data file", "datafile");
  if (dataFile !== undefined && (/^LIST\b/.test(dataFile) || dataFile.includes("%"))) {
    throw new InputError(
      `${path}: its voxels are in several files ("${dataFile}"); join them to one file first`,
    );
  }
  if (dataFile === undefined && end === undefined) {
    throw new InputError(`${path}: its NRRD header has no end (an empty line); the file is truncated`);
  }
  const dtype = typeOf(required("type"), path);
  const encoding = encodingOf(required("encoding"), path);
  const endian = field("endian")?.toLowerCase();
  const needsOrder = encoding !== "text" && !dtype.endsWith("int8");
  if (needsOrder && endian !== "little" && endian !== "big") {
    throw new InputError(
      `${path}: its NRRD header states endian "${endian ?? ""}"; expected little or big for ${dtype}`,
    );
  }
  return {
    geometry: geometryOf({ field, required }, path),
    dtype,
    encoding,
    littleEndian: needsOrder ? endian === "little" : undefined,
    lineSkip: skipOf(field("line skip", "lineskip"), "line skip", 0, path),
    byteSkip: skipOf(field("byte skip", "byteskip"), "byte skip", -1, path),
    dataFile,
    end: end ?? bytes.length,
  };
}

function splitFields(bytes: Uint8Array): { fields: Map<string, string>; end: number | undefined } {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, longestHeader));
  const blank = /\r?\n\r?\n/.exec(text);
  const fields = new Map<string, string>();
  for (const line of text.slice(0, blank?.index).split(/\r?\n/).slice(1)) {
    const parts = /^([^:#][^:]*): (.*)$/.exec(line);
    if (parts !== null) fields.set(parts[1].trim().toLowerCase(), parts[2].trim());
  }
  return { fields, end: blank === null ? undefined : blank.index + blank[0].length };
}

interface Fields {
  field(...names: string[]): string | undefined;
  required(name: string): string;
}

function geometryOf({ field, required }: Fields, path: string): Geometry {
  const dimension = Number(required("dimension"));
  const sizes = required("sizes").split(/\s+/).map(Number);
  if (sizes.length !== dimension) {
    throw new InputError(`${path}: its NRRD header states dimension ${dimension} but ${sizes.length} sizes`);
  }
  const directions = vectorsOf(field("space directions"), "space directions", path);
  const spacings = field("spacings")?.split(/\s+/).map(Number);
  if (directions !== undefined && directions.length !== dimension) {
    throw new InputError(
      `${path}: its NRRD header has ${directions.length} space directions for ${dimension} axes`,
    );
  }
  const all = sizes.map((size, n) => ({ size, direction: directions?.[n], spacing: spacings?.[n] ?? 1 }));
  const isDropped = (axis: typeof all[number], n: number) =>
    axis.size === 1 && (directions === undefined ? n >= 3 : axis.direction === undefined);
  const axes = all.filter((axis, n) => !isDropped(axis, n));
  if (axes.length < 2 || axes.length > 3) {
    throw new InputError(
      `${path}: ${dimension === 1 ? "one axis" : `${dimension} axes`} (${
        sizes.join("×")
      }); one volume with three ` +
        `axes was expected`,
    );
  }
  const flip = worldFlip(field("space"));
  const toLps = (v: Triple): Triple => [v[0] * flip[0], v[1] * flip[1], v[2]];
  const vectors = axes.map(({ direction, spacing }, n): Triple => {
    if (directions === undefined) return [0, 1, 2].map((c) => c === n ? validSpacing(spacing) : 0) as never;
    if (direction === undefined) {
      throw new InputError(
        `${path}: its NRRD header gives no direction for an axis of ${axes[n].size} samples`,
      );
    }
    return toLps(direction);
  });
  // A single slice gets a third axis across it.
  if (vectors.length === 2) vectors.push(unitNormal(vectors[0], vectors[1]));
  const [origin = [0, 0, 0]] = vectorsOf(field("space origin"), "space origin", path) ?? [];
  const shape = requireReadableShape([...axes.map((axis) => axis.size), 1].slice(0, 3), path);
  return geometryFromAxes([vectors[0], vectors[1], vectors[2]], toLps(origin), { shape, path });
}

/** Signs that bring the first two coordinates of a space to LPS; spaces without a patient are taken as they are. */
function worldFlip(space: string | undefined): readonly [number, number] {
  switch (space?.toLowerCase().replace(/-time$/, "")) {
    case "right-anterior-superior":
    case "ras":
    case "rast":
      return [-1, -1];
    case "left-anterior-superior":
    case "las":
    case "last":
      return [1, -1];
    default:
      return [1, 1];
  }
}

/** Vectors such as "(1,0,0) none (0,0,1)"; those of two numbers lie in the plane z = 0. */
function vectorsOf(text: string | undefined, name: string, path: string): (Triple | undefined)[] | undefined {
  if (text === undefined) return undefined;
  const parts = text.match(/\([^)]*\)|[^\s(),]+/g) ?? [];
  return parts.map((part) => {
    if (!part.startsWith("(")) {
      if (/^none$/i.test(part)) return undefined;
      throw new InputError(
        `${path}: its NRRD header has "${text}" as ${name}; expected vectors such as (1,0,0)`,
      );
    }
    const numbers = part.slice(1, -1).split(",").map((v) => v.trim() === "" ? NaN : Number(v));
    if (numbers.length < 2 || numbers.length > 3 || !numbers.every(Number.isFinite)) {
      throw new InputError(
        `${path}: its NRRD header has the vector ${part} in ${name}; expected three numbers`,
      );
    }
    return [numbers[0], numbers[1], numbers[2] ?? 0];
  });
}

function unitNormal(a: Triple, b: Triple): Triple {
  const normal = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const length = Math.hypot(...normal);
  return normal.map((v) => v / length) as unknown as Triple;
}

function validSpacing(spacing: number): number {
  return Number.isFinite(spacing) && spacing !== 0 ? Math.abs(spacing) : 1;
}

const types: readonly (readonly [ScalarName, RegExp])[] = [
  ["int8", /^(signed char|int8(_t)?)$/],
  ["uint8", /^(uchar|unsigned char|uint8(_t)?)$/],
  ["int16", /^((signed )?short( int)?|int16(_t)?)$/],
  ["uint16", /^(ushort|unsigned short( int)?|uint16(_t)?)$/],
  ["int32", /^((signed )?int|int32(_t)?)$/],
  ["uint32", /^(uint|unsigned int|uint32(_t)?)$/],
  ["int64", /^(longlong|(signed )?long long( int)?|int64(_t)?)$/],
  ["uint64", /^(ulonglong|unsigned long long( int)?|uint64(_t)?)$/],
  ["float32", /^float$/],
  ["float64", /^double$/],
];

function typeOf(name: string, path: string): ScalarName {
  const found = types.find(([, pattern]) => pattern.test(name.toLowerCase().replace(/\s+/g, " ")));
  if (found !== undefined) return found[0];
  throw new InputError(
    `${path}: its NRRD header states type "${name}"; expected a number type such as short or float`,
  );
}

function encodingOf(name: string, path: string): NrrdHeader["encoding"] {
  const encoding = name.toLowerCase();
  if (encoding === "raw") return "raw";
  if (/^(txt|text|ascii)$/.test(encoding)) return "text";
  if (/^(gz|gzip)$/.test(encoding)) return "gzip";
  if (/^(bz2|bzip2)$/.test(encoding)) return "bzip2";
  throw new InputError(`${path}: NRRD encoding "${name}" is not read; expected raw, gzip, bzip2 or ascii`);
}

function skipOf(text: string | undefined, name: string, least: number, path: string): number {
  const skip = Number(text ?? 0);
  if (Number.isSafeInteger(skip) && skip >= least) return skip;
  throw new InputError(
    `${path}: its NRRD header states ${name} ${text}; expected a whole number from ${least} on`,
  );
}
