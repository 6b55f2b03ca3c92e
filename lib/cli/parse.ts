/** From the words of a command line to the values of a declaration. */
import { InputError, unknownName } from "../errors.ts";
import {
  type CommandSpec,
  commonOptions,
  type Context,
  flagOf,
  type OptionSpec,
  type ValueSpec,
} from "./command.ts";
import { usage } from "./help.ts";

/** Where relative paths count from. */
export interface Folders {
  /** The folder in which the user typed the command. */
  readonly user: string;
  /** The kit's folder. */
  readonly kit: string;
}

/** The values of one command line. */
export interface Parsed {
  readonly values: Readonly<Record<string, unknown>>;
  readonly common: { readonly help: boolean } & Pick<Context, "json" | "quiet" | "debug" | "engine">;
}

/**
 * Parses the words after the verb.
 *
 * @throws InputError on an unknown option, a value that does not fit, a missing or superfluous argument; with
 * `--help` only on an unknown option or a bad value.
 */
export function parseArguments(spec: CommandSpec, words: readonly string[], folders: Folders): Parsed {
  const declared: Record<string, OptionSpec> = { ...spec.options, ...commonOptions };
  const byFlag = new Map(Object.keys(declared).map((key) => [flagOf(key), key]));
  const given = new Map<string, unknown[]>();
  const loose: string[] = [];
  const passed: string[] = [];
  const take = (key: string, value: unknown) => given.set(key, [...given.get(key) ?? [], value]);

  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === "--") {
      (spec.passesArgumentsTo === undefined ? loose : passed).push(...words.slice(i + 1));
      break;
    }
    if (word === "-h") {
      take("help", true);
    } else if (!word.startsWith("--")) {
      const isOption = word.startsWith("-") && word.length > 1 && !/^-[\d.]/.test(word);
      if (spec.passesArgumentsTo !== undefined) passed.push(word);
      else if (isOption) throw unknownName(`option of ${spec.name}`, word, [...byFlag.keys()]);
      else loose.push(word);
    } else {
      const [flag, attached] = splitOnce(word, "=");
      const key = byFlag.get(flag);
      const negated = byFlag.get(flag.replace(/^--no-/, "--"));
      if (key !== undefined && declared[key].type === "boolean") {
        if (attached !== undefined) {
          throw new InputError(`${flag} is on or off and takes no value, found "${attached}"`);
        }
        take(key, true);
      } else if (key !== undefined) {
        const text = attached ?? words[++i];
        if (text === undefined || (attached === undefined && text.startsWith("--"))) {
          throw new InputError(`${flag} needs a value: ${declared[key].help}`);
        }
        take(key, readValue(declared[key], flag, text, folders.user));
      } else if (negated !== undefined && declared[negated].type === "boolean") {
        take(negated, false);
      } else if (spec.passesArgumentsTo !== undefined) {
        passed.push(word);
      } else {
        throw unknownName(`option of ${spec.name}`, flag, [...byFlag.keys()]);
      }
    }
  }

  const help = given.has("help");
  const values: Record<string, unknown> = spec.passesArgumentsTo === undefined ? {} : { passed };
  const own = spec.options ?? {};
  for (const key of Object.keys(own)) values[key] = optionValue(key, own[key], given.get(key), folders, help);
  if (!help) placePositionals(spec, loose, folders.user, values);
  return {
    values,
    common: {
      help,
      json: given.has("json"),
      quiet: given.has("quiet"),
      debug: given.has("debug"),
      engine: given.get("engine")?.at(-1) as Context["engine"],
    },
  };
}

function optionValue(
  key: string,
  spec: OptionSpec,
  given: readonly unknown[] | undefined,
  folders: Folders,
  help: boolean,
): unknown {
  if (spec.repeatable) return given ?? [];
  if (given !== undefined) {
    if (given.length > 1 && spec.type !== "boolean") {
      throw new InputError(`${flagOf(key)} was given ${given.length} times`);
    }
    return given.at(-1);
  }
  if (spec.default !== undefined) {
    return spec.type === "path" ? absolute(String(spec.default), folders.kit) : spec.default;
  }
  if (spec.required && !help) throw new InputError(`${flagOf(key)} is missing: ${spec.help}`);
  return spec.type === "boolean" ? false : undefined;
}

function placePositionals(
  spec: CommandSpec,
  loose: readonly string[],
  folder: string,
  values: Record<string, unknown>,
): void {
  let next = 0;
  for (const [key, positional] of Object.entries(spec.positionals ?? {})) {
    const name = key.toUpperCase();
    const words = loose.slice(next, positional.rest ? undefined : next + 1);
    if (words.length === 0 && !positional.optional) {
      throw new InputError(`${spec.name}: ${name} is missing: ${positional.help}; usage: ${usage(spec)}`);
    }
    const read = words.map((word) => readValue(positional, name, word, folder));
    values[key] = positional.rest ? read : read[0];
    next += words.length;
  }
  if (next < loose.length) {
    throw new InputError(`${spec.name}: unexpected argument "${loose[next]}"; usage: ${usage(spec)}`);
  }
}

function readValue(spec: ValueSpec, name: string, text: string, folder: string): unknown {
  switch (spec.type) {
    case "path":
      if (text === "") throw new InputError(`${name}: expected a path, found an empty text`);
      return absolute(text, folder);
    case "integer":
    case "number":
      return readNumber(spec, spec.type, name, text);
    case "choice":
      return readChoice(spec, name, text);
    case "list": {
      const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
      if (parts.length === 0) {
        throw new InputError(`${name}: expected values separated by commas, found "${text}"`);
      }
      return parts.map((part) =>
        spec.of === "integer" || spec.of === "number"
          ? readNumber(spec, spec.of, name, part)
          : readChoice(spec, name, part)
      );
    }
    case "shape": {
      const match = /^(\d+)[x×](\d+)[x×](\d+)$/.exec(text);
      const shape = match?.slice(1).map(Number);
      if (shape === undefined || shape.includes(0)) {
        throw new InputError(`${name}: expected three counts such as 112x112x80, found "${text}"`);
      }
      return shape;
    }
    default:
      return text;
  }
}

function readChoice(spec: ValueSpec, name: string, text: string): string {
  if (spec.choices !== undefined && !spec.choices.includes(text)) {
    throw unknownName(`value of ${name}`, text, spec.choices);
  }
  return text;
}

function readNumber(spec: ValueSpec, type: "integer" | "number", name: string, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  const { minimum = -Infinity, maximum = Infinity } = spec;
  const fits = Number.isFinite(value) && value >= minimum && value <= maximum &&
    (type === "number" || Number.isSafeInteger(value));
  if (fits) return value;
  const lower = minimum === -Infinity ? "" : ` from ${minimum}`;
  const upper = maximum === Infinity ? "" : ` up to ${maximum}`;
  throw new InputError(
    `${name}: expected ${type === "integer" ? "an integer" : "a number"}${lower}${upper}, found "${text}"`,
  );
}

function absolute(path: string, folder: string): string {
  const joined = path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path) ? path : `${folder}/${path}`;
  const parts: string[] = [];
  for (const part of joined.split("/")) {
    if (part === ".." && parts.length > 1) parts.pop();
    else if (part !== "." && part !== ".." && (part !== "" || parts.length === 0)) parts.push(part);
  }
  return parts.length === 1 ? `${parts[0]}/` : parts.join("/");
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
