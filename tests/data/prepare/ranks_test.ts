import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { valuesAtRanks } from "../../../lib/data/prepare/ranks.ts";
import { randomStream } from "../../../lib/random.ts";

/** Numbers of very different sizes and both signs, many of them equal. */
function drawn(length: number): Float32Array {
  const stream = randomStream(7, "ranks");
  return Float32Array.from({ length }, () => {
    const kind = stream.integer(4);
    if (kind === 0) return 0;
    return kind === 1 ? stream.integer(9) - 4 : stream.normal() * 10 ** (stream.integer(60) - 30);
  });
}

describe("valuesAtRanks()", () => {
  it("finds what sorting finds", () => {
    const values = drawn(5000);
    const sorted = values.toSorted();
    const ranks = Array.from(values.keys());
    const some = ranks.filter((rank) => rank % 97 === 0 || rank === values.length - 1);
    assertEquals(valuesAtRanks(values, some), some.map((rank) => sorted[rank]));
  });

  it("leaves the values in their order", () => {
    const values = Float32Array.of(3, -1, 2);
    assertEquals(valuesAtRanks(values, [0, 1, 2]), [-1, 2, 3]);
    assertEquals([...values], [3, -1, 2]);
  });

  it("keeps the signs of zeros and the smallest numbers", () => {
    const values = Float32Array.of(0, 1.4e-45, -0, -1.4e-45);
    assertEquals(valuesAtRanks(values, [0, 1, 2, 3]).map((v) => Object.is(v, -0)), [
      false,
      true,
      false,
      false,
    ]);
  });
});
