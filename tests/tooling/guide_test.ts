import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { root } from "./source_graph.ts";

const read = (path: string) => Deno.readTextFile(`${root}/${path}`);
const guide = await read("docs/add-your-own-method.md");

describe("the guide to adding a method", () => {
  it("shows the method that the tests run, in at most 40 lines", async () => {
    const code = /```ts\n([\s\S]*?)```/.exec(guide)![1];
    assertEquals(code, await read("tests/methods/mean_teacher.ts"));
    assert(code.trimEnd().split("\n").length <= 40);
  });

  it("gives the expectation that the contract has for it", async () => {
    const expectation = /"mean-teacher": (\{.*?\}),`/.exec(guide)![1];
    const tests = await read("tests/methods/contract_test.ts");
    assert(tests.includes(`describeContract(meanTeacher as never, ${expectation})`), expectation);
  });

  it("names files that exist, and examples of what it names them for", async () => {
    const paths = [...guide.matchAll(/`((?:lib|tests)\/[\w/]+(?:\.ts)?)`/g)].map(([, path]) => path);
    assert(paths.length > 5, paths.join(" "));
    for (const path of paths.filter((path) => path !== "lib/methods/mean_teacher.ts")) {
      await Deno.stat(`${root}/${path}`);
    }
    assertEquals((await read("lib/methods/mrnet.ts")).match(/\btrains:/g)?.length, 2);
    assert((await read("lib/methods/plgcl.ts")).includes("phases:"));
  });

  it("is linked from the README and CONTRIBUTING", async () => {
    for (const path of ["README.md", "CONTRIBUTING.md"]) {
      assert((await read(path)).includes("(docs/add-your-own-method.md)"), path);
    }
  });
});
