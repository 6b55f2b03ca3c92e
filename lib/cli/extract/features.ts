/** Feature maps of the middle blocks of both decoders, for figure 8. */
import { evaluate } from "../../engine/activation.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import type { FeatureBlock, FigureContents } from "../../experiments/figure_data.ts";
import type { SasNetRun } from "../../methods/sasnet.ts";
import { evaluationMode } from "../../network/unit.ts";
import { takePlane } from "../../report/planes.ts";
import type { Shape3, Triple } from "../../volume/volume.ts";
import type { Extraction } from "./cases.ts";
import { cropAboutLabel } from "./crop.ts";

/** The blocks on a quarter and on half of the grid lie in the middle of a decoder. */
const middleLevels = [2, 1] as const;
/** Channels that are shown of a block. */
const shownChannels = 3;

/** The features of the first test case, about its label. */
export async function decoderFeatures(
  { loaded, source }: Extraction,
  run: SasNetRun,
): Promise<FigureContents["figure8"]> {
  const { config } = loaded;
  const loadedCase = await source.load(config.test[0]);
  const { crop } = config;
  const { image, label, slice, plane } = cropAboutLabel(loadedCase, crop);
  const { spacing } = loadedCase.image;
  const features = run.networks.network.features(tf.tensor5d(image, [1, ...crop, 1]), evaluationMode);
  const branches = features.map((states, i) => ({
    name: (run.branchNames ?? [])[i] as "high" | "low",
    blocks: middleLevels.flatMap((level) => {
      const state = states.find(({ raw }) => raw.shape[1] === crop[0] >> level);
      if (state === undefined) return [];
      const values = tidy(() => evaluate({ terms: [state] }).dataSync<"float32">());
      const [, x, y, z, channels] = state.raw.shape;
      const scale = 2 ** level;
      return [
        blockOf(values, {
          grid: [x, y, z],
          channels,
          slice: slice >> level,
          spacing: spacing.map((s) => s * scale) as unknown as Triple,
        }),
      ];
    }),
  }));
  return { case: config.test[0], image: plane(image), truth: plane(label), branches };
}

interface BlockShape {
  readonly grid: Shape3;
  readonly channels: number;
  readonly slice: number;
  readonly spacing: Triple;
}

/** @param values [x, y, z, channel] */
function blockOf(values: Float32Array, { grid, channels, slice, spacing }: BlockShape): FeatureBlock {
  const voxels = values.length / channels;
  const maps = Array.from(
    { length: channels },
    (_, channel) => Float32Array.from({ length: voxels }, (_, i) => values[i * channels + channel]),
  );
  const mean = Float32Array.from(
    { length: voxels },
    (_, i) => maps.reduce((sum, map) => sum + map[i], 0) / channels,
  );
  const plane = (data: Float32Array) => takePlane({ data, shape: grid, spacing }, 2, slice);
  const order = maps.map((map, channel) => ({ channel, spread: varianceOf(map) }))
    .sort((a, b) => b.spread - a.spread).slice(0, shownChannels);
  return {
    grid,
    channels,
    mean: plane(mean),
    strongest: order.map(({ channel }) => ({ channel, plane: plane(maps[channel]) })),
  };
}

function varianceOf(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}
