import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Cell, cellsToModule, checkCells, type Notebook } from "../../lib/cli/notebook_cells.ts";
import { cleanNotebook, notebookText, outputFaults } from "../../lib/cli/notebook_outputs.ts";
import { selectNotebooks } from "../../lib/cli/notebooks.ts";
import { InputError } from "../../lib/errors.ts";

function code(source: string, more: Partial<Cell> = {}): Cell {
  return { cell_type: "code", source, execution_count: 1, outputs: [], metadata: {}, ...more };
}

function notebook(...cells: Cell[]): Notebook {
  return { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
}

describe("cellsToModule()", () => {
  it("moves imports to the top and drops repeated names", () => {
    const { text, origins } = cellsToModule([
      { cell_type: "markdown", source: "# Title" },
      code('import { a } from "./x.ts";\na();'),
      code('import { a, b } from "./x.ts";\nb()'),
    ]);
    assertEquals(text.split("\n").slice(0, 6), [
      'import { a } from "./x.ts";',
      'import { b } from "./x.ts";',
      ";",
      "a();",
      ";",
      "b()",
    ]);
    assertEquals(origins[1], { cell: 3, line: 1 });
    assertEquals(origins[3], { cell: 2, line: 2 });
  });

  it("opens a block where a cell declares a name again", () => {
    const { text } = cellsToModule([
      code("const a = 1;"),
      code("function f() { const a = 3; }"),
      code("const { a, b: c } = f();"),
      code("let c = 2;"),
    ]);
    assertEquals(text.split("\n").slice(0, 5), [
      ";const a = 1;",
      ";function f() { const a = 3; }",
      ";{ const { a, b: c } = f();",
      ";{ let c = 2;",
      "}}",
    ]);
  });
});

describe("checkCells()", () => {
  it("names notebook, cell and line of what does not type-check", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/00_try.ipynb`;
      const bad = notebook(code("const a = 1;\na;"), code("const b: number = String(a);\nb;"));
      await Deno.writeTextFile(path, JSON.stringify(bad));
      const said = await checkCells([path], new AbortController().signal);
      assertStringIncludes(said, "Type 'string' is not assignable to type 'number'");
      assertStringIncludes(said, "00_try.ipynb, cell 2, line 1");
      assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), ["00_try.ipynb"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

describe("cleanNotebook()", () => {
  it("joins pieces of a stream and replaces machine-bound texts", () => {
    const cell = code("x", {
      metadata: { execution: { started: "now" }, tags: ["keep"] },
      outputs: [
        { output_type: "stream", name: "stdout", text: "at /home/me/kit/" },
        { output_type: "stream", name: "stdout", text: ["lib/a.ts\n", "end"] },
        {
          output_type: "display_data",
          data: {
            "text/html": ["<b>/home/me/kit/b</b>"],
            "image/png": "/home/me/kit/",
            "application/json": { source: "data:image/png;base64,/home/me/kit/", at: "/home/me/kit/c" },
          },
        },
      ],
    });
    const clean = cleanNotebook(notebook(cell), [{ from: "/home/me/kit/", to: "" }]);
    assertEquals(clean.cells[0].metadata, { tags: ["keep"] });
    assertEquals(clean.cells[0].outputs, [
      { output_type: "stream", name: "stdout", text: ["at lib/a.ts\n", "end"] },
      {
        output_type: "display_data",
        data: {
          "text/html": ["<b>b</b>"],
          "image/png": "/home/me/kit/",
          "application/json": { source: "data:image/png;base64,/home/me/kit/", at: "c" },
        },
      },
    ]);
  });
});

describe("notebookText()", () => {
  it("is Jupyter's form, with every list of numbers on one line", () => {
    const plain = notebook(code("a\nb"), { cell_type: "markdown", source: ["# A\n", "b"], metadata: {} });
    assertEquals(notebookText(plain), `${JSON.stringify(plain, null, 1)}\n`);
    const output = { data: { x: [1, null, 2.5], y: [[1, 2], ["a"]] } };
    const text = notebookText(notebook(code("a", { outputs: [output] })));
    assertEquals(JSON.parse(text), notebook(code("a", { outputs: [output] })));
    assertStringIncludes(text, '"x": [1,null,2.5],');
    assertStringIncludes(text, "[1,2],\n");
  });
});

describe("outputFaults()", () => {
  it("accepts a notebook that ran", () => {
    const output = { output_type: "stream", name: "stdout", text: "x" };
    assertEquals(outputFaults(notebook(code("a"), code("b", { outputs: [output] }))), []);
  });

  it("finds cells that did not run, errors, and the lack of any output", () => {
    const failed = code("c", { outputs: [{ output_type: "error" }] });
    assertEquals(outputFaults(notebook(code("a", { execution_count: null }), failed)), [
      "cell 1 has not been executed",
      "cell 2 shows an error",
    ]);
    assertEquals(outputFaults(notebook(code("a"))), ["no cell has an output"]);
  });
});

describe("selectNotebooks()", () => {
  const paths = [
    "/k/notebooks/00_quickstart.ipynb",
    "/k/notebooks/table01_la.ipynb",
    "/k/notebooks/table10_weights.ipynb",
  ];

  it("finds a notebook by its item, its subject or its file", () => {
    assertEquals(selectNotebooks(paths, ["table1"]), [paths[1]]);
    assertEquals(selectNotebooks(paths, ["table10", "quickstart"]), [paths[0], paths[2]]);
    assertEquals(selectNotebooks(paths, ["notebooks/table01_la.ipynb"]), [paths[1]]);
    assertEquals(selectNotebooks(paths, []), paths);
  });

  it("refuses an item that names none", () => {
    assertThrows(() => selectNotebooks(paths, ["table2"]), InputError, 'unknown notebook "table2"');
  });
});
