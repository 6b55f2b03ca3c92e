/** The sides of a comparison as running programs: each repeats its work when it is asked to. */
import { EnvironmentError } from "../../errors.ts";

/** What one side needed. */
export interface Measurement {
  /** Of each repetition after the warm-up. */
  readonly seconds: readonly number[];
  /** The most memory that its process held. */
  readonly peakBytes: number;
}

/** How a side is started. */
export interface Program {
  /** Its name in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Rest between two repetitions, in which the threads of the other side fall asleep. */
const restMilliseconds = 200;

/**
 * Measures programs side by side: one repetition of each in turn, so that what else the machine does falls on all.
 *
 * @throws EnvironmentError with the last line of a program that fails; the abort reason when the signal fires.
 */
export async function measureInTurn(
  programs: readonly Program[],
  { repeat, signal }: { readonly repeat: number; readonly signal: AbortSignal },
): Promise<Measurement[]> {
  const sides: Side[] = [];
  try {
    for (const program of programs) {
      const side = startSide(program, signal);
      sides.push(side);
      // One warm-up after the other: at once they would need the memory of both peaks.
      await side.expect("ready");
    }
    const seconds = sides.map((): number[] => []);
    for (let i = 0; i < repeat; i++) {
      for (const [number, side] of sides.entries()) {
        if (sides.length > 1) await new Promise((resolve) => setTimeout(resolve, restMilliseconds));
        await side.write("repeat\n");
        seconds[number].push(await side.expect("seconds"));
      }
    }
    const results: Measurement[] = [];
    for (const [number, side] of sides.entries()) {
      await side.write("");
      results.push({ seconds: seconds[number], peakBytes: await side.expect("peakBytes") });
    }
    return results;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    for (const side of sides) await side.end();
  }
}

/** A running program that is told lines and answers with JSON objects. */
interface Side {
  /** A line for its standard input; an empty text closes it. */
  write(text: string): Promise<void>;
  /** The value of this key in its next message. */
  expect(key: string): Promise<number>;
  /** Kills what still runs. */
  end(): Promise<void>;
}

function startSide({ name, command, args, env }: Program, signal: AbortSignal): Side {
  const child = new Deno.Command(command, {
    args: [...args],
    env: { ...env },
    signal,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const messages = readMessages(child.stdout);
  const input = child.stdin.getWriter();
  return {
    async write(text) {
      if (text === "") await input.close();
      else await input.write(new TextEncoder().encode(text)).catch(() => {});
    },
    async expect(key) {
      const { value } = await messages.next();
      const found = value?.[key];
      if (found !== undefined) return Number(found);
      const lines = (await errors).trim().split("\n");
      throw new EnvironmentError(`${name} could not be measured: ${lines.at(-1)}`);
    },
    async end() {
      try {
        child.kill();
      } catch {
        // It has ended.
      }
      await input.abort().catch(() => {});
      await messages.return(undefined);
      await Promise.all([errors, child.status]);
    },
  };
}

/** The JSON objects among the lines of a stream; libraries may print other lines. */
async function* readMessages(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Record<string, unknown>, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) yield JSON.parse(line);
  }
  return undefined;
}
