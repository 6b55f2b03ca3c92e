import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { describeLimits, isWithin, type Limits } from "../../lib/methods/limits.ts";
import { hyperparametersOf, methodOf, methods } from "../../lib/methods/mod.ts";

describe("hyperparametersOf()", () => {
  it("takes settings of the right kind and names the nearest of a wrong one", () => {
    const method = methodOf("sasnet");
    assertEquals(hyperparametersOf(method, "paper", ["beta=0.25", "sar=false"]).beta, 0.25);
    assertEquals(hyperparametersOf(method, "official", []).crossEntropy, false);
    const bad: [string, string][] = [
      ["betta=1", 'did you mean "beta"?'],
      ["beta=x", "expected a number"],
      ["sar=maybe", "expected true or false"],
      ["pseudoLabels=sharp", 'did you mean "sharpened"?'],
      ["beta", "expected key=value"],
    ];
    for (const [setting, message] of bad) {
      assertThrows(() => hyperparametersOf(method, "paper", [setting]), InputError, message);
    }
  });

  it("refuses numbers that a method cannot run with, and says which it can", () => {
    const bad: [key: string, setting: string, expected: string][] = [
      ["vnet", "supervised=-1", "expected a number, at least 0"],
      ["ua-mt", "samples=7", "expected an even number, at least 2"],
      ["ua-mt", "samples=0", "expected an even number, at least 2"],
      ["ict", "alpha=0", "expected a number, above 0 and at most 1"],
      ["ict", "alpha=1.5", "expected a number, above 0 and at most 1"],
      ["mrnet", "softening=4", "expected an odd number, at least 1"],
      ["mc-net-plus", "decoders=4", "expected a whole number, at least 1 and at most 3"],
      ["caussl", "fitEvery=0", "expected a whole number, at least 1"],
      ["plgcl", "grid=2.5", "expected a whole number, at least 1"],
      ["bcp", "box=1", "expected a number, above 0 and below 1"],
      ["auss", "copies=1.5", "expected a whole number, at least 1"],
      ["auss", "autoencoderSteps=-1", "expected a number, at least 0"],
      ["midss", "threshold=1", "expected a number, at least 0.5 and below 1"],
      ["galoss", "hardest=0", "expected a number, above 0 and at most 100"],
      ["sasnet", "lowLayers=2", "expected a whole number, at least 3 and at most 4"],
    ];
    for (const [key, setting, expected] of bad) {
      const refused = () => hyperparametersOf(methodOf(key), "paper", [setting]);
      assertThrows(refused, InputError, `--set ${setting}: ${expected}`);
    }
  });

  for (const method of methods) {
    it(`takes every default of ${method.name} back, in both variants`, () => {
      for (const variant of ["paper", "official"] as const) {
        const defaults = method.defaults(variant);
        const settings = Object.entries(defaults).map(([key, value]) => `${key}=${value}`);
        assertEquals(hyperparametersOf(method, variant, settings), defaults);
      }
      const numbers = Object.entries(method.defaults("paper")).filter(([, value]) =>
        typeof value === "number"
      );
      const known = numbers.map(([key]) => key);
      for (const key of Object.keys(method.limits ?? {})) assert(known.includes(key), `no number ${key}`);
    });
  }
});

describe("isWithin()", () => {
  const cases: readonly [Limits, allowed: readonly number[], refused: readonly number[]][] = [
    [{}, [0, 0.5, 1e9], [-1e-9]],
    [{ least: -1, most: 1 }, [-1, 1], [-1.1, 1.1]],
    [{ above: 0, below: 1 }, [0.01, 0.99], [0, 1]],
    [{ whole: "any" }, [0, 1, 2], [0.5, -1]],
    [{ whole: "odd" }, [1, 13], [0, 2, 1.5]],
    [{ whole: "even", least: 2 }, [2, 8], [0, 3]],
  ];
  for (const [limits, allowed, refused] of cases) {
    it(`allows ${describeLimits(limits)}`, () => {
      for (const value of allowed) assert(isWithin(value, limits), `${value}`);
      for (const value of refused) assert(!isWithin(value, limits), `${value}`);
    });
  }
});
