import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { chainTo, cycles, type Import, parseSource, readSources, type SourceFile } from "./source_graph.ts";

/** Which folders of lib/ a folder may import, besides itself and the files that lie in lib/ itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  volume: [],
  engine: ["volume"],
  data: ["volume"],
  evaluation: ["volume"],
  network: ["engine", "volume"],
  sasnet: ["engine", "data", "volume"],
  methods: ["sasnet", "network", "engine", "data", "volume"],
  inference: ["methods", "sasnet", "network", "engine", "data", "volume"],
  training: ["inference", "evaluation", "methods", "sasnet", "network", "engine", "data", "volume"],
  experiments: ["training", "inference", "evaluation", "methods", "sasnet", "network", "data", "volume"],
  report: [
    "experiments",
    "training",
    "inference",
    "evaluation",
    "methods",
    "sasnet",
    "network",
    "data",
    "volume",
  ],
  notebook: [
    "cli",
    "report",
    "experiments",
    "training",
    "inference",
    "evaluation",
    "methods",
    "sasnet",
    "network",
    "engine",
    "data",
    "volume",
  ],
};

/** Folders that work without a tensor library; they may name its types and load it at run time on demand. */
const withoutTensors = ["volume", "data", "evaluation", "report", "experiments"];

/** Single files of the same kind. */
const filesWithoutTensors = [
  "lib/sasnet/view.ts",
  "lib/sasnet/sdm.ts",
  "lib/sasnet/sar.ts",
  "lib/sasnet/figure4.ts",
];

const sources = await readSources("lib");
const files = new Map(sources.map((file) => [file.path, file]));
const isTensorLibrary = (item: Import) => item.specifier.startsWith("@tensorflow/");

function folderOf(path: string): string | undefined {
  const parts = path.split("/");
  return parts.length > 2 ? parts[1] : undefined;
}

function chainsToTensors(from: readonly SourceFile[]): string[] {
  return from.map((file) => chainTo(file, files, ["value"], isTensorLibrary)?.join(" → ") ?? "").filter((
    chain,
  ) => chain !== "");
}

describe("imports", () => {
  it("go in the direction of the pipeline", () => {
    const wrong: string[] = [];
    for (const { path, imports } of sources) {
      const folder = folderOf(path);
      if (folder === undefined || folder === "cli") continue;
      for (const { target } of imports) {
        const other = target === undefined ? undefined : folderOf(target);
        if (other === undefined || other === folder) continue;
        if (!(allowed[folder] ?? []).includes(other)) wrong.push(`${path} imports ${target}`);
      }
    }
    assertEquals(wrong, []);
  });

  it("of lib's own files name no folder, but for mod.ts", () => {
    const wrong = sources.filter(({ path }) => folderOf(path) === undefined && path !== "lib/mod.ts")
      .flatMap(({ path, imports }) =>
        imports.filter(({ target }) => target !== undefined && folderOf(target) !== undefined)
          .map(({ target }) => `${path} imports ${target}`)
      );
    assertEquals(wrong, []);
  });

  it("form no cycle", () => {
    assertEquals(cycles(files).map((cycle) => cycle.join(" → ")), []);
  });

  it("lead to files that exist", () => {
    const lost = sources.flatMap(({ path, imports }) =>
      imports.filter(({ target }) => target?.endsWith(".ts") && !files.has(target)).map(({ target }) =>
        `${path} imports ${target}`
      )
    );
    assertEquals(lost, []);
  });

  it("name the tensor library in lib/engine alone", () => {
    const wrong = sources.filter(({ path, imports }) =>
      folderOf(path) !== "engine" && imports.some(isTensorLibrary)
    );
    assertEquals(wrong.map(({ path }) => path), []);
  });

  it("keep the tensor library out of what works without it", () => {
    const start = sources.filter(({ path }) =>
      withoutTensors.includes(folderOf(path) ?? "") || filesWithoutTensors.includes(path)
    );
    assertEquals(chainsToTensors(start), []);
  });

  it("keep the tensor library out of the help texts", () => {
    // The files of a verb lie in lib/cli itself; what they load when they run lies in folders below.
    const verbs = sources.filter(({ path }) => /^lib\/cli\/[^/]+$/.test(path));
    assertEquals(chainsToTensors(verbs), []);
  });
});

describe("parseSource()", () => {
  it("tells value, type and dynamic imports apart", () => {
    const { imports } = parseSource(
      "lib/a/b.ts",
      [
        'import { one, type Two, three as four } from "../c/d.ts";',
        'import type { Five } from "./five.ts";',
        'import { type Six } from "six";',
        'export * from "./seven.ts";',
        'const { eight } = await import("./eight.ts");',
        'const text = "import { no } from \\"no\\"";',
        '// import { no } from "no";',
      ].join("\n"),
    );
    assertEquals(imports, [
      { specifier: "../c/d.ts", kind: "value", names: ["one", "Two", "three"], target: "lib/c/d.ts" },
      { specifier: "./five.ts", kind: "type", names: ["Five"], target: "lib/a/five.ts" },
      { specifier: "six", kind: "type", names: ["Six"], target: undefined },
      { specifier: "./seven.ts", kind: "value", names: ["*"], target: "lib/a/seven.ts" },
      { specifier: "./eight.ts", kind: "dynamic", names: ["eight"], target: "lib/a/eight.ts" },
    ]);
  });

  it("finds exported names", () => {
    const { exports } = parseSource(
      "lib/a.ts",
      "export async function one() {}\nexport interface Two {}\nexport { three as four };\nexport type { Five } from 'x';",
    );
    assertEquals(exports, [
      { name: "one", isType: false },
      { name: "Two", isType: true },
      { name: "four", isType: false },
      { name: "Five", isType: true },
    ]);
  });
});

describe("cycles()", () => {
  it("finds a cycle over several files", () => {
    const made = ["a", "b", "c"].map((name, i) =>
      parseSource(`${name}.ts`, `import { x } from "./${["b", "c", "a"][i]}.ts";`)
    );
    assertEquals(cycles(new Map(made.map((file) => [file.path, file]))), [["a.ts", "b.ts", "c.ts", "a.ts"]]);
  });
});
