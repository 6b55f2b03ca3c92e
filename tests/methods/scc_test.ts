import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { contrast, type Vectors } from "../../lib/methods/scc.ts";
import type { ClassVectors } from "../../lib/network/class_vector.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { disposeNetwork, parametersOf } from "../../lib/network/network.ts";
import type { VNet } from "../../lib/network/segmenter.ts";
import { evaluationMode } from "../../lib/network/unit.ts";
import { randomStream } from "../../lib/random.ts";
import { assertClose } from "../golden_set.ts";
import { ballBatch, runOf, stepOf, termOf } from "./run_of.ts";

type Row = readonly [number, number];
interface Rows {
  readonly background: readonly Row[];
  readonly foreground: readonly Row[];
}

const cos = (a: Row, b: Row) => (a[0] * b[0] + a[1] * b[1]) / Math.hypot(...a) / Math.hypot(...b);

/** The published form, with its exponentials and logarithms. */
function logarithmic(labelled: Rows, unlabelled: Rows, temperature: number): number {
  const e = (a: Row, b: Row) => Math.exp(cos(a, b) / temperature);
  const rows = labelled.background.map((background, i) => {
    const [foreground, u] = [labelled.foreground[i], {
      background: unlabelled.background[i],
      foreground: unlabelled.foreground[i],
    }];
    return -Math.log(e(background, u.background) / e(background, u.foreground)) -
      Math.log(e(foreground, u.foreground) / e(foreground, u.background));
  });
  return rows.reduce((sum, value) => sum + value, 0) / rows.length;
}

function vectors({ background, foreground }: Rows): Vectors {
  const of = (rows: readonly Row[]) => tf.tensor2d(rows.map((row) => [...row]));
  return { background: of(background), foreground: of(foreground) };
}

describe("contrast()", () => {
  beforeAll(async () => void await startEngine());

  it("is −2 + 2·cos of the classes where labelled and unlabelled vectors are the same", () => {
    const rows: Rows = { background: [[0.3, 0.7]], foreground: [[0.9, 0.1]] };
    const expected = -2 + 2 * (0.3 * 0.9 + 0.7 * 0.1) / Math.sqrt(0.58 * 0.82);
    assertAlmostEquals(contrast(vectors(rows), vectors(rows), 1).dataSync()[0], expected, 1e-6);
  });

  it("equals the published form with exponentials and logarithms", () => {
    const stream = randomStream(1, "vectors");
    const draw = (): Row[] =>
      Array.from({ length: 4 }, () => {
        const p = stream.uniform();
        return [p, 1 - p];
      });
    const [labelled, unlabelled] = [0, 1].map((): Rows => ({ background: draw(), foreground: draw() }));
    for (const temperature of [1, 0.5]) {
      const value = contrast(vectors(labelled), vectors(unlabelled), temperature).dataSync()[0];
      assertAlmostEquals(value, logarithmic(labelled, unlabelled, temperature), 1e-5);
    }
  });
});

describe("scc", () => {
  beforeAll(async () => void await startEngine());

  it("contrasts the class maps of both decoders, row by row, and lets the gradient through on both sides", () => {
    const run = runOf("scc");
    const batch = ballBatch();
    const mode = { training: true, updateStatistics: false };
    const classifier = run.networks.classifier as ClassVectors;
    // Fresh weights give nearly the same vector to everything; larger ones tell the maps apart.
    for (const { variable } of parametersOf(classifier)) variable.assign(tf.mul(variable, 5));
    const maps = (run.networks.network as VNet).full(batch.images, mode).map(({ logits }) =>
      tf.unstack(logits, 4) as tf.Tensor4D[]
    );
    const of = (channel: number, begin: number) =>
      maps.flatMap((channels) => {
        const values = classifier.of(channels[channel]).dataSync();
        return [begin, begin + 1].map((item): Row => [values[2 * item], values[2 * item + 1]]);
      });
    const labelled = { background: of(0, 0), foreground: of(1, 0) };
    const unlabelled = { background: of(0, 2), foreground: of(1, 2) };
    const { value, gradients } = termOf(run, "contrast", () => run.loss(batch, stepOf(100)));
    const expected = logarithmic(labelled, unlabelled, 1);
    assert(Math.abs(expected) > 1e-3, `${expected} shows nothing`);
    assertAlmostEquals(value, expected, 1e-5);
    for (const decoder of ["seg_decoder_1", "seg_decoder_2"]) {
      assert(gradients.has(`network/${decoder}.out_conv.weight`), decoder);
    }
  });

  it("freezes the classifier unless told to train it", () => {
    assertEquals(runOf("scc").trained, ["network"]);
    assertEquals(runOf("scc", ["trainClassifier=true"]).trained, ["network", "classifier"]);
  });

  it("drops the classifier's channels out, frozen as it is", () => {
    const batch = ballBatch();
    const run = runOf("scc", [], { dropout: true });
    const value = (iteration: number) => run.loss(batch, stepOf(iteration)).contrast.value.dataSync()[0];
    assert(value(1) !== value(2));
    assertEquals(value(1), value(1));
  });

  it("ramps the contrast up to 1, and not in its published form", () => {
    const batch = ballBatch();
    const weights = (settings: string[]) => {
      const run = runOf("scc", settings);
      return [1, 2001, 4000].map((iteration) => run.loss(batch, stepOf(iteration, 4000)).contrast.weight);
    };
    assertClose(weights([]), [Math.exp(-5), Math.exp(-5 / 4), Math.exp(-5 / 1600)], 1e-9);
    assertEquals(weights(["ramp=false"]), [1, 1, 1]);
  });

  for (
    const [decoder, parameters] of [["trilinear", 12_347_716], ["transposed", 11_520_836]] as const
  ) {
    it(`with a ${decoder} second decoder has ${parameters} parameters and predicts both decoders' mean`, () => {
      const large = runOf("scc", [`secondDecoder=${decoder}`], { width: 16 });
      assertEquals(complexityOf(large.networks.network, [16, 16, 16]).parameters, parameters);
      Object.values(large.networks).forEach(disposeNetwork);
      const run = runOf("scc", [`secondDecoder=${decoder}`]);
      const { images } = ballBatch();
      const [main, auxiliary] = run.predictBranches!(images).map(({ probability }) => probability.dataSync());
      const mean = main.map((value, i) => (value + auxiliary[i]) / 2);
      assertClose(run.predict(images).dataSync(), mean, 1e-6);
      const [{ margin }] = (run.networks.network as VNet).forward(images, evaluationMode);
      assertClose(main, tf.sigmoid(margin).dataSync(), 1e-6);
    });
  }
});
