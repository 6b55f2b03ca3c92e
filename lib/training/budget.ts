/** How long runs are, and the configuration that a profile means. */
import { type Dataset, type ProfileName, profileOf } from "../data/dataset.ts";
import type { CaseSource } from "../data/source.ts";
import { InputError } from "../errors.ts";
import { hyperparametersOf, methodOf } from "../methods/mod.ts";
import type { Method, Variant } from "../methods/method.ts";
import { type OptimiserSettings, paperSgd, type Recipe } from "../methods/optimiser_settings.ts";
import type { Shape3 } from "../volume/volume.ts";
import { iterationsOf, type RunConfig, type Selection, selectionOf, type Selector } from "./config.ts";

/** What a user may choose of a run. */
export interface RunChoice {
  readonly method: string;
  readonly variant: Variant;
  readonly profile: ProfileName;
  readonly labelled: number;
  readonly seed: number;
  readonly iterations?: number | undefined;
  readonly crop?: Shape3 | undefined;
  readonly stride?: Shape3 | undefined;
  readonly width?: number | undefined;
  /** "kit" (default): one optimiser for every method; "native": that of the method's own publication. */
  readonly recipe?: Recipe | undefined;
  /** key=value of the method's hyper-parameters. */
  readonly settings?: readonly string[] | undefined;
  /** Cases that choose a checkpoint beside the last one; none when not given. */
  readonly select?: readonly Selector[] | undefined;
  readonly selectEvery?: number | undefined;
  /** Training cases that choose, where `select` asks for them. */
  readonly validationCases?: number | undefined;
}

/**
 * The complete configuration of a choice: what is not chosen comes from the profile.
 *
 * @throws InputError for settings that the method does not have, and where no training case is left to choose with.
 */
export function configOf(dataset: Dataset, source: CaseSource, choice: RunChoice): RunConfig {
  const profile = profileOf(dataset, choice.profile);
  const method = methodOf(choice.method);
  const crop = choice.crop ?? profile.crop;
  const selection = selectionFor(choice, crop, source);
  return {
    method: method.key,
    variant: choice.variant,
    dataset: dataset.name,
    profile: choice.profile,
    labelled: choice.labelled,
    train: source.train,
    test: source.test,
    seed: choice.seed,
    iterations: choice.iterations ?? iterationsOf[choice.profile],
    width: choice.width ?? profile.width,
    crop,
    // A crop of one's own can be smaller than the profile's step, which would leave gaps between its windows.
    stride: choice.stride ?? strideWithin(profile.stride, crop),
    labelledPerBatch: 2,
    unlabelledPerBatch: 2,
    optimiser: optimiserOf(method, dataset, choice.recipe ?? "kit"),
    hyperparameters: hyperparametersOf(method, choice.variant, choice.settings ?? []),
    ...(selection && { selection }),
  };
}

/** Validation cases are the data set's own, or else training cases behind the labelled ones. */
function selectionFor(choice: RunChoice, crop: Shape3, source: CaseSource): Selection | undefined {
  const { select = [], labelled, profile, validationCases } = choice;
  if (select.length === 0) return undefined;
  const own = source.validation?.slice(0, validationCases);
  const cases = validationCases ?? selectionOf[profile].cases;
  const left = own ?? source.train.slice(labelled, labelled + cases);
  if (left.length === 0 && !select.includes("test")) {
    throw new InputError(
      "--select validation: the data set has no validation.list, and all of its " +
        `${source.train.length} training cases are labelled; label fewer or leave it out`,
    );
  }
  return {
    every: choice.selectEvery ?? selectionOf[profile].every,
    stride: crop,
    validation: select.includes("validation") ? left : [],
    test: select.includes("test"),
  };
}

function optimiserOf(method: Method, dataset: Dataset, recipe: Recipe): OptimiserSettings {
  if (recipe === "kit") return paperSgd;
  if (method.nativeOptimiser === undefined) {
    throw new InputError(`--recipe native: ${method.name} has no recipe but the kit's; leave --recipe out`);
  }
  return method.nativeOptimiser(dataset);
}

/** The stride, shortened to the crop where it would leave gaps between windows. */
export function strideWithin([x, y, z]: Shape3, [a, b, c]: Shape3): Shape3 {
  return [Math.min(x, a), Math.min(y, b), Math.min(z, c)];
}
