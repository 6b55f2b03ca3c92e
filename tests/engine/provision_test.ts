import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { EnvironmentError } from "../../lib/errors.ts";
import {
  describeProvision,
  type Host,
  type Library,
  provision,
  type ProvisionEvent,
  provisionLine,
  provisionWriter,
  requestedVariant,
} from "../../lib/engine/provision.ts";
import { cacheFolder } from "../../lib/engine/provision/cache.ts";
import { systemHost } from "../../lib/engine/provision/host.ts";
import { libraries, libraryFor, libraryName } from "../../lib/engine/provision/platform.ts";

const noReport = () => undefined;

/** A wheel of a few bytes, with what the binding needs under the names of the real one. */
const packProgram = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name in sys.argv[2:]:
        archive.writestr(zipfile.ZipInfo(name), "content of " + name)
`;
const wheelMembers = [
  "tensorflow/libtensorflow_cc.so.2",
  "tensorflow/libtensorflow_framework.so.2",
  "tensorflow/include/tensorflow/c/c_api.h",
  "tensorflow/include/tensorflow/core/platform/ctstring.h",
  "tensorflow/include/tsl/platform/ctstring.h",
  "tensorflow/include/xla/tsl/c/tsl_status.h",
  "tensorflow/python/__init__.py",
];

let folder = "";
let wheel = new Uint8Array();
let library: Library = libraryFor("cpu", "linux-x86_64");
/** What the tiny machine was asked to do, as `pip` and `compile`. */
let work: string[] = [];

/** Commands of a machine whose pip has the tiny wheel and whose compiler writes a few bytes. */
type Answer = Partial<Awaited<ReturnType<Host["run"]>>> | undefined;

/** A machine without network. `answer` may answer a command in its own way. */
function tinyHost(answer: (command: readonly string[]) => Answer = () => undefined): Host {
  const environment: Record<string, string> = { SASNET_CACHE: `${folder}/cache` };
  return {
    platform: "linux-x86_64",
    environment: (name) => environment[name],
    packages: () => ({ binding: `${folder}/package`, headers: `${folder}/headers` }),
    freeBytes: () => 1e12,
    loadCommand: () => undefined,
    run: async (command) => {
      const own = answer(command);
      if (own !== undefined) return { code: 0, stdout: "", stderr: "", ...own };
      if (command.includes("pip")) {
        work.push("pip");
        await Deno.writeFile(`${command[command.indexOf("--dest") + 1]}/tiny.whl`, wheel);
      } else if (command.includes("-o")) {
        work.push("compile");
        await Deno.writeTextFile(command[command.indexOf("-o") + 1], "binding");
      } else if (!command.includes("--version")) return await systemHost().run(command);
      return { code: 0, stdout: "", stderr: "" };
    },
  };
}

function partials(): string[] {
  return [...Deno.readDirSync(`${folder}/cache`)].map((item) => item.name).filter((name) =>
    name.endsWith(".partial")
  );
}

async function provisionError(host: Host): Promise<string> {
  const error = await assertRejects(
    () => provision({ variant: "cpu", report: noReport, host, library }),
    EnvironmentError,
  );
  assertEquals(error.message.split("\n").length, 1);
  return error.message;
}

beforeEach(async () => {
  work = [];
  folder = Deno.realPathSync(Deno.makeTempDirSync());
  for (const name of ["package", "headers"]) {
    Deno.mkdirSync(`${folder}/${name}/binding`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/${name}/package.json`, JSON.stringify({ version: "1.0.0" }));
    Deno.writeTextFileSync(`${folder}/${name}/binding/tfjs_backend.cc`, "int source;");
  }
  const path = `${folder}/tiny.whl`;
  const packed = await systemHost().run(["python3", "-c", packProgram, path, ...wheelMembers]);
  assertEquals(packed.stderr, "");
  wheel = Deno.readFileSync(path);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", wheel));
  library = {
    ...library,
    wheel: { ...library.wheel, sha256: digest.toHex(), bytes: wheel.length, unpackedBytes: 1000 },
  };
});

afterEach(() => Deno.removeSync(folder, { recursive: true }));

describe("libraryFor()", () => {
  it("knows each build once, with a full hash and pinned versions", () => {
    assertEquals(new Set(libraries.map(libraryName)).size, libraries.length);
    for (const { wheel, companions, version } of libraries) {
      assertMatch(wheel.sha256, /^[0-9a-f]{64}$/);
      assertStringIncludes(wheel.requirement, `==${version}`);
      for (const companion of companions) {
        assertMatch(companion, /^[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}$/);
      }
    }
  });

  it("takes the small wheel on x86-64 and the one with CUDA only on demand", () => {
    assertEquals(libraryFor("cpu", "linux-x86_64").wheel.requirement, "tensorflow-cpu==2.18.1");
    assertEquals(libraryFor("cuda", "linux-x86_64").wheel.requirement, "tensorflow==2.18.1");
  });

  it("names the platforms that have a build where there is none", () => {
    const error = assertThrows(() => libraryFor("cpu", "windows-x86_64"), EnvironmentError);
    assertStringIncludes(
      String(error),
      "for windows-x86_64 (there are: linux-x86_64, linux-aarch64, darwin-aarch64)",
    );
    assertThrows(() => libraryFor("cuda", "darwin-aarch64"), EnvironmentError, "unset SASNET_CUDA");
  });
});

describe("requestedVariant()", () => {
  it("is cuda only where SASNET_CUDA asks for it", () => {
    assertEquals(requestedVariant({ environment: () => undefined }), "cpu");
    assertEquals(requestedVariant({ environment: () => "0" }), "cpu");
    assertEquals(requestedVariant({ environment: () => "1" }), "cuda");
  });
});

describe("cacheFolder()", () => {
  const folderFor = (variables: Record<string, string>, platform = "linux-x86_64") =>
    cacheFolder({ platform, environment: (name) => variables[name] });

  it("prefers SASNET_CACHE, then XDG_CACHE_HOME, then the home folder", () => {
    assertEquals(folderFor({ SASNET_CACHE: "/a/", XDG_CACHE_HOME: "/b", HOME: "/c" }), "/a");
    assertEquals(folderFor({ XDG_CACHE_HOME: "/b", HOME: "/c" }), "/b/sasnet-kit");
    assertEquals(folderFor({ HOME: "/c" }), "/c/.cache/sasnet-kit");
    assertEquals(folderFor({ HOME: "/c" }, "darwin-aarch64"), "/c/Library/Caches/sasnet-kit");
  });

  it("makes a relative folder absolute", () => {
    assertEquals(folderFor({ SASNET_CACHE: "near" }), `${Deno.cwd()}/near`);
  });

  it("says what to set where there is no home, and refuses what a run path cannot hold", () => {
    assertThrows(() => folderFor({}), EnvironmentError, "set SASNET_CACHE");
    assertThrows(() => folderFor({ SASNET_CACHE: "/a:b" }), EnvironmentError, 'contains ":"');
  });
});

describe("provision()", () => {
  const provide = (host: Host) => provision({ variant: "cpu", report: noReport, host, library });

  it("puts library and binding into the cache, links the binding, and does it once", async () => {
    const host = tinyHost();
    const { libraryFolder, bindingPath } = await provide(host);
    for (const member of wheelMembers.slice(0, -1)) {
      assertEquals(Deno.readTextFileSync(`${libraryFolder}/${member}`), `content of ${member}`);
    }
    assertThrows(() => Deno.statSync(`${libraryFolder}/tensorflow/python`), Deno.errors.NotFound);
    assertThrows(() => Deno.statSync(`${libraryFolder}/download`), Deno.errors.NotFound);
    assertEquals(Deno.readTextFileSync(bindingPath), "binding");
    await provide(host);
    assertEquals(work, ["pip", "compile"]);
  });

  it("compiles anew for changed sources, and loads anew for a damaged library", async () => {
    const host = tinyHost();
    const first = await provide(host);
    const firstBinding = Deno.readLinkSync(first.bindingPath);
    Deno.writeTextFileSync(`${folder}/package/binding/tfjs_backend.cc`, "int other;");
    const second = await provide(host);
    assert(firstBinding !== Deno.readLinkSync(second.bindingPath));
    assertEquals(work, ["pip", "compile", "compile"]);
    Deno.truncateSync(`${first.libraryFolder}/${wheelMembers[0]}`, 3);
    await provide(host);
    assertEquals(work, ["pip", "compile", "compile", "pip"]);
  });

  it("lets one of two work and the other wait, with one good result", async () => {
    const events: ProvisionEvent[] = [];
    const host = tinyHost();
    const both = await Promise.all(
      [1, 2].map(() => provision({ variant: "cpu", report: (event) => events.push(event), host, library })),
    );
    assertEquals(both[0], both[1]);
    assertEquals(work, ["pip", "compile"]);
    assert(events.some((event) => event.stage === "wait"));
    assertEquals(partials(), []);
  });

  it("takes over from a process that died at work", async () => {
    const name = libraryName(library);
    const left = `${folder}/cache/${name}.partial/download`;
    Deno.mkdirSync(left, { recursive: true });
    Deno.writeTextFileSync(`${left}/half.whl`, "half a wheel");
    const holder = await holdLock(`${folder}/cache/${name}.lock`);
    const waiting = Promise.withResolvers<void>();
    const report = (event: ProvisionEvent) => event.stage === "wait" && waiting.resolve();
    const provided = provision({ variant: "cpu", report, host: tinyHost(), library });
    await waiting.promise;
    assertEquals(work, []);
    holder.kill("SIGKILL");
    await provided;
    await holder.status;
    assertEquals(work, ["pip", "compile"]);
    assertEquals(partials(), []);
  });

  it("leaves nothing half made when a step fails, and succeeds at the next try", async () => {
    await provisionError(
      tinyHost((command) => command.includes("-o") ? { code: 1, stderr: "error: no" } : undefined),
    );
    assertEquals(partials(), []);
    await provide(tinyHost());
    assertEquals(work, ["pip", "compile"]);
  });

  it("asks pip for zig where no compiler runs", async () => {
    const compilers: (readonly string[])[] = [];
    await provide(tinyHost((command) => {
      if (command.includes("--version")) return { code: 127 };
      if (command.includes("install")) {
        const target = command[command.indexOf("--target") + 1];
        Deno.mkdirSync(`${target}/ziglang`);
        Deno.writeTextFileSync(`${target}/ziglang/__main__.py`, "");
        return {};
      }
      if (command.includes("-o")) compilers.push(command.slice(0, 4));
      return undefined;
    }));
    assertEquals(compilers, [["python3", "-m", "ziglang", "c++"]]);
  });
});

describe("provision() errors", () => {
  const pipFails = (result: Answer) => tinyHost((command) => command.includes("pip") ? result : undefined);

  it("name what installs Python and pip", async () => {
    assertStringIncludes(await provisionError(pipFails({ code: 127 })), "apt-get install python3-pip");
    const noPip = pipFails({ code: 1, stderr: "/usr/bin/python3: No module named pip\n" });
    assertStringIncludes(await provisionError(noPip), '"python3" has no pip');
  });

  it("repeat pip's last word, or why the index was not reached", async () => {
    const other = pipFails({
      code: 1,
      stderr: "WARNING: x\nERROR: No matching distribution found for y\nnotice\n",
    });
    assertStringIncludes(
      await provisionError(other),
      "==2.18.1: No matching distribution found for y; check",
    );
    const stderr =
      "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<a.b object at 0x7>: Failed " +
      "to establish a new connection: [Errno 111] Connection refused')': /tensorflow-cpu/\nERROR: nothing\n";
    assertStringIncludes(
      await provisionError(pipFails({ code: 1, stderr })),
      ": [Errno 111] Connection refused; check",
    );
  });

  it("tell a wrong hash from the expected one", async () => {
    library = { ...library, wheel: { ...library.wheel, sha256: "0".repeat(64) } };
    assertMatch(await provisionError(tinyHost()), /tiny\.whl has SHA-256 [0-9a-f]{64}, expected 0{64}/);
    assertEquals(partials(), []);
  });

  it("tell before the download that the disk is too full", async () => {
    library = { ...library, wheel: { ...library.wheel, unpackedBytes: 1e9 } };
    const message = await provisionError({ ...tinyHost(), freeBytes: () => 3e8 });
    assertMatch(message, /needs 1\.1 GB .* 0\.3 GB are free/);
    assertEquals(work, []);
  });

  it("tell that the disk filled up, whichever program noticed", async () => {
    const stderr = "ERROR: Exception:\nTraceback:\nOSError: [Errno 28] No space left on device\n";
    assertMatch(await provisionError(pipFails({ code: 2, stderr })), /disk is full; .*set SASNET_CACHE/);
    const linker = { code: 1, stderr: "ld: final link failed: No space left on device\n" };
    const host = tinyHost((command) => command.includes("-o") ? linker : undefined);
    assertMatch(await provisionError(host), /tfjs_binding\.node" cannot be written: the disk is full/);
    assertEquals(partials(), []);
  });

  it("show the compiler's first error and keep its whole log", async () => {
    const stderr = "in file a:\na.cc:1:1: error: no such thing\nmuch more\n";
    const host = tinyHost((command) => command.includes("-o") ? { code: 1, stderr } : undefined);
    const message = await provisionError(host);
    assertStringIncludes(
      message,
      `binding: a.cc:1:1: error: no such thing; the full log is "${folder}/cache/compile.log"`,
    );
    assertEquals(Deno.readTextFileSync(`${folder}/cache/compile.log`), stderr);
  });

  it("show why the finished binding does not load", async () => {
    const stderr = "error: Uncaught Error: libstdc++.so.6: cannot open shared object file\n";
    const host = tinyHost((command) => command[0] === "load" ? { code: 1, stderr } : undefined);
    const message = await provisionError({ ...host, loadCommand: (path) => ["load", path] });
    assertStringIncludes(message, "apt-get install libstdc++6");
  });

  it("name the folder that cannot be written", async () => {
    Deno.writeTextFileSync(`${folder}/cache`, "a file");
    assertStringIncludes(await provisionError(tinyHost()), `cannot write the cache folder "${folder}/cache"`);
  });
});

describe("describeProvision()", () => {
  it("tells what is missing, then what is there", async () => {
    const host = tinyHost();
    const before = describeProvision({ variant: "cpu", host, library });
    assertEquals(before.found, false);
    assertStringIncludes(
      before.missing,
      "libtensorflow 2.18.1, the compiled binding, the binding in node_modules; run:",
    );
    await provision({ variant: "cpu", report: noReport, host, library });
    const { found, missing, compiler, libraryBytes } = describeProvision({ variant: "cpu", host, library });
    assertEquals({ found, missing, compiler }, { found: true, missing: "", compiler: "g++" });
    assert(libraryBytes > 0);
  });
});

describe("provisionWriter()", () => {
  const download = { stage: "download", subject: "x==1", totalBytes: 230e6 } as const;
  const events: ProvisionEvent[] = [
    { ...download, phase: "begin", seconds: 0 },
    { ...download, phase: "progress", seconds: 1, bytes: 115e6 },
    { ...download, phase: "end", seconds: 12.2 },
    { stage: "ready", phase: "end", subject: "y", seconds: 13 },
  ];
  const written = (terminal: boolean, some: ProvisionEvent[]) => {
    let text = "";
    const write = provisionWriter((piece) => text += piece, { terminal });
    some.forEach(write);
    return text;
  };

  it("writes plain lines to a log and one updated line to a terminal", () => {
    assertEquals(
      written(false, events),
      "downloading x==1: 230 MB\ndownloading x==1: 230 MB, 12 s, done\nready: y: 13 s\n",
    );
    assertEquals(written(true, events).split("\n").length, 2);
    assertStringIncludes(written(true, events), "\r\x1b[Kdownloading x==1: 115 of 230 MB, 1.0 s\r");
  });

  it("writes nothing when everything was there", () => {
    assertEquals(written(false, events.slice(-1)), "");
  });

  it("ends the line of a stage that failed", () => {
    assertMatch(written(true, [{ ...download, phase: "fail", seconds: 1 }]), /1\.0 s, failed\n$/);
    assertEquals(
      provisionLine({ ...download, phase: "fail", seconds: 1 }),
      "downloading x==1: 230 MB, 1.0 s, failed",
    );
  });
});

/** A process that holds a lock until it is killed. */
async function holdLock(path: string): Promise<Deno.ChildProcess> {
  const code = `const file = await Deno.open(${JSON.stringify(path)}, { create: true, write: true });` +
    `await file.lock(true); console.log("held"); setInterval(() => {}, 1000);`;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", code],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return process;
}
