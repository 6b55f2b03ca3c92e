/** How long the kit takes from its start to a trained and saved first step, the caches being warm. */
import { EnvironmentError } from "../../errors.ts";
import type { Measurement } from "./side.ts";

/** How often the memory of the child is looked at. */
const lookMilliseconds = 20;

/**
 * Runs the verb `train` for one step of the smallest profile in a fresh folder, again and again.
 *
 * @param main the path of the command line's module.
 */
export async function measureStart(
  main: string,
  { repeat, env, signal }: {
    readonly repeat: number;
    readonly env: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<Measurement> {
  const seconds: number[] = [];
  let peakBytes = 0;
  // The first run warms what the system keeps of the files.
  for (let i = 0; i <= repeat; i++) {
    const folder = await Deno.makeTempDir();
    try {
      const words = ["train", "--method", "sasnet", "--labelled", "2", "--iterations", "1", "--run", folder];
      const started = performance.now();
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", main, ...words],
        env: { ...env },
        signal,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const errors = new Response(child.stderr).text();
      const watch = setInterval(
        () => peakBytes = Math.max(peakBytes, peakOf(child.pid)),
        lookMilliseconds,
      );
      const { success } = await child.status;
      clearInterval(watch);
      signal.throwIfAborted();
      if (!success) {
        throw new EnvironmentError(
          `start could not be measured: ${(await errors).trim().split("\n").at(-1)}`,
        );
      }
      await errors;
      if (i > 0) seconds.push((performance.now() - started) / 1000);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  return { seconds, peakBytes };
}

/** The most that a process held so far; 0 where the system does not tell (it does on Linux). */
function peakOf(pid: number): number {
  try {
    const line = Deno.readTextFileSync(`/proc/${pid}/status`).match(/^VmHWM:\s+(\d+) kB$/m);
    return line === null ? 0 : Number(line[1]) * 1024;
  } catch {
    return 0;
  }
}
