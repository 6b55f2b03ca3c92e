/** Runs another program, with its output line by line. */

/** What to run. */
export interface ChildOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Environment variables that are added. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its end ends the child. */
  readonly signal: AbortSignal;
  /** Told every line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
  /** A process group of its own: a terminal's Ctrl-C then reaches it through `signal` alone, once. */
  readonly ownGroup?: boolean;
  /** A verb of the kit that stops, with its state saved, when this process is gone: however that ended. */
  readonly endsWithParent?: boolean;
  /** Told the process id once it runs. */
  readonly onStart?: (pid: number) => void;
}

/** How it ended. */
export interface ChildResult {
  /** Exit status. */
  readonly code: number;
  /** All lines, in the order of their arrival, colours taken out. */
  readonly lines: readonly string[];
  /** The lines of standard output alone. */
  readonly output: readonly string[];
}

/** Set for a child whose standard input stays open for as long as its parent lives; `main.ts` watches for its end. */
export const parentPipe = "SASNET_ENDS_WITH_PARENT";

/** Runs `program` to its end; nothing can be read from standard input. */
export async function runChild(program: string, options: ChildOptions): Promise<ChildResult> {
  const { endsWithParent = false } = options;
  const child = new Deno.Command(program, {
    args: [...options.args],
    cwd: options.cwd,
    env: { ...options.env, ...(endsWithParent ? { [parentPipe]: "1" } : {}) },
    signal: options.signal,
    detached: options.ownGroup ?? false,
    stdin: endsWithParent ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  options.onStart?.(child.pid);
  const lines: string[] = [];
  const output: string[] = [];
  const take = (line: string) => {
    lines.push(withoutColours(line));
    options.onLine?.(line);
  };
  const takeOutput = (line: string) => {
    output.push(withoutColours(line));
    take(line);
  };
  await Promise.all([eachLine(child.stdout, takeOutput), eachLine(child.stderr, take)]);
  if (endsWithParent) await child.stdin.close().catch(() => {});
  return { code: (await child.status).code, lines, output };
}

async function eachLine(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    parts.forEach(take);
  }
  if (rest !== "") take(rest);
}

function withoutColours(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "");
}
