import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { batchIndices, epochBatches, stepsPerEpoch } from "../../lib/data/sampler.ts";
import { InputError } from "../../lib/errors.ts";
import { needsGolden, readGolden } from "../golden_set.ts";

interface SamplerJson {
  readonly two_stream: Readonly<
    Record<string, { labelled: number; unlabelled: number; labelled_bs: number; batches_per_epoch: number }>
  >;
  readonly two_stream_replay: readonly {
    readonly batch_size: number;
    readonly unlabelled_bs: number;
    readonly primary_permutation: readonly number[];
    readonly secondary_permutations: readonly (readonly number[])[];
    readonly batches: readonly (readonly number[])[];
  }[];
}

const golden = readGolden<SamplerJson>("schedule");
const streams = { labelled: 5, unlabelled: 3, labelledPerBatch: 2, unlabelledPerBatch: 2 };

describe("epochBatches()", () => {
  it("replays the recorded epochs", needsGolden, () => {
    for (const replay of golden.json.two_stream_replay) {
      const unlabelledPerBatch = replay.unlabelled_bs;
      const labelledPerBatch = replay.batch_size - unlabelledPerBatch;
      const sizes = { labelledPerBatch, unlabelledPerBatch };
      const batches = epochBatches(replay.primary_permutation, replay.secondary_permutations, sizes);
      const found = batches.map(({ labelled, unlabelled }) => [...labelled, ...unlabelled]);
      assertEquals(found, replay.batches as number[][]);
    }
  });
});

describe("stepsPerEpoch()", () => {
  it("equals the recorded lengths", needsGolden, () => {
    for (
      const { labelled, unlabelled, labelled_bs, batches_per_epoch } of Object.values(golden.json.two_stream)
    ) {
      const sizes = { labelled, unlabelled, labelledPerBatch: labelled_bs, unlabelledPerBatch: 2 };
      assertEquals(stepsPerEpoch(sizes), batches_per_epoch);
    }
  });

  it("refuses too few cases", () => {
    assertThrows(() => stepsPerEpoch({ ...streams, labelled: 1 }), InputError, "label more cases");
    assertThrows(() => stepsPerEpoch({ ...streams, unlabelled: 0 }), InputError, "label fewer cases");
  });
});

describe("batchIndices()", () => {
  it("draws each labelled case at most once an epoch, and only unlabelled ones beside", () => {
    for (let epoch = 0; epoch < 10; epoch++) {
      const batches = [0, 1].map((step) => batchIndices(2 * epoch + step, { ...streams, seed: 7 }));
      const labelled = batches.flatMap((batch) => batch.labelled);
      assertEquals(new Set(labelled).size, 4);
      assert(labelled.every((index) => index < 5));
      assert(batches.flatMap((batch) => batch.unlabelled).every((index) => index >= 5 && index < 8));
    }
  });

  it("depends on seed and step alone", () => {
    const draw = (seed: number) =>
      Array.from({ length: 8 }, (_, step) => batchIndices(step, { ...streams, seed }));
    assertEquals(draw(7), draw(7));
    assert(JSON.stringify(draw(7)) !== JSON.stringify(draw(8)));
  });
});
