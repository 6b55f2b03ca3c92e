/** The fingerprint by which phantoms are compared with real volumes. */
import { blur } from "../../lib/data/phantom/acquisition.ts";
import type { Case } from "../../lib/data/source.ts";
import { largestComponent } from "../../lib/volume/components.ts";
import { boundingBox } from "../../lib/volume/crop.ts";
import { signedSquaredDistances } from "../../lib/volume/distance.ts";

export interface Fingerprint {
  readonly shape: readonly number[];
  /** Voxels of the label's box along x, y, z. */
  readonly extent: readonly number[];
  /** The label's share of the volume. */
  readonly share: number;
  /** Whether the label is one piece. */
  readonly connected: boolean;
  /** Mean and deviation in the label. */
  readonly inside: number;
  readonly insideDeviation: number;
  /** Mean of the voxels 1.5 to 6 voxels around it. */
  readonly shell: number;
  /** Share of these that are as bright as the label: brighter than its mean minus half a deviation. */
  readonly brightShell: number;
  /** Share of the voxels 0.5 to 2.5 voxels around the label that lie within a deviation of its mean. */
  readonly touching: number;
  /** Deep in the label, what a Gaussian of 1.5 voxels leaves: its deviation, and its correlation along x, y, z. */
  readonly grain: number;
  readonly correlation: readonly number[];
}

export function fingerprint({ image, label }: Case): Fingerprint {
  const { shape, data } = image;
  const mask = label.data;
  const { squared } = signedSquaredDistances(mask, shape);
  const select = (accept: (distance: number) => boolean) => data.filter((_, i) => accept(squared[i]));
  const inside = data.filter((_, i) => mask[i] === 1);
  const shell = select((d) => d > 1.5 ** 2 && d < 6 ** 2);
  const border = select((d) => d > 0 && d < 2.5 ** 2);
  const [mean, deviation] = moments(inside);
  const smooth = blur(data.slice(), shape, [1.5, 1.5, 1.5]);
  const residual = data.map((value, i) => value - smooth[i]);
  const deep = mask.map((_, i) => squared[i] < -9 ? 1 : 0);
  const strides = [shape[1] * shape[2], shape[2], 1];
  return {
    shape,
    extent: boundingBox(mask, shape)!.size,
    share: inside.length / data.length,
    connected: largestComponent(mask, shape).every((value, i) => value === mask[i]),
    inside: mean,
    insideDeviation: deviation,
    shell: moments(shell)[0],
    brightShell: shell.filter((value) => value > mean - deviation / 2).length / shell.length,
    touching: border.filter((value) => Math.abs(value - mean) < deviation).length / border.length,
    grain: moments(residual.filter((_, i) => deep[i] === 1))[1],
    correlation: strides.map((stride) => neighbourCorrelation(residual, deep, stride)),
  };
}

/** Mean and deviation. */
export function moments(values: Float32Array): [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return [mean, Math.sqrt(square)];
}

/** Correlation of voxels within the mask with their neighbours at the stride. */
function neighbourCorrelation(values: Float32Array, mask: Uint8Array, stride: number): number {
  const pairs = [...mask.keys()].filter((i) => mask[i] === 1 && mask[i + stride] === 1);
  const first = Float32Array.from(pairs, (i) => values[i]);
  const second = Float32Array.from(pairs, (i) => values[i + stride]);
  const [[a, sa], [b, sb]] = [moments(first), moments(second)];
  return first.reduce((sum, value, i) => sum + (value - a) * (second[i] - b), 0) / (first.length * sa * sb);
}
