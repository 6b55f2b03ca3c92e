/** Single operations with all of their gradients. */
import { batchNormRelu, normalisedRelu, normGradient, reluGradient } from "../../engine/batch_norm.ts";
import {
  conv1,
  conv3,
  type Convolution,
  convolve,
  downsample2,
  upsample2,
} from "../../engine/convolution.ts";
import { doubleGrid, type Upsampling } from "../../engine/resample.ts";
import { valueAndGradients } from "../../engine/tape.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import { fromArray, toArray } from "../../training/weights.ts";
import type { Checks, Golden } from "./golden.ts";
import { channelsFirst, channelsLast } from "./layout.ts";

const operationTolerance = { tolerance: 1e-5 };

/** Every operation with all of its gradients. */
export function checkOperations(golden: Golden<{ ops: Record<string, unknown> }>, checks: Checks): void {
  const convolutions: Record<string, Convolution> = {
    conv3d_k3_s1_p1: conv3,
    conv3d_k2_s2: downsample2,
    conv3d_k2_s2_odd: downsample2,
    conv3d_k1: conv1,
    conv_transpose3d_k2_s2: upsample2,
  };
  const upsamplings: Record<string, Upsampling> = {
    trilinear_x2_align_true: { trilinear: "alignCorners" },
    trilinear_x2_align_true_one: { trilinear: "alignCorners" },
    trilinear_x2_align_false: { trilinear: "halfPixel" },
    nearest_x2: "nearest",
  };
  const simple: Record<string, (x: tf.Tensor5D) => tf.Tensor> = {
    softmax_channel: (x) => tf.softmax(x),
    tanh: (x) => tf.tanh(x),
    dropout3d: (x) => tf.mul(x, dropoutMask(golden)),
  };
  for (const name of Object.keys(golden.json.ops)) {
    if (name in convolutions) checkConvolution(golden, checks, { name, kind: convolutions[name] });
    else if (name in upsamplings) {
      checkMap(golden, checks, {
        name,
        map: (x) => doubleGrid(x, upsamplings[name]),
      });
    } else if (name in simple) checkMap(golden, checks, { name, map: simple[name] });
    else if (name === "batch_norm_train" || name === "batch_norm_eval") checkBatchNorm(golden, checks, name);
    else checks.fail(`ops.${name}: not known`);
  }
}

function dropoutMask(golden: Golden): tf.Tensor5D {
  const { data, shape } = golden.bytes("dropout3d.mask");
  // Kept channels are scaled by 1/(1 − p) with p = 1/2.
  return tf.tensor5d(Float32Array.from(data, (kept) => kept === 0 ? 0 : 2), [shape[0], 1, 1, 1, shape[1]]);
}

function checkMap(
  golden: Golden,
  checks: Checks,
  { name, map }: { name: string; map: (x: tf.Tensor5D) => tf.Tensor },
): void {
  tidy(() => {
    const x = channelsLast(golden.tensor(`${name}.x`));
    const weights = channelsLast(golden.tensor(`${name}.g`));
    const { value, gradients } = valueAndGradients(() => {
      const y = map(x);
      return { loss: tf.sum(tf.mul(y, weights)) as tf.Scalar, y };
    }, [x]);
    checks.compare(
      `ops.${name}.y`,
      channelsFirst(value.y),
      golden.tensor(`${name}.y`).data,
      operationTolerance,
    );
    const expected = golden.tensor(`${name}.grad_x`).data;
    checks.compare(`ops.${name}.grad_x`, channelsFirst(gradients[0]!), expected, operationTolerance);
  });
}

function checkConvolution(
  golden: Golden,
  checks: Checks,
  { name, kind }: { name: string; kind: Convolution },
): void {
  tidy(() => {
    const x = channelsLast(golden.tensor(`${name}.x`));
    const filter = fromArray(golden.tensor(`${name}.w`), "filter") as tf.Tensor5D;
    const bias = tf.tensor1d(golden.tensor(`${name}.b`).data);
    const weights = channelsLast(golden.tensor(`${name}.g`));
    const { value, gradients } = valueAndGradients(() => {
      const y = convolve(kind, x, filter, bias);
      return { loss: tf.sum(tf.mul(y, weights)) as tf.Scalar, y };
    }, [x, filter, bias]);
    const results: [string, ArrayLike<number>][] = [
      ["y", channelsFirst(value.y)],
      ["grad_x", channelsFirst(gradients[0]!)],
      ["grad_w", toArray(gradients[1]!, "filter").data as Float32Array],
      ["grad_b", gradients[2]!.dataSync()],
    ];
    for (const [part, actual] of results) {
      checks.compare(
        `ops.${name}.${part}`,
        actual,
        golden.tensor(`${name}.${part}`).data,
        operationTolerance,
      );
    }
  });
}

/** The normalisation without its ReLU: a large offset keeps every value positive, and is taken off again. */
function checkBatchNorm(golden: Golden, checks: Checks, name: "batch_norm_train" | "batch_norm_eval"): void {
  tidy(() => {
    const isTraining = name === "batch_norm_train";
    const x = channelsLast(golden.tensor(`${name}.x`));
    const scale = tf.tensor1d(golden.tensor(`${name}.w`).data);
    const offset = tf.tensor1d(golden.tensor(`${name}.b`).data);
    const running = ["mean", "var"].map((what) =>
      tf.tensor1d(golden.tensor(`batch_norm.running_${what}`).data)
    );
    const fixed = { mean: running[0], variance: running[1] };
    const batch = batchNormRelu(x, { scale, offset }, { ...fixed, momentum: 0.1 });
    const moments = isTraining ? batch.moments : fixed;
    const expected = golden.tensor(`${name}.y`).data;
    // A power of two, so that the lift costs one bit of the 24, or two.
    const lift = 2 **
      Math.ceil(Math.log2(expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1)));
    const lifted = normalisedRelu(x, moments, { scale, offset: tf.add(offset, lift) });
    const y = tf.sub(lifted, lift);
    checks.compare(`ops.${name}.y`, channelsFirst(y), expected, operationTolerance);
    const dy = reluGradient(channelsLast(golden.tensor(`${name}.g`)), lifted);
    const gradients = normGradient(dy, x, moments, { scale, offset }, isTraining);
    const parts: [string, ArrayLike<number>][] = [
      ["grad_x", channelsFirst(gradients.x)],
      ["grad_w", gradients.scale.dataSync()],
      ["grad_b", gradients.offset.dataSync()],
    ];
    for (const [part, actual] of parts) {
      checks.compare(
        `ops.${name}.${part}`,
        actual,
        golden.tensor(`${name}.${part}`).data,
        operationTolerance,
      );
    }
    if (!isTraining) return;
    const after = { running_mean_after: batch.running!.mean, running_var_after: batch.running!.variance };
    for (const [part, tensor] of Object.entries(after)) {
      const expected = golden.tensor(`${name}.${part}`).data;
      checks.compare(`ops.${name}.${part}`, tensor.dataSync(), expected, operationTolerance);
    }
  });
}
