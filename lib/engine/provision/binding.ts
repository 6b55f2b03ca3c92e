/** The cache entry that holds the compiled binding between Deno and libtensorflow, and the compiler for it. */

import { createHash } from "node:crypto";
import { EnvironmentError } from "../../errors.ts";
import { type Entry, folderBytes, fullDisk, type Inputs, obtain } from "./cache.ts";
import type { CommandResult, Host } from "./host.ts";
import { libraryFiles } from "./library.ts";
import { type PackageFolders, packageVersion } from "./package.ts";
import { installWheels, pythonCommand } from "./pip.ts";
import { type Library, ziglang } from "./platform.ts";
import { type Report, runStage } from "./progress.ts";

const sources = ["binding/tfjs_backend.cc", "binding/tfjs_binding.cc"];
const flags = ["-std=c++17", "-O2", "-fPIC", "-shared", "-DNAPI_VERSION=8"];

/** The binding's file name in its entry. */
export const bindingFile = "tfjs_binding.node";

/** What the binding is made for and in. */
export interface BindingContext {
  readonly host: Host;
  readonly library: Library;
  readonly packages: PackageFolders;
  readonly cache: string;
  /** Folder of the library's entry. */
  readonly libraryFolder: string;
  readonly report: Report;
}

/** The binding as a cache entry. Its name tells its inputs, so that checkouts of different versions do not fight. */
export function bindingEntry(context: BindingContext): Entry {
  const { library, packages, libraryFolder } = context;
  const inputs: Inputs = {
    package: packageVersion(packages.binding),
    sources: hashOf(bindingSources(packages.binding)),
    headers: packageVersion(packages.headers),
    flags: [...flags, ...platformFlags(library)].join(" "),
    library: library.wheel.sha256,
    libraryFolder,
  };
  const key = hashOf([JSON.stringify(inputs)]).slice(0, 12);
  return {
    name: `binding-${library.version}-${library.variant}-${library.platform}-${key}`,
    inputs,
    files: [bindingFile],
    make: (folder) => makeBinding(folder, context),
  };
}

async function makeBinding(folder: string, context: BindingContext): Promise<Record<string, string>> {
  const { host, report, packages } = context;
  const compiler = await chooseCompiler(context);
  const output = `${folder}/${bindingFile}`;
  const subject = `the binding with ${compiler.name}`;
  await runStage(report, "compile", { subject, work: () => compile(output, { ...context, compiler }) });
  const load = host.loadCommand(output);
  if (load !== undefined) {
    await runStage(report, "check", { subject: "that the library loads", work: () => check(host, load) });
  }
  return { compiler: compiler.name, package: packages.binding };
}

/** A command that compiles C++. */
interface Compiler {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** $SASNET_CXX ("zig" for pip's), else $CXX, g++, clang++, c++, whichever runs first; else pip's zig. */
async function chooseCompiler(context: BindingContext): Promise<Compiler> {
  const { host } = context;
  const demanded = host.environment("SASNET_CXX");
  if (demanded === "zig") return await zigCompiler(context);
  const candidates = demanded !== undefined ? [demanded] : [host.environment("CXX"), "g++", "clang++", "c++"];
  for (const candidate of candidates) {
    if (candidate === undefined) continue;
    const command = candidate.trim().split(/\s+/);
    if ((await host.run([...command, "--version"])).code === 0) {
      return { name: candidate, command, environment: {} };
    }
  }
  if (demanded !== undefined) {
    throw new EnvironmentError(
      `the C++ compiler "${demanded}" of SASNET_CXX does not run; set it to another one, to "zig", or unset it`,
    );
  }
  return await zigCompiler(context);
}

async function zigCompiler({ host, library, cache, report }: BindingContext): Promise<Compiler> {
  const folder = await obtain(cache, {
    name: `ziglang-${ziglang.version}-${library.platform}`,
    inputs: { requirement: ziglang.requirement },
    files: ["ziglang/__main__.py"],
    make: async (partial) => {
      await runStage(report, "compiler", {
        subject: `zig ${ziglang.version}`,
        totalBytes: ziglang.bytes,
        measure: () => folderBytes(partial),
        work: () => installWheels(host, [ziglang.requirement], { folder: partial, tag: undefined }),
      });
      return {};
    },
  }, report);
  return {
    name: `zig ${ziglang.version}`,
    command: [pythonCommand(host), "-m", "ziglang", "c++"],
    environment: { PYTHONPATH: folder },
  };
}

async function compile(output: string, context: BindingContext & { compiler: Compiler }): Promise<void> {
  const { host, library, packages, libraryFolder, cache, compiler } = context;
  const scratch = `${output}.cache`;
  const result = await host.run([
    ...compiler.command,
    ...flags,
    ...platformFlags(library),
    `-I${packages.headers}/include`,
    `-I${libraryFolder}/tensorflow/include`,
    ...sources.map((source) => `${packages.binding}/${source}`),
    "-o",
    output,
    ...libraryFiles(library).map((file) => `${libraryFolder}/${file}`),
    "-Xlinker",
    "-rpath",
    "-Xlinker",
    `${libraryFolder}/tensorflow`,
  ], {
    environment: { ...compiler.environment, ZIG_GLOBAL_CACHE_DIR: scratch, ZIG_LOCAL_CACHE_DIR: scratch },
  });
  if (result.code !== 0) {
    throw fullDisk(output, result.stderr) ??
      await compileError(result, { compiler, log: `${cache}/compile.log` });
  }
  await Deno.remove(scratch, { recursive: true }).catch(() => undefined);
}

async function compileError(
  result: CommandResult,
  { compiler, log }: { compiler: Compiler; log: string },
): Promise<EnvironmentError> {
  await Deno.writeTextFile(log, result.stdout + result.stderr);
  const lines = result.stderr.split("\n").filter((line) => line.trim() !== "");
  const first = lines.find((line) => /\berror\b|undefined reference|cannot find/.test(line)) ?? lines[0] ??
    `exit status ${result.code}`;
  const other = compiler.name.startsWith("zig")
    ? "install g++ (Debian, Ubuntu: apt-get install g++)"
    : "set SASNET_CXX=zig";
  return new EnvironmentError(
    `${compiler.name} could not compile the binding: ${first.trim()}; the full log is "${log}"; ${other} and run again`,
  );
}

async function check(host: Host, command: readonly string[]): Promise<void> {
  const result = await host.run(command, { environment: { TF_CPP_MIN_LOG_LEVEL: "2", NO_COLOR: "1" } });
  if (result.code === 0) return;
  const lines = result.stderr.split("\n").filter((line) => line.trim() !== "");
  const first = lines.find((line) => /error/i.test(line)) ?? lines[0] ?? `exit status ${result.code}`;
  const fix = first.includes("libstdc++") ? "run: apt-get install libstdc++6" : "use --engine wasm";
  throw new EnvironmentError(`libtensorflow does not load on this machine: ${first.trim()}; ${fix}`);
}

function platformFlags(library: Library): string[] {
  // The symbols of Node-API are found in the running program; only macOS' linker wants to be told.
  return library.platform.startsWith("darwin") ? ["-Wl,-undefined,dynamic_lookup"] : [];
}

function bindingSources(packageFolder: string): Uint8Array[] {
  const names = [...Deno.readDirSync(`${packageFolder}/binding`)].map((item) => item.name).sort();
  return names.map((name) => Deno.readFileSync(`${packageFolder}/binding/${name}`));
}

function hashOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
