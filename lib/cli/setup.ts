/** The verb `setup`: fetches ahead what the first use would fetch. */
import { provision, requestedVariant } from "../engine/provision.ts";
import { systemHost } from "../engine/provision/host.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { notebookPackages, pythonPackages } from "./python_packages.ts";
import { provisionReport } from "./prepare_engine.ts";

export const command = defineCommand({
  name: "setup",
  summary: "fetches the native tensor library now, which the first use would do otherwise",
  options: {
    notebooks: { type: "boolean", help: "also the Python packages that drive the Jupyter kernel" },
  },
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const report = provisionReport(context);
  const library = await provision({ variant: requestedVariant(), report });
  context.print(
    `libtensorflow ${library.version} (${library.variant}, ${library.platform}) is ready in ${library.cacheFolder}`,
  );
  if (options.notebooks) {
    await pythonPackages(notebookPackages, systemHost(), report);
    context.print("the Python packages for notebooks are ready");
  }
  return { json: library };
}
