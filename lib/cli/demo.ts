/** The verb `demo`: the main job from data to page. */
import type { CaseSource } from "../data/source.ts";
import type { MethodRun } from "../methods/method.ts";
import type { DemoCase, DemoInner, DemoMethod, DemoRecord } from "../report/demo_record.ts";
import type { RunConfig } from "../training/config.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { environmentRecord, phantomSeed, useEngine } from "./workspace.ts";

export const command = defineCommand({
  name: "demo",
  summary:
    "trains V-Net and SASNet on a few labelled cases, evaluates both, writes a page with tables and figures",
  options: {
    data: { type: "path", help: "folder of real LA volumes; if not given, phantoms are drawn" },
    iterations: {
      type: "integer",
      minimum: 2,
      help: "training steps a method (default 400; with --data 600)",
    },
    seed: { type: "integer", minimum: 0, default: 1337, help: "seed of every random stream" },
    out: {
      type: "path",
      default: "results/demo",
      help: "folder of the page; the runs go into its folder runs",
    },
  },
  notes: ["The same command again continues where it was interrupted."],
});

/** Sizes of the two demos. */
const scales = {
  phantom: { iterations: 400, labelled: 2, crop: [48, 48, 32], stride: [24, 24, 8], train: 8, test: 4 },
  la: { iterations: 600, labelled: 8, crop: [64, 64, 32], stride: [18, 18, 4] },
} as const;

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const started = performance.now();
  const { la, phantom } = await import("../data/dataset.ts");
  const { configOf } = await import("../training/budget.ts");
  const isReal = options.data !== undefined;
  const scale = isReal ? scales.la : scales.phantom;
  const source = await openDemoSource(options.data);
  // A damaged case is told now, not when the training has ended; the source keeps what it read.
  for (const name of [...source.train, ...source.test]) await source.load(name);
  const iterations = options.iterations ?? scale.iterations;
  const engine = await useEngine(context);
  const configs = ["vnet", "sasnet"].map((method): RunConfig =>
    configOf(isReal ? la : phantom, source, {
      method,
      variant: "paper",
      profile: "mini",
      labelled: scale.labelled,
      seed: options.seed,
      iterations,
      crop: scale.crop,
      stride: scale.stride,
    })
  );
  const trained: { method: DemoMethod; config: RunConfig; run: MethodRun; dispose: () => void }[] = [];
  try {
    for (const config of configs) {
      const outcome = await trainAndEvaluate(config, source, {
        folder: `${options.out}/runs`,
        environment: environmentRecord(engine),
        context,
      });
      if (outcome === undefined) return {};
      trained.push({ ...outcome, config });
    }
    const [vnet, sasnet] = trained;
    const cases = await exampleCases(source, vnet, sasnet);
    const inner = await innerMaps(source, sasnet);
    const record: DemoRecord = {
      ...texts(configs[1], engine.description, isReal),
      methods: trained.map(({ method }) => method),
      cases,
      inner,
    };
    const files = await writeReport(record, options.out);
    const { demoTable } = await import("../report/demo_figures.ts");
    const { tableText } = await import("../report/table_formats.ts");
    for (const line of tableText(demoTable(record)).trimEnd().split("\n")) context.print(line);
    const seconds = Math.round((performance.now() - started) / 1000);
    context.print(`page: ${options.out}/index.html (${files.length} files, ${seconds} s)`);
    return {
      json: { page: `${options.out}/index.html`, seconds, methods: record.methods.map(withoutCurves) },
    };
  } finally {
    for (const { dispose } of trained) dispose();
  }
}

async function openDemoSource(data: string | undefined): Promise<CaseSource> {
  if (data === undefined) {
    const { phantomSource } = await import("../data/phantom.ts");
    return phantomSource({ seed: phantomSeed, train: scales.phantom.train, test: scales.phantom.test });
  }
  const { folderSource } = await import("../data/source.ts");
  return await folderSource(data);
}

/** Trains a method to its end and measures it; undefined where it was interrupted. */
async function trainAndEvaluate(
  config: RunConfig,
  source: CaseSource,
  { folder, environment, context }: { folder: string; environment: object; context: Context },
): Promise<{ method: DemoMethod; run: MethodRun; dispose: () => void } | undefined> {
  const { train } = await import("../training/train.ts");
  const { runName } = await import("../training/config.ts");
  const { methodOf } = await import("../methods/mod.ts");
  const { evaluateCases, writeEvaluations } = await import("../training/evaluate_run.ts");
  const { readLog } = await import("../training/run_folder.ts");
  const { parametersOf } = await import("../network/network.ts");
  const { name, unlabelledTerms } = methodOf(config.method);
  const path = `${folder}/${await runName(config)}`;
  const progress = context.progress();
  const result = await train(config, {
    source,
    folder: path,
    environment,
    signal: context.signal,
    checkpointEvery: 100,
    onStep: ({ step, iterations, total, resident }) =>
      progress.update({
        label: name,
        step,
        total: iterations,
        numbers: { loss: total },
        memoryBytes: resident,
      }),
  });
  progress.finish();
  const { trainer } = result;
  if (!result.finished) {
    trainer.dispose();
    context.print(`stopped at step ${result.step} of ${name}; the same command continues`);
    return undefined;
  }
  const evaluations = await evaluateCases({ run: trainer.run, config }, source, {
    signal: context.signal,
    onCase: ({ case: name }, done, total) => context.status(`evaluating ${name} (${done} of ${total})`),
  });
  context.status(undefined);
  await writeEvaluations(path, evaluations, { rule: "last", step: result.step });
  const steps = (await readLog(path)).filter((line) => line.event === "step");
  const termNames = Object.keys(steps[0].terms!);
  const parameters = Object.values(trainer.run.networks).flatMap(parametersOf);
  const method: DemoMethod = {
    name,
    labelled: config.labelled,
    unlabelled: unlabelledTerms.length > 0 ? config.train.length - config.labelled : 0,
    parameters: parameters.reduce((sum, { variable }) => sum + variable.size, 0),
    seconds: steps.reduce((sum, { seconds }) => sum + seconds!, 0),
    steps: steps.map(({ step }) => step),
    terms: Object.fromEntries(termNames.map((term) => [term, steps.map(({ terms }) => terms![term])])),
    cases: evaluations.results.map(({ case: name, dice, jaccard, hd95Voxel, asdVoxel }) => ({
      case: name,
      dice,
      jaccard,
      hd95: hd95Voxel,
      asd: asdVoxel,
    })),
  };
  return { method, run: trainer.run, dispose: trainer.dispose };
}

interface Trained {
  readonly method: DemoMethod;
  readonly config: RunConfig;
  readonly run: MethodRun;
}

/** The unseen cases where SASNet did best, median and worst. */
async function exampleCases(source: CaseSource, vnet: Trained, sasnet: Trained): Promise<DemoCase[]> {
  const { predictBranches, predictVolume } = await import("../inference/predict.ts");
  const { threshold } = await import("../inference/sliding_window.ts");
  const { compareMasks } = await import("../evaluation/metrics.ts");
  const ranked = [...sasnet.method.cases].sort((a, b) => (b.dice ?? 0) - (a.dice ?? 0)).map((c) => c.case);
  const chosen = new Set([ranked[0], ranked[Math.floor(ranked.length / 2)], ranked[ranked.length - 1]]);
  const examples: DemoCase[] = [];
  for (const name of chosen) {
    const { image, label } = await source.load(name);
    const { shape, spacing, data } = image;
    const branches = predictBranches(sasnet.run, data, shape, sasnet.config);
    const maps: [string, Float32Array][] = [
      ["V-Net", predictVolume(vnet.run, data, shape, vnet.config)],
      ["High-level branch", branches.get("high")!],
      ["Low-level branch", branches.get("low")!],
      ["SASNet", predictVolume(sasnet.run, data, shape, sasnet.config)],
    ];
    const predictions = maps.map(([name, probability]) => ({
      name,
      probability,
      dice: compareMasks(threshold(probability), label.data, shape).dice,
    }));
    examples.push({ name, shape, spacing, image: data, label: label.data, predictions });
  }
  return examples;
}

/** SAR's memory and the signed distance map on the first labelled case that SAR has seen. */
async function innerMaps(source: CaseSource, { run, config }: Trained): Promise<DemoInner | undefined> {
  const { confidenceOf } = await import("../sasnet/confidence_memory.ts");
  const { sdmStages } = await import("../sasnet/sdm.ts");
  const { predictVolume } = await import("../inference/predict.ts");
  const { threshold } = await import("../inference/sliding_window.ts");
  const memory = (run as Partial<import("../methods/sasnet.ts").SasNetRun>).memory?.();
  const name = config.train.slice(0, config.labelled).find((name) => memory?.cases.has(name));
  if (memory === undefined || name === undefined) return undefined;
  const { image, label } = await source.load(name);
  const { shape, spacing, data } = image;
  // A volume that is smaller than the crop is remembered with its padding, on another grid than the image.
  if (memory.cases.get(name)!.shape.join() !== shape.join()) return undefined;
  const mask = threshold(predictVolume(run, data, shape, config));
  return {
    name,
    shape,
    spacing,
    image: data,
    label: label.data,
    confidence: { high: confidenceOf(memory, name, 0), low: confidenceOf(memory, name, 1) },
    mask,
    ...sdmStages(mask, shape),
  };
}

function texts(
  config: RunConfig,
  engine: string,
  isReal: boolean,
): Pick<DemoRecord, "title" | "lead" | "facts" | "caption"> {
  const { iterations, seed, labelled, train, test, crop, width } = config;
  const what = isReal ? "left-atrium MR volumes" : "phantom volumes";
  const line = `npx -y deno@2.9.6 task demo${
    isReal ? " --data DIR" : ""
  } --iterations ${iterations} --seed ${seed}`;
  return {
    title: isReal ? "SASNet on left-atrium MR volumes" : "SASNet on phantoms",
    lead:
      `V-Net sees ${labelled} labelled ${what}; SASNet sees the same and ${
        train.length - labelled
      } without labels. ` +
      `Both are measured on ${test.length} that neither has seen.`,
    caption: [
      `Scale: demo, ${iterations} steps a method, crop ${crop.join("×")}, width ${width}.`,
      `Seed ${seed}; last checkpoint; metrics as medpy computes them, without a component filter.`,
      `Command: ${line}`,
    ],
    facts: [
      ["Command", line],
      ["Steps", `${iterations} a method, batch 2 labelled + 2 unlabelled`],
      ["Network", `base width ${width}, crop ${crop.join("×")}`],
      ["Seed", String(seed)],
      ["Checkpoint", "the last one"],
      ["Variant", "paper"],
      ["Engine", engine],
      ["Deno", Deno.version.deno],
    ],
  };
}

async function writeReport(record: DemoRecord, folder: string): Promise<string[]> {
  const { writeDemoReport } = await import("../report/demo_report.ts");
  const { writeWhole } = await import("../training/files.ts");
  await Deno.mkdir(`${folder}/figures`, { recursive: true });
  return await writeDemoReport(record, (name, contents) => writeWhole(`${folder}/${name}`, contents));
}

function withoutCurves({ name, labelled, unlabelled, parameters, seconds, cases }: DemoMethod) {
  return { name, labelled, unlabelled, parameters, seconds, cases };
}
