import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { extremesOf } from "../../lib/volume/extremes.ts";

describe("extremesOf()", () => {
  it("looks at every value of arrays that are longer than it takes in one go", () => {
    for (const place of [0, 65535, 65536, 150000]) {
      const values = new Float32Array(150001);
      values[place] = -3;
      values[150000 - place] = 5;
      assertEquals(extremesOf(values), [-3, 5]);
    }
  });

  it("tells of one NaN", () => {
    const values = new Float32Array(70000);
    values[69999] = NaN;
    assertEquals(extremesOf(values), [NaN, NaN]);
  });
});
