import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { gammaRamp, stepsPerTick } from "../../lib/sasnet/schedule.ts";
import { needsGolden, readGolden } from "../golden_set.ts";

interface RampJson {
  readonly ramp: {
    readonly official: Readonly<Record<string, number>>;
    readonly paper_text_epochs: { readonly values: Readonly<Record<string, number>> };
  };
}

describe("gammaRamp()", () => {
  it("equals the recorded ramps", needsGolden, () => {
    const { official, paper_text_epochs: epochs } = readGolden<RampJson>("schedule").json.ramp;
    for (const [iteration, expected] of Object.entries(official)) {
      assertAlmostEquals(gammaRamp(Number(iteration), { stepsPerTick: 150 }), expected, 1e-12);
    }
    for (const [epoch, expected] of Object.entries(epochs.values)) {
      assertAlmostEquals(gammaRamp(Number(epoch), { stepsPerTick: 1 }), expected, 1e-12);
    }
  });

  it("is full at once for a length of 0 and scales with the maximum", () => {
    assertEquals(gammaRamp(1, { stepsPerTick: 150, length: 0, maximum: 0.3 }), 0.3);
    assertEquals(gammaRamp(6000, { stepsPerTick: 150, maximum: 0.3 }), 0.3);
  });
});

describe("stepsPerTick()", () => {
  it("is 150 at the paper's budget, in proportion for others, and an epoch where that is the clock", () => {
    assertEquals(stepsPerTick({ clock: "iterations", iterations: 40000, stepsPerEpoch: 4 }), 150);
    assertEquals(stepsPerTick({ clock: "iterations", iterations: 3000, stepsPerEpoch: 4 }), 11.25);
    assertEquals(stepsPerTick({ clock: "epochs", iterations: 3000, stepsPerEpoch: 8 }), 8);
  });

  it("refuses a run without a step", () => {
    const none = { clock: "iterations", iterations: 0, stepsPerEpoch: 4 } as const;
    assertThrows(() => stepsPerTick(none), InputError, "must be at least 1");
  });
});
