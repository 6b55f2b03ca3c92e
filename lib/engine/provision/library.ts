/** The cache entry that holds libtensorflow: two shared libraries and the C headers, out of a wheel. */

import { EnvironmentError } from "../../errors.ts";
import { type Entry, folderBytes } from "./cache.ts";
import type { Host } from "./host.ts";
import { downloadWheel, installWheels, pythonCommand } from "./pip.ts";
import { type Library, libraryName } from "./platform.ts";
import { type Report, runStage } from "./progress.ts";

/** The parts of the wheel's headers that the binding includes, directly or not. */
const headerFolders = ["tensorflow/c", "tensorflow/core/platform", "tsl/platform", "xla/tsl/c"];

/** Arguments: wheel, target folder, then members; one that ends in "/" stands for all below it. */
const unpackProgram = `
import sys, zipfile
wheel, target, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in wanted:
        found = [member for member in archive.namelist() if member == name or name.endswith("/") and member.startswith(name)]
        if not found:
            sys.exit("the wheel has no " + name)
        archive.extractall(target, found)
`;

/** Where a library entry keeps what the compiler and the loader need: `<entry>/tensorflow`. */
export function libraryFiles(library: Library): string[] {
  return library.files.map((file) => `tensorflow/${file}`);
}

/** The library as a cache entry. */
export function libraryEntry(host: Host, library: Library, report: Report): Entry {
  return {
    name: libraryName(library),
    inputs: {
      wheel: library.wheel.sha256,
      companions: library.companions.join("\n"),
      headers: headerFolders.join(" "),
    },
    files: libraryFiles(library),
    make: (folder) => makeLibrary(folder, { host, library, report }),
  };
}

async function makeLibrary(
  folder: string,
  { host, library, report }: { host: Host; library: Library; report: Report },
): Promise<Record<string, string>> {
  const { wheel } = library;
  requireSpace(host, folder, library);
  const downloads = `${folder}/download`;
  await Deno.mkdir(downloads);
  const path = await runStage(report, "download", {
    subject: wheel.requirement,
    totalBytes: wheel.bytes,
    measure: () => folderBytes(downloads),
    work: () => downloadWheel(host, wheel, downloads),
  });
  await runStage(report, "unpack", {
    subject: wheel.requirement,
    totalBytes: wheel.unpackedBytes,
    measure: () => folderBytes(`${folder}/tensorflow`),
    work: () => unpack(host, path, { folder, library }),
  });
  await Deno.remove(downloads, { recursive: true });
  if (library.companions.length > 0) {
    await runStage(report, "cuda", {
      subject: wheel.requirement,
      totalBytes: library.companionBytes,
      measure: () => folderBytes(folder) - wheel.unpackedBytes,
      work: () => installWheels(host, library.companions, { folder, tag: wheel.tag }),
    });
  }
  return { wheel: wheel.requirement };
}

async function unpack(
  host: Host,
  wheel: string,
  { folder, library }: { folder: string; library: Library },
): Promise<void> {
  const members = [
    ...libraryFiles(library),
    ...headerFolders.map((header) => `tensorflow/include/${header}/`),
  ];
  const result = await host.run([pythonCommand(host), "-c", unpackProgram, wheel, folder, ...members]);
  if (result.code !== 0) {
    const last = result.stderr.trim().split("\n").at(-1);
    throw new EnvironmentError(
      `cannot unpack ${library.wheel.requirement} into "${folder}": ${last}; run again`,
    );
  }
}

function requireSpace(host: Host, folder: string, library: Library): void {
  const free = host.freeBytes(folder);
  const needed = 1.1 * (library.wheel.bytes + library.wheel.unpackedBytes + 2 * library.companionBytes);
  if (free === undefined || free >= needed) return;
  throw new EnvironmentError(
    `libtensorflow needs ${gigabytes(needed)} GB in "${folder.slice(0, folder.lastIndexOf("/"))}", ` +
      `${gigabytes(free)} GB are free; make room or set SASNET_CACHE to a folder on a larger disk`,
  );
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
