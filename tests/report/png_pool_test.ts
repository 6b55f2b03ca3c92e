import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { figurePng } from "../../lib/report/png.ts";
import { openPngPool } from "../../lib/report/png_pool.ts";
import type { Figure } from "../../lib/report/svg.ts";

const square = (side: number): Figure => ({
  width: side,
  height: side,
  alt: "A square",
  body: `<rect width="${side / 2}" height="${side}" fill="#0072b2"/><text x="2" y="12">${side}</text>`,
});

describe("openPngPool()", () => {
  it("draws what figurePng() draws, each answer with its figure", async () => {
    const pool = openPngPool(2);
    try {
      const sides = [20, 30, 40, 50, 60];
      const drawn = await Promise.all(sides.map((side) => pool.draw(square(side), 72)));
      for (const [i, side] of sides.entries()) assertEquals(drawn[i], await figurePng(square(side), 72));
    } finally {
      pool.close();
    }
  });

  it("says why a figure cannot be drawn, and goes on", async () => {
    const pool = openPngPool(1);
    try {
      await assertRejects(() => pool.draw({ ...square(20), body: "<g>" }, 72), Error, "cannot be drawn");
      assertEquals((await pool.draw(square(20), 72)).length > 0, true);
    } finally {
      pool.close();
    }
  });
});
