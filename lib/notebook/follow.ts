/** Work of the kit in a process of its own that a cell follows: its lines, its learning curve, its end. */
import { runChild } from "../cli/child.ts";
import { EnvironmentError } from "../errors.ts";
import { type Damage, readRecords, type RunRecord } from "../experiments/record.ts";
import { lineChart } from "../report/curves.ts";
import { liveFigure, showLine } from "../report/notebook.ts";
import type { Figure } from "../report/svg.ts";
import { readLog } from "../training/run_folder.ts";
import { interruptible } from "./interrupt.ts";
import type { ItemScale } from "./item_scale.ts";

/** The checkout that the notebook lies in. */
export const kitFolder: string = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(
  /\/$/,
  "",
);

/** How often the log of a run is looked at, in milliseconds. */
const interval = 1000;

/**
 * Runs what an item needs and has no record of, and returns all records. An interrupt of the cell stops the runs with
 * their state saved; the same cell then continues them.
 *
 * @throws EnvironmentError when a run failed, with its last words; the records of the others are kept.
 */
export async function followStudy(
  { item, profile, seeds }: ItemScale,
): Promise<{ records: readonly RunRecord[]; damaged: readonly Damage[] }> {
  await followVerb(["study", item, "--profile", profile, "--seeds", seeds.join(",")]);
  return await readRecords(`${kitFolder}/results/records`);
}

/**
 * Runs a verb of the kit and prints its lines as they come; while a run trains, its loss is drawn. Ends with the
 * cell's interrupt and with the kernel.
 *
 * @throws EnvironmentError when the verb fails.
 */
export async function followVerb(words: readonly string[]): Promise<void> {
  await interruptible(async (signal) => {
    const curve = await followLogs(`${kitFolder}/runs`);
    const timer = setInterval(() => void curve.look(), interval);
    const { code, lines } = await runChild(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", "lib/cli/main.ts", ...words],
      cwd: kitFolder,
      env: { NO_COLOR: "1" },
      signal,
      ownGroup: true,
      endsWithParent: true,
      onLine: (line) => void showLine(line),
    }).finally(() => clearInterval(timer));
    await curve.finish();
    if (signal.aborted) return await showLine("stopped; the same cell continues");
    if (code !== 0) throw inOneLine(`${words.join(" ")} ended with exit code ${code}: ${lines.at(-1) ?? ""}`);
  });
}

/** The curve of the run in a folder of runs whose log grew last, drawn again when it grows. */
async function followLogs(folder: string): Promise<{ look(): Promise<void>; finish(): Promise<void> }> {
  const before = new Map((await logsIn(folder)).map(({ path, size }) => [path, size]));
  const live = liveFigure(crypto.randomUUID());
  let drawn: { figure: Figure; state: string } | undefined;
  let isDrawing = false;
  const look = async () => {
    const grown = (await logsIn(folder)).filter(({ path, size }) => size !== before.get(path));
    const newest = grown.sort((a, b) => b.changed - a.changed)[0];
    const state = newest === undefined ? undefined : `${newest.path} ${newest.size}`;
    if (state === undefined || state === drawn?.state || isDrawing) return;
    isDrawing = true;
    const figure = await runCurve(newest.path);
    await live.update(figure);
    drawn = { figure, state };
    isDrawing = false;
  };
  const finish = async () => {
    await look();
    if (drawn !== undefined) await live.finish(drawn.figure);
  };
  return { look, finish };
}

/** The loss of a run so far. */
async function runCurve(folder: string): Promise<Figure> {
  const steps = (await readLog(folder)).filter(({ event, total }) => event === "step" && total !== undefined);
  const loss = {
    name: "loss",
    steps: steps.map(({ step }) => step),
    values: steps.map(({ total }) => total!),
  };
  const title = folder.replace(/^.*\//, "").replace(/-[0-9a-f]{6}$/, "");
  return lineChart([loss], { title, xLabel: "Step", yLabel: "Loss", smoothing: 15 });
}

/** The run folders that have a log, with its size in bytes and when it changed. */
async function logsIn(folder: string): Promise<{ path: string; size: number; changed: number }[]> {
  const logs: { path: string; size: number; changed: number }[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const found = await Deno.stat(`${folder}/${name}/log.jsonl`).catch(() => undefined);
      if (found !== undefined) {
        logs.push({ path: `${folder}/${name}`, size: found.size, changed: found.mtime?.getTime() ?? 0 });
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return logs;
}

/** An error whose message is all that a cell shows: the place in the kit's code is of no use to a reader. */
function inOneLine(message: string): EnvironmentError {
  const error = new EnvironmentError(message);
  error.stack = message;
  return error;
}
