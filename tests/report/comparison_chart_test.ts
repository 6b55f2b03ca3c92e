import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { table9 } from "../../lib/experiments/ablation_tables.ts";
import { printedPairs } from "../../lib/experiments/audit_bounds.ts";
import { table11 } from "../../lib/experiments/complexity_table.ts";
import { boundsChart } from "../../lib/report/bounds_chart.ts";
import { complexityChart, tableComparison } from "../../lib/report/comparison_chart.ts";
import { complexityVerdicts } from "../../lib/report/complexity_report.ts";
import { lineChart } from "../../lib/report/curves.ts";
import { flipBook } from "../../lib/report/flip_book.ts";
import type { Figure } from "../../lib/report/svg.ts";

interface Trace {
  readonly name: string;
  readonly x: readonly (number | null)[];
}
const traces = ({ plotly }: Figure, name: string) =>
  (plotly!.data as unknown as Trace[]).filter((trace) => trace.name === name).map(({ x }) => x);

const counted = [{
  key: "vnet",
  parameters: 9_180_000,
  macs: 1e9,
  macsAtOutput: 46_850_000_000,
  withElementwise: 0,
}];

describe("tableComparison()", () => {
  it("shows the printed numbers of every row, and nothing of ours where there is no run", () => {
    const figure = tableComparison(table9, new Map());
    assertEquals(traces(figure, "paper"), [[91.20, 91.82], [5.38, 4.63]]);
    assertEquals(traces(figure, "ours"), [[null, null], [null, null]]);
    // Two rows and two panels have a diamond each; the key has one more.
    assertEquals(figure.body.match(/l3\.4 3\.4/g)?.length, 5);
    assertEquals(figure.body.match(/<circle/g)?.length, 1);
  });
});

describe("complexityChart()", () => {
  it("shows counts in millions and thousand millions beside the printed ones", () => {
    const figure = complexityChart(table11, counted);
    assertEquals(traces(figure, "ours").map((x) => x[0]), [9.18, 46.85]);
    assertEquals(traces(figure, "paper").map((x) => x.at(-1)), [11.26, 67.31]);
  });
});

describe("complexityVerdicts()", () => {
  it("calls a count that rounds to the printed number the same, and says where it is not", () => {
    const { rows } = complexityVerdicts(table11, [{ ...counted[0], macsAtOutput: 46_900_000_000 }]);
    assertEquals(rows[0].cells, ["V-Net", "the same: 9.18 M", "differs: 46.85 printed, 46.90 G counted"]);
    assertEquals(rows[1].cells[1], "not counted");
  });
});

describe("boundsChart()", () => {
  it("has a cross for every pair that no cases have, and they alone lie below the bound", () => {
    const figure = boundsChart();
    const impossible = printedPairs().filter(({ bounds }) => !bounds.possible);
    assert(impossible.length > 0);
    // Two panels and the key.
    assertEquals(figure.body.match(/m0 -5\.2l-5\.2 5\.2/g)?.length, 2 * impossible.length + 1);
    for (const { dice, jaccard, bounds } of printedPairs()) {
      const least = 100 * (dice - 0.005) / (200 - dice + 0.005) - 0.005;
      assertEquals(bounds.possible, jaccard >= least && jaccard <= dice + 0.01);
    }
  });
});

describe("flipBook()", () => {
  const frames = [1, 2, 3, 4, 5].map((value) => ({
    label: String(value),
    figure: lineChart([{ name: "a", steps: [0, 1], values: [0, value] }]),
  }));
  const book = flipBook(frames, { name: "value", printed: 3, alt: "Five charts" });

  it("prints frames evenly taken, the first and the last among them", () => {
    const titles = [...book.body.matchAll(/>value (\d)</g)].map(([, value]) => value);
    assertEquals(titles, ["1", "3", "5"]);
  });

  it("has a step of the slider for every frame, each with its own picture", () => {
    const { sliders: [{ steps, active }], images: [{ source }] } = book.plotly!.layout as {
      sliders: { active: number; steps: { label: string; args: [Record<string, string>] }[] }[];
      images: { source: string }[];
    };
    assertEquals(steps.map(({ label }) => label), ["1", "2", "3", "4", "5"]);
    const sources = steps.map(({ args: [change] }) => change["images[0].source"]);
    assertEquals(new Set(sources).size, 5);
    assertEquals(sources[active], source);
    assertEquals(decodeURIComponent(source).includes("<svg"), true);
  });
});
