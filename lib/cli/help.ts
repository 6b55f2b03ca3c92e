/** The help texts, made from the declarations. */
import {
  type CommandSpec,
  commonOptions,
  flagOf,
  type OptionSpec,
  type PositionalSpec,
  type ValueSpec,
} from "./command.ts";

const launcher = "npx -y deno@2.9.6 task";

/** The line of words that a verb takes. */
export function usage(spec: CommandSpec): string {
  const positionals = Object.entries(spec.positionals ?? {}).map(([key, positional]) =>
    positionalWord(key, positional)
  );
  const required = Object.entries(spec.options ?? {})
    .filter(([, option]) => option.required)
    .map(([key, option]) => `${flagOf(key)} ${valueWord(option)}`);
  const passed = spec.passesArgumentsTo === undefined ? [] : [`[arguments of ${spec.passesArgumentsTo}]`];
  return [spec.name, ...required, "[options]", ...positionals, ...passed].join(" ");
}

/** The help text of one verb. */
export function commandHelp(spec: CommandSpec): string {
  const positionals = Object.entries(spec.positionals ?? {}).map((
    [key, positional],
  ): [string, string] => [positionalWord(key, positional), describe(positional)]);
  const rows = (options: Readonly<Record<string, OptionSpec>>) =>
    Object.entries(options).map((
      [key, option],
    ): [string, string] => [optionWord(key, option), describe(option)]);
  const own = rows(spec.options ?? {});
  return [
    `${spec.name}: ${spec.summary}`,
    "",
    `Usage: ${launcher} ${usage(spec)}`,
    ...section("Arguments", positionals),
    ...section("Options", own),
    ...section("Options of every command", rows(commonOptions)),
    ...(spec.notes === undefined ? [] : ["", ...spec.notes]),
  ].join("\n");
}

/** The overview of all verbs. */
export function overview(commands: readonly CommandSpec[]): string {
  return [
    "SASNet kit: semi-supervised segmentation of medical volumes.",
    "",
    `Usage: ${launcher} COMMAND [options]`,
    ...section("Commands", commands.map((spec): [string, string] => [spec.name, spec.summary])),
    "",
    `${launcher} COMMAND --help tells what a command takes.`,
    "Exit codes: 0 done, 1 something that was checked fell short, 2 wrong usage or input, 3 the environment lacks",
    "something, 130 interrupted.",
  ].join("\n");
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return [];
  const width = Math.min(34, Math.max(...rows.map(([word]) => word.length)));
  return ["", `${title}:`, ...rows.map(([word, text]) => `  ${word.padEnd(width)}  ${text}`)];
}

function positionalWord(key: string, spec: PositionalSpec): string {
  const word = spec.rest ? `${key.toUpperCase()}…` : key.toUpperCase();
  return spec.optional ? `[${word}]` : word;
}

function optionWord(key: string, spec: OptionSpec): string {
  if (spec.type === "boolean") {
    return spec.default === true ? flagOf(`no${key[0].toUpperCase()}${key.slice(1)}`) : flagOf(key);
  }
  return `${flagOf(key)} ${valueWord(spec)}${spec.repeatable ? "…" : ""}`;
}

function valueWord(spec: ValueSpec): string {
  if (spec.type === "list") return "A,B,…";
  if (spec.type === "shape") return "XxYxZ";
  return { integer: "N", number: "X", path: "PATH", choice: "NAME", string: "TEXT", boolean: "" }[spec.type];
}

function describe(spec: OptionSpec | PositionalSpec): string {
  const facts: string[] = [];
  if (spec.choices !== undefined) facts.push(spec.choices.join(", "));
  if ("required" in spec && spec.required) facts.push("required");
  if ("default" in spec && spec.default !== undefined && spec.type !== "boolean") {
    const value = Array.isArray(spec.default)
      ? spec.default.join(spec.type === "shape" ? "x" : ",")
      : spec.default;
    facts.push(`default ${value}`);
  }
  return facts.length === 0 ? spec.help : `${spec.help} (${facts.join("; ")})`;
}
