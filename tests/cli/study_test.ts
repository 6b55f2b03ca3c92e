import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { choiceOf } from "../../lib/experiments/choice.ts";
import { declaredRuns, itemsOf } from "../../lib/experiments/items.ts";
import { writeRecord } from "../../lib/experiments/record.ts";
import { recordOfRun } from "../../lib/experiments/record_of_run.ts";
import { writeRunFolder } from "../experiments/runs.ts";

const main = decodeURIComponent(new URL("../../lib/cli/main.ts", import.meta.url).pathname);

async function kit(
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", main, ...words],
    env: { NO_COLOR: "1", ...env },
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
    const { code, stdout } = await kit(["study", "table4", "--dry-run", "--results", results, "--json"]);
    const { runs, missing, plan } = JSON.parse(stdout);
    assertEquals([code, runs, missing, plan.length], [0, 7, 7, 7]);
  });

  it("find a finished study finished", async () => {
    const { code, stdout } = await kit(["study", "table9", "--results", results]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "all 2 runs are present");
  });

  it("tell the status of every item", async () => {
    const { code, stdout } = await kit(["study", "status", "--results", results]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "table9    2 runs, 2 present, 0 missing");
  });

  it("write a report of what is there, and name a record that was edited", async () => {
    const whole = await kit(["report", "table9", "--results", results, "--json"]);
    assertEquals(JSON.parse(whole.stdout).reports[0].line, "2 of 2 rows have runs, 1 of 1 claims tested");
    assertStringIncludes(await Deno.readTextFile(`${results}/table9/index.html`), "91.82");
    const [path] = [...Deno.readDirSync(`${results}/records`)].filter(({ name }) => name.endsWith(".json"));
    const file = `${results}/records/${path.name}`;
    await Deno.writeTextFile(
      file,
      (await Deno.readTextFile(file)).replace(/"iterations": ?3/, '"iterations":4'),
    );
    const edited = await kit(["report", "table9", "--results", results]);
    assertStringIncludes(edited.stderr, `not used: ${file}: its content hash does not fit`);
    assertStringIncludes(edited.stdout, "1 of 2 rows have runs");
    await Deno.writeTextFile(`${results}/complexity.json`, '{"methods":[],"contentHash":"0"}');
    const counts = await kit(["report", "table11", "--results", results]);
    assertStringIncludes(
      counts.stderr,
      `not used: ${results}/complexity.json: its content hash does not fit`,
    );
    await Deno.remove(`${results}/complexity.json`);
  });

  it("extract figures from recorded runs alone", async () => {
    const [path] = [...Deno.readDirSync(`${results}/runs`)].map(({ name }) => `${results}/runs/${name}`);
    const unknown = await kit(["extract", path, "figure4", "--results", results]);
    assertEquals(unknown.code, 2);
    assertStringIncludes(unknown.stderr, 'unknown figure "figure4"');
    const none = await kit(["extract", `${results}/none`, "figure5", "--results", results]);
    assertEquals(none.code, 2);
    assertStringIncludes(none.stderr, "is not a run folder: it has no config.json");
    const unrecorded = await kit(["extract", path, "figure5", "--results", `${results}/other`]);
    assertEquals(unrecorded.code, 2);
    assertStringIncludes(unrecorded.stderr, "run the study that records this run");
  });

  it("draw figure 4 without any run, with the printed sums", async () => {
    const { code, stdout } = await kit(["report", "figure4", "--results", results]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "figure4     needs no run");
    const svg = await Deno.readTextFile(`${results}/figure4/figure4.svg`);
    for (const sum of ["1.685", "0.565", "0.825", "1.525"]) assertStringIncludes(svg, `>${sum}</text>`);
    const png = await Deno.readFile(`${results}/figure4/figure4.png`);
    // The chunk pHYs: 300 dots an inch are 11811 a metre.
    assertEquals(new DataView(png.buffer).getUint32(41), 11811);
  });

  it("name the nearest of an unknown item", async () => {
    const { code, stderr } = await kit(["report", "tabel4", "--results", results]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, 'did you mean "table4"');
  });
});

describe("study --on slurm", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    await Deno.mkdir(`${folder}/bin`);
    await Deno.mkdir(`${folder}/empty`);
    // A cluster that takes every script and knows the jobs that it has taken.
    await writeProgram(
      `${folder}/bin/sbatch`,
      `[ "$1" = --version ] && exit 0
echo "$@" >> ${folder}/submissions
n=$(wc -l < ${folder}/submissions)
echo "$n;cluster"`,
    );
    await writeProgram(`${folder}/bin/squeue`, `seq $(wc -l < ${folder}/submissions)`);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const words = (...more: string[]) => [
    ...["study", "table9", "--seeds", "1,2", "--results", `${folder}/results`],
    ...["--runs", `${folder}/my runs`, ...more],
  ];

  it("says in one line that there is no sbatch, and ends with 3", async () => {
    const { code, stderr } = await kit(words("--on", "slurm"), { PATH: `${folder}/empty` });
    assertEquals(code, 3);
    assertStringIncludes(stderr, "error: --on slurm: there is no sbatch on the PATH");
  });

  it("submits a script a run, each the study of one run, and none twice", async () => {
    const env = { PATH: `${folder}/bin:${Deno.env.get("PATH")}` };
    const submit = words("--on", "slurm", "--sbatch=--partition=gpu", "--json");
    const { code, stdout } = await kit(submit, env);
    const { jobs } = JSON.parse(stdout);
    assertEquals([code, jobs.length], [0, 4]);
    const calls = (await Deno.readTextFile(`${folder}/submissions`)).trim().split("\n");
    assertEquals(calls, jobs.map(({ script }: { script: string }) => `--parsable --partition=gpu ${script}`));
    for (const { script, id } of jobs) {
      const text = await Deno.readTextFile(script);
      assertEquals(text.match(/^#SBATCH --(time|mem|output|job-name)=\S+/gm)!.length, 4);
      // The command of the script, with a dry run in its place, plans that run alone.
      const dry = `${folder}/dry.sh`;
      await Deno.writeTextFile(dry, text.replace(/^exec (.*)$/m, "exec $1 --dry-run --json"));
      const planned = await new Deno.Command("sh", { args: [dry] }).output();
      const { plan } = JSON.parse(new TextDecoder().decode(planned.stdout));
      assertEquals(plan.map((run: { id: string }) => run.id), [id]);
    }
    assertEquals(JSON.parse((await kit(submit, env)).stdout).jobs, []);
    const status = await kit(["study", "status", ...words().slice(1)], env);
    assertStringIncludes(status.stdout, "submitted as job 4");
  });
});

describe("a study whose children are killed", () => {
  it("goes on with the next run, names what happened, and would run them again", async () => {
    const folder = await Deno.makeTempDir();
    const study = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-all",
        "--no-check",
        main,
        "study",
        "table9",
        "--results",
        folder,
        "--runs",
        folder,
      ],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const killed = new Set<number>();
    const killer = setInterval(() => {
      for (const pid of childrenOf(study.pid)) {
        if (killed.has(pid)) continue;
        killed.add(pid);
        Deno.kill(pid, "SIGKILL");
      }
    }, 20);
    const { code, stdout } = await study.output();
    clearInterval(killer);
    const text = new TextDecoder().decode(stdout);
    assertEquals([code, killed.size], [1, 2]);
    assertEquals(text.match(/^\[\d\/2\] .*train ended with exit code 137.*$/gm)!.length, 2);
    assertStringIncludes(text, "0 of 2 runs done, 2 failed");
    const status = await kit(["study", "status", "table9", "--results", folder, "--runs", folder]);
    assertEquals(status.stdout.match(/failed: train ended with exit code 137/g)!.length, 2);
    await Deno.remove(folder, { recursive: true });
  });
});

function childrenOf(pid: number): number[] {
  const { stdout } = new Deno.Command("ps", { args: ["-o", "pid=", "--ppid", String(pid)] }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").map(Number).filter((child) => child > 0);
}

async function writeProgram(path: string, body: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}
