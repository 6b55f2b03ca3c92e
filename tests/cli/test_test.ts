import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { countLine, countTests } from "../../lib/cli/test.ts";

describe("countTests()", () => {
  it("reads the last summary", () => {
    const lines = [
      "ok | 9 passed | 0 failed (1ms)",
      "FAILED | 3 passed (2 steps) | 1 failed (1 step) | 4 ignored (6ms)",
    ];
    assertEquals(countTests(lines, 1), { passed: 3, failed: 1, ignored: 4 });
  });

  it("counts a run that ended without a summary as a failure", () => {
    assertEquals(countTests(["error: The module's source code could not be parsed"], 1), {
      passed: 0,
      failed: 1,
      ignored: 0,
    });
  });
});

describe("countLine()", () => {
  it("mentions skipped tests when there are some", () => {
    assertEquals(countLine({ passed: 3, failed: 0, ignored: 0 }), "3 passed, 0 failed");
    assertEquals(countLine({ passed: 3, failed: 0, ignored: 2 }), "3 passed, 0 failed, 2 skipped");
  });
});
