import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { readSources, root } from "./source_graph.ts";

const lib = await readSources("lib");
const others = await readSources("tests", "bench", "notebooks");
const everything = [...lib, ...others];

describe("unused code", () => {
  it("has no export that nothing imports", () => {
    const used = new Set(
      everything.flatMap(({ path, imports }) =>
        imports.filter(({ target }) => target !== path).flatMap(({ target, names }) =>
          names.map((name) => `${target} ${name}`)
        )
      ),
    );
    const unused = lib.filter(({ path }) => path !== "lib/mod.ts").flatMap(({ path, code, exports }) =>
      exports.filter(({ name, isType }) => {
        if (used.has(`${path} ${name}`) || used.has(`${path} *`)) return false;
        // A type that the file's own signatures name belongs to its interface.
        return !(isType && code.split(new RegExp(`\\b${name.replaceAll("$", "\\$")}\\b`)).length > 2);
      }).map(({ name }) => `${path}: ${name}`)
    );
    assertEquals(unused, []);
  });

  it("has no module that nothing imports", () => {
    const imported = new Set(everything.flatMap(({ imports }) => imports.map(({ target }) => target)));
    const entries = [
      "lib/mod.ts",
      "lib/cli/main.ts",
      "lib/cli/bench/work.ts",
      "lib/volume/distance_helper.ts",
    ];
    const unused = lib.map(({ path }) => path).filter((path) =>
      !imported.has(path) && !entries.includes(path)
    );
    assertEquals(unused, []);
  });

  it("has no dependency that nothing uses", async () => {
    const { imports } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
    const unused = Object.keys(imports).filter((name) =>
      !everything.some(({ text }) => text.includes(`"${name}"`) || text.includes(`"${name}/`))
    );
    assertEquals(unused, []);
  });

  it("has no import from outside that deno.json does not declare", async () => {
    const { imports } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
    const isDeclared = (specifier: string) =>
      /^(\.|node:)/.test(specifier) ||
      Object.keys(imports).some((name) => specifier === name || specifier.startsWith(`${name}/`));
    const wrong = everything.flatMap(({ path, imports }) =>
      imports.filter(({ specifier }) => !isDeclared(specifier)).map(({ specifier }) =>
        `${path}: ${specifier}`
      )
    );
    assertEquals(wrong, []);
  });
});
