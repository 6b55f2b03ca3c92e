import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { splitCases, splitSizes } from "../../../lib/data/prepare/split.ts";
import { InputError } from "../../../lib/errors.ts";

const numbered = (count: number, prefix = "PANCREAS_") =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i + 1).padStart(4, "0")}`);

describe("splitSizes()", () => {
  it("are the paper's where its cases are there, or nearly all", () => {
    assertEquals(splitSizes("pancreas", 82), { train: 62, validation: 0, test: 20 });
    assertEquals(splitSizes("pancreas", 80), { train: 62, validation: 0, test: 18 });
    assertEquals(splitSizes("brats", 335), { train: 250, validation: 25, test: 60 });
    assertEquals(splitSizes("la", 100), { train: 80, validation: 0, test: 20 });
  });

  it("keep the paper's shares of fewer or more cases, with one to test", () => {
    assertEquals(splitSizes("brats", 67), { train: 50, validation: 5, test: 12 });
    assertEquals(splitSizes("brats", 670), { train: 500, validation: 50, test: 120 });
    assertEquals(splitSizes("pancreas", 2), { train: 1, validation: 0, test: 1 });
    assertEquals(splitSizes("brats", 1), { train: 1, validation: 0, test: 0 });
  });
});

describe("splitCases()", () => {
  let root = "";
  beforeAll(async () => void (root = await Deno.makeTempDir()));
  afterAll(() => Deno.remove(root, { recursive: true }));

  it("draws every case once, the same for one seed and another for the next", async () => {
    const names = numbered(335, "B");
    const { lists, unlisted } = await splitCases(names, { dataset: "brats", seed: 1 });
    assertEquals([...lists.train, ...lists.validation, ...lists.test].sort(), names);
    assertEquals([lists.train.length, lists.validation.length, lists.test.length], [250, 25, 60]);
    assertEquals(unlisted, []);
    assertEquals((await splitCases(names, { dataset: "brats", seed: 1 })).lists, lists);
    assertNotEquals((await splitCases(names, { dataset: "brats", seed: 2 })).lists.test, lists.test);
  });

  it("never tests on a patient of Pancreas-CT that it trains on", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const { lists } = await splitCases(numbered(82), { dataset: "pancreas", seed });
      assertEquals([lists.train.length, lists.test.length], [62, 20]);
      for (const number of ["0002", "0025", "0070"]) assert(lists.train.includes(`PANCREAS_${number}`));
    }
    // Alone, case 2 may be tested.
    const without = numbered(82).filter((name) => !/25$|70$/.test(name));
    const tested = await Promise.all(
      Array.from({ length: 30 }, (_, seed) => splitCases(without, { dataset: "pancreas", seed })),
    );
    assert(tested.some(({ lists }) => lists.test.includes("PANCREAS_0002")));
  });

  it("takes the published lists of left atria, and leaves other cases out", async () => {
    // The first two of the training list, one of the test list, and one of another set.
    const names = ["06SR5RBREL16DQ6M8LWS", "0RZDK210BSMWAA6467LU", "ULHWPWKKLTE921LQLH1P", "X"];
    const published = await splitCases(names, { dataset: "la", seed: 1 });
    assertEquals([published.lists.train.length, published.lists.test.length], [2, 1]);
    assertEquals(published.unlisted, ["X"]);
    // Where none is known, or none is left to test, lists are drawn.
    const drawn = await splitCases(["X", "Y", "Z"], { dataset: "la", seed: 1 });
    assertEquals([drawn.lists.train.length, drawn.lists.test.length, drawn.unlisted], [2, 1, []]);
    assertEquals((await splitCases(names.slice(0, 2), { dataset: "la", seed: 1 })).lists.test.length, 1);
  });

  it("takes the user's lists in their order", async () => {
    await Deno.writeTextFile(`${root}/train.list`, "c\na\n");
    await Deno.writeTextFile(`${root}/test.list`, "b\n");
    const options = { dataset: "brats", seed: 1, lists: root } as const;
    const { lists, unlisted } = await splitCases(["a", "b", "c", "d"], options);
    assertEquals([lists.train, lists.validation, lists.test, unlisted], [["c", "a"], [], ["b"], ["d"]]);
    await Deno.writeTextFile(`${root}/validation.list`, "d\n");
    assertEquals((await splitCases(["a", "b", "c", "d"], options)).lists.validation, ["d"]);
    await assertRejects(() => splitCases(["a", "b", "c"], options), InputError, 'name "d", which is no case');
    await Deno.writeTextFile(`${root}/validation.list`, "c\n");
    await assertRejects(() => splitCases(["a", "b", "c"], options), InputError, '"c" is on two lists');
    await assertRejects(
      () => splitCases(["a"], { ...options, lists: `${root}/none` }),
      InputError,
      "does not exist",
    );
  });
});
