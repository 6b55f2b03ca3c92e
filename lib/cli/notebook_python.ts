/** The Python packages that drive notebooks, in the cache folder; the machine's own Python stays as it is. */
import { EnvironmentError } from "../errors.ts";
import { cacheFolder, type Entry, isWhole, obtain } from "../engine/provision/cache.ts";
import type { Host } from "../engine/provision/host.ts";
import { pythonCommand } from "../engine/provision/pip.ts";
import { type Report, runStage } from "../engine/provision/progress.ts";

/** nbclient is pinned because the client overrides one of its private methods. */
const requirements = ["nbclient==0.11.0", "nbformat==5.11.1", "jupyter_client==8.10.0"];

/** How a Python that has the packages is started. */
export interface NotebookPython {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Installs the packages where they are missing. Interrupting it at any time is safe.
 *
 * @throws EnvironmentError without Python or pip, or when pip fails.
 */
export async function notebookPython(host: Host, report: Report): Promise<NotebookPython> {
  const command = pythonCommand(host);
  const folder = await obtain(cacheFolder(host), await packagesEntry(host, report), report);
  return { command, env: { PYTHONPATH: folder, PYTHONNOUSERSITE: "1", PYTHONDONTWRITEBYTECODE: "1" } };
}

/** Whether the packages are there already. @throws EnvironmentError without Python. */
export async function hasNotebookPython(host: Host): Promise<boolean> {
  return isWhole(cacheFolder(host), await packagesEntry(host, () => {}));
}

async function packagesEntry(host: Host, report: Report): Promise<Entry> {
  const python = pythonCommand(host);
  const asked = await host.run([python, "-c", "import platform; print(platform.python_version())"]);
  if (asked.code !== 0) {
    throw new EnvironmentError(
      `"${python}" does not run, but notebooks need Python 3.10 or newer with pip; ` +
        "install it (Debian, Ubuntu: apt-get install python3-pip) or set SASNET_PYTHON",
    );
  }
  const version = asked.stdout.trim().split(".").slice(0, 2).join(".");
  return {
    name: `notebook-python-${version}-${host.platform}`,
    inputs: { requirements: requirements.join(" ") },
    files: ["nbclient/client.py", "nbformat/__init__.py", "jupyter_client/__init__.py"],
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
