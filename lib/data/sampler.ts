/**
 * Two-stream batches (released sampler): labelled cases first, then unlabelled ones. An epoch is one random
 * permutation of the labelled cases cut into groups, of which an incomplete last one is dropped; the unlabelled
 * cases are random permutations one after another, begun afresh each epoch.
 */
import { InputError } from "../errors.ts";
import { randomStream } from "../random.ts";

/** Cases of a batch, by index. */
export interface BatchIndices {
  readonly labelled: readonly number[];
  readonly unlabelled: readonly number[];
}

/** Sizes of the two streams. */
export interface TwoStreams {
  /** Number of labelled cases: indices 0 … labelled − 1. */
  readonly labelled: number;
  /** Number of unlabelled cases: indices labelled … labelled + unlabelled − 1. */
  readonly unlabelled: number;
  readonly labelledPerBatch: number;
  readonly unlabelledPerBatch: number;
}

/**
 * Steps of an epoch: ⌊labelled / labelledPerBatch⌋.
 *
 * @throws InputError where there are too few cases for one batch.
 */
export function stepsPerEpoch(
  { labelled, unlabelled, labelledPerBatch, unlabelledPerBatch }: TwoStreams,
): number {
  if (labelled < labelledPerBatch || labelledPerBatch < 1) {
    throw new InputError(
      `${labelled} labelled cases cannot fill a batch that takes ${labelledPerBatch} of them; label more cases`,
    );
  }
  if (unlabelledPerBatch > 0 && unlabelled < 1) {
    throw new InputError(
      `a batch takes ${unlabelledPerBatch} unlabelled cases but there is none; label fewer cases`,
    );
  }
  return Math.floor(labelled / labelledPerBatch);
}

/**
 * The batches of an epoch from given permutations.
 *
 * @param primary the labelled indices in the epoch's order.
 * @param secondary the unlabelled indices, permutation after permutation; as many as the epoch needs.
 */
export function epochBatches(
  primary: ArrayLike<number>,
  secondary: Iterable<ArrayLike<number>>,
  sizes: { labelledPerBatch: number; unlabelledPerBatch: number },
): BatchIndices[] {
  const { labelledPerBatch, unlabelledPerBatch } = sizes;
  const unlabelled = chained(secondary);
  return Array.from({ length: Math.floor(primary.length / labelledPerBatch) }, (_, batch) => ({
    labelled: Array.from({ length: labelledPerBatch }, (_, i) => primary[batch * labelledPerBatch + i]),
    unlabelled: Array.from({ length: unlabelledPerBatch }, () => {
      const { value, done } = unlabelled.next();
      if (done) throw new RangeError("The unlabelled permutations end before the epoch does");
      return value;
    }),
  }));
}

/**
 * The cases of a training step. A pure function of seed and step, so that a resumed run needs no saved state.
 *
 * @param step 0-based.
 * @throws InputError where there are too few cases for one batch.
 */
export function batchIndices(step: number, options: TwoStreams & { seed: number }): BatchIndices {
  const { seed, labelled, unlabelled } = options;
  const steps = stepsPerEpoch(options);
  const epoch = Math.floor(step / steps);
  const primary = randomStream(seed, "labelled cases", epoch).permutation(labelled);
  const secondary = function* () {
    const stream = randomStream(seed, "unlabelled cases", epoch);
    while (true) yield stream.permutation(unlabelled).map((index) => index + labelled);
  };
  return epochBatches(primary, secondary(), options)[step % steps];
}

function* chained(permutations: Iterable<ArrayLike<number>>): Generator<number, undefined> {
  for (const permutation of permutations) yield* Array.from(permutation);
  return undefined;
}
