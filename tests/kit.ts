/** The command line as users run it, for tests. */

const main = decodeURIComponent(new URL("../lib/cli/main.ts", import.meta.url).pathname);

/** How a command ended. */
export interface KitResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and in which environment to run. */
export interface KitOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs one command line of the kit in a process of its own. */
export async function runKit(words: readonly string[], options: KitOptions = {}): Promise<KitResult> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, ...words],
    env: { NO_COLOR: "1", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
