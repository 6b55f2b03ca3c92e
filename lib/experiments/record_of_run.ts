/** From a finished run folder to its record. */
import { InputError } from "../errors.ts";
import type { CaseResult } from "../evaluation/summary.ts";
import { checkpointRules, configHash, type RunConfig, selectors } from "../training/config.ts";
import { type LogLine, readConfig, readLog } from "../training/run_folder.ts";
import type { Choice } from "./choice.ts";
import type { EvaluationRecord, RunRecord } from "./record.ts";

/** Points of a learning curve. */
const curvePoints = 200;

/** What a runner measured beside the log. */
export interface Measured {
  readonly evaluateSeconds: number | null;
  readonly peakBytes: number | null;
}

/**
 * The record of a run folder. Every pair of summary*.json and per_case*.csv in it is an evaluation.
 *
 * @throws InputError where the run is not finished or not evaluated, is another run than the choice, or its files
 * do not fit each other.
 */
export async function recordOfRun(folder: string, choice: Choice, measured: Measured): Promise<RunRecord> {
  const config = await readConfig(folder);
  if (config === undefined) throw new InputError(`${folder} is not a run folder: it has no config.json`);
  const difference = otherRun(config, choice);
  if (difference !== undefined) throw new InputError(`${folder} is another run than declared: ${difference}`);
  const log = await readLog(folder);
  if (!log.some(({ event }) => event === "finished")) {
    throw new InputError(`${folder} is not finished: step ${log.at(-1)?.step ?? 0} of ${config.iterations}`);
  }
  const evaluations = await readEvaluations(folder, config);
  if (!evaluations.some(({ rule, largestComponent }) => rule === "last" && !largestComponent)) {
    throw new InputError(`${folder} is not evaluated; run: deno task evaluate ${folder}`);
  }
  const steps = log.filter(({ event, total }) => event === "step" && total !== undefined);
  const looks = log.filter(({ event }) => event === "evaluation");
  const seconds = steps.map(({ seconds }) => seconds ?? 0);
  return {
    format: 1,
    name: folder.replace(/\/+$/, "").replace(/^.*\//, ""),
    choice,
    config,
    configHash: await configHash(config),
    environment: JSON.parse(await Deno.readTextFile(`${folder}/environment.json`)),
    cost: {
      secondsPerStep: median(seconds),
      trainSeconds: round(seconds.reduce((sum, value) => sum + value, 0)),
      lookSeconds: round(looks.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0)),
      evaluateSeconds: measured.evaluateSeconds === null ? null : round(measured.evaluateSeconds),
      peakBytes: measured.peakBytes,
    },
    evaluations,
    looks: looksOf(looks),
    curve: curveOf(steps),
  };
}

/** Where a configuration is not the choice's. */
function otherRun(config: RunConfig, choice: Choice): string | undefined {
  for (const key of ["method", "variant", "dataset", "labelled", "profile", "seed"] as const) {
    if (config[key] !== choice[key]) return `${key} is ${config[key]}, not ${choice[key]}`;
  }
  for (const setting of choice.settings) {
    const [key, value] = setting.split("=");
    if (String(config.hyperparameters[key]) !== value) {
      return `${key} is ${config.hyperparameters[key]}, not ${value}`;
    }
  }
  return undefined;
}

async function readEvaluations(folder: string, config: RunConfig): Promise<EvaluationRecord[]> {
  const found: EvaluationRecord[] = [];
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    /^summary\w*\.json$/.test(name)
  ).sort();
  for (const name of names) {
    const suffix = name.slice("summary".length, -".json".length);
    const csv = await Deno.readTextFile(`${folder}/per_case${suffix}.csv`).catch(() => undefined);
    if (csv === undefined) throw new InputError(`${folder}/${name} has no per_case${suffix}.csv beside it`);
    const summary = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
    const rule = summary.checkpoint?.rule;
    if (!checkpointRules.includes(rule)) {
      throw new InputError(
        `${folder}/${name}: unknown checkpoint rule "${rule}" (known: ${checkpointRules.join(", ")})`,
      );
    }
    const cases = parsePerCase(csv, `${folder}/per_case${suffix}.csv`);
    const missing = config.test.filter((test) => !cases.some((one) => one.case === test));
    if (missing.length > 0) {
      throw new InputError(
        `${folder}/per_case${suffix}.csv lacks ${missing.length} of ${config.test.length} test cases; ` +
          `evaluate the run again`,
      );
    }
    const { step } = summary.checkpoint;
    const largestComponent = suffix.includes("largest_component");
    found.push({ rule, step, largestComponent, metrics: String(summary.metrics), cases });
  }
  return found;
}

/**
 * The cases of a per_case.csv.
 *
 * @throws InputError where a line has not as many fields as the header, or a number is none.
 */
export function parsePerCase(csv: string, path: string): CaseResult[] {
  const [header, ...lines] = csv.trimEnd().split("\n").map(fieldsOf);
  return lines.map((fields, i) => {
    const at = (column: string): string => {
      const text = fields[header.indexOf(column)];
      if (text === undefined || fields.length !== header.length) {
        throw new InputError(`${path}, line ${i + 2}: expected ${header.length} fields with "${column}"`);
      }
      return text;
    };
    const number = (column: string): number | null => {
      const text = at(column);
      if (text !== "" && !Number.isFinite(Number(text))) {
        throw new InputError(`${path}, line ${i + 2}: "${text}" is no number (${column})`);
      }
      return text === "" ? null : Number(text);
    };
    const reason = at("undefined_because");
    return {
      case: at("case"),
      dice: number("dice"),
      jaccard: number("jaccard") ?? 0,
      hd95Voxel: number("hd95Voxel"),
      asdVoxel: number("asdVoxel"),
      hd95Mm: number("hd95Mm"),
      asdMm: number("asdMm"),
      voxels: {
        prediction: number("predicted_voxels") ?? 0,
        reference: number("reference_voxels") ?? 0,
        both: number("common_voxels") ?? 0,
      },
      ...(reason === "" ? {} : { undefinedBecause: reason }),
    };
  });
}

/** Fields of a line whose quoted fields may hold commas. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, bare]) =>
    quoted?.replaceAll('""', '"') ?? bare
  );
}

function looksOf(looks: readonly LogLine[]): RunRecord["looks"] {
  const chosen = selectors.filter((selector) =>
    looks.some(({ values }) => `${selector}.dice` in (values ?? {}))
  );
  return {
    steps: looks.map(({ step }) => step),
    ...Object.fromEntries(
      chosen.map((selector) => [selector, looks.map(({ values }) => digits(values?.[`${selector}.dice`]))]),
    ),
  };
}

function curveOf(steps: readonly LogLine[]): RunRecord["curve"] {
  const stride = Math.max(1, Math.ceil(steps.length / curvePoints));
  const kept = steps.filter((_, i) => i % stride === 0 || i === steps.length - 1);
  const names = Object.keys(steps.at(-1)?.terms ?? {});
  const readings = [...new Set(kept.flatMap(({ values }) => Object.keys(values ?? {})))];
  return {
    steps: kept.map(({ step }) => step),
    total: kept.map(({ total }) => digits(total)),
    terms: Object.fromEntries(names.map((name) => [name, kept.map(({ terms }) => digits(terms?.[name]))])),
    ...(readings.length > 0 && {
      values: Object.fromEntries(
        readings.map((name) => [name, kept.map(({ values }) => values?.[name] ?? null)]),
      ),
    }),
  };
}

function digits(value: number | undefined): number {
  return Number((value ?? 0).toPrecision(5));
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return round(
    sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2,
  );
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
