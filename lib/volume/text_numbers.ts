/** Voxels that are written out as text. */
import { InputError } from "../errors.ts";
import { isIntegerType, type ScalarName, type StoredArray } from "./scalars.ts";

/**
 * Parses numbers that are separated by white space or commas.
 *
 * @param count how many there must be.
 * @throws InputError where there are fewer or more, or one is no number of the type.
 */
export function parseNumbers(bytes: Uint8Array, count: number, type: ScalarName, path: string): StoredArray {
  // A digit and a separator each, but for the last: nothing is allocated for what the text cannot hold.
  if (bytes.length < 2 * count - 1) throw wrongCount(path, count, "fewer");
  const words = new TextDecoder("latin1").decode(bytes).split(/[\s,]+/).filter((word) => word !== "");
  if (words.length !== count) throw wrongCount(path, count, words.length);
  const numbers = emptyArray(type, count);
  for (let i = 0; i < count; i++) {
    const value = Number(words[i]);
    numbers[i] = value;
    const fits = isIntegerType(type)
      ? numbers[i] === value
      : !Number.isNaN(value) || /^[+-]?nan$/i.test(words[i]);
    if (!fits) throw new InputError(`${path}: "${words[i].slice(0, 20)}" is no number of type ${type}`);
  }
  return numbers;
}

function wrongCount(path: string, wanted: number, found: number | string): InputError {
  return new InputError(`${path}: its header asks for ${wanted} numbers, the text has ${found}`);
}

function emptyArray(type: ScalarName, count: number): StoredArray {
  switch (type) {
    case "int8":
      return new Int8Array(count);
    case "uint8":
      return new Uint8Array(count);
    case "int16":
      return new Int16Array(count);
    case "uint16":
      return new Uint16Array(count);
    case "int32":
      return new Int32Array(count);
    case "uint32":
      return new Uint32Array(count);
    case "float32":
      return new Float32Array(count);
    case "float64":
    case "int64":
    case "uint64":
      return new Float64Array(count);
  }
}
