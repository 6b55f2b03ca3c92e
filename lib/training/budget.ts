/** How long runs are, and the configuration that a profile means. */
import { type Dataset, type ProfileName, profileOf } from "../data/dataset.ts";
import type { CaseSource } from "../data/source.ts";
import { hyperparametersOf, methodOf } from "../methods/mod.ts";
import type { Variant } from "../methods/method.ts";
import type { Shape3 } from "../volume/volume.ts";
import type { RunConfig } from "./config.ts";
import { paperSgd } from "./optimiser.ts";

/** Iterations of each profile; ramp-ups scale with them. */
const iterationsOf: Readonly<Record<ProfileName, number>> = { smoke: 20, mini: 3000, paper: 40000 };

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
  /** key=value of the method's hyper-parameters. */
  readonly settings?: readonly string[] | undefined;
}

/** The complete configuration of a choice: what is not chosen comes from the profile. */
export function configOf(dataset: Dataset, source: CaseSource, choice: RunChoice): RunConfig {
  const profile = profileOf(dataset, choice.profile);
  const method = methodOf(choice.method);
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
    crop: choice.crop ?? profile.crop,
    stride: choice.stride ?? profile.stride,
    labelledPerBatch: 2,
    unlabelledPerBatch: 2,
    sgd: paperSgd,
    hyperparameters: hyperparametersOf(method, choice.variant, choice.settings ?? []),
  };
}
