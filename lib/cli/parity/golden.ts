/** A set of golden vectors, and the list of what was compared with it. */
import { InputError } from "../../errors.ts";
import { decodeSafetensors, type SafetensorsEntry } from "../../training/safetensors.ts";

/** One comparison. */
export interface Check {
  readonly name: string;
  /** "paper", "official", or "" where there is one truth only. */
  readonly variant: string;
  readonly maxAbsError: number;
  /** max |difference| / max |reference| */
  readonly maxRelError: number;
  readonly tolerance: number;
  readonly ok: boolean;
}

/** How far apart is still equal. */
export interface Tolerance {
  readonly tolerance: number;
  /** What the tolerance limits (default: the relative error). */
  readonly absolute?: boolean;
  readonly variant?: string;
}

/** Collects comparisons. */
export interface Checks {
  readonly list: Check[];
  /** The text "nan" stands for NaN, which JSON lacks; a NaN equals a NaN and nothing else. */
  compare(
    name: string,
    actual: ArrayLike<number>,
    expected: ArrayLike<number | "nan">,
    tolerance: Tolerance,
  ): void;
  /** Equal as JSON. */
  same(name: string, actual: unknown, expected: unknown, variant?: string): void;
  fail(name: string): void;
}

/** One golden file: its JSON and its tensors, of which every one has to be used. */
export interface Golden<T = unknown> {
  readonly json: T;
  tensor(name: string): SafetensorsEntry & { readonly data: Float32Array };
  bytes(name: string): SafetensorsEntry & { readonly data: Uint8Array };
  integers(name: string): SafetensorsEntry & { readonly data: Int32Array };
  has(name: string): boolean;
  unused(): string[];
}

/** An empty list. */
export function createChecks(): Checks {
  const list: Check[] = [];
  return {
    list,
    compare(name, actual, expected, { tolerance, absolute = false, variant = "" }) {
      let [difference, largest] = [0, 0];
      for (let i = 0; i < expected.length; i++) {
        const wanted = expected[i] === "nan" ? NaN : expected[i] as number;
        if (Number.isNaN(wanted) && Number.isNaN(actual[i])) continue;
        const error = Math.abs(actual[i] - wanted);
        // A NaN on one side is an error of its own.
        difference = error <= difference ? difference : Number.isNaN(error) ? Infinity : error;
        if (Math.abs(wanted) > largest) largest = Math.abs(wanted);
      }
      if (actual.length !== expected.length) difference = Infinity;
      const relative = difference === 0 ? 0 : largest === 0 ? difference : difference / largest;
      const ok = (absolute ? difference : relative) <= tolerance;
      list.push({ name, variant, maxAbsError: difference, maxRelError: relative, tolerance, ok });
    },
    same(name, actual, expected, variant = "") {
      const ok = JSON.stringify(actual) === JSON.stringify(expected);
      const error = ok ? 0 : Infinity;
      list.push({ name, variant, maxAbsError: error, maxRelError: error, tolerance: 0, ok });
    },
    fail(name) {
      list.push({ name, variant: "", maxAbsError: Infinity, maxRelError: Infinity, tolerance: 0, ok: false });
    },
  };
}

/**
 * Reads NAME.json and, where it exists, NAME.safetensors. `T` is what the set's README promises of the JSON.
 */
export async function readGolden<T>(folder: string, name: string): Promise<Golden<T>> {
  const path = `${folder}/${name}.json`;
  const json = parse<T>(await read(path, (path) => Deno.readTextFile(path)), path);
  const tensors = await readState(folder, name).catch((error) => {
    if (error instanceof InputError && /does not exist/.test(error.message)) {
      return new Map<string, SafetensorsEntry>();
    }
    throw error;
  });
  const used = new Set<string>();
  const take = <T>(name: string): SafetensorsEntry & { readonly data: T } => {
    const entry = tensors.get(name);
    if (entry === undefined) throw new InputError(`${folder} has no tensor "${name}"`);
    used.add(name);
    return entry as SafetensorsEntry & { readonly data: T };
  };
  return {
    json,
    tensor: (name) => take<Float32Array>(name),
    bytes: (name) => take<Uint8Array>(name),
    integers: (name) => take<Int32Array>(name),
    has: (name) => tensors.has(name),
    unused: () => [...tensors.keys()].filter((name) => !used.has(name)),
  };
}

/** The tensors of a file. */
export async function readState(folder: string, name: string): Promise<Map<string, SafetensorsEntry>> {
  const path = `${folder}/${name}.safetensors`;
  return decodeSafetensors(await read(path, (path) => Deno.readFile(path)), path).tensors;
}

function parse<T>(text: string, path: string): T {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new InputError(`${path} is not JSON: ${error.message}`);
    throw error;
  }
}

async function read<T>(path: string, reader: (path: string) => Promise<T>): Promise<T> {
  try {
    return await reader(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new InputError(`${path} does not exist`);
    throw error;
  }
}
