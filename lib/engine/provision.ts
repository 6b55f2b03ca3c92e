/**
 * The native tensor library comes to the machine: downloaded once as a pinned wheel, unpacked into a cache that all
 * checkouts share, joined to Deno by a small binding that is compiled here. The first start does this on its own; a
 * later one finds everything in a few milliseconds.
 */

import { bindingEntry, bindingFile } from "./provision/binding.ts";
import { cacheFolder, folderBytes, isWhole, obtain, stampNotes } from "./provision/cache.ts";
import { type Host, systemHost } from "./provision/host.ts";
import { libraryEntry } from "./provision/library.ts";
import { bindingPlace, isLinked, linkBinding } from "./provision/package.ts";
import { type Library, libraryFor, libraryName, type Variant } from "./provision/platform.ts";
import type { Report } from "./provision/progress.ts";

export type { Host } from "./provision/host.ts";
export type { Library, Variant } from "./provision/platform.ts";
export { provisionLine, provisionWriter } from "./provision/progress.ts";
export type { ProvisionEvent, Report } from "./provision/progress.ts";

/** What to provide, and who is told about it. */
export interface ProvisionOptions {
  readonly variant: Variant;
  readonly report: Report;
  /** The machine; by default this one. */
  readonly host?: Host;
  /** The build; by default the pinned one for the variant and the machine. */
  readonly library?: Library;
}

/** What is in place after provisioning. */
export interface Provisioned {
  readonly variant: Variant;
  /** Version of libtensorflow. */
  readonly version: string;
  /** `os-arch`. */
  readonly platform: string;
  /** The folder that all checkouts share. */
  readonly cacheFolder: string;
  /** The library's folder in the cache. */
  readonly libraryFolder: string;
  /** Where the npm package loads its binding from: a link into the cache. */
  readonly bindingPath: string;
}

/** What `doctor` says about the native library. */
export interface ProvisionDescription extends Provisioned {
  /** Whether the next start has nothing to do. */
  readonly found: boolean;
  /** What is missing, and what mends it; empty when found. */
  readonly missing: string;
  /** The compiler that made the binding; empty when there is none. */
  readonly compiler: string;
  /** Size of the library on disk, in bytes. */
  readonly libraryBytes: number;
  /** Size of the whole cache, in bytes. */
  readonly cacheBytes: number;
}

/** `cuda` when $SASNET_CUDA is set to anything but 0, else `cpu`. */
export function requestedVariant(host: Pick<Host, "environment"> = systemHost()): Variant {
  const value = host.environment("SASNET_CUDA");
  return value === undefined || value === "0" ? "cpu" : "cuda";
}

/**
 * Makes sure that `@tensorflow/tfjs-node-gpu` can be imported; call it before the import. Safe to run in several
 * processes at once and to interrupt at any time.
 *
 * Environment: SASNET_CACHE (cache folder), SASNET_PYTHON (Python with pip), SASNET_CXX and CXX (compiler; `zig` is
 * pip's).
 *
 * @throws EnvironmentError where the machine lacks something, with the command that mends it.
 */
export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const started = performance.now();
  const { variant, report, host = systemHost() } = options;
  const library = options.library ?? libraryFor(variant, host.platform);
  const packages = host.packages();
  const cache = cacheFolder(host);
  const libraryFolder = `${cache}/${libraryName(library)}`;
  const entry = bindingEntry({ host, library, packages, cache, libraryFolder, report });
  await obtain(cache, libraryEntry(host, library, report), report);
  const binding = `${await obtain(cache, entry, report)}/${bindingFile}`;
  if (!isLinked(packages.binding, binding)) linkBinding(packages.binding, binding);
  const seconds = (performance.now() - started) / 1000;
  report({ stage: "ready", phase: "end", subject: libraryName(library), seconds });
  return {
    variant,
    version: library.version,
    platform: library.platform,
    cacheFolder: cache,
    libraryFolder,
    bindingPath: bindingPlace(packages.binding),
  };
}

/**
 * Looks, and changes nothing: what `provision` would find.
 *
 * @throws EnvironmentError where there is no build for this machine, no cache folder, or no npm packages.
 */
export function describeProvision(options: Omit<ProvisionOptions, "report">): ProvisionDescription {
  const { variant, host = systemHost() } = options;
  const report = () => undefined;
  const library = options.library ?? libraryFor(variant, host.platform);
  const packages = host.packages();
  const cache = cacheFolder(host);
  const libraryFolder = `${cache}/${libraryName(library)}`;
  const entry = bindingEntry({ host, library, packages, cache, libraryFolder, report });
  const parts = [
    { what: `libtensorflow ${library.version}`, there: isWhole(cache, libraryEntry(host, library, report)) },
    { what: "the compiled binding", there: isWhole(cache, entry) },
    {
      what: "the binding in node_modules",
      there: isLinked(packages.binding, `${cache}/${entry.name}/${bindingFile}`),
    },
  ];
  const lacking = parts.filter((part) => !part.there).map((part) => part.what);
  return {
    variant,
    version: library.version,
    platform: library.platform,
    cacheFolder: cache,
    libraryFolder,
    bindingPath: bindingPlace(packages.binding),
    found: lacking.length === 0,
    missing: lacking.length === 0 ? "" : `${lacking.join(", ")}; run: npx -y deno@2.9.6 task setup`,
    compiler: stampNotes(`${cache}/${entry.name}`).compiler ?? "",
    libraryBytes: folderBytes(libraryFolder),
    cacheBytes: folderBytes(cache),
  };
}
