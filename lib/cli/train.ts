/** The verb `train`: trains a method, or continues where an interrupted run stopped. */
import { datasetNames, profileNames } from "../data/dataset.ts";
import { memoryPolicies } from "../engine/memory_policy.ts";
import { recipes } from "../methods/optimiser_settings.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { environmentRecord, openSource, useEngine } from "./workspace.ts";

export const command = defineCommand({
  name: "train",
  summary: "trains a method; the same command again continues an interrupted run",
  options: {
    method: { type: "string", required: true, help: "key of the method; `methods` lists them" },
    dataset: { type: "choice", choices: datasetNames, default: "phantom", help: "the data set" },
    labelled: { type: "integer", minimum: 1, required: true, help: "number of labelled training cases" },
    profile: { type: "choice", choices: profileNames, default: "smoke", help: "size of the experiment" },
    variant: {
      type: "choice",
      choices: ["paper", "official"],
      default: "paper",
      help: "the paper's equations or the released code, where they differ",
    },
    seed: { type: "integer", minimum: 0, default: 1337, help: "seed of every random stream" },
    iterations: { type: "integer", minimum: 1, help: "steps; if not given, the profile's" },
    crop: { type: "shape", help: "crop in voxels, multiples of 16; if not given, the profile's" },
    width: { type: "integer", minimum: 1, help: "channels of the first stage; if not given, the profile's" },
    data: { type: "path", help: "folder with train.list, test.list and a folder a case" },
    run: { type: "path", help: "the run folder; if not given, RUNS/NAME with a name made of the settings" },
    runs: { type: "path", help: "RUNS, the folder of run folders; if not given, runs/ of the kit" },
    checkpointEvery: { type: "integer", minimum: 1, default: 500, help: "steps between checkpoints" },
    memory: {
      type: "choice",
      choices: memoryPolicies,
      default: "normal",
      help: "low: layers are computed again in the backward pass instead of kept; slower",
    },
    recipe: {
      type: "choice",
      choices: recipes,
      default: "kit",
      help: "kit: one optimiser for every method; native: that of the method's publication",
    },
    select: {
      type: "list",
      choices: ["validation", "test"],
      help: "also keep the checkpoint that is best on these cases while training; validation is leak-free",
    },
    selectEvery: {
      type: "integer",
      minimum: 1,
      help: "steps between two looks; if not given, the profile's",
    },
    validationCases: {
      type: "integer",
      minimum: 1,
      help: "cases of validation.list, or else training cases behind the labelled ones, whose labels choose",
    },
    set: { type: "string", repeatable: true, help: "a hyper-parameter of the method, such as beta=0.5" },
  },
  notes: [
    "A look segments the cases that choose, window beside window, and changes nothing of the training.",
    "--select validation takes the cases of validation.list; without one, training cases behind the labelled ones,",
    "which are trained on as unlabelled. --select test looks at the test cases, as the released code does: what it",
    "chooses is no fair estimate.",
    "TensorBoard shows a run while it trains: tensorboard --logdir runs",
    "deno task train --method sasnet --dataset la --labelled 8 --profile mini",
    "deno task train --method vnet --labelled 4 --iterations 200",
  ],
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { datasetOf } = await import("../data/dataset.ts");
  const { methodOf } = await import("../methods/mod.ts");
  const { configOf } = await import("../training/budget.ts");
  const dataset = datasetOf(options.dataset);
  methodOf(options.method);
  const source = await openSource(dataset, options.profile, options.data, context);
  const config = configOf(dataset, source, { ...options, settings: options.set });
  const { runName } = await import("../training/config.ts");
  const folder = options.run ?? `${options.runs ?? `${context.root}/runs`}/${await runName(config)}`;
  const engine = await useEngine(context);
  const { setMemoryPolicy } = await import("../engine/memory_policy.ts");
  setMemoryPolicy(options.memory);
  const { train } = await import("../training/train.ts");
  const { casePicture } = await import("../report/case_picture.ts");
  const progress = context.progress();
  const result = await train(config, {
    source,
    folder,
    environment: environmentRecord(engine),
    checkpointEvery: options.checkpointEvery,
    signal: context.signal,
    onStep: ({ step, iterations, total, terms, resident }) =>
      progress.update({
        label: config.method,
        step,
        total: iterations,
        numbers: { loss: total, ...terms },
        memoryBytes: resident,
      }),
    draw: (_step, seen) => casePicture(seen.case, seen),
    onLook: (step, values) => context.note(lookLine(step, values)),
  });
  progress.finish();
  result.trainer.dispose();
  const { step, steps, finished, resumedFrom } = result;
  if (resumedFrom === step && finished) context.print(`${folder} is finished: ${step} steps; nothing to do`);
  else if (finished) context.print(`trained ${step} steps; evaluate with: deno task evaluate ${folder}`);
  else context.print(`stopped after step ${step} of ${steps}; the same command continues`);
  return { json: { run: folder, step, iterations: steps, finished, resumedFrom } };
}

/** "step 300: Dice 81.2 % of the validation cases, 79.9 % of the test cases". */
function lookLine(step: number, values: Readonly<Record<string, number>>): string {
  const parts = Object.entries(values).filter(([key]) => key.endsWith(".dice")).map(([key, dice]) =>
    `${(100 * dice).toFixed(1)} % of the ${key.replace(".dice", "")} cases`
  );
  return `step ${step}: Dice ${parts.join(", ")}`;
}
