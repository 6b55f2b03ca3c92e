import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import type { Choice } from "../../lib/experiments/choice.ts";
import { contentHash } from "../../lib/experiments/content_hash.ts";
import { readRecord, readRecords, writeRecord } from "../../lib/experiments/record.ts";
import { parsePerCase, recordOfRun } from "../../lib/experiments/record_of_run.ts";
import { perCaseCsv } from "../../lib/evaluation/summary.ts";
import { caseResult, writeRunFolder } from "./runs.ts";

const choice: Choice = {
  method: "sasnet",
  variant: "paper",
  dataset: "phantom",
  labelled: 4,
  profile: "smoke",
  seed: 3,
  settings: ["beta=1", "sar=false"],
};
const unmeasured = { evaluateSeconds: null, peakBytes: null };

describe("records", () => {
  let root = "";
  beforeAll(async () => {
    root = await Deno.makeTempDir();
  });
  afterAll(() => Deno.remove(root, { recursive: true }));

  const written = async (name: string) => {
    const folder = await writeRunFolder(`${root}/${name}/runs`, choice);
    const record = await recordOfRun(folder, choice, { evaluateSeconds: 2, peakBytes: 1e9 });
    await writeRecord(`${root}/${name}`, record);
    return { record, path: `${root}/${name}/${record.name}.json` };
  };

  it("keep the numbers beside the losses, with null where a step has none", async () => {
    const folder = await writeRunFolder(`${root}/values/runs`, choice);
    const lines = (await Deno.readTextFile(`${folder}/log.jsonl`)).trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    lines[0].values = { "confidence.high.foreground": 0.4 };
    lines[2].values = { "confidence.high.foreground": 0.6 };
    await Deno.writeTextFile(
      `${folder}/log.jsonl`,
      lines.map((line) => JSON.stringify(line) + "\n").join(""),
    );
    const { curve } = await recordOfRun(folder, choice, unmeasured);
    assertEquals(curve.values, { "confidence.high.foreground": [0.4, null, 0.6] });
    const plain = await recordOfRun(await writeRunFolder(`${root}/plain/runs`, choice), choice, unmeasured);
    assertEquals(plain.curve.values, undefined);
  });

  it("come back as they were written", async () => {
    const { record, path } = await written("whole");
    assertEquals(await readRecord(path), { record });
    assertEquals(
      new Set(
        record.evaluations.map(({ rule, step, largestComponent }) => `${rule} ${step} ${largestComponent}`),
      ),
      new Set(["last 3", "best-on-test 3", "validation 2"].flatMap((one) => [`${one} false`, `${one} true`])),
    );
    assertEquals(record.cost, {
      secondsPerStep: 1,
      trainSeconds: 3,
      lookSeconds: 0.5,
      evaluateSeconds: 2,
      peakBytes: 1e9,
    });
    assertEquals(record.looks, { steps: [2, 3], validation: [0.7, 0.6], test: [0.2, 0.3] });
    assertEquals(record.curve.steps, [1, 2, 3]);
    const { records, damaged } = await readRecords(`${root}/whole`);
    assertEquals([records.length, damaged.length], [1, 0]);
  });

  const damages: Record<string, [change: (path: string) => Promise<void>, reason: string]> = {
    "an edited number": [async (path) => {
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace(/"dice":0\.8\d/, '"dice":0.99'));
    }, "was edited"],
    "a truncated file": [async (path) => {
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.slice(0, text.length / 2));
    }, "truncated"],
    "an edited CSV": [async (path) => {
      const csv = path.replace(".json", ".csv");
      await Deno.writeTextFile(csv, (await Deno.readTextFile(csv)).replace("0.8", "0.9"));
    }, "the CSV file beside it"],
    "another document": [(path) => Deno.writeTextFile(path, "{}"), "no record"],
  };
  for (const [what, [change, reason]] of Object.entries(damages)) {
    it(`are named and not used after ${what}`, async () => {
      const { path } = await written(what.replaceAll(" ", "-"));
      await change(path);
      const { records, damaged } = await readRecords(path.replace(/\/[^/]*$/, ""));
      assertEquals(records.length, 0);
      assertEquals(damaged[0].path, path);
      assertStringIncludes(damaged[0].reason, reason);
    });
  }

  it("are none where no folder is", async () => {
    assertEquals(await readRecords(`${root}/nowhere`), { records: [], damaged: [] });
  });
});

describe("recordOfRun()", () => {
  let root = "";
  beforeAll(async () => {
    root = await Deno.makeTempDir();
  });
  afterAll(() => Deno.remove(root, { recursive: true }));

  it("refuses a run that is not finished", async () => {
    const folder = await writeRunFolder(`${root}/a`, choice, { dice: 0.8, finished: false });
    const error = await assertRejects(() => recordOfRun(folder, choice, unmeasured), InputError);
    assertStringIncludes(error.message, "not finished: step 3 of 3");
  });

  it("refuses a run with other settings", async () => {
    const folder = await writeRunFolder(`${root}/b`, choice);
    const other = { ...choice, settings: ["beta=1", "sar=true"] };
    const error = await assertRejects(() => recordOfRun(folder, other, unmeasured), InputError);
    assertStringIncludes(error.message, "sar is false, not true");
  });

  it("refuses an evaluation that lacks cases", async () => {
    const folder = await writeRunFolder(`${root}/c`, choice);
    const csv = await Deno.readTextFile(`${folder}/per_case.csv`);
    await Deno.writeTextFile(`${folder}/per_case.csv`, csv.split("\n").slice(0, 4).join("\n"));
    const error = await assertRejects(() => recordOfRun(folder, choice, unmeasured), InputError);
    assertStringIncludes(error.message, "lacks 3 of 6 test cases");
  });
});

describe("parsePerCase()", () => {
  it("reads what perCaseCsv() writes, missed cases and quoted names too", () => {
    const results = [caseResult("a", 0.75), caseResult('b, "c"', 0)];
    assertEquals(parsePerCase(perCaseCsv(results), "x.csv"), results);
  });
});

describe("contentHash()", () => {
  it("does not depend on the order of keys, and on everything else", async () => {
    assertEquals(
      await contentHash({ a: 1, b: [{ c: 2, d: 3 }] }),
      await contentHash({ b: [{ d: 3, c: 2 }], a: 1 }),
    );
    assert(await contentHash([1, 2]) !== await contentHash([2, 1]));
  });
});
