/** CauSSL: branches that teach each other are kept independent, as far as a linear map of their kernels can tell. */
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { createIndependenceMaps, type IndependenceMaps, kernelsOf } from "../network/independence.ts";
import type { Network, Segmenter } from "../network/network.ts";
import { createSegmenter, createVNet } from "../network/segmenter.ts";
import { evaluationMode, type ForwardMode } from "../network/unit.ts";
import type { DecoderSpec } from "../network/vnet.ts";
import { randomStream } from "../random.ts";
import { count, positive, ticks } from "./limits.ts";
import type { Method, MethodSetting, StepContext, Term } from "./method.ts";
import { paperSgd } from "./optimiser_settings.ts";
import { crossEntropy, squaredDice, sum } from "./parts/losses.ts";
import { mutualConsistency } from "./parts/mutual_consistency.ts";
import { foregroundOf } from "./parts/passes.ts";
import { rampUp } from "./parts/ramp.ts";

/** CauSSL's own settings. */
export type CausslHyperparameters = {
  /** "mc": one encoder with three decoders; "cps": two networks (cross pseudo supervision). */
  readonly form: "mc" | "cps";
  /** Weight of cross-entropy and Dice of each branch. */
  readonly supervised: number;
  /** Final weight of the consistency, if the ramp-up came to its end; "cps" takes 0.3 of it. */
  readonly consistency: number;
  /** T of "mc"'s sharpening. */
  readonly temperature: number;
  /** Ticks of the ramp-up. */
  readonly rampUp: number;
  /** Weight of the branches' dependence. */
  readonly independence: number;
  /**
   * Steps between fits of the linear maps and steps of each fit, in a budget of 5,000 steps or more; both in
   * proportion below, so that the maps move once a step on average.
   */
  readonly fitEvery: number;
  /** True: only the first decoder of "mc" gets a gradient from the dependence, as released. */
  readonly releasedGradient: boolean;
};

/** The budget that the released schedules belong to, and what they count in it. */
const released = {
  steps: 5000,
  /** 40 ticks of 150 steps: the released runs end before the ramp does. */
  ramp: 6000,
  firstFit: { mc: 40, cps: 500 },
  firstConsistency: { mc: 0, cps: 400 },
} as const;

/** Adam's step on the linear maps. */
const mapRate = 2e-2;

/** The decoders of "mc": suffix of the released names and how they double the grid. */
const decoders: readonly { suffix: string; raising: NonNullable<DecoderSpec["raising"]> }[] = [
  { suffix: "", raising: "upsampling" },
  {
    suffix: "_trilinear",
    raising: { upsampling: { trilinear: "alignCorners" }, convolution: "1 before" },
  },
  { suffix: "_nearest", raising: { upsampling: "nearest", convolution: "1 before" } },
];

/** CauSSL (Miao et al., ICCV 2023), JuzhengMiao/CauSSL. */
export const caussl: Method<CausslHyperparameters> = {
  key: "caussl",
  name: "CauSSL",
  venue: "ICCV 2023",
  source: "Miao et al.; JuzhengMiao/CauSSL",
  tables: [1],
  unlabelledTerms: ["consistency"],
  supervisedOnly: ["consistency=0"],
  defaults: (variant) => ({
    form: "mc",
    supervised: 0.5,
    consistency: 0.1,
    temperature: 0.5,
    rampUp: 40,
    independence: 3,
    fitEvery: 60,
    releasedGradient: variant === "official",
  }),
  choices: { form: ["mc", "cps"] },
  limits: { temperature: positive, rampUp: ticks, fitEvery: count },
  nativeOptimiser: () => ({ ...paperSgd, rule: "half" }),
  create(setting) {
    const { hyperparameters: h, iterations } = setting;
    const { networks, forward, first, maps, branchNames } = h.form === "mc"
      ? multiDecoder(setting)
      : twoNetworks(setting);
    const branches = branchNames.map((_, branch) => branch);
    const period = Math.min(h.fitEvery, Math.max(1, Math.round(h.fitEvery * iterations / released.steps)));
    // The first multiple of the period after the start.
    const start = released.firstFit[h.form] * iterations / released.steps;
    const firstFit = period * (Math.floor(start / period) + 1);

    function consistency(margins: readonly tf.Tensor[], step: StepContext): Term {
      const share = released.ramp / released.steps;
      const weight = rampUp(step, { share, ticks: h.rampUp, maximum: h.consistency });
      if (h.form === "mc") {
        const { temperature } = h;
        return { weight, value: mutualConsistency(margins, { temperature, detached: true }) };
      }
      const begun = step.iteration - 1 > released.firstConsistency.cps * iterations / released.steps;
      return { weight: begun ? 0.3 * weight : 0, value: crossSupervision(margins) };
    }

    return {
      networks: { ...networks, maps },
      trained: Object.keys(networks),
      loss({ images, labels, labelled }, step) {
        const margins = forward(images, (pass) => ({
          training: true,
          updateStatistics: true,
          dropout: step.stream(pass),
        }));
        const ofLabelled = margins.map((margin) => tf.slice(margin, 0, labelled) as tf.Tensor4D);
        const ofUnlabelled = margins.map((margin) => tf.slice(margin, labelled));
        const crossEntropies = ofLabelled.map((margin) => crossEntropy(margin, labels));
        const dices = ofLabelled.map((margin) => squaredDice(tf.sigmoid(margin), labels));
        const terms = {
          crossEntropy: { weight: h.supervised, value: sum(crossEntropies) },
          dice: { weight: h.supervised, value: sum(dices) },
          consistency: consistency(ofUnlabelled, step),
        };
        if (step.iteration <= firstFit) return terms;
        // The release detaches the second and third decoder's own kernels by reading them from a state dictionary.
        const cut = (branch: number) => h.releasedGradient && h.form === "mc" && branch > 0;
        const value = sum(branches.map((branch) => maps.dependence(branch, cut(branch))));
        return { ...terms, independence: { weight: h.independence, value } };
      },
      further: [{
        name: "maps",
        trains: ["maps"],
        optimiser: {
          kind: "adam",
          rule: "constant",
          learningRate: mapRate,
          betas: [0.9, 0.999],
          weightDecay: 0,
        },
        // The release fits in front of a step, the kit behind the one before it; after the last there is no need.
        repeats: ({ iteration }) =>
          iteration >= firstFit && iteration % period === 0 && iteration < iterations ? period : 0,
        loss: () => ({
          dependence: { weight: -1, value: sum(branches.map((branch) => maps.dependence(branch, true))) },
        }),
      }],
      predictor: first,
      // The release scores both networks of "cps" separately; the kit reports the first.
      predict: (images) => foregroundOf(first, images),
      branchNames,
      combination: "first",
      predictBranches: (images) =>
        tidy(() =>
          forward(images, () => evaluationMode).map((margin, i) => ({
            name: branchNames[i],
            probability: tf.sigmoid(margin) as tf.Tensor4D,
          }))
        ),
    };
  },
};

/** What the two forms differ in. */
interface Form {
  readonly networks: Readonly<Record<string, Network>>;
  /** The branches' margins; each network's pass has a mode of its own. */
  readonly forward: (images: tf.Tensor5D, mode: (pass: string) => ForwardMode) => readonly tf.Tensor4D[];
  /** What predicts. */
  readonly first: Segmenter;
  readonly maps: IndependenceMaps;
  readonly branchNames: readonly string[];
}

/** Cross-entropy of each of two networks against the other's most probable class. */
function crossSupervision([first, second]: readonly tf.Tensor[]): tf.Scalar {
  const towards = (margin: tf.Tensor, teacher: tf.Tensor) => {
    const labels = untaped(() => tf.cast(tf.greater(teacher, 0), "float32"));
    return crossEntropy(margin as tf.Tensor4D, labels as tf.Tensor4D);
  };
  return tf.add(towards(first, second), towards(second, first));
}

function multiDecoder({ width, seed, dropout }: MethodSetting<CausslHyperparameters>): Form {
  const network = createSegmenter({
    width,
    seed,
    dropout,
    // The dropout after the last stage belongs to the encoder there.
    sharedDropout: true,
    encoder: "",
    decoders: decoders.map(({ suffix, raising }) => ({
      prefix: "",
      suffix,
      from: 5,
      head: { segmentation: `out_conv${suffix}` },
      raising,
    })),
  });
  // Blocks six to nine and the head: up-sampling layers differ between decoders.
  const kernels = decoders.map(({ suffix }) =>
    kernelsOf(network, new RegExp(`^(block_(six|seven|eight|nine)${suffix}\\.|out_conv${suffix}\\.)`))
  );
  return {
    networks: { network },
    forward: (images, mode) => network.forward(images, mode("dropout")).map(({ margin }) => margin),
    first: network.branch(0),
    maps: createIndependenceMaps(kernels, seed),
    branchNames: ["transposed", "trilinear", "nearest"],
  };
}

function twoNetworks({ width, seed, dropout }: MethodSetting<CausslHyperparameters>): Form {
  const seeds = { first: seed, second: randomStream(seed, "second network").integer(2 ** 31) };
  const [first, second] = Object.values(seeds).map((seed) => createVNet({ width, seed, dropout }));
  return {
    networks: { first, second },
    forward: (images, mode) => [
      first.forward(images, mode("first"))[0].margin,
      second.forward(images, mode("second"))[0].margin,
    ],
    first,
    maps: createIndependenceMaps([first, second].map((network) => kernelsOf(network)), seed),
    branchNames: ["first", "second"],
  };
}
