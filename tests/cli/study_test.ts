import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { choiceOf } from "../../lib/experiments/choice.ts";
import { declaredRuns, itemsOf } from "../../lib/experiments/items.ts";
import { writeRecord } from "../../lib/experiments/record.ts";
import { recordOfRun } from "../../lib/experiments/record_of_run.ts";
import { writeRunFolder } from "../experiments/runs.ts";

const main = decodeURIComponent(new URL("../../lib/cli/main.ts", import.meta.url).pathname);

async function kit(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", main, ...words],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

describe("study and report", () => {
  let results = "";
  beforeAll(async () => {
    results = await Deno.makeTempDir();
    for (const { run } of declaredRuns(itemsOf(["table9"])[0])) {
      const choice = choiceOf(run, 1337, { profile: "smoke", variant: "paper", standIn: true });
      const folder = await writeRunFolder(`${results}/runs`, choice, { dice: 0.8 });
      await writeRecord(
        `${results}/records`,
        await recordOfRun(folder, choice, { evaluateSeconds: 1, peakBytes: 1 }),
      );
    }
  });
  afterAll(() => Deno.remove(results, { recursive: true }));

  it("print the plan and run nothing with --dry-run", async () => {
    const { code, stdout } = await kit("study", "table4", "--dry-run", "--results", results, "--json");
    const { runs, missing, plan } = JSON.parse(stdout);
    assertEquals([code, runs, missing, plan.length], [0, 6, 6, 6]);
  });

  it("find a finished study finished", async () => {
    const { code, stdout } = await kit("study", "table9", "--results", results);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "all 2 runs are present");
  });

  it("tell the status of every item", async () => {
    const { code, stdout } = await kit("study", "status", "--results", results);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "table9    2 runs, 2 present, 0 missing");
  });

  it("write a report of what is there, and name a record that was edited", async () => {
    const whole = await kit("report", "table9", "--results", results, "--json");
    assertEquals(JSON.parse(whole.stdout).reports[0].line, "2 of 2 rows have runs, 1 of 1 claims tested");
    assertStringIncludes(await Deno.readTextFile(`${results}/table9/index.html`), "91.82");
    const [path] = [...Deno.readDirSync(`${results}/records`)].filter(({ name }) => name.endsWith(".json"));
    const file = `${results}/records/${path.name}`;
    await Deno.writeTextFile(
      file,
      (await Deno.readTextFile(file)).replace(/"iterations": ?3/, '"iterations":4'),
    );
    const edited = await kit("report", "table9", "--results", results);
    assertStringIncludes(edited.stderr, `not used: ${file}: its content hash does not fit`);
    assertStringIncludes(edited.stdout, "1 of 2 rows have runs");
  });

  it("name the nearest of an unknown item", async () => {
    const { code, stderr } = await kit("report", "tabel4", "--results", results);
    assertEquals(code, 2);
    assertStringIncludes(stderr, 'did you mean "table4"');
  });
});
