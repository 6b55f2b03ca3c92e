import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { createChecks } from "../../lib/cli/parity/golden.ts";
import { checkParts, knowsRules } from "../../lib/cli/parity/known.ts";
import { sharedFolder } from "../shared.ts";

const shared = sharedFolder();
const root = new URL("../..", import.meta.url).pathname;

interface Check {
  readonly name: string;
  readonly variant: string;
  readonly ok: boolean;
}

/** Runs the verb on a folder. */
async function parity(folder: string) {
  const args = ["run", "-A", `${root}lib/cli/main.ts`, "parity", folder, "--json"];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
  const document = JSON.parse(new TextDecoder().decode(stdout)) as { checks: Check[]; ok: boolean };
  return { code, document };
}

/** Runs the verb on a folder of these files, with a manifest that knows them. */
async function parityOf(files: Record<string, string>) {
  const folder = await Deno.makeTempDir();
  try {
    const bytes = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.length]));
    for (const [name, text] of Object.entries({ ...files, "manifest.json": JSON.stringify({ bytes }) })) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    return await parity(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

describe("parity", () => {
  it("finds the kit equal to the golden set, both variants", { ignore: shared === undefined }, async () => {
    const { code, document } = await parity(`${shared}/golden/a`);
    const { checks, ok } = document;
    assertEquals(checks.filter((check) => !check.ok), []);
    assertEquals([ok, code], [true, 0]);
    assertEquals(new Set(checks.map(({ variant }) => variant)).has("official"), true);
  });

  it("fails a set with files that are missing, unknown, damaged or of another form", async () => {
    const files = { "schedule.json": "{", "sliding.json": '{"cases": {"odd": {}}}', "extra.json": "{}" };
    const { code, document } = await parityOf(files);
    assertEquals([code, document.ok], [1, false]);
    const failed = document.checks.filter((check) => !check.ok).map(({ name }) => name);
    const has = (pattern: RegExp) => failed.some((name) => pattern.test(name));
    assertEquals(has(/^manifest\.extra\.json: not known/), true);
    assertEquals(has(/^schedule: .* is not JSON/), true);
    assertEquals(has(/^sliding: the check stopped/), true);
    assertEquals(has(/^training: .*training\.json does not exist/), true);
  });

  it("refuses a folder that is no golden set", async () => {
    const folder = await Deno.makeTempDir();
    try {
      assertEquals((await parity(folder)).code, 2);
      for (const manifest of ["{}", "null", '{"bytes": 3}']) {
        await Deno.writeTextFile(`${folder}/manifest.json`, manifest);
        assertEquals((await parity(folder)).code, 2, manifest);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

describe("a golden set that goes beyond what is known", () => {
  it("fails by its part of a file, but not by a text for readers", () => {
    const checks = createChecks();
    checkParts("sliding", { about: "windows", cases: {}, blended: { a: 1 } }, checks);
    assertEquals(checks.list.map(({ name, ok }) => [name, ok]), [["sliding.blended: not known", false]]);
  });

  it("fails by a rule of SAR, and by a setting besides the rules", () => {
    const checks = createChecks();
    const options = { ce: true, index: "branch", memory: "two", init: 0.5 } as const;
    assertEquals(knowsRules("training.paper", options, checks), true);
    assertEquals(checks.list, []);
    // As read from JSON, where anything can stand.
    const other = JSON.parse(JSON.stringify({ ...options, memory: "three", detached: true }));
    assertEquals(knowsRules("training.x", other, checks), false);
    const names = checks.list.map(({ name }) => name);
    assertEquals(names, ["training.x: memory three is not known", "training.x: detached is not known"]);
  });
});

describe("a comparison", () => {
  const isOk = (actual: number[], expected: (number | "nan")[]) => {
    const checks = createChecks();
    checks.compare("x", actual, expected, { tolerance: 1e-3 });
    return checks.list[0].ok;
  };

  it("is relative to the largest expected value", () => {
    assertEquals([isOk([1000.9, 0], [1000, 0]), isOk([1001.1, 0], [1000, 0])], [true, false]);
  });

  it("takes a NaN for NaN or its text, and for nothing else", () => {
    assertEquals([isOk([NaN, 1], ["nan", 1]), isOk([NaN, 1], [NaN, 1])], [true, true]);
    assertEquals([isOk([0, 1], ["nan", 1]), isOk([NaN, 1], [0, 1]), isOk([NaN], [0])], [false, false, false]);
  });

  it("fails where the numbers of values differ", () => {
    assertEquals([isOk([1], [1, 1]), isOk([1, 1], [1])], [false, false]);
  });
});
