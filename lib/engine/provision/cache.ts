/**
 * The cache folder that all checkouts share. Every entry is a folder that is made beside its place and renamed when it
 * is whole, with a stamp of what it was made from. One process makes an entry, others wait for it.
 */

import { EnvironmentError, noRoom } from "../../errors.ts";
import type { Host } from "./host.ts";
import { type Report, runStage } from "./progress.ts";

/** What an entry was made from; an entry whose inputs differ is made anew. */
export type Inputs = Readonly<Record<string, string>>;

/** Written last into an entry. */
interface Stamp {
  readonly inputs: Inputs;
  /** Bytes of the files that must be there, by path in the entry. */
  readonly files: Readonly<Record<string, number>>;
  /** Facts for people, such as the compiler. */
  readonly notes: Readonly<Record<string, string>>;
}

/** An entry of the cache to be found or made. */
export interface Entry {
  /** Folder name in the cache. */
  readonly name: string;
  readonly inputs: Inputs;
  /** Paths in the entry that must exist. */
  readonly files: readonly string[];
  /** Fills an empty folder. Returns notes for the stamp. */
  make(folder: string): Promise<Record<string, string>>;
}

const stampName = "stamp.json";

/**
 * The cache folder: $SASNET_CACHE, else sasnet-kit in $XDG_CACHE_HOME, else in ~/Library/Caches (macOS) or ~/.cache.
 *
 * @throws EnvironmentError without any of these, or where the path cannot stand in a library's run path.
 */
export function cacheFolder(host: Pick<Host, "environment" | "platform">): string {
  const folder = chosenFolder(host);
  const absolute = (folder.startsWith("/") ? folder : `${Deno.cwd()}/${folder}`).replace(/(.)\/+$/, "$1");
  if (/[:$]/.test(absolute)) {
    throw new EnvironmentError(
      `the cache folder "${absolute}" contains ":" or "$", which a library's run path cannot hold; set SASNET_CACHE to another folder`,
    );
  }
  return absolute;
}

function chosenFolder({ environment, platform }: Pick<Host, "environment" | "platform">): string {
  const own = environment("SASNET_CACHE");
  if (own !== undefined) return own;
  const shared = environment("XDG_CACHE_HOME");
  if (shared !== undefined) return `${shared}/sasnet-kit`;
  const home = environment("HOME");
  if (home === undefined) {
    throw new EnvironmentError(
      "no cache folder: HOME is not set; set SASNET_CACHE to a folder you can write",
    );
  }
  return platform.startsWith("darwin") ? `${home}/Library/Caches/sasnet-kit` : `${home}/.cache/sasnet-kit`;
}

/** Whether an entry is there, whole, and made from these inputs. */
export function isWhole(cache: string, entry: Pick<Entry, "name" | "inputs" | "files">): boolean {
  const folder = `${cache}/${entry.name}`;
  const stamp = readStamp(folder);
  if (stamp === undefined || !sameInputs(stamp.inputs, entry.inputs)) return false;
  return entry.files.every((file) =>
    stamp.files[file] !== undefined && fileSize(`${folder}/${file}`) === stamp.files[file]
  );
}

/** The notes of an entry's stamp; empty where there is none. */
export function stampNotes(folder: string): Readonly<Record<string, string>> {
  return readStamp(folder)?.notes ?? {};
}

/**
 * Finds an entry or makes it, alone: a second process waits and reports so. A process that dies lets go of the lock,
 * and what it left unfinished is removed by the next.
 *
 * @returns the entry's folder.
 * @throws EnvironmentError where the cache cannot be written; whatever `make` throws.
 */
export async function obtain(cache: string, entry: Entry, report: Report): Promise<string> {
  const folder = `${cache}/${entry.name}`;
  if (isWhole(cache, entry)) return folder;
  using lock = openLock(cache, entry.name);
  if (!(await lock.tryLock(true))) {
    await runStage(report, "wait", { subject: entry.name, work: () => lock.lock(true) });
  }
  if (isWhole(cache, entry)) return folder;
  const partial = `${folder}.partial`;
  await remove(partial);
  try {
    await Deno.mkdir(partial);
    const notes = await entry.make(partial);
    await writeStamp(partial, entry, notes);
    await remove(folder);
    await Deno.rename(partial, folder);
  } catch (error) {
    await remove(partial);
    throw fullDisk(folder, String(error)) ?? error;
  }
  return folder;
}

/** A full disk as one clear line, out of an error's or a program's text; `undefined` where it tells of none. */
export function fullDisk(path: string, text: string): EnvironmentError | undefined {
  const reason = noRoom(text);
  if (reason === undefined) return undefined;
  return new EnvironmentError(
    `"${path}" cannot be written: ${reason}, or set SASNET_CACHE to a folder on a larger disk`,
  );
}

function openLock(cache: string, name: string): Deno.FsFile {
  try {
    Deno.mkdirSync(cache, { recursive: true });
    return Deno.openSync(`${cache}/${name}.lock`, { create: true, write: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `cannot write the cache folder "${cache}": ${reason}; set SASNET_CACHE to a folder you can write`,
    );
  }
}

async function writeStamp(folder: string, entry: Entry, notes: Record<string, string>): Promise<void> {
  const files: Record<string, number> = {};
  for (const file of entry.files) files[file] = (await Deno.stat(`${folder}/${file}`)).size;
  const stamp: Stamp = { inputs: entry.inputs, files, notes };
  await Deno.writeTextFile(`${folder}/${stampName}`, JSON.stringify(stamp, null, 2) + "\n");
}

function readStamp(folder: string): Stamp | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${folder}/${stampName}`));
  } catch {
    return undefined;
  }
}

function sameInputs(a: Inputs, b: Inputs): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function fileSize(path: string): number | undefined {
  try {
    return Deno.statSync(path).size;
  } catch {
    return undefined;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Bytes of the files in a folder and below it; 0 where it does not exist. Links are not followed. */
export function folderBytes(folder: string): number {
  let sum = 0;
  try {
    for (const item of Deno.readDirSync(folder)) {
      const path = `${folder}/${item.name}`;
      sum += item.isDirectory ? folderBytes(path) : Deno.lstatSync(path).size;
    }
  } catch (error) {
    // Files come and go while another program works in the folder.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return sum;
}
