/** The verb `notebooks`: executes the notebooks with the Jupyter kernel of Deno and saves their outputs. */
import { hostname } from "node:os";
import { InputError, unknownName } from "../errors.ts";
import { cacheFolder } from "../engine/provision/cache.ts";
import { systemHost } from "../engine/provision/host.ts";
import { writeWhole } from "../training/files.ts";
import { runChild } from "./child.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { checkCells, readNotebook } from "./notebook_cells.ts";
import { cleanNotebook, notebookText, outputFaults, type Replacement } from "./notebook_outputs.ts";
import { notebookPackages, type PreparedPython, pythonPackages } from "./python_packages.ts";
import { notebookPaths } from "./ok.ts";
import { prepareEngine, provisionReport } from "./prepare_engine.ts";
import { formatDuration } from "./progress.ts";

export const command = defineCommand({
  name: "notebooks",
  summary: "executes the notebooks with the Deno Jupyter kernel and saves their outputs",
  positionals: {
    item: {
      type: "string",
      rest: true,
      optional: true,
      help: "table1, figure4, quickstart, a file name; none means all",
    },
  },
  options: {
    profile: {
      type: "choice",
      choices: ["smoke", "mini", "paper"],
      help: "size of the runs, as SASNET_PROFILE for the cells",
    },
    check: { type: "boolean", help: "execute nothing: check types, and that saved outputs exist" },
    cellTimeout: { type: "number", minimum: 0, default: 0, help: "seconds for one cell, 0 for no limit" },
  },
  notes: [
    "A notebook is saved when all its cells ran; the first cell that fails ends the command with exit code 1.",
  ],
});

interface NotebookResult {
  readonly notebook: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly message: string;
}

/** A line from notebook_client.py. */
interface ClientEvent {
  readonly event: "start" | "cell" | "text" | "failed" | "done";
  readonly cell?: number;
  readonly cells?: number;
  readonly text?: string;
  readonly name?: string;
  readonly message?: string;
  readonly trace?: string;
}

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const paths = selectNotebooks(notebookPaths(context.root), options.item);
  context.status("checking the types of the cells …");
  const faults = await checkCells(paths, context.signal);
  context.status(undefined);
  if (faults !== "") {
    context.print(faults.trimEnd());
    context.print("failed: the cells do not pass the type check");
    return { exitCode: 1, json: { ok: false, notebooks: [], message: faults } };
  }
  const results = options.check
    ? await checkOutputs(paths, context)
    : await executeAll(paths, options, context);
  const ok = results.every((result) => result.ok) && (options.check || results.length === paths.length);
  return { exitCode: ok ? 0 : 1, json: { ok, notebooks: results } };
}

/**
 * The notebooks that items name: "table1" and "table01" name table01_la.ipynb, "quickstart" names 00_quickstart.ipynb.
 *
 * @throws InputError when an item names none, or there is no notebook at all.
 */
export function selectNotebooks(paths: readonly string[], items: readonly string[]): string[] {
  if (paths.length === 0) throw new InputError("no notebook found in the folder notebooks");
  if (items.length === 0) return [...paths];
  const key = (name: string) =>
    name.toLowerCase().replace(/^.*\//, "").replace(/\.ipynb$/, "").replace(/0+(?=\d)/g, "");
  const namesOf = (path: string) => {
    const name = key(path);
    return [name, name.split("_")[0], name.split("_").slice(1).join("_")].filter((part) => part !== "");
  };
  const chosen = new Set(items.flatMap((item) => {
    const found = paths.filter((path) => namesOf(path).includes(key(item)));
    if (found.length === 0) throw unknownName("notebook", item, paths.map((path) => key(path)));
    return found;
  }));
  return paths.filter((path) => chosen.has(path));
}

async function checkOutputs(paths: readonly string[], context: Context): Promise<NotebookResult[]> {
  return await Promise.all(paths.map(async (path) => {
    const faults = outputFaults(await readNotebook(path));
    const message = faults.join("; ");
    const notebook = nameOf(path);
    context.print(faults.length === 0 ? `ok      ${notebook}` : `FAILED  ${notebook}: ${message}`);
    return { notebook, ok: faults.length === 0, seconds: 0, message };
  }));
}

async function executeAll(
  paths: readonly string[],
  options: Options<typeof command>,
  context: Context,
): Promise<NotebookResult[]> {
  const host = systemHost();
  const engineEnv = await prepareEngine(context);
  const python = await pythonPackages(notebookPackages, host, provisionReport(context));
  const scratch = await Deno.makeTempDir({ prefix: "sasnet-notebook-" });
  try {
    await writeKernel(`${scratch}/kernels/sasnet`);
    const profile: Record<string, string> = options.profile === undefined
      ? {}
      : { SASNET_PROFILE: options.profile };
    const env = { ...python.env, ...engineEnv, ...profile, JUPYTER_PATH: scratch, NO_COLOR: "1" };
    const results: NotebookResult[] = [];
    for (const path of paths) {
      if (context.signal.aborted) break;
      using _lock = await lockFor(path, cacheFolder(host), context);
      const result = await execute(path, { python, env, scratch, cellTimeout: options.cellTimeout }, context);
      results.push(result);
      const line = `${result.notebook.padEnd(28)}  ${formatDuration(result.seconds)}`;
      context.print(result.ok ? `ok      ${line}` : `FAILED  ${line}\n${result.message}`);
      if (!result.ok) break;
    }
    return results;
  } finally {
    await Deno.remove(scratch, { recursive: true }).catch(() => {});
  }
}

async function execute(
  path: string,
  how: { python: PreparedPython; env: Record<string, string>; scratch: string; cellTimeout: number },
  context: Context,
): Promise<NotebookResult> {
  const since = performance.now();
  const notebook = nameOf(path);
  const target = `${how.scratch}/${notebook}`;
  const client = decodeURIComponent(new URL("./notebook_client.py", import.meta.url).pathname);
  const said: string[] = [];
  let failure: string | undefined;
  let cell = "";
  const onLine = (line: string) => {
    const event = readEvent(line);
    if (event === undefined) return void said.push(line);
    if (event.event === "cell") cell = `${notebook}, cell ${event.cell}`;
    if (event.event === "cell" || event.event === "text") {
      const text = event.text?.trimEnd().split("\n").at(-1) ?? "";
      const elapsed = formatDuration((performance.now() - since) / 1000);
      context.status([cell, elapsed, text].filter((part) => part !== "").join("  "));
    }
    if (event.event === "failed") failure = describeFailure(notebook, event);
  };
  const { code } = await runChild(how.python.command, {
    args: [client, path, target, "sasnet", String(how.cellTimeout)],
    cwd: context.root,
    env: how.env,
    signal: context.signal,
    onLine,
  });
  context.status(undefined);
  const seconds = (performance.now() - since) / 1000;
  if (code !== 0) {
    return {
      notebook,
      ok: false,
      seconds,
      message: failure ?? `the notebook client failed:\n${said.join("\n")}`,
    };
  }
  const clean = cleanNotebook(await readNotebook(target), replacements(context.root));
  await writeWhole(path, notebookText(clean));
  return { notebook, ok: true, seconds, message: "" };
}

function describeFailure(notebook: string, event: ClientEvent): string {
  const reason = event.message ? `${event.name}: ${event.message}` : `${event.name}`;
  const trace = event.trace ? `\n${event.trace}` : "";
  return `${notebook}, cell ${event.cell}: ${reason}${trace}`;
}

function readEvent(line: string): ClientEvent | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value?.event === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The kernel of the very Deno that runs, under the name that the notebooks carry. */
async function writeKernel(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const argv = [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"];
  const spec = { argv, display_name: "SASNet kit (Deno)", language: "typescript" };
  await Deno.writeTextFile(`${folder}/kernel.json`, JSON.stringify(spec));
}

/** Holds a lock that ends with this process; waits for another one that executes the same notebook. */
async function lockFor(path: string, cache: string, context: Context): Promise<Deno.FsFile> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(path)));
  const key = Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  await Deno.mkdir(`${cache}/locks`, { recursive: true });
  const file = await Deno.open(`${cache}/locks/notebook-${key}.lock`, { create: true, write: true });
  if (!await file.tryLock(true)) {
    context.note(`waiting for another process that executes ${nameOf(path)}`);
    await file.lock(true);
  }
  return file;
}

function replacements(root: string): Replacement[] {
  const home = Deno.env.get("HOME");
  const texts = [{ from: `file://${encodeURI(root)}/`, to: "" }, { from: `${root}/`, to: "" }, {
    from: root,
    to: ".",
  }];
  if (home !== undefined && home.length > 1) texts.push({ from: home, to: "~" });
  const host = hostname();
  if (host.length > 3 && host !== "localhost") texts.push({ from: host, to: "localhost" });
  return texts;
}

function nameOf(path: string): string {
  return path.replace(/^.*\//, "");
}
