/** The verb `ok`: everything that a contributor checks before a commit, a line a stage. */
import { runChild } from "./child.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { checkCells } from "./notebook_cells.ts";
import { prepareEngine } from "./prepare_engine.ts";
import { formatDuration } from "./progress.ts";
import { countLine, countTests } from "./test.ts";

export const command = defineCommand({
  name: "ok",
  summary: "format, lint, types (notebooks too), import direction, unused code, tests: before every commit",
  options: {
    fast: { type: "boolean", help: "leave the tests out; the checks of the code base stay" },
    fix: { type: "boolean", help: "first format, and mend what the linter can mend" },
  },
});

/** A stage: what it said when it failed, undefined when all is well; and a note for its line. */
interface StageResult {
  readonly failure: string | undefined;
  readonly note?: string;
}

interface Stage {
  readonly name: string;
  run(): Promise<StageResult>;
}

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { root, signal } = context;
  const deno = async (args: readonly string[], env: Record<string, string> = {}) =>
    await runChild(Deno.execPath(), { args, cwd: root, env: { NO_COLOR: "1", ...env }, signal });
  const check = async (args: readonly string[]): Promise<StageResult> => {
    const { code, lines } = await deno(args);
    return { failure: code === 0 ? undefined : lines.join("\n") };
  };
  const tests = async (args: readonly string[], env: Record<string, string> = {}): Promise<StageResult> => {
    const { code, lines } = await deno(["test", "--allow-all", "--no-check", "--quiet", ...args], env);
    return { failure: code === 0 ? undefined : lines.join("\n"), note: countLine(countTests(lines, code)) };
  };
  const stages: Stage[] = [
    { name: "format", run: () => check(["fmt", "--check"]) },
    { name: "lint", run: () => check(["lint", "--quiet"]) },
    { name: "types", run: () => check(["check", "--quiet", ...sourceFolders(root)]) },
    {
      name: "notebook cells",
      run: async () => {
        const paths = notebookPaths(root);
        const failure = await checkCells(paths, signal);
        return { failure: failure === "" ? undefined : failure, note: `${paths.length} notebooks` };
      },
    },
    { name: "code base", run: () => tests(["tests/tooling"]) },
  ];
  if (!options.fast) {
    stages.push({
      name: "tests",
      run: async () => await tests([], await prepareEngine(context)),
    });
  }

  if (options.fix) {
    await deno(["fmt"]);
    await deno(["lint", "--fix"]);
  }
  const results: { stage: string; ok: boolean; seconds: number; note: string; output?: string }[] = [];
  for (const { name, run } of stages) {
    if (signal.aborted) break;
    context.status(`${name} …`);
    const since = performance.now();
    const { failure, note = "" } = await run();
    const seconds = (performance.now() - since) / 1000;
    const ok = failure === undefined;
    context.status(undefined);
    context.print(
      `${ok ? "ok    " : "FAILED"}  ${name.padEnd(14)}  ${formatDuration(seconds).padStart(8)}  ${note}`
        .trimEnd(),
    );
    if (!ok) context.print(indent(failure));
    results.push({ stage: name, ok, seconds, note, ...(ok ? {} : { output: failure }) });
  }
  const failed = results.filter((result) => !result.ok).map((result) => result.stage);
  context.print(failed.length === 0 ? "all is well" : `failed: ${failed.join(", ")}`);
  return { exitCode: failed.length === 0 ? 0 : 1, json: { ok: failed.length === 0, stages: results } };
}

/** Absolute paths of the notebooks, by name. */
export function notebookPaths(root: string): string[] {
  return namesIn(`${root}/notebooks`).filter((name) => name.endsWith(".ipynb")).map((name) =>
    `${root}/notebooks/${name}`
  );
}

function sourceFolders(root: string): string[] {
  return ["lib", "tests", "bench"].filter((folder) => hasSource(`${root}/${folder}`));
}

function hasSource(folder: string): boolean {
  try {
    return [...Deno.readDirSync(folder)].some((entry) =>
      entry.isDirectory ? hasSource(`${folder}/${entry.name}`) : entry.name.endsWith(".ts")
    );
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  } catch {
    return [];
  }
}

function indent(text: string): string {
  return text.split("\n").map((line) => `        ${line}`.trimEnd()).join("\n");
}
