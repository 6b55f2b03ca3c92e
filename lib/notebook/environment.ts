/** What computed the numbers of a notebook. */
import type { RunRecord } from "../experiments/record.ts";
import type { Table } from "../report/table.ts";
import { kitFolder } from "./follow.ts";

/** The kit, this machine, and the machines of the records that a notebook used. */
export async function environmentTable(records: readonly RunRecord[]): Promise<Table> {
  const { version } = JSON.parse(await Deno.readTextFile(`${kitFolder}/deno.json`));
  const distinct = (key: string) =>
    [...new Set(records.map(({ environment }) => String(environment[key] ?? "unknown")))].join("; ");
  const here = `${Deno.build.os}-${Deno.build.arch}, ${navigator.hardwareConcurrency} cores`;
  const ofRuns = records.length === 0 ? [] : [
    ["Runs used", String(records.length)],
    ["Engine of the runs", distinct("engine")],
    ["Machine of the runs", `${distinct("platform")}, ${distinct("cores")} cores`],
    ["Deno of the runs", distinct("deno")],
  ];
  return {
    title: "Environment",
    columns: [{ label: "what" }, { label: "value" }],
    rows: [["Kit", version], ["Deno", Deno.version.deno], ["This machine", here], ...ofRuns].map((cells) => ({
      cells,
    })),
    caption: [],
    footnotes: [],
  };
}
