/**
 * The command line: finds the verb, parses its arguments, runs it, and turns what happened into an exit code.
 * How a verb is written stands in command.ts.
 */
import { EnvironmentError, InputError, unknownName } from "../errors.ts";
import { parentPipe } from "./child.ts";
import type { Context, Outcome } from "./command.ts";
import { commandHelp, overview } from "./help.ts";
import { type Folders, parseArguments } from "./parse.ts";
import { createProgress, createStages, createStatusLine, type Display, type StatusLine } from "./progress.ts";
import { verbs } from "./verbs.ts";

const interrupted = 130;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs one command line and returns its exit code. */
async function main(words: readonly string[]): Promise<number> {
  const options = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
  const json = options.includes("--json");
  const display = standardError();
  const lines = createStatusLine(display);
  const controller = new AbortController();
  listenForSignals(controller, lines);
  try {
    const outcome = await dispatch(words, display, lines, controller.signal);
    lines.status(undefined);
    if (json) writeText(Deno.stdout, `${JSON.stringify(outcome.json ?? {}, null, 2)}\n`);
    return controller.signal.aborted ? interrupted : outcome.exitCode ?? 0;
  } catch (error) {
    lines.status(undefined);
    if (controller.signal.aborted) {
      lines.line("interrupted");
      return interrupted;
    }
    const exitCode = error instanceof InputError ? 2 : error instanceof EnvironmentError ? 3 : 1;
    const message = error instanceof Error ? error.message : String(error);
    if (options.includes("--debug")) lines.line(error instanceof Error ? error.stack ?? message : message);
    else {lines.line(
        `error: ${oneLine(message)}${exitCode === 1 ? " (run again with --debug for the stack)" : ""}`,
      );}
    if (json) writeText(Deno.stdout, `${JSON.stringify({ error: message, exitCode }, null, 2)}\n`);
    return exitCode;
  }
}

async function dispatch(
  words: readonly string[],
  display: Display,
  lines: StatusLine,
  signal: AbortSignal,
): Promise<Outcome> {
  const [name, ...rest] = words;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const commands = await Promise.all(Object.values(verbs).map(async (load) => (await load()).command));
    writeText(name === undefined ? Deno.stderr : Deno.stdout, `${overview(commands)}\n`);
    return { exitCode: name === undefined ? 2 : 0 };
  }
  if (!Object.hasOwn(verbs, name)) throw unknownName("command", name, Object.keys(verbs));
  const verb = await verbs[name]();
  const folders = startFolders();
  const { values, common } = parseArguments(verb.command, rest, folders);
  if (common.help) {
    writeText(common.json ? Deno.stderr : Deno.stdout, `${commandHelp(verb.command)}\n`);
    return {};
  }
  return await verb.run(values, createContext(common, folders.kit, display, lines, signal));
}

function createContext(
  common: Pick<Context, "json" | "quiet" | "debug" | "engine">,
  root: string,
  display: Display,
  lines: StatusLine,
  signal: AbortSignal,
): Context {
  const silent: StatusLine = { line: () => {}, status: () => {} };
  const shown = common.quiet ? silent : lines;
  return {
    ...common,
    root,
    signal,
    print(line) {
      if (common.json) return lines.line(line);
      lines.status(undefined);
      writeText(Deno.stdout, `${line}\n`);
    },
    note: (line) => shown.line(line),
    status: (line) => shown.status(line),
    progress: () => createProgress(display, shown),
    stages: (count) => createStages(display, shown, count),
  };
}

/** `deno task` changes to the kit's folder and leaves the user's one in INIT_CWD. */
function startFolders(): Folders {
  const kit = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");
  const cwd = Deno.cwd();
  return { kit, user: cwd === kit ? Deno.env.get("INIT_CWD") ?? cwd : cwd };
}

function listenForSignals(controller: AbortController, lines: StatusLine): void {
  const stop = () => {
    if (controller.signal.aborted) Deno.exit(interrupted);
    controller.abort(new Error("interrupted"));
    lines.status(undefined);
    lines.line("stopping at the next safe point; once more kills");
  };
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  if (Deno.env.get(parentPipe) !== undefined) {
    void endOfParent().then(() => controller.signal.aborted || stop());
  }
}

/** Resolves when the process that started this one is gone: then its end of standard input closes. */
async function endOfParent(): Promise<void> {
  Deno.env.delete(parentPipe);
  for await (const _ of Deno.stdin.readable);
}

function standardError(): Display {
  return {
    write: (text) => writeText(Deno.stderr, text),
    isTerminal: Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb",
    columns() {
      try {
        return Deno.consoleSize().columns;
      } catch {
        return 100;
      }
    },
    now: () => performance.now(),
  };
}

/** Writes all of it; a reader that went away, as in `… | head`, is no error. */
function writeText(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, " · ");
}
