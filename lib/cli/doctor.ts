/** The verb `doctor`: what the kit finds on this machine, and what mends what it misses. */
import { describeProvision, requestedVariant } from "../engine/provision.ts";
import { type Host, systemHost } from "../engine/provision/host.ts";
import { pythonCommand } from "../engine/provision/pip.ts";
import type { CasesReport } from "../data/check_cases.ts";
import type { Shape3 } from "../volume/volume.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { hasPythonPackages, notebookPackages } from "./python_packages.ts";
import { formatBytes } from "./progress.ts";

export const command = defineCommand({
  name: "doctor",
  summary: "what is found on this machine, and what mends what is missing",
  options: {
    data: {
      type: "path",
      help: "a folder of volumes to look at; with train.list and test.list in it, every case is checked",
    },
    crop: { type: "shape", help: "with --data: the crop of the training, which the volumes should hold" },
  },
});

/** One line of the report. */
interface Finding {
  readonly name: string;
  readonly found: boolean;
  /** False where the kit cannot compute without it. */
  readonly optional: boolean;
  readonly text: string;
  /** What mends it; empty when found. */
  readonly fix: string;
}

const install = { python: "apt-get install python3-pip", compiler: "apt-get install g++" };

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const host = systemHost();
  const compiler = await findCompiler(host);
  const python = await findPython(host);
  const findings = [
    found("Deno", `${Deno.version.deno}, TypeScript ${Deno.version.typescript}, V8 ${Deno.version.v8}`),
    findEngine(context, host, python.found),
    found("processor", `${navigator.hardwareConcurrency} cores (${host.platform})`),
    findMemory(),
    await findGpu(host),
    python,
    compiler,
    await findKernel(host),
    await findPhantoms(),
    ...findData(options.data, context.root, host),
    findDisk(context.root, host),
  ];
  const works = findings.every((finding) => finding.found || finding.optional);
  const width = Math.max(...findings.map((finding) => finding.name.length));
  for (const { name, found, text, fix } of findings) {
    const mend = found || fix === "" ? "" : `; fix: ${fix}`;
    context.print(`${found ? "found  " : "missing"}  ${name.padEnd(width)}  ${text}${mend}`);
  }
  const cases = options.data === undefined
    ? undefined
    : await checkFolder(options.data, options.crop, context);
  const isSound = cases === undefined || !cases.findings.some((finding) => finding.kind === "fault");
  const json = { ok: works && isSound, findings, ...(cases === undefined ? {} : { cases }) };
  return { exitCode: !works ? 3 : isSound ? 0 : 1, json };
}

/** Checks every case of a folder with lists of cases; other folders are only listed. */
async function checkFolder(
  folder: string,
  crop: Shape3 | undefined,
  context: Context,
): Promise<CasesReport | undefined> {
  const isFile = async (name: string) =>
    (await Deno.stat(`${folder}/${name}`).catch(() => undefined))?.isFile;
  if (!await isFile("train.list") || !await isFile("test.list")) return undefined;
  const { checkCases } = await import("../data/check_cases.ts");
  const report = await checkCases(folder, {
    ...(crop === undefined ? {} : { crop }),
    onCase: (name, done, total) => context.status(`checking ${name} (${done + 1} of ${total})`),
  });
  context.status(undefined);
  for (const { kind, case: name, text } of report.findings) {
    context.print(`${kind.padEnd(7)}  ${name}  ${text}`);
  }
  const faults = report.findings.filter((finding) => finding.kind === "fault").length;
  context.print(
    `${report.cases} cases checked, ${faults} faults, ${report.findings.length - faults} cautions`,
  );
  return report;
}

function found(name: string, text: string): Finding {
  return { name, found: true, optional: true, text, fix: "" };
}

function missing(name: string, text: string, fix: string): Finding {
  return { name, found: false, optional: true, text, fix };
}

/** The native library is found, or can be made at the first use, or the WASM engine stands in. */
function findEngine(context: Context, host: Host, hasPython: boolean): Finding {
  const name = "engine";
  if (context.engine !== undefined && context.engine !== "tensorflow") {
    return found(name, `${context.engine}, as asked for; it comes with the npm packages`);
  }
  const isDemanded = context.engine === "tensorflow";
  try {
    const library = describeProvision({ variant: requestedVariant(host), host });
    const build = `libtensorflow ${library.version}, ${library.variant}, ${library.platform}`;
    if (library.found) {
      const parts = [
        build,
        `compiled with ${library.compiler}`,
        `${formatBytes(library.libraryBytes)} in ${library.cacheFolder}`,
      ];
      return found(name, parts.join(", "));
    }
    const [lacking, fix] = library.missing.split("; run: ");
    const remark = hasPython
      ? "the first use fetches it"
      : "Python with pip fetches it; until then the slow TensorFlow.js WASM stands in";
    const text = `${build}: ${lacking} not there yet (${remark})`;
    return { ...missing(name, text, fix ?? library.missing), optional: hasPython || !isDemanded };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...missing(name, `no libtensorflow: ${reason}`, "use --engine wasm"), optional: !isDemanded };
  }
}

function findMemory(): Finding {
  const { total, available } = Deno.systemMemoryInfo();
  const text = `${formatBytes(available)} free of ${formatBytes(total)}`;
  // The demo needs about 2 GB, the paper's profile about 16 GB.
  return available > 2e9
    ? found("memory", text)
    : missing("memory", text, "close other programs; the demo needs 2 GB");
}

async function findGpu(host: Host): Promise<Finding> {
  const fields = "--query-gpu=name,memory.total,driver_version";
  const { code, stdout } = await host.run(["nvidia-smi", fields, "--format=csv,noheader"]);
  if (code !== 0 || stdout.trim() === "") {
    return missing("GPU", "no NVIDIA GPU (nvidia-smi does not run); the kit computes on the processor", "");
  }
  const text = stdout.trim().split("\n").join("; ");
  const isUsed = requestedVariant(host) === "cuda";
  return found("GPU", isUsed ? text : `${text}; not used, SASNET_CUDA=1 lets the kit use it`);
}

async function findPython(host: Host): Promise<Finding> {
  const command = pythonCommand(host);
  const version = await host.run([command, "--version"]);
  if (version.code !== 0) return missing("Python", `${command} does not run`, install.python);
  const pip = await host.run([command, "-m", "pip", "--version"]);
  const text = (version.stdout + version.stderr).trim().replace(/^Python /, "");
  if (pip.code !== 0) return missing("Python", `${text}, without pip`, install.python);
  return found("Python", `${text}, pip ${pip.stdout.split(" ")[1]}`);
}

async function findCompiler(host: Host): Promise<Finding> {
  const candidates = [host.environment("SASNET_CXX"), host.environment("CXX"), "g++", "clang++", "c++"];
  for (const candidate of candidates) {
    if (candidate === undefined || candidate === "zig") continue;
    const { code, stdout } = await host.run([...candidate.trim().split(/\s+/), "--version"]);
    if (code === 0) return found("C++ compiler", stdout.split("\n")[0]);
  }
  return missing("C++ compiler", "none; the kit takes zig from pip, which compiles slower", install.compiler);
}

async function findKernel(host: Host): Promise<Finding> {
  const name = "Jupyter kernel";
  const fix = "npx -y deno@2.9.6 task notebooks (installs it)";
  try {
    if (await hasPythonPackages(notebookPackages, host)) {
      return found(name, "the Python packages that drive it are in the cache folder");
    }
    return missing(name, "the Python packages that drive it are not there yet", fix);
  } catch (error) {
    return missing(name, error instanceof Error ? error.message : String(error), install.python);
  }
}

async function findPhantoms(): Promise<Finding> {
  const { datasets } = await import("../data/dataset.ts");
  const drawn = Object.values(datasets).filter((dataset) => dataset.drawn !== undefined);
  const kinds = drawn.map(({ name, drawn }) => `${name} (${drawn})`).join(", ");
  return found("phantoms", `${kinds}: drawn where they are asked for`);
}

function findData(asked: string | undefined, root: string, host: Host): Finding[] {
  const configured = host.environment("SASNET_DATA");
  const candidates = asked !== undefined
    ? [asked]
    : [...(configured === undefined ? [] : [configured]), `${root.replace(/\/[^/]*$/, "")}/shared/data`];
  return candidates.map((folder) => {
    const names = folderNames(folder);
    if (names === undefined) {
      const fix = "set SASNET_DATA or give --data DIR; the demo needs none, it brings its own phantoms";
      return missing("data", `no folder ${folder}`, fix);
    }
    return found("data", `${folder}: ${names.join(", ") || "empty"}`);
  });
}

function folderNames(folder: string): string[] | undefined {
  try {
    return [...Deno.readDirSync(folder)].filter((entry) => entry.isDirectory).map((entry) => entry.name)
      .sort();
  } catch {
    return undefined;
  }
}

function findDisk(root: string, host: Host): Finding {
  const free = host.freeBytes(root);
  if (free === undefined) return found("disk", "free space is not known");
  const text = `${formatBytes(free)} free`;
  return free > 5e9
    ? found("disk", text)
    : missing("disk", text, "make room; the native library alone needs 1.5 GB");
}
