/** The folder of a run: its configuration, environment, log and checkpoints, and a lock against a second process. */
import { InputError } from "../errors.ts";
import { configHash, type RunConfig } from "./config.ts";
import { explained, writeWhole } from "./files.ts";

/** One line of log.jsonl. */
export interface LogLine {
  readonly step: number;
  readonly event: "step" | "evaluation" | "finished";
  readonly seconds?: number;
  readonly total?: number;
  readonly terms?: Readonly<Record<string, number>>;
  readonly weights?: Readonly<Record<string, number>>;
  readonly values?: Readonly<Record<string, number>>;
}

/** An open run folder. */
export interface RunFolder {
  readonly path: string;
  readonly checkpoints: string;
  /** Networks that were chosen for their results. */
  readonly best: string;
  readonly hash: string;
  /** Adds lines to the log and makes sure that they are on the disk. */
  append(lines: readonly LogLine[]): Promise<void>;
  close(): void;
}

/**
 * Opens a run folder, new or begun, for this process alone.
 *
 * @throws InputError if it belongs to another configuration, or another process is using it.
 */
export async function openRunFolder(
  path: string,
  config: RunConfig,
  environment: object,
): Promise<RunFolder> {
  const hash = await configHash(config);
  const known = await readConfig(path);
  if (known !== undefined && await configHash(known) !== hash) {
    throw new InputError(
      `${path} belongs to a run with other settings (${firstDifference(known, config)}); ` +
        "choose another folder with --run or the same settings",
    );
  }
  try {
    await Deno.mkdir(`${path}/checkpoint`, { recursive: true });
  } catch (error) {
    throw explained(path, error);
  }
  const lock = await lockFolder(path);
  try {
    if (known === undefined) {
      // The configuration makes it a run folder, so it comes last.
      await writeWhole(`${path}/environment.json`, json(environment));
      await writeWhole(`${path}/config.json`, json({ ...config, hash }));
    }
  } catch (error) {
    lock.close();
    throw error;
  }
  return {
    path,
    checkpoints: `${path}/checkpoint`,
    best: bestFolder(path),
    hash,
    async append(lines) {
      try {
        const text = lines.map((line) => JSON.stringify(line) + "\n").join("");
        await Deno.writeTextFile(`${path}/log.jsonl`, text, { append: true });
      } catch (error) {
        throw explained(`${path}/log.jsonl`, error);
      }
    },
    close: () => lock.close(),
  };
}

/** Where a run keeps the networks that were chosen for their results. */
export function bestFolder(path: string): string {
  return `${path}/best`;
}

/** The configuration in a run folder, or undefined where there is none. */
export async function readConfig(path: string): Promise<RunConfig | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(`${path}/config.json`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
  try {
    const { hash: _hash, ...config } = JSON.parse(text);
    return config;
  } catch {
    throw new InputError(
      `${path}/config.json is damaged: it is not JSON; restore it or choose another folder`,
    );
  }
}

/** The log's lines up to a step; a torn last line is left out. */
export async function readLog(path: string): Promise<LogLine[]> {
  const text = await Deno.readTextFile(`${path}/log.jsonl`).catch(() => "");
  const lines: LogLine[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    try {
      lines.push(JSON.parse(line));
    } catch {
      break;
    }
  }
  return lines;
}

/** Drops what the log says of steps after `step`, which an interrupted run had not saved; returns the rest. */
export async function truncateLog(path: string, step: number): Promise<LogLine[]> {
  const lines = (await readLog(path)).filter((line) => line.step <= step && line.event !== "finished");
  await writeWhole(`${path}/log.jsonl`, lines.map((line) => JSON.stringify(line) + "\n").join(""));
  return lines;
}

async function lockFolder(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(`${path}/lock`, { write: true, create: true }).catch((error) => {
    throw explained(`${path}/lock`, error);
  });
  if (await file.tryLock(true)) return file;
  file.close();
  throw new InputError(
    `${path} is in use by another process; wait for it or choose another folder with --run`,
  );
}

function firstDifference(known: RunConfig, wanted: RunConfig): string {
  for (const [key, value] of Object.entries(wanted)) {
    const before = JSON.stringify((known as unknown as Record<string, unknown>)[key]);
    const now = JSON.stringify(value);
    if (before !== now) return `${key}: ${shorten(before)} there, ${shorten(now)} here`;
  }
  return "other keys";
}

function shorten(text: string | undefined): string {
  if (text === undefined) return "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
