/** What the verbs that compute share: the engine, the data, the environment of a run. */
import type { Dataset, ProfileName } from "../data/dataset.ts";
import type { CaseSource } from "../data/source.ts";
import type { Engine } from "../engine/start.ts";
import { EnvironmentError, InputError } from "../errors.ts";
import type { Context } from "./command.ts";
import { provisionReport } from "./prepare_engine.ts";

/** The seed of the phantoms: one data set for everybody. */
export const phantomSeed = 2024;

/** Starts the engine, shows how its library is made where it is, and says which engine runs. */
export async function useEngine(context: Context): Promise<Engine> {
  const { startEngine } = await import("../engine/start.ts");
  const engine = await startEngine({
    engine: context.engine,
    onProvision: provisionReport(context),
    onFallback: (reason) => context.note(`libtensorflow is not used: ${reason}`),
  });
  context.note(`engine: ${engine.description}`);
  return engine;
}

/** The cases of a data set: phantoms are drawn, others are read from a folder. */
export async function openSource(
  dataset: Dataset,
  profile: ProfileName,
  folder: string | undefined,
  context: Context,
): Promise<CaseSource> {
  if (dataset.drawn !== undefined) {
    if (folder !== undefined) {
      throw new InputError(
        "--data: phantoms are drawn, they have no folder; use --dataset la, pancreas or brats",
      );
    }
    const { phantomSource } = await import("../data/phantom.ts");
    const { train, test } = dataset.split;
    return phantomSource({ kind: dataset.drawn, seed: phantomSeed, train, test });
  }
  const { folderSource } = await import("../data/source.ts");
  if (folder !== undefined) return await folderSource(folder);
  const root = Deno.env.get("SASNET_DATA") ?? `${context.root}/../shared/data`;
  const name = dataset.name === "la" ? (profile === "paper" ? "la-0.625mm" : "la-1.25mm") : dataset.name;
  const path = `${root}/${name}`;
  const found = await Deno.stat(path).catch(() => undefined);
  if (found === undefined) {
    const { standInOf } = await import("../data/dataset.ts");
    throw new EnvironmentError(
      `no ${dataset.title} volumes at ${path}; give their folder with --data, or the folder above it in SASNET_DATA, ` +
        `or use --dataset ${standInOf(dataset).name}, which is drawn`,
    );
  }
  return await folderSource(path);
}

/** What environment.json says of this machine. */
export function environmentRecord(engine: Engine): object {
  return {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    engine: engine.description,
    platform: `${Deno.build.os}-${Deno.build.arch}`,
    cores: navigator.hardwareConcurrency,
    memoryBytes: Deno.systemMemoryInfo().total,
  };
}
