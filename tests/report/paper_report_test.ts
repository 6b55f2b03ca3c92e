import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { choiceOf } from "../../lib/experiments/choice.ts";
import type { PaperTable } from "../../lib/experiments/item.ts";
import { itemsOf } from "../../lib/experiments/items.ts";
import type { RunRecord } from "../../lib/experiments/record.ts";
import { recordOfRun } from "../../lib/experiments/record_of_run.ts";
import { tableResults } from "../../lib/experiments/results.ts";
import { verdictsOf } from "../../lib/experiments/verdicts.ts";
import {
  auditReport,
  complexityReport,
  figureReport,
  overviewHtml,
  tableReport,
} from "../../lib/report/item_report.ts";
import { claimTable, comparisonTable } from "../../lib/report/paper_table.ts";
import { writeRunFolder } from "../experiments/runs.ts";

const scale = { profile: "smoke", variant: "paper", command: "task study table6" } as const;
const table6 = itemsOf(["table6"])[0] as PaperTable;

describe("the report of a table", () => {
  let root = "";
  /** Runs of table 6 by row; 12 cases, so that 12 equal signs are significant after the correction. */
  let records: RunRecord[] = [];
  beforeAll(async () => {
    root = await Deno.makeTempDir();
    const dice: Record<string, number> = {
      "with-sar": 0.9,
      "without-sar": 0.8,
      "without-low-level": 0.7,
      "with-low-level": 0.6,
    };
    records = await Promise.all(
      Object.entries(dice).flatMap(([id, value]) =>
        [1, 2].map(async (seed) => {
          const choice = choiceOf(table6.rows.find((row) => row.id === id)!.run, seed, {
            ...scale,
            standIn: true,
          });
          const folder = await writeRunFolder(root, choice, { dice: value + 0.01 * seed, cases: 12 });
          return await recordOfRun(folder, choice, { evaluateSeconds: 1, peakBytes: null });
        })
      ),
    );
  });
  afterAll(() => Deno.remove(root, { recursive: true }));
  const source = (chosen: readonly RunRecord[]) => ({
    records: chosen,
    damaged: [],
    scale,
    complexity: [],
    stored: [],
  });

  it("shows paper, ours with the spread over seeds, and the difference", () => {
    const table = comparisonTable(table6, tableResults(table6, scale, records), scale);
    const row = table.rows[1];
    const [, paper, ours, difference] = row.cells as [
      string,
      number,
      { value: number; spread: number },
      number,
    ];
    assertEquals(paper, 91.82);
    assert(ours.value > 91 && ours.value < 94);
    assertAlmostEquals(difference, ours.value - paper, 1e-12);
    assert(ours.spread > 0.3 && ours.spread < 2);
    assertEquals(row.cells.at(-1), 2);
    // Without a run of "w/o SDM" its cells are empty, and "with SDM" is the run of "with SAR".
    assertEquals(table.rows[2].cells.slice(2, 4), [null, null]);
    assertEquals(table.rows[3].cells[2], row.cells[2]);
    assertStringIncludes(table.caption.join(" "), "Seeds: 1, 2");
    assertStringIncludes(table.footnotes.join(" "), "phantoms, which stand in for LA");
  });

  it("decides each claim: holds, does not, not tested", () => {
    const verdicts = verdictsOf(table6, tableResults(table6, scale, records));
    assertEquals(verdicts.map(({ verdict }) => verdict), ["holds", "holds", "not tested", "does not hold"]);
    const [sar] = verdicts[0].comparisons;
    // 12 positive differences: p = 2/2^12; 6 comparisons in the table.
    assertAlmostEquals(sar.p, 2 / 4096, 1e-12);
    assertAlmostEquals(sar.adjusted, 6 * 2 / 4096, 1e-12);
    const text = claimTable(table6, verdicts, scale).rows[2].cells[3];
    assertEquals(text, "no run of w/o SDM");
  });

  it("does not call a difference significant that few cases cannot show", async () => {
    const few = await Promise.all(["with-sar", "without-sar"].map(async (id, i) => {
      const choice = choiceOf(table6.rows.find((row) => row.id === id)!.run, 5, { ...scale, standIn: true });
      const folder = await writeRunFolder(`${root}/few`, choice, { dice: 0.9 - 0.1 * i, cases: 4 });
      return await recordOfRun(folder, choice, { evaluateSeconds: 1, peakBytes: null });
    }));
    const [first] = verdictsOf(table6, tableResults(table6, scale, few));
    assertEquals(first.verdict, "holds in the mean, not significantly");
  });

  it("counts missed cases in a footnote and keeps them out of the mean distance", async () => {
    const choice = choiceOf(table6.rows[0].run, 9, { ...scale, standIn: true });
    const folder = await writeRunFolder(`${root}/missed`, choice, { dice: 0.9, cases: 4 });
    const record = await recordOfRun(folder, choice, { evaluateSeconds: 1, peakBytes: null });
    const [evaluation] = record.evaluations;
    const none = { hd95Voxel: null, asdVoxel: null, hd95Mm: null, asdMm: null };
    const cases = evaluation.cases.map((one, i) => i === 0 ? { ...one, dice: 0, jaccard: 0, ...none } : one);
    const missed = { ...record, evaluations: [{ ...evaluation, cases }] };
    const table = comparisonTable(table6, tableResults(table6, scale, [missed]), scale);
    assertStringIncludes(table.footnotes.join(" "), "Mean without 1 of 4 values");
  });

  it("is whole with no, some and all runs", () => {
    for (const chosen of [[], records.slice(0, 1), records]) {
      const { files, line } = tableReport(table6, source(chosen));
      const html = files.get("index.html")!;
      assertStringIncludes(html, "91.82");
      assertStringIncludes(files.get("table.tex")!, "\\toprule");
      assertStringIncludes(files.get("table.md")!, "| with SAR");
      assert(!/NaN|undefined|Infinity/.test(html), line);
      assert(!/(?:src|href)="https?:/.test(html));
      for (const [, link] of html.matchAll(/href="([^"#]+)"/g)) assert(files.has(link), link);
    }
  });

  it("has LaTeX in plain characters for every table", () => {
    const command = "task study table6 --profile smoke";
    for (const item of itemsOf(["tables"])) {
      const files = item.kind === "table"
        ? tableReport(item, { ...source(records), scale: { ...scale, command } }).files
        : item.kind === "complexity"
        ? complexityReport(item, source([])).files
        : new Map<string, string>();
      const tex = files.get("table.tex")!;
      assertEquals(tex.match(/[^\t\n -~]/g), null, item.key);
      if (item.kind === "table") assertStringIncludes(tex, "table6 -{}-profile smoke");
    }
  });

  it("lists the runs of figures, counts of table 11, and every report on one page", () => {
    const [figure, table11] = itemsOf(["figure1", "table11"]);
    assert(figure.kind === "figure" && table11.kind === "complexity");
    const drawn = figureReport(figure, source(records));
    assertEquals(drawn.line, "2 of 3 runs present, data of 0");
    const counts = [{
      key: "sasnet",
      parameters: 11258376,
      macs: 6e10,
      macsAtOutput: 6.7e10,
      withElementwise: 7e10,
    }];
    const counted = complexityReport(table11, { ...source([]), complexity: counts });
    assertEquals(counted.line, "1 of 7 methods counted");
    const page = overviewHtml([drawn, counted, auditReport()], "mini");
    assertStringIncludes(page, "of profile mini");
    for (const key of ["figure1", "table11", "paper_audit"]) {
      assertStringIncludes(page, `href="${key}/index.html"`);
    }
  });
});

describe("auditReport()", () => {
  it("counts what does not agree and gives every check in CSV", () => {
    const { files, line } = auditReport();
    assertStringIncludes(line, "19 do not agree");
    assertEquals(files.get("table.csv")!.trimEnd().split("\r\n").length, 1 + 218);
  });
});
