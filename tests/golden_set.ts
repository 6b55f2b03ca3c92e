/** The golden set: numbers of an independent PyTorch implementation in float64. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { decodeSafetensors, type SafetensorsEntry } from "../lib/training/safetensors.ts";
import { sharedFolder } from "./shared.ts";

/** One golden file. */
export interface Golden<T> {
  readonly json: T;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** The numbers of a float32 tensor. */
  floats(name: string): Float32Array;
  /** The numbers of a uint8 tensor. */
  bytes(name: string): Uint8Array;
  /** The shape of a tensor. */
  shape(name: string): readonly number[];
}

const folder = sharedFolder();

/** Options of tests that need the golden set: they are left out, visibly, where it is missing. */
export const needsGolden = { ignore: folder === undefined };

/** Reads NAME.json and NAME.safetensors of the golden set; either may be missing. */
export function readGolden<T = Record<string, unknown>>(name: string): Golden<T> {
  const base = `${folder}/golden/a/${name}`;
  const text = readIfThere(`${base}.json`);
  const bytes = readIfThere(`${base}.safetensors`);
  const json = text === undefined ? {} : JSON.parse(new TextDecoder().decode(text));
  const tensors = bytes === undefined
    ? new Map<string, SafetensorsEntry>()
    : decodeSafetensors(bytes, name).tensors;
  const entry = (tensor: string): SafetensorsEntry => {
    const found = tensors.get(tensor);
    if (found === undefined) throw new Error(`the golden file ${name} has no tensor ${tensor}`);
    return found;
  };
  return {
    json: json as T,
    tensors,
    floats: (tensor) => entry(tensor).data as Float32Array,
    bytes: (tensor) => entry(tensor).data as Uint8Array,
    shape: (tensor) => entry(tensor).shape,
  };
}

/** Asserts max |actual − expected| ≤ tolerance · max |expected|; for an expectation of zeros, of 1. */
export function assertRelToMax(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = "values",
): void {
  const largest = largestMagnitude(expected);
  assertClose(actual, expected, tolerance * (largest === 0 ? 1 : largest), what);
}

/** Asserts max |actual − expected| ≤ tolerance. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = "values",
): void {
  assertEquals(actual.length, expected.length, `${what}: number of values`);
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    difference = error <= difference ? difference : Number.isNaN(error) ? Infinity : error;
  }
  assertLessOrEqual(difference, tolerance, `${what}: off by ${difference}, allowed ${tolerance}`);
}

function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

function readIfThere(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
