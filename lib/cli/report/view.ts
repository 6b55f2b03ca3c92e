/** `report --view CASE --run RUN`: predicts a case of a run and writes a page to look into it. */
import { InputError, unknownName } from "../../errors.ts";
import type { Context, Outcome } from "../command.ts";
import { openSource, useEngine } from "../workspace.ts";

/** What is asked for. */
export interface ViewOptions {
  readonly case: string;
  readonly run: string | undefined;
  /** Folder of the volumes. */
  readonly data: string | undefined;
  /** Folder of the reports. */
  readonly results: string;
}

/**
 * Writes `views/RUN/CASE.html` into the folder of the reports.
 *
 * @throws InputError without a run, for a folder that is none, or a case that is not of the run's data set.
 */
export async function reportView(options: ViewOptions, context: Context): Promise<Outcome> {
  if (options.run === undefined) {
    throw new InputError(
      `--view ${options.case}: --run is missing: the run folder whose prediction is shown`,
    );
  }
  const { readConfig } = await import("../../training/run_folder.ts");
  const { loadRun } = await import("../../training/evaluate_run.ts");
  const { datasetOf } = await import("../../data/dataset.ts");
  const { writeWhole } = await import("../../training/files.ts");
  const { viewerHtml } = await import("../../report/viewer/page.ts");
  if (await readConfig(options.run) !== undefined) await useEngine(context);
  const loaded = await loadRun(options.run);
  const { config } = loaded;
  const source = await openSource(datasetOf(config.dataset), config.profile, options.data, context);
  const known = [...source.test, ...source.train];
  if (!known.includes(options.case)) {
    throw unknownName(`case of ${config.dataset}`, options.case, known.slice(0, 12));
  }
  const one = await source.load(options.case);
  const progress = context.progress();
  const { caseView } = await import("../../report/viewer/case_view.ts");
  const view = await caseView(loaded, one, {
    signal: context.signal,
    onWindow: (step, total) => progress.update({ label: options.case, step, total }),
  });
  context.status(undefined);
  const folder = `${options.results}/views/${options.run.replace(/^.*[/\\]/, "")}`;
  await Deno.mkdir(folder, { recursive: true });
  const path = `${folder}/${options.case}.html`;
  const html = await viewerHtml({ ...view, facts: [...view.facts, ["Command", commandOf(options)]] });
  await writeWhole(path, html);
  context.print(view.lead);
  context.print(`${path}  (${(html.length / 1e6).toFixed(1)} MB, works without network)`);
  return { json: { page: path, bytes: html.length, case: options.case } };
}

function commandOf({ case: name, run, data }: ViewOptions): string {
  const from = data === undefined ? "" : ` --data ${data}`;
  return `npx -y deno@2.9.6 task report --view ${name} --run ${run}${from}`;
}
