/** The verb `bench`: measures the kit, and with --peers its Python originals in turn with it. */
import { EnvironmentError, InputError } from "../errors.ts";
import { systemHost } from "../engine/provision/host.ts";
import type { Measurement } from "./bench/side.ts";
import { lineOf, type Result, resultOf, type WorkTask } from "./bench/result.ts";
import { type BenchTask, type Work, workFacts, works } from "./bench/task.ts";
import { ownProgram, runGrowth, runLearning, runMethods, runProfile } from "./bench/special.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { prepareEngine, provisionReport } from "./prepare_engine.ts";
import {
  type PackageSet,
  peerPackages,
  preparationPeers,
  type PreparedPython,
  pythonPackages,
} from "./python_packages.ts";

export const command = defineCommand({
  name: "bench",
  summary: "measures time and peak memory, each work in a process of its own",
  positionals: {
    work: {
      type: "choice",
      choices: [...works, "all", "growth", "methods", "learning"],
      optional: true,
      help: "what to measure; if not given, step; growth: steps along crop, width and batch, with curves; " +
        "methods: a step of every method beside its passes; learning: every method's Dice on phantoms",
    },
  },
  options: {
    size: {
      type: "shape",
      help: "the crop; if not given, 112x112x80 for predict, 48x48x32 for learning, else 64x64x32",
    },
    width: {
      type: "integer",
      minimum: 1,
      help: "channels of the first stage; if not given, 16, for learning 8",
    },
    batch: {
      type: "integer",
      minimum: 2,
      default: 4,
      help: "crops in a training batch, half of them labelled",
    },
    repeat: {
      type: "integer",
      minimum: 1,
      help: "repetitions after one warm-up; if not given, 5, for start 3, for predict 1",
    },
    peers: {
      type: "boolean",
      help:
        "also the Python originals, in turn; fetches PyTorch (6 GB unpacked), or for prepare SimpleITK, into the " +
        "cache folder",
    },
    profileSteps: {
      type: "integer",
      minimum: 1,
      help: "instead: where the time of this many training steps goes, operation by operation",
    },
    methods: { type: "list", help: "keys of methods, for methods and learning; if not given, all" },
    seeds: { type: "list", of: "integer", minimum: 0, default: [1], help: "of the runs, for learning" },
    iterations: { type: "integer", minimum: 1, default: 240, help: "steps of a run, for learning" },
    out: { type: "path", default: "runs/learning", help: "folder of the runs and their table, for learning" },
    file: { type: "path", help: "an h5 volume for read and predict; if not given, a phantom at 0.625 mm" },
  },
  notes: works.map((work) => `${work}: ${workFacts[work].what}`),
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { batch, peers, size, width = 16 } = options;
  if (batch % 2 !== 0) throw new InputError(`--batch ${batch}: expected an even number, half of it labelled`);
  if (size?.some((side) => side % 16 !== 0)) {
    throw new InputError(
      `--size ${size.join("x")}: expected multiples of 16, which the network halves four times`,
    );
  }
  if (options.profileSteps !== undefined) {
    const task: BenchTask = { work: "step", size: size ?? workFacts.step.size, width, batch, file: "" };
    return await runProfile(task, options.profileSteps, context);
  }
  if (options.work === "methods") {
    return await runMethods(
      { methods: options.methods, size: size ?? workFacts.step.size, width, repeat: options.repeat ?? 3 },
      context,
    );
  }
  if (options.work === "learning") return await runLearning(options, context);
  if (options.work === "growth") return await runGrowth(options.repeat ?? 3, context);
  const chosen = works.filter((work) => options.work === "all" || work === (options.work ?? "step"));
  const scratch = await Deno.makeTempDir();
  try {
    const file = chosen.some((work) => workFacts[work].readsFile)
      ? await volumeFile(options.file, scratch)
      : "";
    const env = await prepareEngine(context);
    const python = peers ? await preparePeers(chosen, context) : [];
    const results: Result[] = [];
    for (const work of chosen) {
      const ownSize = size ?? workFacts[work].size;
      const scan = `${scratch}/scan.nii.gz`;
      const raw = `${scratch}/${work}`;
      const own = { prepare: raw, "prepare-brats": raw, scan, nifti: scan }[work as string];
      const task = { work, size: ownSize, width, batch, file: own ?? file };
      await writeInput(task);
      const repeat = options.repeat ?? workFacts[work].repeat;
      context.status(`measuring ${work}, ${repeat} times`);
      const measured = await measure(task, { repeat, env, python: python[works.indexOf(work)], context });
      context.status(undefined);
      const result = resultOf(task, measured);
      results.push(result);
      context.print(lineOf(result));
    }
    return { json: { results } };
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The user's file, which must be readable, or a phantom in the scratch folder. */
async function volumeFile(given: string | undefined, scratch: string): Promise<string> {
  const { readHdf5 } = await import("../volume/hdf5.ts");
  if (given !== undefined) {
    await readHdf5(given);
    return given;
  }
  const { writePhantomFile } = await import("./bench/phantom_file.ts");
  const path = `${scratch}/phantom.h5`;
  await writePhantomFile(path);
  return path;
}

/** A raw case in a folder of its own or a scan, of the asked size, for the works that begin with one. */
async function writeInput({ work, file, size }: BenchTask): Promise<void> {
  if (work === "prepare") await (await import("./bench/raw_ct.ts")).writeRawCt(file, size);
  if (work === "prepare-brats") await (await import("./bench/raw_brats.ts")).writeRawBrats(file, size);
  if (work === "nifti") await (await import("./bench/phantom_file.ts")).writeScanFile(file, size);
}

/** A Python with the peers of each work; where they cannot be had, that is said and the kit is measured alone. */
async function preparePeers(
  chosen: readonly Work[],
  context: Context,
): Promise<(PreparedPython | undefined)[]> {
  const prepared = new Map<PackageSet, PreparedPython | undefined>();
  for (const work of chosen) {
    const set = packagesOf(work);
    if (prepared.has(set)) continue;
    try {
      prepared.set(set, await pythonPackages(set, systemHost(), provisionReport(context)));
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      context.note(`the Python originals are left out: ${error.message}`);
      prepared.set(set, undefined);
    }
  }
  return works.map((work) => prepared.get(packagesOf(work)));
}

function packagesOf(work: Work): PackageSet {
  return workFacts[work].needsSimpleItk ? preparationPeers : peerPackages;
}

interface Setting {
  readonly repeat: number;
  readonly env: Readonly<Record<string, string>>;
  readonly python: PreparedPython | undefined;
  readonly context: Context;
}

/** The kit's measurement, and the peer's where there is one. */
async function measure(
  task: WorkTask,
  { repeat, env, python, context: { root, signal } }: Setting,
): Promise<Measurement[]> {
  if (task.work === "start") {
    const { measureStart } = await import("./bench/start.ts");
    return [await measureStart(`${root}/lib/cli/main.ts`, { repeat, env, signal })];
  }
  const { measureInTurn } = await import("./bench/side.ts");
  const programs = [ownProgram(task, root, env)];
  const { peer } = workFacts[task.work];
  if (task.work === "scan") {
    programs.push({ ...ownProgram({ ...task, work: "windows" }, root, env), name: "the windows of a scan" });
  } else if (python !== undefined && peer !== undefined) {
    const program = (given: BenchTask) => ({
      name: `${task.work} of ${peer}`,
      command: python.command,
      args: [`${root}/bench/peers/peer.py`, JSON.stringify(given)],
      env: python.env,
    });
    programs.push(program(task));
    if (task.work.startsWith("prepare")) programs.push(program({ ...task, bare: true }));
  }
  return await measureInTurn(programs, { repeat, signal });
}
