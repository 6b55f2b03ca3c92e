import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { defineCommand, type Options } from "../../lib/cli/command.ts";
import { commandHelp, overview, usage } from "../../lib/cli/help.ts";
import { parseArguments } from "../../lib/cli/parse.ts";
import { InputError } from "../../lib/errors.ts";

const command = defineCommand({
  name: "fit",
  summary: "fits a thing",
  positionals: {
    kind: { type: "choice", choices: ["la", "brats"], help: "the data set" },
    files: { type: "path", rest: true, optional: true, help: "what to read" },
  },
  options: {
    labelled: { type: "integer", minimum: 1, required: true, help: "labelled cases" },
    rate: { type: "number", minimum: 0, maximum: 1, default: 0.5, help: "a rate" },
    dryRun: { type: "boolean", help: "show the plan" },
    mirror: { type: "boolean", default: true, help: "mirror too" },
    set: { type: "string", repeatable: true, help: "key=value" },
    seeds: { type: "list", of: "integer", default: [1, 2], help: "seeds" },
    size: { type: "shape", help: "voxels" },
    to: { type: "path", default: "results/out", help: "where to" },
  },
});

const folders = { user: "/home/me/here", kit: "/opt/kit" };

function parse(...words: string[]): Options<typeof command> {
  return parseArguments(command, words, folders).values as unknown as Options<typeof command>;
}

describe("parseArguments()", () => {
  it("fills defaults", () => {
    assertEquals(parse("la", "--labelled", "4"), {
      kind: "la",
      files: [],
      labelled: 4,
      rate: 0.5,
      dryRun: false,
      mirror: true,
      set: [],
      seeds: [1, 2],
      size: undefined,
      to: "/opt/kit/results/out",
    });
  });

  it("reads every type, in both spellings", () => {
    const words =
      "brats --labelled=8 --rate 1e-3 --dry-run --no-mirror --set a=1 --set b=2 --seeds 3,4 --size 64x64x32";
    const options = parse(...words.split(" "), "--to", "../x", "a.nii.gz", "/b/./c.nrrd");
    assertEquals(options, {
      kind: "brats",
      files: ["/home/me/here/a.nii.gz", "/b/c.nrrd"],
      labelled: 8,
      rate: 0.001,
      dryRun: true,
      mirror: false,
      set: ["a=1", "b=2"],
      seeds: [3, 4],
      size: [64, 64, 32],
      to: "/home/me/x",
    });
    const size: readonly [number, number, number] | undefined = options.size;
    const kind: "la" | "brats" = options.kind;
    assertEquals([size?.length, kind], [3, "brats"]);
  });

  it("reads the options of every command", () => {
    const { common } = parseArguments(
      command,
      ["la", "--labelled", "1", "--json", "--engine", "wasm"],
      folders,
    );
    assertEquals(common, { help: false, json: true, quiet: false, debug: false, engine: "wasm" });
  });

  it("asks for nothing else beside --help", () => {
    assertEquals(parseArguments(command, ["--help"], folders).common.help, true);
  });

  for (
    const [words, message] of [
      ["la --labeled 4", 'unknown option of fit "--labeled", did you mean "--labelled"?'],
      ["la --labelled four", 'expected an integer from 1, found "four"'],
      ["la --labelled 1.5", 'expected an integer from 1, found "1.5"'],
      ["la --labelled 0", 'expected an integer from 1, found "0"'],
      ["la --labelled 1 --rate 2", 'expected a number from 0 up to 1, found "2"'],
      ["la --labelled", "--labelled needs a value: labelled cases"],
      ["la --labelled --json", "--labelled needs a value"],
      ["la --labelled 1 --labelled 2", "--labelled was given 2 times"],
      ["la", "--labelled is missing: labelled cases"],
      ["--labelled 1", "KIND is missing: the data set"],
      ["bratz --labelled 1", 'unknown value of KIND "bratz", did you mean "brats"?'],
      ["la --labelled 1 --dry-run=no", "takes no value"],
      ["la --labelled 1 --size 64", 'expected three counts such as 112x112x80, found "64"'],
      ["la --labelled 1 --seeds 1,x", 'expected an integer, found "x"'],
      ["la --labelled 1 --engine cuda", 'unknown value of --engine "cuda"'],
      ["la -l 1", 'unknown option of fit "-l"'],
    ]
  ) {
    it(`refuses "${words}"`, () => {
      const error = assertThrows(() => parse(...words.split(" ")), InputError, message);
      assertEquals(error.message.includes("\n"), false);
    });
  }

  it("refuses a superfluous argument", () => {
    const none = defineCommand({ name: "none", summary: "takes nothing" });
    assertThrows(() => parseArguments(none, ["x"], folders), InputError, 'unexpected argument "x"');
  });

  it("passes on what another program shall get", () => {
    const passing = defineCommand({ name: "test", summary: "tests", passesArgumentsTo: "deno test" });
    const { values, common } = parseArguments(
      passing,
      ["--filter", "x", "--json", "-q", "--", "--json"],
      folders,
    );
    assertEquals(values, { passed: ["--filter", "x", "-q", "--json"] });
    assertEquals(common.json, true);
  });
});

describe("commandHelp()", () => {
  it("shows usage, values and defaults", () => {
    assertEquals(usage(command), "fit --labelled N [options] KIND [FILES…]");
    const text = commandHelp(command);
    assertStringIncludes(text, "--seeds A,B,…");
    assertStringIncludes(text, "seeds (default 1,2)");
    assertStringIncludes(text, "--no-mirror");
    assertStringIncludes(text, "--engine NAME");
  });

  it("lists commands in the overview", () => {
    assertStringIncludes(overview([command]), "  fit  fits a thing");
  });
});
