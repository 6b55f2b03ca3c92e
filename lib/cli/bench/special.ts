/** What `bench` measures beside its works: every method's step, the operations of a step, how a step grows. */
import { EnvironmentError } from "../../errors.ts";
import { runChild } from "../child.ts";
import type { Context, Outcome } from "../command.ts";
import { prepareEngine } from "../prepare_engine.ts";
import { formatBytes } from "../progress.ts";
import type { Method } from "../../methods/method.ts";
import type { Shape3 } from "../../volume/volume.ts";
import { environmentRecord, useEngine } from "../workspace.ts";
import type { MethodStep, MethodStepTask } from "./method_step.ts";
import type { Program } from "./side.ts";
import type { BenchTask } from "./task.ts";

/** The program that measures the kit's own side. */
export function ownProgram(task: BenchTask, root: string, env: Readonly<Record<string, string>>): Program {
  const args = ["run", "-A", `${root}/lib/cli/bench/work.ts`, JSON.stringify(task)];
  return { name: task.work, command: Deno.execPath(), args, env };
}

/** Prints what a step of every method costs, in all and beside its forward and backward passes. */
export async function runMethods(
  { methods: keys, ...sizes }: Omit<MethodStepTask, "method"> & {
    readonly methods: readonly string[] | undefined;
  },
  context: Context,
): Promise<Outcome> {
  const methods = await methodsOf(keys);
  const env = await prepareEngine(context);
  const results: MethodStep[] = [];
  context.print(`${"method".padEnd(10)} seconds   of its passes   ratio   peak memory`);
  for (const { key, name } of methods) {
    context.status(`measuring a step of ${name}`);
    const task: MethodStepTask = { method: key, ...sizes };
    const args = ["run", "-A", `${context.root}/lib/cli/bench/method_step.ts`, JSON.stringify(task)];
    const { code, lines } = await runChild(Deno.execPath(), {
      args,
      cwd: context.root,
      env,
      signal: context.signal,
    });
    context.status(undefined);
    const line = lines.findLast((line) => line.startsWith("{"));
    if (code !== 0 || line === undefined) {
      throw new EnvironmentError(`a step of ${name} could not be measured: ${lines.at(-1)}`);
    }
    const step: MethodStep = JSON.parse(line);
    results.push(step);
    const ratio = step.seconds / step.passSeconds;
    context.print(
      `${name.padEnd(10)} ${step.seconds.toFixed(3).padStart(7)} ${
        step.passSeconds.toFixed(3).padStart(15)
      } ${ratio.toFixed(2).padStart(7)}   ${formatBytes(step.peakBytes)}`,
    );
  }
  return { json: { ...sizes, methods: results } };
}

/** What `bench learning` is asked for. */
export interface LearningChoice {
  readonly methods: readonly string[] | undefined;
  readonly seeds: readonly number[];
  readonly size: Shape3 | undefined;
  readonly width: number | undefined;
  readonly iterations: number;
  /** Folder of the runs and of the table. */
  readonly out: string;
}

/** Trains every method on phantoms and writes how well it segments others beside the runs. */
export async function runLearning(choice: LearningChoice, context: Context): Promise<Outcome> {
  const { exceptions, learningMarkdown, learningTable, measureLearning } = await import("./learning.ts");
  const methods = await methodsOf(choice.methods);
  const { size = [48, 48, 32], width = 8, seeds, iterations, out } = choice;
  const engine = await useEngine(context);
  const progress = context.progress();
  const runs = await measureLearning({
    methods: methods.map(({ key }) => key),
    seeds,
    size,
    width,
    iterations,
    folder: out,
    environment: environmentRecord(engine),
    signal: context.signal,
    onStep: (label, { step, iterations, total, resident }) =>
      progress.update({ label, step, total: iterations, numbers: { loss: total }, memoryBytes: resident }),
    onRun: ({ method, seed, dice, steps, seconds }) => {
      const mean = dice.reduce((sum, value) => sum + value, 0) / dice.length;
      context.note(
        `${method}, seed ${seed}: Dice ${(100 * mean).toFixed(1)} % after ${steps} steps in ${
          seconds.toFixed(0)
        } s`,
      );
    },
  });
  progress.finish();
  if (runs === undefined) {
    context.print("stopped; the same command continues");
    return {};
  }
  const table = learningTable(runs);
  const text = learningMarkdown(table);
  const { writeWhole } = await import("../../training/files.ts");
  const json = { size, width, iterations, seeds, runs, ...table };
  await writeWhole(`${out}/learning.json`, `${JSON.stringify(json, undefined, 2)}\n`);
  await writeWhole(`${out}/learning.md`, text);
  for (const line of text.trimEnd().split("\n")) context.print(line);
  const short = table.rows.filter(({ verdict, method }) => verdict === "below" && !(method in exceptions));
  return { json, ...(short.length > 0 && { exitCode: 1 }) };
}

/** The methods of these keys, or all. */
async function methodsOf(keys: readonly string[] | undefined): Promise<readonly Method[]> {
  const { methodOf, methods } = await import("../../methods/mod.ts");
  return keys?.map(methodOf) ?? methods;
}

/** Rows of the profile that are printed; all are in the JSON. */
const profileRows = 30;

/** Prints what the operations of a training step cost, the most expensive first. */
export async function runProfile(task: BenchTask, steps: number, context: Context): Promise<Outcome> {
  await useEngine(context);
  const { profileOperations } = await import("../../engine/profile.ts");
  const { stepWork } = await import("./work.ts");
  const step = stepWork(task);
  step();
  step();
  const started = performance.now();
  const operations = profileOperations(() => {
    for (let i = 0; i < steps; i++) step();
  });
  const seconds = (performance.now() - started) / 1000 / steps;
  const inOperations = operations.reduce((sum, row) => sum + row.seconds, 0) / steps;
  context.print(
    `a step takes ${seconds.toFixed(3)} s, of which operations of the library ${inOperations.toFixed(3)} s`,
  );
  context.print(`${"operation".padEnd(32)} ${"largest input".padEnd(20)} calls       ms   output`);
  for (const { operation, shape, calls, seconds, outputBytes } of operations.slice(0, profileRows)) {
    const milliseconds = (1000 * seconds / steps).toFixed(1);
    context.print(
      `${operation.padEnd(32)} ${shape.padEnd(20)} ${(calls / steps).toFixed(0).padStart(5)} ${
        milliseconds.padStart(8)
      }   ${formatBytes(outputBytes / steps)}`,
    );
  }
  return { json: { steps, seconds, operations } };
}

/** Measures how a step grows and writes table, curves and numbers to results/bench. */
export async function runGrowth(repeat: number, context: Context): Promise<Outcome> {
  const { measureGrowth, growthFigure, growthTable } = await import("./growth.ts");
  const { stepOperations } = await import("./operations.ts");
  const env = await prepareEngine(context);
  await useEngine(context);
  const growth = await measureGrowth({
    repeat,
    program: (task) => ownProgram(task, context.root, env),
    signal: context.signal,
    gflop: stepOperations,
    report: (line) => context.print(line),
  });
  const folder = `${context.root}/results/bench`;
  await Deno.mkdir(folder, { recursive: true });
  const { writeWhole } = await import("../../training/files.ts");
  const texts = {
    "growth.json": `${JSON.stringify(growth, undefined, 2)}\n`,
    "growth.md": growthTable(growth),
    "growth.svg": growthFigure(growth),
  };
  for (const [name, text] of Object.entries(texts)) {
    await writeWhole(`${folder}/${name}`, new TextEncoder().encode(text));
  }
  context.print(`curves: ${folder}/growth.svg, numbers: growth.md and growth.json beside it`);
  return { json: growth };
}
