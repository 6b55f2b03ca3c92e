/** The verb `prepare`: raw archives become volumes and lists that `train` reads. */
import { profileNames } from "../data/dataset.ts";
import type { CaseReport, Preparation } from "../data/prepare/prepare.ts";
import { preparedNames } from "../data/prepare/record.ts";
import { EnvironmentError, InputError } from "../errors.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";

export const command = defineCommand({
  name: "prepare",
  summary: "makes volumes and lists for training of a raw archive, as the paper says",
  positionals: {
    dataset: { type: "choice", choices: preparedNames, help: "la, pancreas or brats" },
  },
  options: {
    from: { type: "path", required: true, help: "the folder of the unpacked archive" },
    to: { type: "path", required: true, help: "the folder for the volumes; train takes it with --data" },
    profile: { type: "choice", choices: profileNames, default: "paper", help: "decides the spacing" },
    variant: {
      type: "choice",
      choices: ["paper", "official"],
      default: "paper",
      help: "of left atria: boxes cut along z too, or all slices kept as in the public volumes",
    },
    seed: { type: "integer", minimum: 0, default: 1337, help: "seed of margins and lists" },
    lists: { type: "path", help: "a folder with your own train.list, test.list and perhaps validation.list" },
    withoutWithdrawn: { type: "boolean", help: "leave out cases 25 and 70 of Pancreas-CT" },
    keepGoing: { type: "boolean", help: "leave out cases that cannot be used, instead of stopping" },
    workers: {
      type: "integer",
      minimum: 1,
      help: "cases at a time; if not given, as many as cores and memory allow",
    },
  },
  notes: [
    "deno task prepare la --from Atrial_Segmentation --to data/la",
    "deno task prepare brats --from MICCAI_BraTS_2019_Data_Training --to data/brats --keep-going",
    "The same command again continues; what is done and unchanged, by its hashes, is left as it is.",
  ],
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { dataset, profile, variant, seed, from, to, lists, withoutWithdrawn, keepGoing } = options;
  // The public volumes have the names that the prepared ones get.
  const real = await Promise.all([from, to].map((path) => Deno.realPath(path).catch(() => path)));
  if (real[0] === real[1]) {
    throw new InputError("--from and --to are one folder; choose another one for the volumes");
  }
  const { prepareDataset } = await import("../data/prepare/prepare.ts");
  const work = prepareDataset({
    settings: { dataset, profile, variant, seed },
    from,
    to,
    lists,
    withoutWithdrawn,
    keepGoing,
    workers: options.workers ?? fittingWorkers(),
    signal: context.signal,
    onCase: (report) => showCase(report, context),
  });
  const result = await work.catch((error) => {
    throw explained(to, error);
  });
  context.status(undefined);
  const { manifest: { cases, skipped, cautions, decisions, finished } } = result;
  if (!finished) {
    context.print(`stopped after ${cases.length} cases; the same command continues`);
    return { json: jsonOf(result, to) };
  }
  const { writePreparationReport } = await import("../report/preparation_report.ts");
  const { writeWhole } = await import("../training/files.ts");
  await writePreparationReport(to, result.manifest, {
    command: commandLine(options),
    write: async (name, contents) => {
      const path = `${to}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await writeWhole(path, contents);
    },
  });
  for (const text of cautions) context.print(`caution  ${text}`);
  for (const text of decisions) context.print(text);
  context.print(
    `${cases.length} ${
      cases.length === 1 ? "case" : "cases"
    } in ${to}: ${result.made} made, ${result.old} there already, ${skipped.length} left out; ` +
      `look at ${to}/index.html`,
  );
  return { exitCode: skipped.length > 0 ? 1 : 0, json: jsonOf(result, to) };
}

/** Bytes that the largest raw scans need in a worker: the scan as stored and as floats, in two orders of axes. */
const bytesOfWorker = 1.8e9;

function fittingWorkers(): number {
  const room = Math.floor(Deno.systemMemoryInfo().available / bytesOfWorker);
  return Math.max(1, Math.min(navigator.hardwareConcurrency, room));
}

/** What a folder that cannot be written means, in one clear line; other errors as they are. */
function explained(to: string, error: unknown): unknown {
  const text = String(error);
  if (/no space left|quota exceeded/i.test(text)) {
    return new EnvironmentError(
      `${to} cannot be written: the disk is full; free some space, the same command continues`,
    );
  }
  if (/not a directory|file exists/i.test(text)) {
    return new InputError(
      `${to} cannot be written: a file is where a folder is needed; choose another with --to`,
    );
  }
  // Workers pass on the text alone.
  if (/permission ?denied|read-only file system/i.test(text)) {
    return new EnvironmentError(`${to} cannot be written: no permission; choose another folder with --to`);
  }
  return error;
}

function showCase({ case: name, state, reason, cautions, done, total }: CaseReport, context: Context) {
  if (state === "skipped") context.note(`skipped  ${reason}`);
  for (const text of cautions) context.note(`caution  ${name}: ${text}`);
  context.status(`${done} of ${total} cases: ${name} ${state === "old" ? "is there already" : state}`);
}

function commandLine(
  { dataset, profile, variant, seed, from, to, ...rest }: Options<typeof command>,
): string {
  const words = ["npx -y deno@2.9.6 task prepare", dataset, "--from", from, "--to", to];
  words.push("--profile", profile, "--variant", variant, "--seed", String(seed));
  if (rest.lists !== undefined) words.push("--lists", rest.lists);
  if (rest.withoutWithdrawn) words.push("--without-withdrawn");
  if (rest.keepGoing) words.push("--keep-going");
  return words.join(" ");
}

function jsonOf({ manifest, made, old }: Preparation, to: string): object {
  const { lists, skipped, cautions, finished, cases } = manifest;
  const counts = { train: lists.train.length, validation: lists.validation.length, test: lists.test.length };
  return { folder: to, finished, cases: cases.length, made, old, lists: counts, skipped, cautions };
}
