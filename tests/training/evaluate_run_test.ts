import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { phantom } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { InputError } from "../../lib/errors.ts";
import { configOf } from "../../lib/training/budget.ts";
import { casesOfSplit } from "../../lib/training/evaluate_run.ts";

const source = phantomSource({ seed: 1, train: 6, test: 2 });
const choice = { method: "vnet", variant: "paper", profile: "smoke", labelled: 2, seed: 1 } as const;

describe("casesOfSplit()", () => {
  it("gives the test cases, and the validation cases that were set aside", () => {
    const config = configOf(phantom, source, { ...choice, select: ["validation"], validationCases: 2 });
    assertEquals(casesOfSplit(config, "test"), source.test);
    assertEquals(casesOfSplit(config, "validation"), source.train.slice(2, 4));
  });

  it("says how a run gets validation cases", () => {
    const config = configOf(phantom, source, choice);
    assertThrows(() => casesOfSplit(config, "validation"), InputError, "train with --select validation");
  });
});
