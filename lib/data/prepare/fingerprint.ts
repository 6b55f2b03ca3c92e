/** What a case was and what it became, in a few numbers. */
import { connectedComponents } from "../../volume/components.ts";
import type { Volume } from "../../volume/volume.ts";
import type { RawVolumes } from "./raw_volumes.ts";
import type { Fingerprint, Quantiles } from "./record.ts";

/** Quantiles are those of at most this many voxels at equal distances. */
const sampled = 200_000;

const fractions = [0, 0.005, 0.5, 0.995, 1] as const;

/** The raw side of a fingerprint; taken before the raw image is let go. */
export function rawFingerprint({ format, image, label }: RawVolumes): Fingerprint["raw"] {
  const { shape, spacing } = image;
  const inside = new Float32Array(label.data.reduce((sum, value) => sum + value, 0));
  for (let i = 0, to = 0; i < label.data.length; i++) if (label.data[i] !== 0) inside[to++] = image.data[i];
  return {
    format,
    shape,
    spacing,
    intensities: quantilesOf(image.data),
    labelIntensities: quantilesOf(inside),
  };
}

/** The prepared side, and the label. */
export function preparedFingerprint(
  image: Volume,
  label: Volume<Uint8Array>,
): Pick<Fingerprint, "prepared" | "label"> {
  const { data, shape, spacing } = image;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i];
  const mean = sum / data.length;
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += (data[i] - mean) ** 2;
  const { sizes } = connectedComponents(label.data, shape);
  const voxels = sizes.reduce((total, size) => total + size, 0);
  return {
    prepared: {
      shape,
      spacing,
      intensities: quantilesOf(data),
      mean: rounded(mean),
      deviation: rounded(Math.sqrt(squares / data.length)),
    },
    label: {
      voxels,
      millilitres: rounded(voxels * spacing[0] * spacing[1] * spacing[2] / 1000),
      share: rounded(voxels / data.length),
      components: sizes.length,
    },
  };
}

/** Least, 0.5 %, median, 99.5 % and greatest; of large arrays the inner ones are those of a sample. */
function quantilesOf(values: Float32Array): Quantiles {
  let [least, greatest] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > greatest) greatest = values[i];
  }
  const step = Math.max(1, values.length / sampled);
  const sample = Float32Array.from(
    { length: Math.floor(values.length / step) },
    (_, i) => values[Math.floor(i * step)],
  ).sort();
  const inner = fractions.slice(1, -1).map((fraction) => sample[Math.round(fraction * (sample.length - 1))]);
  return [least, ...inner, greatest].map(rounded) as unknown as Quantiles;
}

/** Six digits, as records print them. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
