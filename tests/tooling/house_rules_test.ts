import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { codeOnly } from "../../lib/cli/source_text.ts";
import { filesBelow, readSources, root, type SourceFile } from "./source_graph.ts";

const lib = await readSources("lib");
const everything = [...lib, ...await readSources("tests", "bench")];

/** Where a pattern occurs in code (not in comments or strings), as "path:line". */
function places(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, code }) =>
    [...code.matchAll(pattern)].map((match) => `${path}:${code.slice(0, match.index).split("\n").length}`)
  );
}

function outside(files: readonly SourceFile[], ...folders: readonly string[]): SourceFile[] {
  return files.filter(({ path }) => !folders.some((folder) => path.startsWith(`lib/${folder}/`)));
}

describe("house rules", () => {
  it("draw no random number outside the named streams", () => {
    assertEquals(places(everything, /\bMath\.random\b/g), []);
  });

  it("know no any", () => {
    const stated = everything.filter(({ path }) => !path.startsWith("tests/std/"));
    assertEquals(places(stated, /[:<,|&]\s*any\b(?!\s*[(:])|\bas any\b/g), []);
  });

  it("know no default export", () => {
    assertEquals(places(everything, /^export\s+default\b|\bas\s+default\b/gm), []);
  });

  it("declare no class but errors, and inherit from nothing else", () => {
    assertEquals(places(lib, /^\s*(?:export\s+)?(?:abstract\s+)?class\s+(?!\w+\s+extends\s+Error\b)/gm), []);
  });

  it("read the clock and the environment at the edges alone", () => {
    const inner = outside(lib, "cli", "training", "engine", "notebook");
    assertEquals(
      places(inner, /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bDeno\.env\b|\bprocess\.env\b/g),
      [],
    );
  });

  it("name files in snake_case", () => {
    const paths = ["lib", "tests", "bench", "notebooks"].flatMap(filesBelow);
    const wrong = paths.filter((path) =>
      /\.(ts|py|ipynb)$/.test(path) &&
      !/^([a-z0-9]+(_[a-z0-9]+)*)\.(ts|py|ipynb)$/.test(path.replace(/^.*\//, ""))
    );
    assertEquals(wrong, []);
  });

  it("know no file for leftovers", () => {
    const leftovers = /\/(utils?|helpers?|misc|common)\.ts$/;
    assertEquals(everything.map(({ path }) => path).filter((path) => leftovers.test(path)), []);
  });

  it("name one version of Deno everywhere", async () => {
    const paths = [".ci/run", "README.md", "CONTRIBUTING.md", ...["lib", "jupyter"].flatMap(filesBelow)];
    const versions = new Set<string>();
    for (const path of paths) {
      const text = await Deno.readTextFile(`${root}/${path}`).catch(() => "");
      for (const [, version] of text.matchAll(/\bdeno@(\d[\w.]*\w)/g)) versions.add(version);
    }
    assertEquals([...versions], [Deno.version.deno]);
  });

  it("keep files of the library short enough to read", () => {
    const long = lib.map(({ path, text }) => `${path}: ${text.split("\n").length}`).filter((line) =>
      Number(line.split(": ")[1]) > 400
    );
    assertEquals(long, []);
  });
});

describe("codeOnly()", () => {
  it("blanks comments, strings and regular expressions, and keeps positions", () => {
    const source = 'a("x // y"); // z\n/* b\nc */ d(/["/]\\//g) + e / f / g;';
    const code = codeOnly(source);
    assertEquals(
      code,
      'a("      ");     \n    \n     d(/       /g) + e / f / g;'.replace("/       /", `/${" ".repeat(6)}/`),
    );
    assertEquals(code.length, source.length);
  });

  it("keeps the code inside templates", () => {
    assertEquals(codeOnly("`a ${b({ c: `d` })} e`+f"), "`  ${b({ c: ` ` })}  `+f");
  });
});
