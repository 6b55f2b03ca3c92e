/** What a case was and what it became, in a few numbers. */
import { componentSizes } from "../../volume/components.ts";
import type { Box } from "../../volume/crop.ts";
import { extremesOf } from "../../volume/extremes.ts";
import type { Volume } from "../../volume/volume.ts";
import { intensityMoments } from "../preprocess.ts";
import { valuesAtRanks } from "./ranks.ts";
import type { RawVolumes } from "./raw_volumes.ts";
import type { Fingerprint, Quantiles } from "./record.ts";

/** Quantiles are those of at most this many voxels at equal distances. */
const sampled = 100_000;

const fractions = [0, 0.005, 0.5, 0.995, 1] as const;

/** The raw side of a fingerprint; taken before the raw image is let go. */
export function rawFingerprint({ format, image, extremes, label, labelBox }: RawVolumes): Fingerprint["raw"] {
  const { shape, spacing } = image;
  const inside = valuesInside(image, label, labelBox);
  return {
    format,
    shape,
    spacing,
    intensities: quantilesOf(image.data, extremes),
    labelIntensities: quantilesOf(inside, extremesOf(inside)),
  };
}

/** The prepared side, and the label. */
export function preparedFingerprint(
  image: Volume,
  label: Volume<Uint8Array>,
): Pick<Fingerprint, "prepared" | "label"> {
  const { data, shape, spacing } = image;
  const { mean, deviation } = intensityMoments(data);
  const sizes = componentSizes(label.data, shape);
  const voxels = sizes.reduce((total, size) => total + size, 0);
  return {
    prepared: {
      shape,
      spacing,
      intensities: quantilesOf(data, extremesOf(data)),
      mean: rounded(mean),
      deviation: rounded(deviation),
    },
    label: {
      voxels,
      millilitres: rounded(voxels * spacing[0] * spacing[1] * spacing[2] / 1000),
      share: rounded(voxels / data.length),
      components: sizes.length,
    },
  };
}

/** The image's voxels in the label, which lies in the box. */
function valuesInside(
  { data, shape: [, ny, nz] }: Volume,
  label: Volume<Uint8Array>,
  { start: [x0, y0, z0], size: [sx, sy, sz] }: Box,
): Float32Array {
  const inside = new Float32Array(sx * sy * sz);
  let count = 0;
  for (let x = x0; x < x0 + sx; x++) {
    for (let y = y0; y < y0 + sy; y++) {
      const row = (x * ny + y) * nz;
      for (let i = row + z0; i < row + z0 + sz; i++) if (label.data[i] !== 0) inside[count++] = data[i];
    }
  }
  return inside.subarray(0, count);
}

/** Least, 0.5 %, median, 99.5 % and greatest; of large arrays the inner ones are those of a sample. */
function quantilesOf(values: Float32Array, [least, greatest]: readonly [number, number]): Quantiles {
  const step = Math.max(1, values.length / sampled);
  const sample = new Float32Array(Math.floor(values.length / step));
  for (let i = 0; i < sample.length; i++) sample[i] = values[Math.floor(i * step)];
  const ranks = fractions.slice(1, -1).map((fraction) => Math.round(fraction * (sample.length - 1)));
  const inner = valuesAtRanks(sample, ranks);
  return [least, ...inner, greatest].map(rounded) as unknown as Quantiles;
}

/** Six digits, as records print them. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
