/** What was measured of a work: its numbers, and the line that says them. */
import { formatBytes } from "../progress.ts";
import type { Measurement } from "./side.ts";
import { type BenchTask, type Work, workFacts } from "./task.ts";

/** A task of the command line. */
export type WorkTask = BenchTask & { readonly work: Work };

/** What was measured of one work, as `--json` gives it. Ratios are the kit's number over the peer's. */
export interface Result {
  readonly work: Work;
  readonly size: string;
  readonly width: number;
  readonly batch: number;
  readonly seconds: { readonly median: number; readonly minimum: number; readonly all: readonly number[] };
  readonly peakBytes: number;
  readonly peer: {
    readonly name: string;
    readonly seconds: number;
    readonly minimum: number;
    readonly all: readonly number[];
    readonly peakBytes: number;
  } | null;
  readonly ratio: number | null;
  readonly minimumRatio: number | null;
  readonly peakRatio: number | null;
  /** Of the works that prepare: the peer without hashes and fingerprint. */
  readonly bare?: { readonly seconds: number; readonly all: readonly number[]; readonly ratio: number };
}

/**
 * The numbers of a work.
 *
 * @param measurements the kit's, then those of its peer and of the peer's bare steps, where there are such.
 */
export function resultOf(
  { work, size, width, batch }: WorkTask,
  [own, other, bare]: readonly Measurement[],
): Result {
  const seconds = statistics(own.seconds);
  const base = { work, size: size.join("x"), width, batch, seconds, peakBytes: own.peakBytes };
  if (other === undefined) return { ...base, peer: null, ratio: null, minimumRatio: null, peakRatio: null };
  const { median, minimum, all } = statistics(other.seconds);
  return {
    ...base,
    peer: { name: workFacts[work].peer!, seconds: median, minimum, all, peakBytes: other.peakBytes },
    ratio: seconds.median / median,
    minimumRatio: seconds.minimum / minimum,
    peakRatio: own.peakBytes / other.peakBytes,
    ...(bare && { bare: bareOf(seconds.median, bare) }),
  };
}

function bareOf(own: number, { seconds }: Measurement): NonNullable<Result["bare"]> {
  const { median, all } = statistics(seconds);
  return { seconds: median, all, ratio: own / median };
}

/** One line for people. */
export function lineOf(
  { work, size, width, seconds, peakBytes, peer, ratio, minimumRatio, peakRatio, bare }: Result,
): string {
  const time = ({ median, minimum }: { median: number; minimum: number }) =>
    `${median.toPrecision(3)} s (at best ${minimum.toPrecision(3)})`;
  const what = work === "start" ? work : `${work} ${size} width ${width}`;
  const own = `${what}: ${time(seconds)}, ${formatBytes(peakBytes)}`;
  if (peer === null) return own;
  const other = time({ median: peer.seconds, minimum: peer.minimum });
  return `${own}; ${peer.name}: ${other}, ${formatBytes(peer.peakBytes)}; ` +
    `time ${ratio!.toFixed(2)} × (at best ${minimumRatio!.toFixed(2)}), peak memory ${
      peakRatio!.toFixed(2)
    } ×` +
    (bare === undefined
      ? ""
      : `; its steps without hashes and fingerprint: ${bare.seconds.toPrecision(3)} s, time ${
        bare.ratio.toFixed(2)
      } ×`);
}

function statistics(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, minimum: sorted[0], all: values };
}
