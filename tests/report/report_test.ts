import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { meanAndDeviation, quantile } from "../../lib/report/case_chart.ts";
import { type ColourMapName, luminance, mapColour } from "../../lib/report/colour_maps.ts";
import { contourLoops, loopArea, loopPath, openPath } from "../../lib/report/contours.ts";
import { lineChart, movingMean } from "../../lib/report/curves.ts";
import { demoFigures, demoTable } from "../../lib/report/demo_figures.ts";
import type { DemoRecord } from "../../lib/report/demo_record.ts";
import { writeDemoReport } from "../../lib/report/demo_report.ts";
import { takePlane } from "../../lib/report/planes.ts";
import { cellText, type Table, tableMarks } from "../../lib/report/table.ts";
import { tableCsv, tableLatex, tableMarkdown, tableText } from "../../lib/report/table_formats.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";

const table: Table = {
  title: "Two methods",
  columns: [
    { label: "Method" },
    { label: "Dice", unit: "%", direction: "up" },
    { label: "HD95", unit: "voxel", direction: "down" },
  ],
  rows: [
    { cells: ["A & B", { value: 80, spread: 1.5 }, 7] },
    { cells: ["C", 91.236, { value: 4.5, spread: 0.25 }] },
    { cells: ["D", null, 9] },
  ],
  caption: ["Smoke scale."],
  footnotes: [],
};

describe("tableMarks()", () => {
  it("marks best and second best by each column's direction and passes over missing values", () => {
    assertEquals(tableMarks(table), [
      [undefined, "second", "second"],
      [undefined, "best", "best"],
      [undefined, undefined, undefined],
    ]);
  });

  it("refuses a row of another length", () => {
    assertThrows(() => tableMarks({ ...table, rows: [{ cells: ["A"] }] }), Error, "1 cells, expected 3");
  });
});

describe("cellText()", () => {
  it("gives no sign to what rounds to zero", () => {
    const texts = [-0.001, { value: -0.004, spread: 0.1 }, -0.006, -10].map((cell) =>
      cellText(cell, { label: "Δ", decimals: 2 })
    );
    assertEquals(texts, ["0.00", "0.00 ± 0.10", "−0.01", "−10.00"]);
  });
});

describe("table formats", () => {
  it("write Markdown, LaTeX, CSV and text with the same numbers", () => {
    assertStringIncludes(tableMarkdown(table), "**91.24**");
    assertStringIncludes(tableLatex(table), "\\textbf{91.24}");
    assertStringIncludes(tableLatex(table), "A \\& B");
    assertStringIncludes(tableCsv(table), "C,91.236");
    assertStringIncludes(tableText(table), "80.00 ± 1.50");
  });
});

describe("mapColour()", () => {
  for (const name of ["grey", "viridis", "cividis"] as ColourMapName[]) {
    it(`brightens steadily along ${name}`, () => {
      const steps = Array.from({ length: 65 }, (_, i) => luminance(mapColour(name, i / 64)));
      for (let i = 1; i < steps.length; i++) assert(steps[i] > steps[i - 1] - 1e-9, `step ${i}`);
    });
  }
});

describe("contourLoops()", () => {
  it("encloses the area of a disc", () => {
    const shape: Shape3 = [64, 64, 1];
    const data = new Float32Array(64 * 64);
    for (let x = 0; x < 64; x++) {
      for (let y = 0; y < 64; y++) data[x * 64 + y] = 20 - Math.hypot(x - 31, y - 33);
    }
    const plane = takePlane({ data, shape, spacing: [1, 1, 1] }, 2, 0);
    const area = loopArea(contourLoops(plane, 0));
    assertAlmostEquals(area / (Math.PI * 400), 1, 5e-3);
  });
});

describe("openPath()", () => {
  const halves = (column: number) =>
    takePlane(
      {
        data: Float32Array.from({ length: 64 }, (_, i) => Math.floor(i / 8) - column),
        shape: [8, 8, 1],
        spacing: [1, 1, 1],
      },
      2,
      0,
    );

  it("leaves out the picture's edge", () => {
    const plane = halves(3.5);
    assertEquals(openPath(contourLoops(plane, 0), plane, [1, 1]).match(/[ML]4 /g)?.length, 8);
    assert(!/[ML ]8/.test(openPath(contourLoops(plane, 0), plane, [1, 1])), "the line follows the edge");
    assertEquals(openPath(contourLoops(halves(-1), 0), plane, [1, 1]), "");
  });

  it("keeps a line that stays within the picture as loopPath() draws it", () => {
    const data = Float32Array.from(
      { length: 64 },
      (_, i) => 2 - Math.hypot(Math.floor(i / 8) - 3, i % 8 - 4),
    );
    const plane = takePlane({ data, shape: [8, 8, 1], spacing: [1, 1, 1] }, 2, 0);
    const loops = contourLoops(plane, 0);
    assertEquals(openPath(loops, plane, [1, 1]), loopPath(loops, [1, 1]));
  });
});

describe("statistics of figures", () => {
  it("follow their definitions", () => {
    assertEquals([...movingMean([1, 2, 6, 2, 1], 3)], [1, 3, 10 / 3, 3, 1]);
    assertEquals(quantile([4, 1, 3, 2], 0.5), 2.5);
    assertAlmostEquals(meanAndDeviation([1, 2, 3]).deviation, 1, 1e-12);
  });
});

describe("lineChart()", () => {
  it("draws a mark and a read-out for each series", () => {
    const figure = lineChart([
      { name: "a", steps: [1, 2, 3], values: [3, 2, NaN] },
      { name: "b", steps: [1, 2, 3], values: [1, 2, 3] },
    ]);
    assertEquals(figure.readouts?.[0].series.map(({ name }) => name), ["a", "b"]);
    assertEquals(figure.readouts?.[0].series[0].values[2], null);
  });
});

describe("writeDemoReport()", () => {
  it("makes a page that needs no network, and every figure as SVG and PNG", async () => {
    const record = sampleRecord();
    const files = new Map<string, string | Uint8Array>();
    await writeDemoReport(record, (name, contents) => {
      files.set(name, contents);
      return Promise.resolve();
    });
    const page = files.get("index.html") as string;
    assert(!/(src|href)="https?:/.test(page), "the page refers to the network");
    for (const { file } of demoFigures(record)) {
      assertStringIncludes(files.get(`${file}.svg`) as string, "<svg");
      assertEquals([...(files.get(`${file}.png`) as Uint8Array).subarray(1, 4)], [0x50, 0x4e, 0x47]);
    }
    assertEquals(demoTable(record).rows.length, 2);
  });
});

function sampleRecord(): DemoRecord {
  const shape: Shape3 = [12, 10, 6];
  const spacing = [1, 1, 1] as const;
  const label = new Uint8Array(720);
  const image = new Float32Array(720);
  for (let i = 0; i < 720; i++) {
    label[i] = i % 60 > 20 && i % 60 < 40 ? 1 : 0;
    image[i] = label[i] + Math.sin(i);
  }
  const map = Float32Array.from(label, (l) => 0.2 + 0.6 * l);
  const cases = [{ case: "one", dice: 0.9, jaccard: 0.8, hd95: 2, asd: 0.5 }, {
    case: "two",
    dice: 0,
    jaccard: 0,
    hd95: null,
    asd: null,
  }];
  const method = { labelled: 2, parameters: 10, seconds: 1, steps: [1, 2], terms: { dice: [1, 0.5] }, cases };
  const grid = { shape, spacing, image, label };
  return {
    title: "Sample",
    lead: "A sample.",
    facts: [["Seed", "1"]],
    caption: ["Sample scale."],
    methods: [{ name: "A", unlabelled: 0, ...method }, { name: "B", unlabelled: 4, ...method }],
    cases: [{ name: "one", ...grid, predictions: [{ name: "A", probability: map, dice: 0.9 }] }],
    inner: {
      name: "three",
      ...grid,
      confidence: { high: map, low: map },
      mask: label,
      boundary: label,
      positive: map,
      negative: map,
      sdm: map,
    },
  };
}
