import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { paperAudit } from "../../lib/experiments/audit.ts";
import { jaccardBounds } from "../../lib/experiments/audit_bounds.ts";
import { advantage } from "../../lib/experiments/audit_rows.ts";
import { claims } from "../../lib/experiments/claims.ts";
import { tables } from "../../lib/experiments/items.ts";
import { randomStream } from "../../lib/random.ts";
import { paperPath } from "./paper_text.ts";

const audit = paperAudit();
const path = paperPath();

describe("paperAudit()", () => {
  it("finds the two Jaccards of one configuration, and only them", () => {
    const found = audit.filter(({ check, finding }) =>
      check === "one configuration in several rows" && finding === "inconsistent"
    );
    assertEquals(found.length, 1);
    assertEquals(found[0].arithmetic, "Jaccard 83.85 / 83.53 / 83.85");
    assertStringIncludes(found[0].where, "Table 5");
  });

  it("recomputes every printed difference of the tables", () => {
    const gains = audit.filter(({ check }) => check === "printed difference of two rows");
    assertEquals(gains.length, 10);
    assert(gains.every(({ finding }) => finding === "consistent"));
  });

  it("finds the venues that differ from the bibliography", () => {
    const found = audit.filter(({ check, finding }) =>
      check === "venue of a method" && finding === "inconsistent"
    );
    assertEquals(found.map(({ where }) => where), ["[39] PLGCL", "[40] EM"]);
  });

  it("finds the claims that the printed rows do not carry", () => {
    const found = audit.filter(({ check, finding }) =>
      check.startsWith("claim of the text") && finding === "inconsistent"
    );
    assertEquals(found.map(({ where }) => where.replace(/^.*?(Table \d+): (.{20}).*$/, "$1 $2")), [
      "Table 2 SASNet is better tha",
      "Table 7 SAR reduces HD95 (Pa",
      "Table 7 low-level features i",
      "Table 10 β above 0.5 gains le",
    ]);
  });

  it("finds the four pairs of Dice and Jaccard that no test cases can have", () => {
    const bounds = audit.filter(({ check }) => check === "mean Dice bounds mean Jaccard");
    const impossible = bounds.filter(({ finding }) => finding === "impossible");
    assertEquals(impossible.map(({ where }) => where), [
      "Table 1, AUSS 16 (20%) 64",
      "Table 1, MiDSS 16 (20%) 64",
      "Table 2, GALoss 12 (20%) 50",
      "Table 10, 1.0 1.0 (with ramp-up)",
    ]);
    assertStringIncludes(impossible[0].arithmetic, "Jaccard 83.12 to 90.80; printed 82.91");
    assertEquals(bounds.length, 77 + 5 + 5 + 18 + 2 + 5);
  });

  it("finds both directions of Figure 4's example", () => {
    const found = audit.filter(({ check }) => check === "worked example of SAR");
    assertEquals(found.map(({ finding }) => finding), ["inconsistent", "inconsistent"]);
    assertStringIncludes(found[0].arithmetic, "0.3333 to 0.3353, towards the truth");
  });

  it("finds the cells of Table 11 that no public network has", () => {
    const found = audit.filter(({ check }) => check === "parameters and FLOPs of a network");
    assertEquals(
      found.filter(({ finding }) => finding === "inconsistent").map(({ where }) => where),
      ["V-Net", "UA-MT", "URPC", "MC-Net+", "SASNet"].map((label) => `Table 11, ${label}`),
    );
  });
});

describe("jaccardBounds()", () => {
  it("holds for every set of cases: the bounds of Jaccard and of the spread", () => {
    const stream = randomStream(5, "cases");
    for (let round = 0; round < 200; round++) {
      const dice = Array.from(
        { length: 1 + stream.integer(30) },
        () => stream.uniform() ** (0.2 + round % 5),
      );
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const centre = mean(dice);
      const { possible, spread } = jaccardBounds(centre, mean(dice.map((d) => d / (2 - d))));
      const sd = Math.sqrt(mean(dice.map((d) => (d - centre) ** 2)));
      assert(possible);
      assert(spread[0] <= sd + 1e-12 && sd <= spread[1] + 1e-12, `${spread} ${sd}`);
    }
  });

  it("refuses a pair that no cases have", () => {
    assertEquals(jaccardBounds(0.9, 0.8).possible, false);
    assertEquals(jaccardBounds(0.9, 0.905).possible, false);
    assertEquals(jaccardBounds(0.9, 0.9 / 1.1).possible, true);
  });
});

describe("claims", () => {
  it("name rows that exist and are printed", () => {
    for (const { table, better, than } of claims) {
      const rows = tables.find(({ key }) => key === table)!.rows;
      for (const id of [better, ...than]) {
        assert(rows.some((row) => row.id === id && row.printed !== undefined), `${table} ${id}`);
      }
    }
  });

  it("state differences that the text prints", { ignore: path === undefined }, async () => {
    const text = await Deno.readTextFile(path!);
    for (const { differences } of claims) {
      for (const value of Object.values(differences ?? {})) {
        assertStringIncludes(text, `${value.toFixed(2)}%`);
      }
    }
  });
});

describe("advantage()", () => {
  it("is positive where the first is better", () => {
    assertAlmostEquals(advantage("dice", [91, 0, 0, 0], [90, 0, 0, 0]), 1);
    assertAlmostEquals(advantage("hd95", [0, 0, 4, 0], [0, 0, 5.5, 0]), 1.5);
  });
});
