/** The verb `parity`: compares the kit with recorded numbers of an independent PyTorch implementation. */
import { InputError } from "../errors.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import type { GoldenName } from "./parity/known.ts";
import { useEngine } from "./workspace.ts";

export const command = defineCommand({
  name: "parity",
  summary: "compares the kit with the golden vectors in a folder, one line a check",
  positionals: { folder: { type: "path", help: "a folder of golden vectors, with its manifest.json" } },
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { folder } = options;
  const { createChecks, readGolden, readState } = await import("./parity/golden.ts");
  const { checkFiles, checkParts } = await import("./parity/known.ts");
  const manifest = await readGolden<{ bytes?: Record<string, number> }>(folder, "manifest").catch((error) => {
    throw new InputError(`${folder} is not a folder of golden vectors: ${error.message}`);
  });
  const bytes = manifest.json?.bytes;
  if (typeof bytes !== "object") {
    throw new InputError(
      `${folder} is not a folder of golden vectors: its manifest.json has no "bytes", the size of each file`,
    );
  }
  await useEngine(context);
  const { checkMetrics, checkSdm } = await import("./parity/distances.ts");
  const { checkView } = await import("./parity/view.ts");
  const { checkSar } = await import("./parity/sar.ts");
  const { checkPreprocess, checkSchedule } = await import("./parity/preparation.ts");
  const { checkSliding } = await import("./parity/sliding.ts");
  const { checkOperations } = await import("./parity/operations.ts");
  const { checkLosses } = await import("./parity/losses.ts");
  const { checkComplexity, checkMini, checkNetwork } = await import("./parity/network.ts");
  const { checkTraining } = await import("./parity/training.ts");
  const checks = createChecks();
  const show = (from: number) => {
    for (const { name, variant, maxAbsError, maxRelError, tolerance, ok } of checks.list.slice(from)) {
      const errors = `abs ${maxAbsError.toExponential(1)}, rel ${maxRelError.toExponential(1)}`;
      context.print(
        `${ok ? "ok    " : "FAILED"}  ${name}${
          variant && ` [${variant}]`
        }  ${errors}, tolerance ${tolerance}`,
      );
    }
  };
  await checkFiles(folder, bytes, checks);
  show(0);

  const file = async <T>(
    name: GoldenName,
    check: (golden: Awaited<ReturnType<typeof readGolden<T>>>) => Promise<void> | void,
  ) => {
    const from = checks.list.length;
    try {
      const golden = await readGolden<T>(folder, name);
      checkParts(name, golden.json as object, checks);
      await check(golden);
      for (const tensor of golden.unused()) checks.fail(`${name}: the tensor ${tensor} is not known`);
    } catch (error) {
      const isInput = error instanceof InputError;
      if (context.debug && !isInput) throw error;
      const message = (error instanceof Error ? error.message : String(error)).split("\n")[0];
      const reason = isInput ? message : `the file is not of the form that was expected: ${message}`;
      checks.fail(`${name}: the check stopped: ${reason}`);
    }
    show(from);
  };

  await file<Parameters<typeof checkSdm>[0]["json"]>("sdm", (g) => checkSdm(g, checks));
  await file<Parameters<typeof checkMetrics>[0]["json"]>(
    "metrics",
    (g) => checkMetrics(g, checks),
  );
  await file<Parameters<typeof checkView>[0]["json"]>("view", (g) => checkView(g, checks));
  await file<Parameters<typeof checkSar>[0]["json"]>("sar", (g) => checkSar(g, checks));
  await file<Parameters<typeof checkSchedule>[0]["json"]>(
    "schedule",
    (g) => checkSchedule(g, checks),
  );
  await file<Parameters<typeof checkSliding>[0]["json"]>(
    "sliding",
    (g) => checkSliding(g, checks),
  );
  await file<Parameters<typeof checkPreprocess>[0]["json"]>(
    "preprocess",
    (g) => checkPreprocess(g, checks),
  );
  await file<Parameters<typeof checkComplexity>[0]["json"]>(
    "complexity",
    (g) => checkComplexity(g, checks),
  );
  await file<Parameters<typeof checkOperations>[0]["json"]>(
    "ops",
    (g) => checkOperations(g, checks),
  );
  await file<Parameters<typeof checkLosses>[0]["json"]>(
    "losses",
    (g) => checkLosses(g, checks),
  );
  await file<Parameters<typeof checkMini>[0]["json"]>("mini", async (g) => {
    checkMini(g, await readState(folder, "mini_state"), checks);
  });
  await file<Parameters<typeof checkNetwork>[0]["json"]>("network", async (g) => {
    checkNetwork(g, await readState(folder, "network_state"), checks);
  });
  await file<Parameters<typeof checkTraining>[0]["json"]>("training", async (g) => {
    checkTraining(g, await readState(folder, "training_init_state"), checks);
  });

  const failed = checks.list.filter((check) => !check.ok);
  context.print(`${checks.list.length - failed.length} of ${checks.list.length} checks within tolerance`);
  for (const { name, variant } of failed) context.print(`outside: ${name}${variant && ` [${variant}]`}`);
  const ok = failed.length === 0;
  return { exitCode: ok ? 0 : 1, json: { checks: checks.list, ok } };
}
