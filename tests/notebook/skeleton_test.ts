import { hostname } from "node:os";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Cell, readNotebook } from "../../lib/cli/notebook_cells.ts";
import { outputFaults } from "../../lib/cli/notebook_outputs.ts";
import { selectNotebooks } from "../../lib/cli/notebooks.ts";
import { notebookPaths } from "../../lib/cli/ok.ts";
import { items } from "../../lib/experiments/items.ts";
import { plotlyMime } from "../../lib/report/plotly.ts";
import { root } from "../tooling/source_graph.ts";

const paths = notebookPaths(root);
const notebooks = await Promise.all(
  paths.map(async (path) => ({ name: path.replace(/^.*\//, ""), ...await readNotebook(path) })),
);

/** What the first line of a cell says that it does. */
const sections = [
  "Imports",
  "Profile",
  "Study",
  "Table|Figure",
  "Paper against",
  "Verdict",
  "Deviations",
  "Environment",
];
/** Neither a table nor a figure of the paper; they compare nothing with it. */
const tours = ["00_quickstart.ipynb", "explore.ipynb"];

const sourceOf = ({ source }: Cell) => Array.isArray(source) ? source.join("") : source;
const isCode = ({ cell_type }: Cell) => cell_type === "code";

describe("notebooks", () => {
  it("are there for every table and figure, one each", () => {
    for (const { key } of items) assertEquals(selectNotebooks(paths, [key]).length, 1, key);
  });

  for (const { name, cells } of notebooks) {
    it(`have at most 12 cells of at most 15 lines: ${name}`, () => {
      assert(cells.length <= 12, `${cells.length} cells`);
      const long = cells.filter((cell) => sourceOf(cell).split("\n").length > 15);
      assertEquals(long.map(sourceOf), []);
    });

    it(`begin with title, time and command: ${name}`, () => {
      assertEquals(cells[0].cell_type, "markdown");
      const text = sourceOf(cells[0]);
      assertMatch(text, /^# \S/);
      assertMatch(text, /time|minute|second/i);
      assertMatch(text, /`npx -y deno@\S+ task \w+/);
    });

    if (!tours.includes(name)) {
      it(`have the sections in their order: ${name}`, () => {
        const said = cells.filter(isCode).map((cell) => sourceOf(cell).split("\n")[0].replace("// ", ""));
        let at = -1;
        for (const section of sections) {
          const next = said.findIndex((line, i) => i > at && new RegExp(`^(${section})`).test(line));
          assert(next >= 0, `no cell "${section}" after cell ${at + 1} of ${said.join(" | ")}`);
          at = next;
        }
        assertEquals(at, said.length - 1, "something stands after the environment");
      });
    }

    it(`say in one line what is missing outside of the kit: ${name}`, () => {
      const [guard] = cells.filter(isCode).map(sourceOf);
      assertMatch(guard, /^const alone = "This notebook belongs to the SASNet kit, .*";$/m);
      assertMatch(guard, /^void await Deno\.stat\("\.\.\/lib"\)\.catch\(.*stack: alone.*;\nimport /m);
    });

    it(`keep their outputs: ${name}`, () => {
      const faults = outputFaults({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 });
      assertEquals(faults, []);
    });

    it(`show every figure as Plotly and as PNG: ${name}`, () => {
      const data = cells.flatMap(({ outputs = [] }) =>
        outputs.map(({ data }) => data as object | undefined ?? {})
      );
      const pictures = data.filter((one) =>
        Object.keys(one).some((mime) => mime === plotlyMime || /^image/.test(mime))
      );
      for (const one of pictures) assertEquals(Object.keys(one), [plotlyMime, "image/png", "text/plain"]);
    });

    it(`are saved at smoke, which reads no patient: ${name}`, () => {
      const said = JSON.stringify(
        cells.map(({ outputs = [] }) => outputs.filter(({ name }) => name === "stdout")),
      );
      const profiles = [...said.matchAll(/--profile (\w+)/g)].map(([, profile]) => profile);
      assertEquals(profiles.filter((profile) => profile !== "smoke"), []);
    });

    it(`name no path or host of the machine that ran them: ${name}`, () => {
      const text = JSON.stringify(
        cells.map(({ outputs }) => outputs ?? []),
        (_, value) => typeof value === "string" && value.length > 5000 && !/\s/.test(value) ? "" : value,
      );
      const found =
        text.match(/(?<![\w.])\/(?:root|home|tmp|work|Users|opt|var)\/[^"\s\\]*|file:\/\/[^"\s\\]*/g) ?? [];
      assertEquals(found, []);
      if (hostname().length > 4) assert(!text.includes(hostname()));
    });
  }
});
