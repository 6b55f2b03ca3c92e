import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";

const events: string[] = [];

describe("describe()", () => {
  beforeAll(() => void events.push("outer all"));
  afterAll(() => void events.push("outer done"));
  beforeEach(async () => {
    await Promise.resolve();
    events.push("outer each");
  });

  it("runs the hooks before the first test", () => {
    assertEquals(events, ["outer all", "outer each"]);
  });

  describe("nested", () => {
    beforeAll(() => void events.push("inner all"));
    afterEach(() => void events.push("inner after"));
    afterAll(() => void events.push("inner done"));

    it("runs outer hooks before inner ones", () => {
      assertEquals(events.slice(2), ["inner all", "outer each"]);
    });

    it("runs beforeAll() once", () => {
      assertEquals(events.slice(4), ["inner after", "outer each"]);
    });

    it.ignore("leaves an ignored test out", () => {
      throw new Error("ran");
    });
  });

  it("closes a group after its last test", () => {
    assertEquals(events.slice(6), ["inner after", "inner done", "outer each"]);
  });
});

describe("describe() of the next group", () => {
  it("comes after the previous group is closed", () => {
    assertEquals(events.at(-1), "outer done");
  });

  it("gives its own name to a test", (t) => {
    assertEquals(t.name, "describe() of the next group > gives its own name to a test");
  });
});
