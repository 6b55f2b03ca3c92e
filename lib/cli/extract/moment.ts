/** One labelled crop at the end of training: what SAR and the regression see, for the figures 2 and 3. */
import { tf } from "../../engine/tensor.ts";
import { InputError } from "../../errors.ts";
import type { BranchMoment, TrainingMoment } from "../../experiments/figure_data.ts";
import type { SasNetRun } from "../../methods/sasnet.ts";
import { evaluationMode } from "../../network/unit.ts";
import { type BranchIndex, type Visit, visitsOf } from "../../sasnet/confidence_memory.ts";
import { meanOfBranches, reweight } from "../../sasnet/sar.ts";
import { signedDistanceMap } from "../../sasnet/sdm.ts";
import { crop as cut } from "../../volume/crop.ts";
import { type Triple, voxelCount } from "../../volume/volume.ts";
import type { Extraction } from "./cases.ts";
import { cropAboutLabel } from "./crop.ts";

/**
 * The first labelled case that training visited, about its label.
 *
 * @param run with the method's state of the checkpoint.
 * @throws InputError where the run has one branch or no memory.
 */
export async function trainingMoment(
  { loaded, source }: Extraction,
  run: SasNetRun,
): Promise<TrainingMoment> {
  const { config } = loaded;
  const memory = run.memory();
  const name = config.train.slice(0, config.labelled).find((name) => memory.cases.has(name));
  if (name === undefined || run.branchNames?.length !== 2) {
    throw new InputError(
      `this run has no memory of SAR; figures 2 and 3 need SASNet with both branches and SAR`,
    );
  }
  const loadedCase = await source.load(name);
  const { crop } = config;
  const { start, image, label, plane } = cropAboutLabel(loadedCase, crop);
  const remembered = ([0, 1] as const).map((branch: BranchIndex) => visitsOf(memory, name, branch));
  const { shape } = remembered[0];
  // The memory covers the padded volume.
  const location = start.map((from, axis) =>
    from + (shape[axis] - loadedCase.image.shape[axis]) / 2
  ) as unknown as Triple;
  const window = { start: location, size: crop };
  const images = tf.tensor5d(image, [1, ...crop, 1]);
  const outputs = run.networks.network.forward(images, evaluationMode);
  const [high, low] = outputs.map(({ margin }) => tf.sigmoid(margin).dataSync<"float32">());
  const distances = outputs.map(({ distance }) => distance!.dataSync<"float32">());
  const alpha = Number(config.hyperparameters.alpha);
  const visit: Visit = { case: name, shape, location, permutation: [0, 1, 2] };
  const { foreground, weighted } = reweight(memory, [visit], {
    ...{ high, low, labels: label, patch: crop, alpha },
    index: "branch",
    withWeighted: true,
  });
  const voxels = voxelCount(crop);
  const branch = (index: BranchIndex, probability: Float32Array): BranchMoment => ({
    probability: plane(probability),
    last: plane(cut(remembered[index].last, shape, window)),
    before: plane(cut(remembered[index].before, shape, window)),
    weighted: plane(weighted!.slice((2 * index + 1) * voxels, (2 * index + 2) * voxels)),
    confidence: plane(probability.map((p, i) => label[i] === 0 ? 1 - p : p)),
    distance: plane(distances[index]),
  });
  const visited = cut(remembered[0].visited, shape, window).reduce((sum, one) => sum + one, 0) / voxels;
  const mask = Uint8Array.from(foreground, (p) => p > 0.5 ? 1 : 0);
  return {
    ...{ case: name, memory: memory.options.rule, alpha, visited },
    image: plane(image),
    truth: plane(label),
    high: branch(0, high),
    low: branch(1, low),
    ensemble: plane(foreground),
    mean: plane(meanOfBranches(high, low)),
    sdm: plane(signedDistanceMap(mask, crop)),
  };
}
