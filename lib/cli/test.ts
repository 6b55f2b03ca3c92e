/** The verb `test`: all tests, with a last line that counts them. */
import { runChild } from "./child.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { prepareEngine } from "./prepare_engine.ts";

export const command = defineCommand({
  name: "test",
  summary: "runs the tests; the last line counts them",
  passesArgumentsTo: "deno test",
  notes: [
    "Without type check, which `ok` does. Examples:",
    "  test tests/volume              one folder",
    '  test --filter "readNifti()"    tests by name',
    "  test --coverage=coverage       with coverage",
  ],
});

/** How many tests passed, failed and were left out. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const env = await prepareEngine(context);
  const colours: Record<string, string> = !context.json && Deno.stdout.isTerminal()
    ? { FORCE_COLOR: "1" }
    : {};
  const { code, lines } = await runChild(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", ...options.passed],
    cwd: context.root,
    env: { ...env, ...colours },
    signal: context.signal,
    onLine: (line) => context.print(line),
  });
  const counts = countTests(lines, code);
  context.print(countLine(counts));
  return { exitCode: code, json: counts };
}

/**
 * The counts in the summary that `deno test` printed last, such as "ok | 3 passed (2 steps) | 0 failed | 1 ignored".
 * A run that failed without a failed test, for example on a syntax error, counts as one failure.
 */
export function countTests(lines: readonly string[], code: number): TestCounts {
  const summary = lines.findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line)) ?? "";
  const count = (word: string) => Number(new RegExp(`\\| (\\d+) ${word}`).exec(summary)?.[1] ?? 0);
  const failed = count("failed");
  return {
    passed: count("passed"),
    failed: code !== 0 && failed === 0 ? 1 : failed,
    ignored: count("ignored"),
  };
}

/** "12 passed, 0 failed", and ", 1 skipped" when some were left out. */
export function countLine(counts: TestCounts): string {
  const skipped = counts.ignored === 0 ? "" : `, ${counts.ignored} skipped`;
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}
