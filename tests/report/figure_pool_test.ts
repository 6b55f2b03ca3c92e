import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { itemsOf } from "../../lib/experiments/items.ts";
import type { PaperFigure } from "../../lib/experiments/item.ts";
import { openFigurePool } from "../../lib/report/figure_pool.ts";
import { figure4 } from "../../lib/report/figures/figure4.ts";
import { figurePng } from "../../lib/report/png.ts";
import type { Figure } from "../../lib/report/svg.ts";

const square = (side: number): Figure => ({
  width: side,
  height: side,
  alt: "A square",
  body: `<rect width="${side / 2}" height="${side}" fill="#0072b2"/><text x="2" y="12">${side}</text>`,
});

describe("openFigurePool()", () => {
  it("draws what figurePng() draws, each answer with its figure", async () => {
    const pool = openFigurePool(2);
    try {
      const sides = [20, 30, 40, 50, 60];
      const drawn = await Promise.all(sides.map((side) => pool.png(square(side), 72)));
      for (const [i, side] of sides.entries()) assertEquals(drawn[i], await figurePng(square(side), 72));
    } finally {
      pool.close();
    }
  });

  it("draws the paper's figures where there is data", async () => {
    const pool = openFigurePool(2);
    const [needsNone, needsRun] = itemsOf(["figure4", "figure5"]) as PaperFigure[];
    try {
      const drawn = await Promise.all([pool.figure(needsNone, []), pool.figure(needsRun, [])]);
      assertEquals(drawn, [figure4(), undefined]);
    } finally {
      pool.close();
    }
  });

  it("says why a figure cannot be drawn, and goes on", async () => {
    const pool = openFigurePool(1);
    try {
      await assertRejects(() => pool.png({ ...square(20), body: "<g>" }, 72), Error, "cannot be drawn");
      assertEquals((await pool.png(square(20), 72)).length > 0, true);
    } finally {
      pool.close();
    }
  });
});
