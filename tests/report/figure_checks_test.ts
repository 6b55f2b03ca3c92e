import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { FigureContents, StoredCase, StoredPlane } from "../../lib/experiments/figure_data.ts";
import type { FigurePart } from "../../lib/experiments/figure_parts.ts";
import {
  comparisonChecks,
  figure1Checks,
  figure3Checks,
  figure4Checks,
  figure5Checks,
  figure8Checks,
} from "../../lib/report/figures/checks.ts";
import { partsTable } from "../../lib/report/figures/parts_table.ts";
import { surfaceScene } from "../../lib/report/figures/surface_scene.ts";
import type { Table } from "../../lib/report/table.ts";

const shape = [8, 8, 8] as const;

/** 1 in the boxes, which are [from, to) on each axis. */
function boxes(...ranges: readonly (readonly [number, number])[]): Uint8Array {
  const inside = (i: number, [from, to]: readonly [number, number]) => i >= from && i < to;
  return Uint8Array.from({ length: 512 }, (_, v) => {
    const [x, y, z] = [v >> 6, (v >> 3) & 7, v & 7];
    return ranges.some((range) => [x, y, z].every((i) => inside(i, range))) ? 1 : 0;
  });
}

function plane(value: (x: number, y: number) => number): StoredPlane {
  const data = Float32Array.from({ length: 64 }, (_, i) => value(i % 8, i >> 3));
  return { width: 8, height: 8, data, spacing: [1, 1] };
}

function stored(
  name: string,
  predictions: Readonly<Record<string, [mask: Uint8Array, dice: number]>>,
): StoredCase {
  const flat = plane(() => 0);
  return {
    case: name,
    shape,
    spacing: [1, 1, 1],
    slice: 4,
    image: flat,
    truth: boxes([2, 6]),
    predictions: Object.entries(predictions).map(([name, [mask, dice]]) => ({
      name,
      mask,
      dice,
      probability: flat,
    })),
  };
}

function part<K extends keyof FigureContents>(
  label: string,
  figure: K,
  content: FigureContents[K],
): FigurePart<K> {
  const choice = {
    method: "sasnet",
    variant: "paper",
    dataset: "phantom",
    labelled: 4,
    profile: "smoke",
    seed: 1,
    settings: [],
  } as const;
  const checkpoint = { rule: "last", step: 1 } as const;
  const found = { format: 1, figure, run: label, choice, checkpoint, content } as const;
  return { label, dataset: "la", standsFor: "la", stored: found };
}

const verdicts = ({ rows }: Table) => rows.map(({ cells }) => cells[3]);

describe("checks of figures", () => {
  it("figure 1: two branches against one, and views that differ", () => {
    const whole = boxes([2, 6]);
    const parts = [
      part("low-level branch alone", "figure1", { cases: [stored("a", { ensemble: [whole, 0.8] })] }),
      part("high-level branch alone", "figure1", { cases: [stored("a", { ensemble: [whole, 0.95] })] }),
      part("both branches", "figure1", {
        cases: [stored("a", { ensemble: [whole, 0.9], xyz: [whole, 1], yxz: [boxes([2, 5]), 1] })],
      }),
    ];
    const table = figure1Checks(parts);
    assertEquals(verdicts(table), ["holds", "does not hold", "holds"]);
    // 4³ voxels, of which 3³ are in both views.
    assertStringIncludes(String(table.rows[2].cells[2]), `${(100 * 37 / 64).toFixed(1)} %`);
  });

  it("figure 3: the last fifth of the confidences against the first, steps without any left out", () => {
    const values = {
      "confidence.high.foreground": [null, 0.2, 0.3, 0.9, 0.1, 0.4],
      loss: [1, 2, 3, 4, 5, 6],
    };
    const content = {
      history: { steps: [1, 2, 3, 4, 5, 6], values },
    } as unknown as FigureContents["figure3"];
    const table = figure3Checks([part("SASNet", "figure3", content)]);
    assertEquals(table.rows.map(({ cells }) => cells[2]), [
      "0.200 in the first fifth of the steps, 0.400 in the last",
    ]);
  });

  it("figure 4: the printed sums come out, the ratio moves to the truth and the softmax away", () => {
    assertEquals(verdicts(figure4Checks()), ["holds", "holds", "does not hold"]);
  });

  it("figure 5: the map of a box has its signs and its range; that of nothing has no border", () => {
    const content = (mask: Uint8Array) => ({ mask, case: stored("a", {}) });
    const of = (mask: Uint8Array) => verdicts(figure5Checks([part("SASNet", "figure5", content(mask))]));
    assertEquals(of(boxes([1, 7])), ["holds", "holds"]);
    assertEquals(of(new Uint8Array(512)), ["does not hold", "does not hold"]);
  });

  it("figures 6 and 7: SASNet's Dice and pieces against the others, case by case", () => {
    const parts = [
      part("V-Net, LA", "figure6", { cases: [stored("a", { ensemble: [boxes([0, 2], [4, 6]), 0.5] })] }),
      part("DTC, la", "figure6", { cases: [stored("a", { ensemble: [boxes([2, 6]), 0.9] })] }),
      part("SASNet, la", "figure6", { cases: [stored("a", { ensemble: [boxes([2, 6]), 0.7] })] }),
    ];
    const table = comparisonChecks(6, parts);
    assertEquals(verdicts(table), ["holds in part", "holds"]);
    assertEquals(table.rows[1].cells[2], "1 connected pieces, no more than 2 of 2 methods");
  });

  it("figure 8: a checkerboard is more local than a slope", () => {
    const block = (map: StoredPlane) => ({
      grid: [8, 8, 8] as const,
      channels: 1,
      mean: map,
      strongest: [{ channel: 0, plane: map }],
    });
    const [slope, checks] = [plane((x) => x), plane((x, y) => (x + y) % 2)];
    const of = (low: StoredPlane, high: StoredPlane) =>
      verdicts(figure8Checks([part("SASNet", "figure8", {
        case: "a",
        image: slope,
        truth: slope,
        branches: [{ name: "low", blocks: [block(low)] }, { name: "high", blocks: [block(high)] }],
      })]));
    assertEquals(of(checks, slope), ["holds"]);
    assertEquals(of(slope, checks), ["does not hold"]);
  });
});

describe("partsTable() and surfaceScene()", () => {
  const cases = (from: number) => ({ cases: [stored("a", { ensemble: [boxes([from, 6]), 0.5] })] });
  const parts = [
    part("V-Net, LA", "figure6", cases(2)),
    { ...part("DTC, la", "figure6", cases(3)), stored: undefined },
    part("SASNet, la", "figure6", cases(1)),
  ];

  it("have a row a declared run, and say which is missing", () => {
    const runs = ["vnet", "dtc", "sasnet"].map((method, i) => ({
      label: parts[i].label,
      run: { method, dataset: "la", share: 20, settings: {} } as const,
    }));
    const item = { kind: "figure", key: "figure6", number: 6, caption: "", needs: "", runs } as const;
    const { rows } = partsTable(item, parts, []);
    assertEquals(rows.map(({ cells }) => cells.slice(0, 4)), [
      ["V-Net", "LA, 20 % labelled", "Phantom in its place, 4 labelled", "a 50.0"],
      ["DTC", "LA, 20 % labelled", "missing", null],
      ["SASNet", "LA, 20 % labelled", "Phantom in its place, 4 labelled", "a 50.0"],
    ]);
  });

  it("have a surface of the truth and of every run that is there, the last one shown", () => {
    const { plotly, body } = surfaceScene(parts)!;
    assertEquals(plotly!.data.map(({ name, visible }) => [name, visible ?? true]), [
      ["ground truth", true],
      ["V-Net", false],
      ["SASNet", true],
    ]);
    for (const title of ["ground truth", "V-Net", "SASNet"]) assertStringIncludes(body, `>${title}<`);
    assertEquals(surfaceScene([parts[1]]), undefined);
  });
});
