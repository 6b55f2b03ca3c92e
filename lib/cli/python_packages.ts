/** Sets of Python packages in the cache folder; the machine's own Python stays as it is. */
import { EnvironmentError } from "../errors.ts";
import { cacheFolder, type Entry, isWhole, obtain } from "../engine/provision/cache.ts";
import type { Host } from "../engine/provision/host.ts";
import { pythonCommand } from "../engine/provision/pip.ts";
import { type Report, runStage } from "../engine/provision/progress.ts";

/** Pinned packages for one purpose. */
export interface PackageSet {
  readonly name: string;
  readonly requirements: readonly string[];
  /** Files that are there when the set is whole. */
  readonly files: readonly string[];
}

/** What drives notebooks. nbclient is pinned because the client overrides one of its private methods. */
export const notebookPackages: PackageSet = {
  name: "notebook-python",
  requirements: ["nbclient==0.11.0", "nbformat==5.11.1", "jupyter_client==8.10.0"],
  files: ["nbclient/client.py", "nbformat/__init__.py", "jupyter_client/__init__.py"],
};

/** What `bench` measures the kit against: several gigabytes, fetched with `--peers` alone. */
export const peerPackages: PackageSet = {
  name: "bench-peers",
  requirements: [
    "torch==2.15.0",
    "numpy",
    "scipy",
    "scikit-image",
    "medpy==0.5.2",
    "h5py",
  ],
  files: [
    "torch/__init__.py",
    "scipy/__init__.py",
    "skimage/__init__.py",
    "medpy/__init__.py",
    "h5py/__init__.py",
  ],
};

/** What `bench prepare` is measured against, without the gigabytes of the others. */
export const preparationPeers: PackageSet = {
  name: "bench-preparation",
  requirements: ["numpy", "simpleitk==2.5.7", "h5py", "nibabel==5.4.2"],
  files: ["numpy/__init__.py", "SimpleITK/__init__.py", "h5py/__init__.py", "nibabel/__init__.py"],
};

/** How a Python that has the packages is started. */
export interface PreparedPython {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Installs the packages where they are missing. Interrupting it at any time is safe.
 *
 * @throws EnvironmentError without Python or pip, or when pip fails.
 */
export async function pythonPackages(set: PackageSet, host: Host, report: Report): Promise<PreparedPython> {
  const command = pythonCommand(host);
  const folder = await obtain(cacheFolder(host), await packagesEntry(set, host, report), report);
  return { command, env: { PYTHONPATH: folder, PYTHONNOUSERSITE: "1", PYTHONDONTWRITEBYTECODE: "1" } };
}

/** Whether the packages are there already. @throws EnvironmentError without Python. */
export async function hasPythonPackages(set: PackageSet, host: Host): Promise<boolean> {
  return isWhole(cacheFolder(host), await packagesEntry(set, host, () => {}));
}

async function packagesEntry(
  { name, requirements, files }: PackageSet,
  host: Host,
  report: Report,
): Promise<Entry> {
  const python = pythonCommand(host);
  const asked = await host.run([python, "-c", "import platform; print(platform.python_version())"]);
  if (asked.code !== 0) {
    throw new EnvironmentError(
      `"${python}" does not run, but Python 3.10 or newer with pip is needed; ` +
        "install it (Debian, Ubuntu: apt-get install python3-pip) or set SASNET_PYTHON",
    );
  }
  const version = asked.stdout.trim().split(".").slice(0, 2).join(".");
  return {
    name: `${name}-${version}-${host.platform}`,
    inputs: { requirements: requirements.join(" ") },
    files: [...files],
    async make(folder) {
      const subject = requirements.join(", ");
      const pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-compile",
      ];
      await runStage(report, "download", {
        subject,
        work: async () => {
          const { code, stderr } = await host.run([python, ...pip, "--target", folder, ...requirements]);
          if (code !== 0) throw new EnvironmentError(`pip could not install ${subject}: ${lastLine(stderr)}`);
        },
      });
      return {};
    },
  };
}

function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.findLast((line) => line.startsWith("ERROR")) ?? lines.at(-1) ?? "no message";
}
