/** The page and the JSON of a preparation: what the raw cases were, what they became, what was decided and why. */
import { datasets } from "../data/dataset.ts";
import { type CaseRecord, type Manifest, volumeName } from "../data/prepare/record.ts";
import { readHdf5 } from "../volume/hdf5.ts";
import type { Triple } from "../volume/volume.ts";
import { caseChart, quantile } from "./case_chart.ts";
import { montage } from "./montage.ts";
import { type PageFigure, pageHtml } from "./page.ts";
import { largestPlane, takePlane } from "./planes.ts";
import { contourLooks, slicePanel } from "./slices.ts";
import { type Figure, fitText, place, svgDocument, text } from "./svg.ts";
import type { Row, Table } from "./table.ts";

/** What the report cannot know from the manifest. */
export interface PreparationReportOptions {
  /** The command that repeats it. */
  readonly command: string;
  /** Puts one file into the folder, whole or not at all. */
  readonly write: (name: string, contents: string) => Promise<void>;
}

/** The most cases whose slices are shown, at equal distances over the lists. */
const shownCases = 24;
const columns = 6;
const panelWidth = 88;

/**
 * Writes index.html, fingerprint.json and figures/*.svg into the folder of a preparation.
 *
 * @throws InputError where a prepared volume cannot be read.
 */
export async function writePreparationReport(
  folder: string,
  manifest: Manifest,
  { command, write }: PreparationReportOptions,
): Promise<void> {
  const listed = byList(manifest);
  const figures = listed.length === 0 ? [] : await figuresOf(folder, manifest, listed);
  const { settings: { dataset, profile, variant, seed }, decisions, cautions } = manifest;
  const page = pageHtml({
    title: `Preparation of ${datasets[dataset].title}`,
    lead:
      `${manifest.cases.length} ${
        manifest.cases.length === 1 ? "case" : "cases"
      } for profile ${profile}. Intensities never depend on the label; the box that ` +
      `is kept does, as in the paper.`,
    facts: [
      ["Command", command],
      ["Settings", `profile ${profile}, variant ${variant}, seed ${seed}`],
      ...decisions.map((text): [string, string] => ["Decided", text]),
      ...cautions.map((text): [string, string] => ["Caution", text]),
      ["Hashes", "manifest.json: SHA-256 of every input and output file"],
    ],
    tables: [
      listTable(listed),
      ...(manifest.skipped.length === 0 ? [] : [skippedTable(manifest)]),
      decisionTable(manifest),
      caseTable(listed),
    ],
    figures,
  });
  for (const { figure, file } of figures) await write(`${file}.svg`, svgDocument(figure));
  await write("fingerprint.json", `${JSON.stringify(fingerprintOf(manifest), null, 1)}\n`);
  await write("index.html", page);
}

/** A case and the list it is on. */
interface ListedCase {
  readonly list: string;
  readonly record: CaseRecord;
}

function byList({ lists, cases }: Manifest): ListedCase[] {
  const records = new Map(cases.map((record) => [record.case, record]));
  return (["train", "validation", "test"] as const).flatMap((list) =>
    lists[list].flatMap((name) => {
      const record = records.get(name);
      return record === undefined ? [] : [{ list, record }];
    })
  );
}

function fingerprintOf({ settings, lists, cases, skipped, decisions, cautions }: Manifest): object {
  const of = cases.map((record) => ({
    case: record.case,
    ...(record.group === undefined ? {} : { group: record.group }),
    ...record.fingerprint,
    decisions: record.decisions,
    cautions: record.cautions,
  }));
  return { settings, lists, cases: of, skipped, decisions, cautions };
}

function listTable(listed: readonly ListedCase[]): Table {
  const groups = [...Map.groupBy(listed, ({ list }) => list), ["all", listed] as const];
  const rows = groups.map(([list, members]): Row => {
    const prints = members.map(({ record }) => record.fingerprint);
    const side = (axis: 0 | 1 | 2) => range(prints.map(({ prepared }) => prepared.shape[axis]), 0);
    const { voxels, shares } = {
      voxels: prints.map(({ label }) => label.millilitres),
      shares: prints.map(({ label }) => 100 * label.share),
    };
    return { cells: [list, members.length, side(0), side(1), side(2), range(voxels, 1), range(shares, 2)] };
  });
  return {
    title: "Lists",
    columns: [
      { label: "list" },
      { label: "cases", decimals: 0 },
      { label: "x", unit: "voxels", align: "right" },
      { label: "y", unit: "voxels", align: "right" },
      { label: "z", unit: "voxels", align: "right" },
      { label: "label", unit: "ml", align: "right" },
      { label: "share of the volume", unit: "%", align: "right" },
    ],
    rows,
    caption: ["Of the prepared volumes: median (least – greatest)."],
    footnotes: [],
  };
}

function caseTable(listed: readonly ListedCase[]): Table {
  const quantiles = ([, low, middle, high]: readonly number[]) => [low, middle, high].map(short).join(" / ");
  const hasGroups = listed.some(({ record }) => record.group !== undefined);
  return {
    title: "Cases",
    columns: [
      { label: "case" },
      { label: "list" },
      ...(hasGroups ? [{ label: "group" }] : []),
      { label: "shape", group: "raw", align: "right" },
      { label: "spacing", unit: "mm", group: "raw", align: "right" },
      { label: "intensities", group: "raw", align: "right" },
      { label: "in the label", group: "raw", align: "right" },
      { label: "shape", group: "prepared", align: "right" },
      { label: "intensities", group: "prepared", align: "right" },
      { label: "volume", unit: "ml", decimals: 1, group: "label" },
      { label: "pieces", decimals: 0, group: "label" },
    ],
    rows: listed.map(({ list, record: { case: name, group, fingerprint: { raw, prepared, label } } }) => ({
      block: list,
      cells: [
        name,
        list,
        ...(hasGroups ? [group ?? ""] : []),
        raw.shape.join(" × "),
        isotropic(raw.spacing),
        quantiles(raw.intensities),
        quantiles(raw.labelIntensities),
        prepared.shape.join(" × "),
        quantiles(prepared.intensities),
        label.millilitres,
        label.components,
      ],
    })),
    caption: ["Intensities: the quantiles 0.5 / 50 / 99.5 %."],
    footnotes: [],
  };
}

/** Decisions that differ in their numbers alone stand in one row, with the first case as the example. */
function decisionTable({ cases }: Manifest): Table {
  const all = cases.flatMap((record) => [
    ...record.decisions.map((text) => ({ kind: "decision", text, record })),
    ...record.cautions.map((text) => ({ kind: "caution", text, record })),
  ]);
  const groups = Map.groupBy(
    all,
    ({ kind, text }) => `${kind} ${text.replace(/([−+-] ?)?\d+(\.\d+)?(e[+-]?\d+)?/g, "#")}`,
  );
  return {
    title: "What was done and why",
    columns: [{ label: "what, with the numbers of the first such case" }, { label: "kind" }, {
      label: "cases",
      decimals: 0,
    }, { label: "first" }],
    rows: [...groups.values()].map((members) => ({
      cells: [members[0].text, members[0].kind, members.length, members[0].record.case],
    })),
    caption: ["The numbers of every case are in fingerprint.json."],
    footnotes: [],
  };
}

function skippedTable({ skipped }: Manifest): Table {
  return {
    title: "Left out",
    columns: [{ label: "case" }, { label: "why" }],
    rows: skipped.map(({ case: name, reason }) => ({ cells: [name, reason] })),
    caption: [],
    footnotes: [],
  };
}

async function figuresOf(
  folder: string,
  manifest: Manifest,
  listed: readonly ListedCase[],
): Promise<PageFigure[]> {
  const lists = [...Map.groupBy(listed, ({ list }) => list)];
  const volumes = caseChart(
    lists.map(([name, members]) => ({
      name,
      values: members.map(({ record }) => record.fingerprint.label.millilitres),
    })),
    { xLabel: "Volume of the label (ml)", summary: "median", width: 470 },
  );
  const shown = spread(listed, shownCases);
  const { foreground } = datasets[manifest.settings.dataset];
  return [
    {
      figure: await slicesFigure(folder, shown),
      caption:
        `${shown.length} of ${listed.length} prepared cases in the slice where the ${foreground} is largest, ` +
        `with its outline.`,
      file: "figures/cases",
      formats: ["svg"],
    },
    {
      figure: volumes,
      caption: "Volume of the label of every case; the whisker spans median and quartiles.",
      file: "figures/label_volumes",
      formats: ["svg"],
    },
  ];
}

async function slicesFigure(folder: string, shown: readonly ListedCase[]): Promise<Figure> {
  const panels: Figure[] = [];
  for (const { record: { case: name } } of shown) {
    const { image, label } = await readHdf5(`${folder}/${name}/${volumeName}`);
    const index = largestPlane(label, 2);
    const panel = slicePanel(takePlane(image, 2, index), {
      width: panelWidth,
      contours: [{ plane: takePlane(label, 2, index), ...contourLooks.groundTruth, dash: "" }],
      orientation: true,
      alt: `${name}, slice ${index}`,
    });
    panels.push(named(panel, name));
  }
  const rows = Array.from(
    { length: Math.ceil(panels.length / columns) },
    (_, row) => ({ panels: panels.slice(row * columns, (row + 1) * columns) }),
  );
  return montage(rows, { alt: `Slices of ${shown.map(({ record }) => record.case).join(", ")}` });
}

/** A panel with a name above it. */
function named(panel: Figure, name: string): Figure {
  const [size, room] = [6, 9];
  const title = text(panel.width / 2, 6, fitText(name, panel.width, { size }), { size, anchor: "middle" });
  return { ...panel, height: panel.height + room, body: title + place(panel, 0, room) };
}

/** At most `count` items at equal distances. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor(i * items.length / count)]);
}

function range(values: readonly number[], decimals: number): string {
  const shown = (value: number) => value.toFixed(decimals);
  return `${shown(quantile(values, 0.5))} (${shown(Math.min(...values))} – ${shown(Math.max(...values))})`;
}

/** One number where all three print alike. */
function isotropic(spacing: Triple): string {
  const texts = spacing.map(short);
  return texts.every((side) => side === texts[0]) ? texts[0] : texts.join(" × ");
}

function short(value: number): string {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}
