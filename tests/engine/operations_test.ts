import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  type Activation,
  convolveActivation,
  evaluate,
  materialise,
  normalised,
} from "../../lib/engine/activation.ts";
import {
  type Affine,
  batchNormRelu,
  type Moments,
  normalisedRelu,
  normGradient,
  reluGradient,
} from "../../lib/engine/batch_norm.ts";
import {
  conv1,
  conv3,
  type Convolution,
  convolve,
  downsample2,
  upsample2,
} from "../../lib/engine/convolution.ts";
import { fft3d, realInverseFft3d } from "../../lib/engine/fourier.ts";
import { doubleGrid, type Upsampling } from "../../lib/engine/resample.ts";
import { type EngineName, startEngine } from "../../lib/engine/start.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { untaped, valueAndGradients } from "../../lib/engine/tape.ts";
import { tf, tidy } from "../../lib/engine/tensor.ts";
import { channelDropoutMask } from "../../lib/network/unit.ts";
import { randomStream } from "../../lib/random.ts";
import { assertClose, assertRelToMax, needsGolden, readGolden } from "../golden_set.ts";
import {
  channelsFirst,
  channelsLast,
  filterOf,
  finiteDifferences,
  randomTensor,
  torchFilter,
} from "../tensors.ts";

const tolerance = 1e-5;
const golden = readGolden("ops");

/** Σ y·weights, so that the gradient of y is `weights`. */
function weighted(y: tf.Tensor, weights: tf.Tensor): { loss: tf.Scalar } {
  return { loss: tf.sum(tf.mul(y, weights)) as tf.Scalar };
}

const convolutions: [string, Convolution][] = [
  ["conv3d_k3_s1_p1", conv3],
  ["conv3d_k2_s2", downsample2],
  ["conv3d_k2_s2_odd", downsample2],
  ["conv3d_k1", conv1],
  ["conv_transpose3d_k2_s2", upsample2],
];

const upsamplings: [string, Upsampling][] = [
  ["trilinear_x2_align_true", { trilinear: "alignCorners" }],
  ["trilinear_x2_align_true_one", { trilinear: "alignCorners" }],
  ["trilinear_x2_align_false", { trilinear: "halfPixel" }],
  ["nearest_x2", "nearest"],
];

/** The engines that start on this machine. */
const startedEngines: EngineName[] = [];
for (const engine of ["tensorflow", "wasm"] as const) {
  const problem = await startEngine({ engine }).then(() => undefined, (error) => error);
  if (problem === undefined) startedEngines.push(engine);
  else if (!(problem instanceof EnvironmentError)) throw problem;
  it(`the engine ${engine} starts`, { ignore: problem !== undefined }, () => {});
}

for (const engine of startedEngines) describeOperations(engine);

/** The contract of the operations: on every engine the golden values, finite differences and closed forms. */
function describeOperations(engine: EngineName): void {
  describe(`convolve() on ${engine}`, needsGolden, () => {
    beforeAll(async () => void await startEngine({ engine }));
    for (const [name, kind] of convolutions) {
      it(`equals ${name} with its three gradients`, () => {
        const [x, g] = [channelsLast(golden, `${name}.x`), channelsLast(golden, `${name}.g`)];
        const filter = filterOf(golden, `${name}.w`);
        const bias = tf.tensor1d(golden.floats(`${name}.b`));
        const y = convolve(kind, x, filter, bias);
        assertRelToMax(channelsFirst(y), golden.floats(`${name}.y`), tolerance, "y");
        const { gradients } = valueAndGradients(() => weighted(convolve(kind, x, filter, bias), g), [
          x,
          filter,
          bias,
        ]);
        assertRelToMax(
          channelsFirst(gradients[0]!),
          golden.floats(`${name}.grad_x`),
          tolerance,
          "gradient of x",
        );
        assertRelToMax(
          torchFilter(gradients[1]!),
          golden.floats(`${name}.grad_w`),
          tolerance,
          "gradient of the filter",
        );
        assertRelToMax(
          gradients[2]!.dataSync(),
          golden.floats(`${name}.grad_b`),
          tolerance,
          "gradient of the bias",
        );
      });
    }
  });

  describe(`doubleGrid() on ${engine}`, needsGolden, () => {
    beforeAll(async () => void await startEngine({ engine }));
    for (const [name, method] of upsamplings) {
      it(`equals ${name} with its gradient`, () => {
        const [x, g] = [channelsLast(golden, `${name}.x`), channelsLast(golden, `${name}.g`)];
        assertRelToMax(channelsFirst(doubleGrid(x, method)), golden.floats(`${name}.y`), tolerance, "y");
        const { gradients: [gradient] } = valueAndGradients(() => weighted(doubleGrid(x, method), g), [x]);
        assertRelToMax(channelsFirst(gradient!), golden.floats(`${name}.grad_x`), tolerance, "gradient");
      });
    }
  });

  describe(`batch normalisation on ${engine}`, () => {
    beforeAll(async () => void await startEngine({ engine }));

    const affineOf = (name: string): Affine => ({
      scale: tf.tensor1d(golden.floats(`${name}.w`)),
      offset: tf.tensor1d(golden.floats(`${name}.b`)),
    });

    for (const name of ["batch_norm_train", "batch_norm_eval"]) {
      it(`equals ${name} with its gradients`, needsGolden, () => {
        const [x, g] = [channelsLast(golden, `${name}.x`), channelsLast(golden, `${name}.g`)];
        const affine = affineOf(name);
        const fromBatch = name === "batch_norm_train";
        const moments: Moments = fromBatch ? batchNormRelu(x, affine).moments : {
          mean: tf.tensor1d(golden.floats("batch_norm.running_mean")),
          variance: tf.tensor1d(golden.floats("batch_norm.running_var")),
        };
        // y = relu(y) − relu(−y), and −y is the normalisation with the opposite signs.
        const opposite = { scale: tf.neg(affine.scale), offset: tf.neg(affine.offset) };
        const y = tf.sub(normalisedRelu(x, moments, affine), normalisedRelu(x, moments, opposite));
        assertRelToMax(channelsFirst(y), golden.floats(`${name}.y`), tolerance, "y");
        const gradients = normGradient(g, x, moments, affine, fromBatch);
        assertRelToMax(
          channelsFirst(gradients.x),
          golden.floats(`${name}.grad_x`),
          tolerance,
          "gradient of x",
        );
        assertRelToMax(
          gradients.scale.dataSync(),
          golden.floats(`${name}.grad_w`),
          tolerance,
          "gradient of the scale",
        );
        assertRelToMax(
          gradients.offset.dataSync(),
          golden.floats(`${name}.grad_b`),
          tolerance,
          "gradient of the offset",
        );
      });
    }

    it("batchNormRelu() takes the batch into the running moments as PyTorch does", needsGolden, () => {
      const x = channelsLast(golden, "batch_norm_train.x");
      const running = {
        mean: tf.tensor1d(golden.floats("batch_norm.running_mean")),
        variance: tf.tensor1d(golden.floats("batch_norm.running_var")),
        momentum: 0.1,
      };
      const affine = affineOf("batch_norm_train");
      const batch = batchNormRelu(x, affine, running);
      const after = (name: string) => golden.floats(`batch_norm_train.running_${name}_after`);
      assertRelToMax(batch.running!.mean.dataSync(), after("mean"), tolerance);
      assertRelToMax(batch.running!.variance.dataSync(), after("var"), tolerance);
      const again = normalisedRelu(x, batch.moments, affine).dataSync();
      assertRelToMax(batch.output.dataSync(), [...again], tolerance, "output");
    });
  });

  describe(`channelDropoutMask() on ${engine}`, () => {
    beforeAll(async () => void await startEngine({ engine }));

    it("drops about half of the channels of each item and doubles the others", () => {
      const mask = channelDropoutMask(4, 500, randomStream(1, "mask"));
      assertEquals(mask.shape, [4, 1, 1, 1, 500]);
      const values = [...mask.dataSync()];
      assert(values.every((value) => value === 0 || value === 2));
      const kept = values.filter((value) => value === 2).length;
      assertLess(Math.abs(kept - 1000), 150);
    });

    it("scales as PyTorch's dropout does", needsGolden, () => {
      const mask = Float32Array.from(golden.bytes("dropout3d.mask"), (kept) => 2 * kept);
      const y = tf.mul(channelsLast(golden, "dropout3d.x"), tf.tensor5d(mask, [2, 1, 1, 1, 4]));
      assertRelToMax(channelsFirst(y), golden.floats("dropout3d.y"), tolerance);
    });
  });

  describe(`convolveActivation() on ${engine}`, () => {
    beforeAll(async () => void await startEngine({ engine }));

    /** Two skip-connected terms, the first with the batch's moments, the second with fixed ones, and a mask. */
    const twoTerms = (first: tf.Tensor5D, scale: tf.Tensor1D): Activation => ({
      terms: [
        normalised({
          raw: first,
          moments: untaped(() => batchNormRelu(first, { scale, offset: tf.tensor1d([0.3, -0.2]) }).moments),
          affine: { scale, offset: tf.tensor1d([0.3, -0.2]) },
          fromBatch: true,
        }),
        normalised({
          raw: randomTensor<tf.Tensor5D>("second", [2, 2, 4, 2, 2]),
          moments: { mean: tf.tensor1d([0.1, -0.1]), variance: tf.tensor1d([1.5, 0.5]) },
          affine: { scale: tf.tensor1d([1, 2]), offset: tf.tensor1d([0.4, 0.1]) },
          fromBatch: false,
        }),
      ],
      mask: tf.tensor5d([2, 0, 2, 2], [2, 1, 1, 1, 2]),
    });

    for (const [name, kind, side] of [["conv3", conv3, 3], ["downsample2", downsample2, 2]] as const) {
      it(`has the gradients of finite differences for ${name}`, () => {
        const first = randomTensor<tf.Tensor5D>("first", [2, 2, 4, 2, 2]);
        const scale = tf.tensor1d([0.8, 1.2]);
        const filter = randomTensor<tf.Tensor5D>("filter", [side, side, side, 2, 2]);
        const output = (f = filter, s = scale, x = first) => convolveActivation(kind, twoTerms(x, s), f);
        const weights = randomTensor("weights", output().shape);
        const { gradients } = valueAndGradients(() => weighted(output(), weights), [filter, scale, first]);
        const loss = (y: tf.Tensor) => weighted(y, weights).loss;
        const expected = [
          finiteDifferences((f) => loss(output(f as tf.Tensor5D)), filter),
          finiteDifferences((s) => loss(output(filter, s as tf.Tensor1D)), scale, { step: 1e-3 }),
          finiteDifferences((x) => loss(output(filter, scale, x as tf.Tensor5D)), first, { step: 1e-3 }),
        ];
        expected.forEach((numbers, i) => {
          const actual = gradients[i]!.dataSync().slice(0, numbers.length);
          assertRelToMax(actual, numbers, 2e-2, `gradient ${i}`);
        });
      });
    }

    it("equals the convolution of the stored activation, with the same gradients", () => {
      const first = randomTensor<tf.Tensor5D>("first", [2, 2, 4, 2, 2]);
      const scale = tf.tensor1d([0.8, 1.2]);
      const filter = randomTensor<tf.Tensor5D>("filter", [3, 3, 3, 2, 2]);
      const weights = randomTensor("weights", [2, 2, 4, 2, 2]);
      const fused = () => convolveActivation(conv3, twoTerms(first, scale), filter);
      const stored = () => convolve(conv3, materialise(twoTerms(first, scale)), filter);
      assertRelToMax(fused().dataSync(), stored().dataSync(), 1e-6);
      const inputs = [first, scale, filter];
      const a = valueAndGradients(() => weighted(fused(), weights), inputs).gradients;
      const b = valueAndGradients(() => weighted(stored(), weights), inputs).gradients;
      a.forEach((gradient, i) => assertRelToMax(gradient!.dataSync(), b[i]!.dataSync(), tolerance));
    });

    it("evaluate() keeps a dropped channel at zero", () => {
      const values = evaluate(
        twoTerms(randomTensor<tf.Tensor5D>("first", [2, 2, 4, 2, 2]), tf.tensor1d([1, 1])),
      );
      const dropped = tf.slice(values, [0, 0, 0, 0, 1], [1, 2, 4, 2, 1]).dataSync();
      assert(dropped.every((value) => value === 0));
    });
  });

  describe(`fft3d() and realInverseFft3d() on ${engine}`, () => {
    beforeAll(async () => void await startEngine({ engine }));
    const shape = [2, 3, 4, 5];

    it("equal the sum over all voxels that defines the transform", () => {
      const x = randomTensor<tf.Tensor4D>("image", shape);
      const spectrum = fft3d(x);
      assertEquals(spectrum.shape, [2, ...shape]);
      const [real, imaginary] = naiveTransform(x.dataSync<"float32">(), shape);
      assertRelToMax(spectrum.dataSync(), [...real, ...imaginary], tolerance);
      assertRelToMax(realInverseFft3d(spectrum).dataSync(), x.dataSync(), tolerance, "the way back");
    });

    it("have the gradients of finite differences", () => {
      const x = randomTensor<tf.Tensor4D>("image", [1, 3, 4, 2]);
      const weights = randomTensor("weights", [2, 1, 3, 4, 2]);
      const forward = (x: tf.Tensor) => weighted(fft3d(x as tf.Tensor4D), weights);
      const gradient = valueAndGradients(() => forward(x), [x]).gradients[0]!;
      const all = { entries: 24, step: 0.1 };
      assertRelToMax(gradient.dataSync(), finiteDifferences((x) => forward(x).loss, x, all), 1e-4);

      const spectrum = randomTensor<tf.Tensor5D>("spectrum", [2, 1, 3, 4, 2]);
      const inverse = (s: tf.Tensor) =>
        weighted(realInverseFft3d(s as tf.Tensor5D), tf.squeeze(tf.slice(weights, 0, 1), [0]));
      const back = valueAndGradients(() => inverse(spectrum), [spectrum]).gradients[0]!;
      const differences = finiteDifferences((s) => inverse(s).loss, spectrum, { entries: 48, step: 0.1 });
      assertRelToMax(back.dataSync(), differences, 1e-4);
    });
  });

  describe(`sums and means on ${engine}`, () => {
    beforeAll(async () => void await startEngine({ engine }));
    const shape = [2, 12, 10, 14, 3];
    for (const axes of [[0, 1, 2, 3, 4], [0, 1, 2, 3], [1, 2, 3], [0], [4], [0, 2, 4], [-1, 1]]) {
      it(`are those of float64 over the axes ${axes}`, () => {
        const x = randomTensor("x", shape);
        const expected = sumOver(x.dataSync<"float32">(), shape, axes);
        const count = x.size / expected.length;
        for (const keepDims of [false, true]) {
          const sum = tf.sum(x, axes, keepDims);
          assertEquals(sum.shape, keptShape(shape, axes, keepDims));
          assertRelToMax(sum.dataSync(), expected, tolerance);
          const mean = tf.mean(x, axes, keepDims);
          assertRelToMax(mean.dataSync(), expected.map((value) => value / count), tolerance);
        }
      });
    }

    it("keep five digits over a million equal values", () => {
      const x = tf.fill([1 << 20], 0.1);
      const expected = (1 << 20) * Math.fround(0.1);
      assertRelToMax(tf.sum(x).dataSync(), [expected], tolerance);
      assertRelToMax(tf.mean(x).dataSync(), [Math.fround(0.1)], tolerance);
      x.dispose();
    });
  });

  describe(`valueAndGradients() on ${engine}`, () => {
    beforeAll(async () => void await startEngine({ engine }));

    it("leaves no tensor but its results", () => {
      const x = randomTensor<tf.Tensor5D>("x", [1, 4, 4, 4, 2]);
      const filter = randomTensor<tf.Tensor5D>("filter", [3, 3, 3, 2, 2]);
      const before = tf.memory().numTensors;
      const { value, gradients } = valueAndGradients(
        () => ({ loss: tf.mean(tf.square(tf.tanh(convolve(conv3, x, filter)))) as tf.Scalar }),
        [filter],
      );
      assertEquals(tf.memory().numTensors, before + 2);
      tf.dispose([value.loss, gradients[0]!]);
      assertEquals(tf.memory().numTensors, before);
    });

    it("leaves no tensor where the function throws", () => {
      const x = tf.scalar(2);
      const before = tf.memory().numTensors;
      let message = "";
      try {
        valueAndGradients(() => {
          tf.square(x);
          throw new Error("stop");
        }, [x]);
      } catch (error) {
        message = (error as Error).message;
      }
      assertEquals(message, "stop");
      assertEquals(tf.memory().numTensors, before);
    });

    it("treats the result of an inner call as a constant", () => {
      const x = tf.scalar(3);
      const { value, gradients } = valueAndGradients(() => {
        const inner = valueAndGradients(() => ({ loss: tf.mul(x, tf.square(x)) as tf.Scalar }), [x]);
        // 3x² = 27 is a factor that does not depend on x here.
        return { loss: tf.mul(x, inner.gradients[0]!) as tf.Scalar };
      }, [x]);
      assertClose(value.loss.dataSync(), [81], 1e-3);
      assertClose(gradients[0]!.dataSync(), [27], 1e-3);
    });

    it("gives undefined for a variable that the loss does not depend on", () => {
      const [used, unused] = [tf.scalar(2), tf.scalar(5)];
      const { gradients } = valueAndGradients(() => {
        tf.square(unused);
        return { loss: tf.square(used) as tf.Scalar };
      }, [used, unused]);
      assertEquals(gradients[0]!.dataSync()[0], 4);
      assertEquals(gradients[1], undefined);
    });

    it("adds up the gradients of a variable that is used twice", () => {
      const x = tf.scalar(3);
      const { gradients } = valueAndGradients(
        () => ({ loss: tf.add(tf.square(x), tf.mul(x, 5)) as tf.Scalar }),
        [x],
      );
      assertEquals(gradients[0]!.dataSync()[0], 11);
    });

    it("untaped() hides what happens in it", () => {
      const x = tf.scalar(3);
      const { gradients } = valueAndGradients(
        () => ({ loss: tf.mul(x, untaped(() => tf.square(x))) as tf.Scalar }),
        [x],
      );
      assertClose(gradients[0]!.dataSync(), [9], 1e-5);
      assertEquals(tidy(() => untaped(() => 1)), 1);
    });
  });
}

describe("the engines", { ignore: startedEngines.length < 2 }, () => {
  /** The numbers of every tensor that `work` makes, on every engine. */
  async function onEveryEngine(work: () => tf.Tensor[]): Promise<Float32Array[][]> {
    const results: Float32Array[][] = [];
    for (const engine of startedEngines) {
      await startEngine({ engine });
      results.push(tidy(() => work().map((tensor) => tensor.dataSync<"float32">().slice())));
    }
    return results;
  }

  for (
    const [name, kind] of [["conv3", conv3], ["downsample2", downsample2], ["upsample2", upsample2]] as const
  ) {
    it(`agree on ${name} of a grid with odd sides, and on its gradients`, async () => {
      const [first, ...others] = await onEveryEngine(() => {
        const { side } = kind;
        const x = randomTensor<tf.Tensor5D>("x", [2, 7, 4, 5, 3]);
        const filter = randomTensor<tf.Tensor5D>("filter", [side, side, side, 3, 3]);
        const y = convolve(kind, x, filter);
        const dy = randomTensor("dy", y.shape);
        const { gradients } = valueAndGradients(() => weighted(convolve(kind, x, filter), dy), [x, filter]);
        return [y, gradients[0]!, gradients[1]!];
      });
      for (const other of others) {
        other.forEach((values, i) => assertRelToMax(values, first[i], tolerance, `result ${i}`));
      }
    });
  }

  it("agree on batch normalisation and ReLU", async () => {
    const [first, ...others] = await onEveryEngine(() => {
      const x = randomTensor<tf.Tensor5D>("x", [2, 3, 4, 2, 3]);
      const dy = randomTensor<tf.Tensor5D>("dy", [2, 3, 4, 2, 3]);
      const affine = { scale: tf.tensor1d([0.5, -1.5, 1]), offset: tf.tensor1d([0.1, 0.2, -0.3]) };
      const { output, moments } = batchNormRelu(x, affine);
      const y = normalisedRelu(x, moments, affine);
      const gradients = [true, false].map((fromBatch) => normGradient(dy, x, moments, affine, fromBatch));
      return [
        ...[output, moments.mean, moments.variance, y, reluGradient(dy, y)],
        ...gradients.flatMap(({ x, scale, offset }) => [x, scale, offset]),
      ];
    });
    for (const other of others) {
      other.forEach((values, i) => assertRelToMax(values, first[i], tolerance, `result ${i}`));
    }
  });
});

/** Real and imaginary part of the unnormalised transform of each item. */
function naiveTransform(values: Float32Array, [n, nx, ny, nz]: number[]): [number[], number[]] {
  const [real, imaginary]: [number[], number[]] = [[], []];
  const voxels = nx * ny * nz;
  for (let item = 0; item < n; item++) {
    for (let k = 0; k < voxels; k++) {
      let [re, im] = [0, 0];
      for (let i = 0; i < voxels; i++) {
        const turns = [[ny * nz, nx], [nz, ny], [1, nz]].reduce(
          (sum, [stride, side]) =>
            sum + (Math.floor(i / stride) % side) * (Math.floor(k / stride) % side) / side,
          0,
        );
        re += values[item * voxels + i] * Math.cos(2 * Math.PI * turns);
        im -= values[item * voxels + i] * Math.sin(2 * Math.PI * turns);
      }
      real.push(re);
      imaginary.push(im);
    }
  }
  return [real, imaginary];
}

/** The sum over some axes in float64. */
function sumOver(values: Float32Array, shape: readonly number[], axes: readonly number[]): number[] {
  const kept = keptShape(shape, axes, true);
  const sums = new Array<number>(kept.reduce((product, side) => product * side, 1)).fill(0);
  values.forEach((value, i) => {
    let [place, rest, stride] = [0, i, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const position = rest % shape[axis];
      rest = (rest - position) / shape[axis];
      if (kept[axis] > 1) place += position * stride;
      stride *= kept[axis];
    }
    sums[place] += value;
  });
  return sums;
}

function keptShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  const reduced = axes.map((axis) => axis < 0 ? axis + shape.length : axis);
  return shape.flatMap((side, i) => !reduced.includes(i) ? [side] : keepDims ? [1] : []);
}
