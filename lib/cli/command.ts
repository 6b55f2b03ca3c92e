/**
 * How a verb of the command line is written: one file `lib/cli/VERB.ts` with two exports, and one line in verbs.ts.
 *
 * ```ts
 * import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
 *
 * export const command = defineCommand({
 *   name: "metrics",
 *   summary: "overlap and surface distances of two label volumes",
 *   positionals: {
 *     prediction: { type: "path", help: "a label volume" },
 *     truth: { type: "path", help: "a label volume on the same grid" },
 *   },
 *   options: {
 *     label: { type: "integer", minimum: 1, default: 1, help: "the label that counts" },
 *     largestComponent: { type: "boolean", help: "keep the largest connected component alone" },
 *   },
 * });
 *
 * export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
 *   const { readVolume } = await import("../volume/read.ts");
 *   const image = await readVolume(options.prediction); // options.prediction: string, options.label: number
 *   context.print(`Dice ${dice}`);
 *   return { json: { dice } };
 * }
 * ```
 *
 * - Keys are in camelCase and typed in kebab-case: `largestComponent` is `--largest-component`. Options and
 *   positionals arrive in one record. A value that is neither given nor declared with `default` is `undefined`,
 *   a boolean `false`, a repeatable one `[]`. A boolean with `default: true` is turned off by `--no-NAME`.
 * - Every verb takes `--help`, `--json`, `--quiet`, `--debug` and `--engine`; they arrive in the context.
 * - A `path` arrives absolute: what the user types counts from the user's folder, a default from the kit's.
 * - A file of a verb imports at its top only what needs no tensor library, because `--help` loads it (a test checks
 *   that); the heavy imports are `await import(…)` inside `run`.
 * - Results go to `context.print` (standard output; with `--json` standard error), everything else to `context.note`,
 *   `context.status` or `context.progress()` (standard error, nothing with `--quiet`). With `--json` the returned `json` is the one
 *   document on standard output.
 * - What the user can mend is thrown as InputError (exit 2) or EnvironmentError (exit 3), before anything is written.
 *   `exitCode: 1` says that the work was done and something that was checked fell short. Long work looks at
 *   `context.signal` and returns, with its state saved, when it is aborted; the exit code is then 130.
 */
import type { EngineName } from "../engine/start.ts";
import type { Progress, Stages } from "./progress.ts";

/** The engines, best first; the type asks for every one that can be started. */
const engines = { tensorflow: true, wasm: true } satisfies Record<EngineName, true>;

/** A value that can be typed: its type, its limits, its meaning. */
export interface ValueSpec {
  /** `list` is separated by commas; `shape` is three counts such as 112x112x80. */
  readonly type: "string" | "path" | "integer" | "number" | "boolean" | "choice" | "list" | "shape";
  /** One line, no full stop. */
  readonly help: string;
  /** The values that are allowed, for `choice` and for a list of strings. */
  readonly choices?: readonly string[];
  /** Type of the elements of a list; "string" when not given. */
  readonly of?: "string" | "integer" | "number";
  /** Smallest number allowed. */
  readonly minimum?: number;
  /** Largest number allowed. */
  readonly maximum?: number;
}

/** An option, typed as `--name value`, `--name=value`, or `--name` for a boolean. */
export interface OptionSpec extends ValueSpec {
  readonly default?: string | number | boolean | readonly string[] | readonly number[];
  readonly required?: true;
  /** May be given several times; the value is an array. */
  readonly repeatable?: true;
}

/** A positional argument; the order of the declaration is the order on the command line. */
export interface PositionalSpec extends ValueSpec {
  readonly optional?: true;
  /** Takes all that is left; the value is an array. */
  readonly rest?: true;
}

/** The declaration of a verb. */
export interface CommandSpec {
  readonly name: string;
  /** One line for the overview, no full stop. */
  readonly summary: string;
  readonly positionals?: Readonly<Record<string, PositionalSpec>>;
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** Names the program that gets every argument that is not declared here, as `options.passed`. */
  readonly passesArgumentsTo?: string;
  /** Lines for the end of the help text, such as examples. */
  readonly notes?: readonly string[];
}

type ElementOf<S> = S extends { of: "integer" | "number" } ? number
  : S extends { choices: readonly (infer Choice)[] } ? Choice
  : string;

type ValueOf<S> = S extends { type: "boolean" } ? boolean
  : S extends { type: "integer" | "number" } ? number
  : S extends { type: "list" } ? readonly ElementOf<S>[]
  : S extends { type: "shape" } ? readonly [number, number, number]
  : S extends { type: "choice"; choices: readonly (infer Choice)[] } ? Choice
  : string;

type OptionValue<S> = S extends { repeatable: true } ? readonly ValueOf<S>[]
  : S extends { type: "boolean" } | { required: true } | { default: unknown } ? ValueOf<S>
  : ValueOf<S> | undefined;

type PositionalValue<S> = S extends { rest: true } ? readonly ValueOf<S>[]
  : S extends { optional: true } ? ValueOf<S> | undefined
  : ValueOf<S>;

type OptionValues<C> = C extends { options: infer O } ? { readonly [K in keyof O]: OptionValue<O[K]> }
  : unknown;
type PositionalValues<C> = C extends { positionals: infer P }
  ? { readonly [K in keyof P]: PositionalValue<P[K]> }
  : unknown;
type PassedValues<C> = C extends { passesArgumentsTo: string } ? { readonly passed: readonly string[] }
  : unknown;

/** The record that `run` gets for a declaration. */
export type Options<C extends CommandSpec> = OptionValues<C> & PositionalValues<C> & PassedValues<C>;

/** What every verb is told beside its own options. */
export interface Context {
  /** One JSON document is wanted on standard output. */
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** The engine asked for; `undefined` asks for the best that starts. */
  readonly engine: EngineName | undefined;
  /** Aborted by the first Ctrl-C (and SIGTERM); the second one kills. */
  readonly signal: AbortSignal;
  /** The kit's own folder, absolute. */
  readonly root: string;
  /** A line of the result. */
  print(line: string): void;
  /** A line beside the result: the engine chosen, a warning. */
  note(line: string): void;
  /** Replaces the updating line on a terminal's standard error; `undefined` takes it away. */
  status(line: string | undefined): void;
  /** A progress display on standard error. */
  progress(): Progress;
  /** A display of `count` named stages on standard error. */
  stages(count: number): Stages;
}

/** How a verb ended. */
export interface Outcome {
  /** 0 when not given. */
  readonly exitCode?: number;
  /** The document for `--json`. */
  readonly json?: unknown;
}

/** The module of a verb. `run` is a method so that each verb may narrow `options` to its own record. */
export interface Verb {
  readonly command: CommandSpec;
  run(options: unknown, context: Context): Promise<Outcome>;
}

/** Declares a verb; its literal types are kept, so that `Options<typeof command>` knows every value. */
export function defineCommand<const C extends CommandSpec>(spec: C): C {
  return spec;
}

/** What every verb takes. */
export const commonOptions = {
  help: { type: "boolean", help: "print this text" },
  json: { type: "boolean", help: "one JSON document on standard output, everything else on standard error" },
  quiet: { type: "boolean", help: "no notes and no progress" },
  debug: { type: "boolean", help: "print the stack of an error" },
  engine: {
    type: "choice",
    choices: Object.keys(engines),
    help: "computes with this engine; if not given, the best that starts",
  },
} as const satisfies Record<string, OptionSpec>;

/** The flag of a key: `largestComponent` → `--largest-component`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
