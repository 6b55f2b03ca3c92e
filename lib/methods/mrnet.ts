/**
 * MRNet: a coarse network that predicts what the raters agree on, weighted by a condition; a rater network that tells
 * from it what each rater drew; a refiner that attends to where they disagree. It is fully supervised and needs
 * several masks a case. Data with one mask get synthetic raters (mrnet/raters.ts), and unlabelled crops, unless the
 * form is strict, pseudo-raters: three moving averages of the coarse network, each with a memory of its own.
 *
 * Its networks are 2-D. Here coarse and rater network are V-Nets with the conditioning ConvLSTM in 3-D, the refiner
 * acts on the last decoder map, its Gaussian is separable, and one logit stands for the two exclusive classes.
 */
import { evaluate } from "../engine/activation.ts";
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createConditionedVNet } from "../network/conditioned_vnet.ts";
import { createRefiner } from "../network/refiner.ts";
import { evaluationMode, type ForwardMode } from "../network/unit.ts";
import type {
  Method,
  MethodRun,
  MethodSetting,
  Objective,
  StepContext,
  TensorBatch,
  Terms,
} from "./method.ts";
import { binaryCrossEntropy, deviation, drawConditions, uniform, weighted, withMap } from "./mrnet/maps.ts";
import { createPseudoRaters, type PseudoLabels } from "./mrnet/pseudo_raters.ts";
import { raterCount, syntheticRaters } from "./mrnet/raters.ts";
import { reconstructionLoss } from "./mrnet/reconstruction.ts";
import { type Coarse, free, kept, type Shared } from "./mrnet/shared.ts";
import type { OptimiserSettings } from "./optimiser_settings.ts";
import { trainingMode } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";
import { teacherMode } from "./parts/teacher.ts";

/** MRNet's own settings. */
export type MrnetHyperparameters = {
  /** "strict": labelled crops alone, as published; "semi-supervised": pseudo-raters for the others. */
  readonly form: string;
  /** Weights of the coarse network's fit to the raters and of the reconstruction loss. */
  readonly fit: number;
  readonly reconstruction: number;
  /** Final weight of the pseudo-raters. */
  readonly agreement: number;
  /** What of the coarse prediction the rater network sees. */
  readonly raterInput: string;
  /** The released reconstruction loss, through which no gradient flows. */
  readonly inertReconstruction: boolean;
  /** The released refinement under equal weights, which gets the coarse prediction under random ones. */
  readonly swappedRefinement: boolean;
  /** Voxels of the refiner's Gaussian along each axis, odd. */
  readonly softening: number;
};

/** Weights of the losses under equal (a), random (p) and single (m) conditions. */
const conditionWeights = [3 / 6, 2 / 6, 1 / 6] as const;

/** The released optimiser of all three networks. */
const released: OptimiserSettings = {
  kind: "adam",
  rule: "constant",
  learningRate: 1e-4,
  betas: [0.9, 0.999],
  weightDecay: 5e-4,
};

/** MRNet (Ji et al., CVPR 2021). */
export const mrnet: Method<MrnetHyperparameters> = {
  key: "mrnet",
  name: "MRNet",
  venue: "CVPR 2021",
  source: "Ji et al.; jiwei0921/MRNet",
  tables: [1, 2],
  unlabelledTerms: ["agreement"],
  nativeOperation: "the gradient of its softening kernel",
  supervisedOnly: ["form=strict"],
  defaults: (variant) => ({
    form: "semi-supervised",
    fit: 0.7,
    reconstruction: 0.3,
    agreement: 0.1,
    raterInput: variant === "official" ? "logit" : "probability",
    inertReconstruction: variant === "official",
    swappedRefinement: variant === "official",
    // 31 of 256 pixels in the released code, the same share of 112 voxels
    softening: 13,
  }),
  choices: { form: ["semi-supervised", "strict"], raterInput: ["probability", "logit"] },
  limits: { softening: { least: 1, whole: "odd" } },
  nativeOptimiser: () => released,
  create: createMrnetRun,
};

function createMrnetRun(setting: MethodSetting<MrnetHyperparameters>): MethodRun {
  const { hyperparameters: h, width, seed, dropout } = setting;
  const raters = raterCount;
  const coarseNetwork = () =>
    createConditionedVNet({ width, inChannels: 1, outChannels: 1, raters, dropout, seed });
  const coarse = coarseNetwork();
  const thinner = { width: Math.ceil(width / 2), inChannels: 2, outChannels: raters };
  const rater = createConditionedVNet({ ...thinner, raters, dropout, seed });
  const refiner = createRefiner({ width, softening: h.softening, seed });
  const pseudoRaters = h.form === "semi-supervised" && h.agreement > 0
    ? createPseudoRaters(coarseNetwork)
    : undefined;
  const draw = syntheticRaters(setting.crop, seed);
  let shared: Shared | undefined;

  /** The rater network's input: on one scale with masks, unless the released logits are asked for. */
  function withImages(images: tf.Tensor5D, margin: tf.Tensor4D): tf.Tensor5D {
    return withMap(images, h.raterInput === "logit" ? margin : tf.sigmoid(margin));
  }

  /** Its gradient reaches the coarse network; the released code cuts it off. */
  function reconstruction(images: tf.Tensor5D, margin: tf.Tensor4D, target: tf.Tensor4D): tf.Scalar {
    const distance = () => reconstructionLoss(rater, withImages(images, margin), withMap(images, target));
    return h.inertReconstruction ? untaped(distance) : distance();
  }

  function agreementTerm(margin: tf.Tensor4D, { target, agreement }: PseudoLabels, step: StepContext) {
    const weight = rampUp(step, { share: 1, ticks: 40, maximum: h.agreement });
    return { weight, value: binaryCrossEntropy(margin, target, agreement) };
  }

  /** The coarse network: L = 0.7·(3·a + 2·p + 1·m)/6 + 0.3·reconstruction, and the pseudo-raters. */
  function loss({ images, labels, labelBytes, labelled }: TensorBatch, step: StepContext): Terms {
    free(shared);
    const input = tf.slice(images, 0, labelled);
    const mode = trainingMode(step);
    const given = untaped(() => {
      const masks = tf.tensor5d(draw(labelBytes), [...labels.shape, raters]);
      const conditions = drawConditions(labelled, step.stream("conditions"));
      return {
        images: tf.clone(input),
        masks,
        conditions,
        targets: conditions.map((c) => weighted(masks, c)),
      };
    });
    const outputs = coarse.forward(input, given.conditions, mode);
    const margins = outputs.map(({ logits }) => tf.squeeze(logits, [4]) as tf.Tensor4D);
    const fits = margins.map((margin, i) => ({
      weight: h.fit * conditionWeights[i],
      value: binaryCrossEntropy(margin, given.targets[i]),
    }));
    const terms: Terms = {
      equal: fits[0],
      random: fits[1],
      single: fits[2],
      reconstruction: {
        weight: h.reconstruction,
        value: reconstruction(input, margins[0], given.targets[0]),
      },
    };
    const offTape = (output: typeof outputs[number]): Coarse =>
      untaped(() => ({ features: evaluate(output.last), margin: tf.squeeze(output.logits, [4]) }));
    shared = kept({ ...given, coarse: outputs.map(offTape), deviations: [] });
    if (pseudoRaters === undefined) return terms;
    const others = tf.slice(images, labelled);
    const [output] = coarse.forward(others, [uniform(others.shape[0])], mode);
    const unlabelled = untaped(() => ({
      images: tf.clone(others),
      coarse: offTape(output),
      said: pseudoRaters.label(others, step),
    }));
    shared = { ...shared, unlabelled: kept(unlabelled) };
    const margin = tf.squeeze(output.logits, [4]) as tf.Tensor4D;
    return { ...terms, agreement: agreementTerm(margin, unlabelled.said, step) };
  }

  /** The rater network: the mean over conditions and raters. */
  function raterLoss(_batch: TensorBatch, step: StepContext): Terms {
    const { images, masks, conditions, coarse, deviations } = shared!;
    const mode = trainingMode(step, "rater");
    const losses = conditions.map((condition, i) => {
      const [{ logits }] = rater.forward(withImages(images, coarse[i].margin), [condition], mode);
      deviations.push(kept(untaped(() => deviation(tf.sigmoid(logits)))));
      return binaryCrossEntropy(logits, masks);
    });
    return { raters: { weight: 1, value: tf.div(tf.addN(losses), losses.length) as tf.Scalar } };
  }

  /** The refiner: (3·a + 2·p + 1·m)/6, and the pseudo-raters. */
  function refinerLoss(_batch: TensorBatch, step: StepContext): Terms {
    const { coarse, deviations, targets, unlabelled } = shared!;
    const mode: ForwardMode = { training: true, updateStatistics: true };
    const [equal, random, single] = coarse.map(({ features, margin }, i) => {
      const said = h.swappedRefinement && i === 0 ? coarse[1].margin : margin;
      const refined = refiner.forward(features, [tf.sigmoid(said), deviations[i]], mode);
      return { weight: conditionWeights[i], value: binaryCrossEntropy(refined, targets[i]) };
    });
    const terms: Terms = { equal, random, single };
    if (unlabelled === undefined) return terms;
    const { images, coarse: { features, margin } } = unlabelled;
    const disagreement = untaped(() => {
      const [{ logits }] = rater.forward(
        withImages(images, margin),
        [uniform(images.shape[0])],
        teacherMode(step.stream("rater of unlabelled")),
      );
      return deviation(tf.sigmoid(logits));
    });
    const refined = refiner.forward(features, [tf.sigmoid(margin), disagreement], mode);
    return { ...terms, agreement: agreementTerm(refined, unlabelled.said, step) };
  }

  const further: Objective[] = [
    { name: "rater", trains: ["rater"], optimiser: released, loss: raterLoss },
    { name: "refiner", trains: ["refiner"], optimiser: "run", loss: refinerLoss },
  ];
  return {
    networks: { coarse, rater, refiner, ...pseudoRaters?.networks },
    trained: ["coarse"],
    loss,
    further,
    afterStep({ iteration }) {
      free(shared);
      shared = undefined;
      pseudoRaters?.follow(coarse, iteration);
    },
    predictor: { layers: [...coarse.layers, ...rater.layers, ...refiner.layers] },
    predict: (images) =>
      tidy(() => {
        const conditions = [uniform(images.shape[0])];
        const [{ last, logits }] = coarse.forward(images, conditions, evaluationMode);
        const margin = tf.squeeze(logits, [4]) as tf.Tensor4D;
        const [drawn] = rater.forward(withImages(images, margin), conditions, evaluationMode);
        const maps = [tf.sigmoid(margin), deviation(tf.sigmoid(drawn.logits))] as const;
        return tf.sigmoid(refiner.forward(evaluate(last), maps, evaluationMode));
      }),
  };
}
