import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { itemsOf } from "../../lib/experiments/items.ts";
import { readRecords, writeRecord } from "../../lib/experiments/record.ts";
import { recordOfRun } from "../../lib/experiments/record_of_run.ts";
import { type PlannedRun, planStudy, runLabel, unequalRepetitions } from "../../lib/experiments/study.ts";
import { estimateRun } from "../../lib/experiments/study_estimate.ts";
import { inUse, type RunnerOptions, runStudy } from "../../lib/experiments/study_runner.ts";
import { isLocked, readFailures } from "../../lib/experiments/study_state.ts";
import { writeRunFolder } from "./runs.ts";

const library = import.meta.resolve("../../lib");
const configuration = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);

const request = {
  items: itemsOf(["table9", "table6"]),
  seeds: [1, 2],
  profile: "smoke",
  variant: "paper",
  standIns: new Set<never>(),
} as const;

describe("planStudy()", () => {
  it("has each run once a seed, with all items that need it", () => {
    const plan = planStudy(request, []);
    assertEquals(plan.length, 2 * 6);
    assertEquals(new Set(plan.map(({ key }) => key)).size, plan.length);
    const full = plan.find(({ choice }) => choice.settings.length === 0)!;
    assertEquals(full.items, ["table9", "table6"]);
    assertEquals([full.choice.dataset, full.standsFor], ["phantom", "la"]);
  });

  it("lets phantoms stand in for a data set that is not at hand", () => {
    const items = itemsOf(["table6", "table7"]);
    const plan = planStudy(
      { ...request, items, profile: "mini", standIns: new Set(["pancreas"] as const) },
      [],
    );
    assertEquals(
      new Set(plan.map(({ choice }) => choice.dataset)),
      new Set(["la", "phantom-pancreas"] as const),
    );
  });
});

describe("a study", () => {
  let root = "";
  beforeAll(async () => {
    root = await Deno.makeTempDir();
  });
  afterAll(() => Deno.remove(root, { recursive: true }));

  const execute =
    (folder: string, made: string[]) => async (run: PlannedRun): Promise<string | undefined> => {
      made.push(run.key);
      if (run.choice.settings.includes("sdm=false")) return "out of memory";
      const path = await writeRunFolder(`${root}/runs`, run.choice);
      const record = await recordOfRun(path, run.choice, { evaluateSeconds: 1, peakBytes: 5e8 });
      await writeRecord(folder, record);
      return undefined;
    };
  const options = (name: string, made: string[], more: Partial<RunnerOptions> = {}): RunnerOptions => ({
    records: `${root}/${name}`,
    state: `${root}/${name}-state`,
    execute: execute(`${root}/${name}`, made),
    now: () => 0,
    wait: () => Promise.resolve(),
    signal: new AbortController().signal,
    ...more,
  });
  const planOf = async (name: string) => planStudy(request, (await readRecords(`${root}/${name}`)).records);

  it("runs what is missing, goes on after a failure, and does not run a finished run again", async () => {
    const made: string[] = [];
    const outcomes = await runStudy(await planOf("whole"), options("whole", made));
    assertEquals(outcomes.filter(({ state }) => state === "done").length, 10);
    const failures = await readFailures(`${root}/whole-state`);
    assertEquals(failures.map(({ message }) => message), ["out of memory", "out of memory"]);
    const again: string[] = [];
    await runStudy(await planOf("whole"), options("whole", again));
    assertEquals(again.sort(), failures.map(({ key }) => key).sort());
  });

  it("stops between runs when it is interrupted, and continues", async () => {
    const abort = new AbortController();
    const made: string[] = [];
    const onEnd = () => void (made.length === 3 && abort.abort());
    await runStudy(await planOf("parts"), options("parts", made, { signal: abort.signal, onEnd }));
    assertEquals(made.length, 3);
    const rest: string[] = [];
    await runStudy(await planOf("parts"), options("parts", rest));
    assertEquals(new Set([...made, ...rest]).size, 12);
  });

  it("shares the work of two runners and never does a run twice", async () => {
    const plan = await planOf("shared");
    const made: string[] = [];
    const outcomes = await Promise.all([1, 2].map(() => runStudy(plan, options("shared", made))));
    const done = outcomes.flat().filter(({ state }) => state === "done").map(({ run }) => run.key);
    assertEquals(new Set(done).size, done.length);
    assertEquals(done.length, 10);
  });

  it("is shared by two processes, of which one is killed", async () => {
    const code = `import { itemsOf } from "${library}/experiments/items.ts";
      import { writeRecord } from "${library}/experiments/record.ts";
      import { recordOfRun } from "${library}/experiments/record_of_run.ts";
      import { planStudy } from "${library}/experiments/study.ts";
      import { runStudy } from "${library}/experiments/study_runner.ts";
      import { writeRunFolder } from "${import.meta.resolve("./runs.ts")}";
      const [root, slow] = Deno.args;
      const request = { items: itemsOf(["table9", "table6"]), seeds: [1, 2], profile: "smoke", variant: "paper" };
      const write = (line) => Deno.writeTextFileSync(root + "/made", line + "\\n", { append: true });
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      await runStudy(planStudy({ ...request, standIns: new Set() }, []), {
        records: root, state: root + "/state", now: () => 0, wait: () => pause(20),
        signal: new AbortController().signal,
        execute: async ({ key, choice }) => {
          write("start " + key);
          await pause(Number(slow));
          const folder = await writeRunFolder(root + "/runs", choice);
          await writeRecord(root, await recordOfRun(folder, choice, { evaluateSeconds: 1, peakBytes: 1 }));
          write("end " + key);
        },
      });`;
    const folder = `${root}/processes`;
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/runner.ts`, code);
    const start = (slow: number) =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          "--config",
          configuration,
          `${folder}/runner.ts`,
          folder,
          String(slow),
        ],
      }).spawn();
    const lines = async () => (await Deno.readTextFile(`${folder}/made`).catch(() => "")).trim().split("\n");
    // The first takes a run and never ends it; the second has to wait for that one, until the first is killed.
    const stuck = start(1e6);
    while ((await lines())[0] === "") await new Promise((resolve) => setTimeout(resolve, 5));
    const second = start(1);
    const ended = async () => (await lines()).filter((line) => line.startsWith("end")).length;
    while (await ended() < 11) await new Promise((resolve) => setTimeout(resolve, 5));
    stuck.kill("SIGKILL");
    assertEquals((await second.status).success, true);
    assertEquals((await stuck.status).success, false);
    const started = (await lines()).filter((line) => line.startsWith("start"));
    assertEquals([started.length, new Set(started).size, await ended()], [13, 12, 12]);
    assertEquals((await readRecords(folder)).records.length, 12);
  });

  it("waits for a run that a process left behind still trains", async () => {
    const answers: (typeof inUse | undefined)[] = [inUse, inUse, undefined];
    let waits = 0;
    const plan = await planOf("orphan");
    const outcomes = await runStudy(plan.slice(0, 1), {
      ...options("orphan", []),
      wait: () => Promise.resolve(void waits++),
      execute: () => Promise.resolve(answers.shift()),
    });
    assertEquals([outcomes.map(({ state }) => state), waits], [["done"], 2]);
  });

  it("tells which run is being worked on", async () => {
    const plan = await planOf("locks");
    const seen: boolean[] = [];
    const settings = options("locks", []);
    await runStudy(plan.slice(0, 1), {
      ...settings,
      execute: async (run) => {
        seen.push(await isLocked(settings.state, run), await isLocked(settings.state, plan[1]));
        return "enough";
      },
    });
    assertEquals(seen, [true, false]);
    assertEquals(await isLocked(settings.state, plan[0]), false);
  });

  it("names records of one declaration whose configurations differ", async () => {
    await runStudy(await planOf("equal"), options("equal", []));
    const { records } = await readRecords(`${root}/equal`);
    assertEquals(unequalRepetitions(records), []);
    const changed = records.map((record, i) =>
      i === 0 ? { ...record, config: { ...record.config, width: 3 } } : record
    );
    assertEquals(unequalRepetitions(changed).length, 1);
    assertStringIncludes(unequalRepetitions(changed)[0], "differs from");
  });

  it("is expected to take what was measured", async () => {
    await runStudy(await planOf("timed"), options("timed", []));
    const { records } = await readRecords(`${root}/timed`);
    const [run] = await planOf("timed");
    const known = estimateRun(run.choice, records);
    assertEquals([known.basis, known.bytes], ["measured", 5e8]);
    assertAlmostEquals(known.seconds, 3 + 20 * 1 + 1 + 0.5, 1e-9);
    assertEquals(estimateRun({ ...run.choice, method: "vnet" }, records).basis, "scaled");
    // Runs of the same method tell more than those of others.
    const mini = { ...run.choice, profile: "mini" } as const;
    const others = records.map((record) => ({
      ...record,
      choice: { ...record.choice, method: "vnet" as const },
      cost: { ...record.cost, secondsPerStep: 9 },
    }));
    assertEquals(estimateRun(mini, [...records, ...others]), estimateRun(mini, records));
    assert(estimateRun(mini, others).seconds > estimateRun(mini, records).seconds);
    const unknown = estimateRun({ ...run.choice, profile: "mini" }, []);
    assertEquals(unknown.basis, "reference");
    assert(unknown.seconds > known.seconds);
  });
});

describe("runLabel()", () => {
  it("names what tells a run from others", () => {
    const plan = planStudy({ ...request, items: itemsOf(["table9"]), seeds: [7] }, []);
    assertEquals(plan.map(({ choice }) => runLabel(choice)), [
      "sasnet phantom 4 smoke seed 7 lowLayers=3",
      "sasnet phantom 4 smoke seed 7",
    ]);
  });
});
