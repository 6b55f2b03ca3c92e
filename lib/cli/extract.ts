/** The verb `extract`: what figures need of a trained run, stored small beside its record. */
import { InputError, unknownName } from "../errors.ts";
import type { FigureContents, FigureKey, History } from "../experiments/figure_data.ts";
import type { Choice } from "../experiments/choice.ts";
import type { SasNetRun } from "../methods/sasnet.ts";
import type { LogLine } from "../training/run_folder.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import type { Extraction } from "./extract/cases.ts";
import { openSource, useEngine } from "./workspace.ts";

export const command = defineCommand({
  name: "extract",
  summary:
    "takes from a recorded run what figures need: predictions, confidences, features; `study` calls it",
  positionals: {
    run: { type: "path", help: "a run folder that has a record" },
    figure: { type: "string", rest: true, help: "figure1 … figure3, figure5 … figure8" },
  },
  options: {
    data: { type: "path", help: "folder of the volumes, if not where train found them" },
    results: {
      type: "path",
      default: "results",
      help: "folder of the records; the data goes into its figures",
    },
  },
  notes: [
    "Data of patients' volumes holds slices of them: treat results/figures as you treat the volumes.",
    "deno task extract runs/sasnet-phantom-4-smoke-seed1337-551b22 figure1 figure8",
  ],
});

/** Points of a history. */
const historyPoints = 200;

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { figurePath, storedFigures, writeFigure } = await import("../experiments/figure_store.ts");
  const figures = options.figure.map((typed) => {
    const key = storedFigures.find((key) => key === typed.toLowerCase());
    if (key === undefined) throw unknownName("figure", typed, storedFigures);
    return key;
  });
  if (figures.length === 0) throw new InputError(`extract needs a figure: ${storedFigures.join(", ")}`);
  const name = options.run.replace(/\/+$/, "").replace(/^.*\//, "");
  const { datasetOf } = await import("../data/dataset.ts");
  const { readConfig } = await import("../training/run_folder.ts");
  const config = await readConfig(options.run);
  if (config === undefined) {
    throw new InputError(`${options.run} is not a run folder: it has no config.json; train the run again`);
  }
  const choice = await choiceOfRecord(options.results, name);
  await useEngine(context);
  const { loadRun } = await import("../training/evaluate_run.ts");
  const { loadMethodState } = await import("../training/checkpoint.ts");
  const loaded = await loadRun(options.run);
  await loadMethodState(`${options.run}/checkpoint`, loaded.run, loaded.step);
  const source = await openSource(datasetOf(config.dataset), config.profile, options.data, context);
  const paths: string[] = [];
  const ensembles = new Map<string, Float32Array>();
  for (const [i, figure] of figures.entries()) {
    context.status(`${figure} of ${name} (${i + 1} of ${figures.length})`);
    const extraction = { loaded, source, ensembles, signal: context.signal };
    const content = await contentOf(figure, extraction, options.run);
    await writeFigure(options.results, {
      format: 1,
      figure,
      run: name,
      choice,
      checkpoint: { rule: loaded.rule, step: loaded.step },
      content,
    });
    paths.push(figurePath(options.results, figure, name));
  }
  context.status(undefined);
  for (const path of paths) context.print(path);
  return { json: { run: options.run, files: paths } };
}

async function choiceOfRecord(results: string, name: string): Promise<Choice> {
  const { readRecord } = await import("../experiments/record.ts");
  const path = `${results}/records/${name}.json`;
  if (await Deno.stat(path).catch(() => undefined) === undefined) {
    throw new InputError(`${name} has no record at ${path}; run the study that records this run`);
  }
  const read = await readRecord(path);
  if ("damage" in read) {
    throw new InputError(
      `${path} cannot be used: ${read.damage.reason}; run the study that records this run`,
    );
  }
  return read.record.choice;
}

async function contentOf(
  figure: FigureKey,
  extraction: Extraction,
  folder: string,
): Promise<FigureContents[FigureKey]> {
  const cases = await import("./extract/cases.ts");
  if (figure === "figure1") return await cases.branchesAndViews(extraction);
  if (figure === "figure6" || figure === "figure7") return await cases.comparedCases(extraction);
  if (figure === "figure5") return await cases.predictedMask(extraction);
  const sasnet = requireSasNet(figure, extraction);
  if (figure === "figure8") {
    const { decoderFeatures } = await import("./extract/features.ts");
    return await decoderFeatures(extraction, sasnet);
  }
  const { trainingMoment } = await import("./extract/moment.ts");
  const moment = await trainingMoment(extraction, sasnet);
  if (figure === "figure3") {
    const { readLog } = await import("../training/run_folder.ts");
    return { moment, history: historyOf(await readLog(folder)) };
  }
  const { outlineOf } = await import("../network/outline.ts");
  const { network } = sasnet.networks;
  return { moment, network: outlineOf(network, extraction.loaded.config.crop) };
}

function requireSasNet(figure: FigureKey, { loaded }: Extraction): SasNetRun {
  if ("memory" in loaded.run) return loaded.run as SasNetRun;
  throw new InputError(`${figure} looks into SASNet; this run trained ${loaded.config.method}`);
}

/** What the log says beside the losses, at some 200 of the steps. */
function historyOf(log: readonly LogLine[]): History {
  const steps = log.filter(({ event, values }) => event === "step" && values !== undefined);
  const stride = Math.max(1, Math.ceil(steps.length / historyPoints));
  const kept = steps.filter((_, i) => i % stride === 0 || i === steps.length - 1);
  const names = [...new Set(kept.flatMap(({ values }) => Object.keys(values!)))];
  return {
    steps: kept.map(({ step }) => step),
    values: Object.fromEntries(
      names.map((name) => [name, kept.map(({ values }) => values![name] ?? null)]),
    ),
  };
}
