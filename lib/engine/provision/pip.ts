/** Getting pinned wheels with Python's pip, whose settings (index, proxy, certificates) thereby hold here too. */

import { createHash } from "node:crypto";
import { EnvironmentError } from "../../errors.ts";
import { fullDisk } from "./cache.ts";
import type { CommandResult, Host } from "./host.ts";
import type { Wheel } from "./platform.ts";

/** The Python that is asked: $SASNET_PYTHON, else `python3`. */
export function pythonCommand(host: Host): string {
  return host.environment("SASNET_PYTHON") ?? "python3";
}

/**
 * Downloads a wheel into `folder` and compares its hash.
 *
 * @returns the wheel's path.
 * @throws EnvironmentError without Python or pip, when pip fails, or when the hash differs.
 */
export async function downloadWheel(host: Host, wheel: Wheel, folder: string): Promise<string> {
  await runPip(host, folder, wheel.requirement, [
    "download",
    "--dest",
    folder,
    ...wheelOptions(wheel.tag),
    wheel.requirement,
  ]);
  const name = [...Deno.readDirSync(folder)].map((item) => item.name).find((item) => item.endsWith(".whl"));
  if (name === undefined) {
    throw new EnvironmentError(
      `pip said that it downloaded ${wheel.requirement}, but no wheel is in "${folder}"`,
    );
  }
  const hash = await sha256(`${folder}/${name}`);
  if (hash !== wheel.sha256) {
    throw new EnvironmentError(
      `${name} has SHA-256 ${hash}, expected ${wheel.sha256}; it was removed. ` +
        "Check pip's index settings (python3 -m pip config list) and run again",
    );
  }
  return `${folder}/${name}`;
}

/**
 * Installs wheels, given as lines of a requirements file with hashes, into `folder`.
 *
 * @param tag pip's platform tag; `undefined` for the machine's own.
 * @throws EnvironmentError without Python or pip, or when pip fails.
 */
export async function installWheels(
  host: Host,
  requirements: readonly string[],
  { folder, tag }: { folder: string; tag: string | undefined },
): Promise<void> {
  const list = `${folder}/requirements.txt`;
  await Deno.writeTextFile(list, requirements.join("\n") + "\n");
  await runPip(host, folder, requirements.map((line) => line.split(" ")[0]).join(", "), [
    "install",
    "--require-hashes",
    "--no-compile",
    "--target",
    folder,
    ...(tag === undefined ? ["--no-deps", "--only-binary=:all:"] : wheelOptions(tag)),
    "--requirement",
    list,
  ]);
  await Deno.remove(list);
}

function wheelOptions(tag: string): string[] {
  // The library does not depend on the Python that unpacks it, so any Python fetches the same wheel.
  const python = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"];
  return ["--no-deps", "--only-binary=:all:", ...python, "--platform", tag];
}

async function runPip(host: Host, folder: string, subject: string, args: readonly string[]): Promise<void> {
  const python = pythonCommand(host);
  // pip writes what it downloads into TMPDIR first; here it can be watched, and is removed with the folder.
  const temporary = `${folder}/pip`;
  await Deno.mkdir(temporary, { recursive: true });
  const quiet = ["--no-cache-dir", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  const [verb, ...rest] = args;
  const result = await host.run([python, "-m", "pip", verb, ...quiet, ...rest], {
    // Settings that keep pip from touching a Python installation do not concern a folder of our own.
    environment: { TMPDIR: temporary, PIP_USER: "0", PIP_REQUIRE_VIRTUALENV: "0" },
  });
  if (result.code !== 0) throw fullDisk(folder, result.stderr) ?? pipError(python, subject, result);
  await Deno.remove(temporary, { recursive: true });
}

function pipError(python: string, subject: string, result: CommandResult): EnvironmentError {
  if (result.code === 127) {
    return new EnvironmentError(
      `"${python}" was not found; Python with pip is needed once, to download ${subject}. ` +
        "Install it (Debian, Ubuntu: apt-get install python3-pip; macOS: xcode-select --install) or set SASNET_PYTHON",
    );
  }
  if (/No module named '?"?pip/.test(result.stderr)) {
    return new EnvironmentError(
      `"${python}" has no pip, which downloads ${subject}; ` +
        `run: apt-get install python3-pip (Debian, Ubuntu) or ${python} -m ensurepip --upgrade`,
    );
  }
  const advice = `check the network and pip's settings (${python} -m pip config list) and run again`;
  const broken = result.stderr.match(/connection broken by '.*?([^:>]+)'\)?': /)?.[1];
  if (broken !== undefined) {
    return new EnvironmentError(
      `pip could not reach the package index for ${subject}: ${broken.trim()}; ${advice}`,
    );
  }
  const lines = result.stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const last = lines.findLast((line) => line.startsWith("ERROR:")) ?? lines.at(-1) ??
    `exit status ${result.code}`;
  return new EnvironmentError(`pip could not get ${subject}: ${last.replace(/^ERROR:\s*/, "")}; ${advice}`);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
  }
  return hash.digest("hex");
}
