/** The verb `report`: tables and audits from records, without a tensor engine. */
import { profileNames } from "../data/dataset.ts";
import type { Item } from "../experiments/item.ts";
import type { ItemReport, ReportSource } from "../report/item_report.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";

export const command = defineCommand({
  name: "report",
  summary:
    "tables of the paper beside the runs at hand: Markdown, CSV, LaTeX, HTML; `report audit` needs no run",
  positionals: {
    item: {
      type: "string",
      rest: true,
      optional: true,
      help: "table1 … table11, figure1 … figure8, tables, figures, audit; none means all",
    },
  },
  options: {
    profile: {
      type: "choice",
      choices: profileNames,
      help: "size of the runs; if not given, the largest of which there is a record",
    },
    variant: {
      type: "choice",
      choices: ["paper", "official"],
      default: "paper",
      help: "the paper's equations or the released code, where they differ",
    },
    results: { type: "path", default: "results", help: "folder of the records and the reports" },
    view: { type: "string", help: "instead: a page to look into this case of --run, in slices and in 3-D" },
    run: { type: "path", help: "with --view: the run folder whose prediction is shown" },
    data: { type: "path", help: "with --view: folder of the volumes, if not where train found them" },
  },
  notes: [
    "deno task report table4",
    "deno task report audit",
    "deno task report --view CASE --run runs/NAME",
  ],
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  if (options.view !== undefined) {
    const { reportView } = await import("./report/view.ts");
    return await reportView({ ...options, case: options.view }, context);
  }
  const { itemsOf } = await import("../experiments/items.ts");
  const { readRecords } = await import("../experiments/record.ts");
  const { readFigures } = await import("../experiments/figure_store.ts");
  const { readComplexity } = await import("./study/complexity.ts");
  const { makeReports, writeChanged } = await import("./report/make.ts");
  const isAudit = (key: string) => key === "audit" || key === "paper_audit";
  const wanted = options.item.length === 0 ? ["all", "audit"] : options.item;
  const items = itemsOf(wanted.filter((key) => !isAudit(key)));
  const { records, damaged } = await readRecords(`${options.results}/records`);
  const figures = await readFigures(options.results, items.map(({ key }) => key));
  damaged.push(...figures.damaged);
  const complexity = await readComplexity(options.results, (damage) => damaged.push(damage));
  for (const { path, reason } of damaged) context.note(`not used: ${path}: ${reason}`);
  const profile = options.profile ??
    profileNames.findLast((name) => records.some(({ choice }) => choice.profile === name)) ?? "mini";
  const sourceOf = (item: Item): ReportSource => {
    const seeds = [
      ...new Set(records.filter(({ choice }) => choice.profile === profile).map((r) => r.choice.seed)),
    ];
    const chosen = seeds.length === 0 ? "" : ` --seeds ${seeds.sort((a, b) => a - b).join(",")}`;
    const variant = options.variant === "paper" ? "" : ` --variant ${options.variant}`;
    const line = `npx -y deno@2.9.6 task study ${item.key} --profile ${profile}${chosen}${variant}`;
    const scale = { profile, variant: options.variant, command: line };
    return { records, damaged, complexity, stored: figures.stored, scale };
  };
  const made = await makeReports(items, {
    sourceOf,
    results: options.results,
    withAudit: wanted.some(isAudit),
  });
  const { tableText } = await import("../report/table_formats.ts");
  if (made.length === 1 && !isAudit(made[0].key)) context.print(tableText(made[0].table).trimEnd());
  if (made.length === 1 && isAudit(made[0].key)) printAudit(made[0], context);
  for (const { key, line } of made) {
    context.print(`${key.padEnd(11)} ${line}  ${options.results}/${key}/index.html`);
  }
  if (options.item.length === 0) {
    const { overviewHtml } = await import("../report/item_report.ts");
    await writeChanged(`${options.results}/index.html`, overviewHtml(made, profile));
  }
  return {
    json: {
      profile,
      damaged,
      reports: made.map(({ key, line, table, files }) => ({
        key,
        line,
        files: [...files.keys()].map((name) => `${options.results}/${key}/${name}`),
        table,
      })),
    },
  };
}

/** A finding a paragraph: the arithmetic is too long for the columns of a terminal. */
function printAudit({ table }: ItemReport, context: Context): void {
  for (const { cells: [check, where, arithmetic, finding] } of table.rows) {
    context.print(`${finding}: ${where} (${check})`);
    context.print(`  ${arithmetic}`);
  }
}
