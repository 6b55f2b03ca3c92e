import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { itemScale } from "../../lib/notebook/item_scale.ts";

function withEnvironment(values: Readonly<Record<string, string>>, test: () => void): void {
  const before = Object.keys(values).map((key) => [key, Deno.env.get(key)] as const);
  for (const [key, value] of Object.entries(values)) Deno.env.set(key, value);
  try {
    test();
  } finally {
    for (const [key, value] of before) value === undefined ? Deno.env.delete(key) : Deno.env.set(key, value);
  }
}

describe("itemScale()", () => {
  it("is smoke with the released code's seed where nothing is chosen", () => {
    const { profile, seeds, command } = itemScale("table04");
    assertEquals([profile, seeds], ["smoke", [1337]]);
    assertEquals(command, "npx -y deno@2.9.6 task study table4 --profile smoke");
  });

  it("takes profile and seeds from the environment, and what is chosen before them", () => {
    withEnvironment({ SASNET_PROFILE: "mini", SASNET_SEEDS: "1,2" }, () => {
      assertEquals(
        itemScale("table4").command,
        "npx -y deno@2.9.6 task study table4 --profile mini --seeds 1,2",
      );
      assertEquals(itemScale("table4", { profile: "paper", seeds: [3] }).seeds, [3]);
    });
  });

  it("names what it does not know", () => {
    assertThrows(() => itemScale("table44"), InputError, 'unknown item "table44"');
    withEnvironment({ SASNET_PROFILE: "smok" }, () => {
      assertThrows(() => itemScale("table4"), InputError, 'did you mean "smoke"');
    });
    withEnvironment({ SASNET_SEEDS: "one" }, () => {
      assertThrows(() => itemScale("table4"), InputError, 'SASNET_SEEDS is "one"');
    });
  });
});
