/**
 * How the cost of a training step grows with the crop, the width and the batch, and what share it reaches of what the
 * machine can do: the roofline, measured as matrix products and as copies.
 */
import { lineChart } from "../../report/curves.ts";
import { place, svgDocument } from "../../report/svg.ts";
import type { Shape3 } from "../../volume/volume.ts";
import { measureInTurn, type Measurement, type Program } from "./side.ts";
import type { BenchTask } from "./task.ts";

/** One measured step. */
export interface GrowthPoint {
  readonly along: "crop" | "width" | "batch";
  readonly size: Shape3;
  readonly width: number;
  readonly batch: number;
  /** At best. */
  readonly seconds: number;
  readonly peakBytes: number;
  /** Multiplications and additions of the convolutions and their two gradients, in 10⁹. */
  readonly gflop: number;
}

/** What the machine can do, measured. */
export interface Roofline {
  /** Matrix products of 2048×2048, in 10⁹ operations a second. */
  readonly gflops: number;
  /** Sum of two arrays of 64 MiB, in 10⁹ bytes a second read and written. */
  readonly gigabytes: number;
}

/** What {@link measureGrowth} found. */
export interface Growth {
  readonly roofline: Roofline;
  readonly points: readonly GrowthPoint[];
}

const base = { size: [64, 64, 32] as Shape3, width: 16, batch: 4 };
const sizes: readonly Shape3[] = [[32, 32, 16], [48, 48, 32], [64, 64, 32], [80, 80, 48], [96, 96, 64]];
const widths = [4, 8, 16, 24];
const batches = [2, 4, 6, 8];

/** How to measure. */
export interface GrowthOptions {
  readonly repeat: number;
  /** The program that measures one task. */
  readonly program: (task: BenchTask) => Program;
  readonly signal: AbortSignal;
  /** Operations of one step in 10⁹. */
  readonly gflop: (task: Pick<BenchTask, "size" | "width" | "batch">) => number;
  readonly report: (line: string) => void;
}

/** Measures the roofline and every point, each in a process of its own. */
export async function measureGrowth(options: GrowthOptions): Promise<Growth> {
  const { repeat, program, signal, gflop, report } = options;
  const roofline = await measureRoofline(options);
  const { gflops, gigabytes } = roofline;
  report(`matrix products ${gflops.toFixed(0)} GFLOP/s, sums ${gigabytes.toFixed(0)} GB/s`);
  const wanted = [
    ...sizes.map((size) => ({ along: "crop" as const, ...base, size })),
    ...widths.map((width) => ({ along: "width" as const, ...base, width })),
    ...batches.map((batch) => ({ along: "batch" as const, ...base, batch })),
  ];
  const known = new Map<string, Measurement>();
  const points: GrowthPoint[] = [];
  for (const { along, size, width, batch } of wanted) {
    const key = `${size.join("×")} width ${width} batch ${batch}`;
    let measured = known.get(key);
    if (measured === undefined) {
      const task: BenchTask = { work: "step", size, width, batch, file: "" };
      [measured] = await measureInTurn([program(task)], { repeat, signal });
      known.set(key, measured);
    }
    const seconds = Math.min(...measured.seconds);
    const operations = gflop({ size, width, batch });
    points.push({ along, size, width, batch, seconds, peakBytes: measured.peakBytes, gflop: operations });
    report(
      `${key}: ${seconds.toFixed(2)} s, ${(measured.peakBytes / 1e9).toFixed(2)} GB, ${
        (100 * operations / seconds / gflops).toFixed(0)
      } % of the matrix products' rate`,
    );
  }
  return { roofline, points };
}

/** Side of the matrices, and values of the arrays, whose product and sum the roofline is made of. */
export const rooflineSide = 2048;
export const rooflineLength = 2 ** 24;

async function measureRoofline({ repeat, program, signal }: GrowthOptions): Promise<Roofline> {
  const best = async (work: "product" | "sum") => {
    const [{ seconds }] = await measureInTurn([program({ work, ...base, file: "" })], { repeat, signal });
    return Math.min(...seconds);
  };
  return {
    gflops: 2 * rooflineSide ** 3 / await best("product") / 1e9,
    gigabytes: 3 * 4 * rooflineLength / await best("sum") / 1e9,
  };
}

/** Three pairs of curves: seconds and gigabytes along crop, width and batch. */
export function growthFigure({ points, roofline }: Growth): string {
  const abscissae = {
    crop: { label: "voxels of the crop, thousands", of: ({ size }: GrowthPoint) => product(size) / 1000 },
    width: { label: "width", of: ({ width }: GrowthPoint) => width },
    batch: { label: "crops in the batch", of: ({ batch }: GrowthPoint) => batch },
  };
  const panels: string[] = [];
  for (const [column, along] of (["crop", "width", "batch"] as const).entries()) {
    const chosen = points.filter((point) => point.along === along);
    const steps = chosen.map(abscissae[along].of);
    const xLabel = abscissae[along].label;
    const time = lineChart([
      { name: "step", steps, values: chosen.map(({ seconds }) => seconds) },
      {
        name: "its convolutions at the rate of matrix products",
        steps,
        values: chosen.map(({ gflop }) => gflop / roofline.gflops),
      },
    ], { xLabel, yLabel: "seconds", width: 240, height: 180 });
    const memory = lineChart([
      { name: "peak of the process", steps, values: chosen.map(({ peakBytes }) => peakBytes / 1e9) },
    ], { xLabel, yLabel: "GB", width: 240, height: 160 });
    panels.push(place(time, 250 * column, 0), place(memory, 250 * column, 190));
  }
  const alt = "Seconds and memory of a training step along crop, width and batch";
  return svgDocument({ width: 740, height: 350, body: panels.join(""), alt });
}

/** The measurements as a Markdown table. */
export function growthTable({ points, roofline }: Growth): string {
  const rows = points.map(({ along, size, width, batch, seconds, peakBytes, gflop }) =>
    `| ${along} | ${size.join("×")} | ${width} | ${batch} | ${seconds.toFixed(2)} | ${
      (peakBytes / 1e9).toFixed(2)
    } | ${gflop.toFixed(0)} | ${(100 * gflop / seconds / roofline.gflops).toFixed(0)} % |`
  );
  return [
    "| along | crop | width | batch | seconds | peak GB | GFLOP | share of the roofline |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}
