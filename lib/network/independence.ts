/**
 * CauSSL's measure of dependence between branches: how well a learned linear map writes each kernel of one branch as
 * a combination of the kernels of the others.
 */
import { untaped } from "../engine/tape.ts";
import { tf, tidy } from "../engine/tensor.ts";
import { randomStream } from "../random.ts";
import type { Layer } from "./layer.ts";
import { type Network, parametersOf } from "./network.ts";
import { variable } from "./parameter.ts";

/** Deviation of the maps' first values. */
const initialDeviation = 1e-3;

/** The filters of one branch, layer by layer, [kx, ky, kz, …, kernel]. */
export type Kernels = readonly tf.Variable[];

/** The filters of those convolutions whose names fit, in the network's order. */
export function kernelsOf(network: Network, names = /./): Kernels {
  return parametersOf(network)
    .filter(({ name, layout }) => layout === "filter" && names.test(name))
    .map(({ variable }) => variable);
}

/** The linear maps of all branches and layers. */
export interface IndependenceMaps extends Network {
  /**
   * D of one branch, in [0, 1]: the squared cosine of each of its kernels and the mapped kernels of all the others,
   * averaged over the kernels of a layer, then over the layers. The other branches' kernels are constants.
   *
   * @param detached true: the branch's own kernels are constants as well, so that only the maps get a gradient.
   */
  dependence(branch: number, detached?: boolean): tf.Scalar;
}

/**
 * Creates the maps.
 *
 * @param branches the kernels of each; the same shapes in every one. In a transposed convolution, a kernel is what one
 *   input channel spreads, as released.
 */
export function createIndependenceMaps(branches: readonly Kernels[], seed: number): IndependenceMaps {
  const others = branches.length - 1;
  const maps = branches.map((kernels, branch) =>
    kernels.map((kernel, layer) => {
      const count = kernel.shape[kernel.rank - 1];
      const stream = randomStream(seed, "independence", branch, layer);
      const values = Float32Array.from({ length: others * count * count }, () => stream.normal());
      return variable(tidy(() => tf.mul(tf.tensor2d(values, [others * count, count]), initialDeviation)));
    })
  );
  return {
    layers: maps.flatMap((ofBranch, branch) =>
      ofBranch.map((map, layer): Layer => ({
        parameters: [{
          name: `branch${branch + 1}.${layer}.weight`,
          variable: map,
          layout: "matrix",
          gradient: "computed",
        }],
        // They are no part of a prediction.
        cost: () => ({ macs: 0, macsAtOutput: 0, biased: 0 }),
      }))
    ),
    dependence: (branch, detached = false) =>
      tidy(() => {
        const parts = branches[branch].map((kernel, layer) => {
          const rest = untaped(() =>
            tf.concat(branches.filter((_, i) => i !== branch).map((kernels) => columns(kernels[layer])), 1)
          );
          const own = detached ? untaped(() => columns(kernel)) : columns(kernel);
          const mapped = tf.matMul(rest, maps[branch][layer] as unknown as tf.Tensor2D) as tf.Tensor2D;
          return meanSquaredCosine(mapped, own);
        });
        return tf.div(tf.addN(parts), parts.length) as tf.Scalar;
      }),
  };
}

/** One kernel a column. */
function columns(kernel: tf.Tensor): tf.Tensor2D {
  const count = kernel.shape[kernel.rank - 1];
  return tf.reshape(kernel, [kernel.size / count, count]);
}

function meanSquaredCosine(a: tf.Tensor2D, b: tf.Tensor2D): tf.Scalar {
  return tidy(() => {
    const product = tf.square(tf.sum(tf.mul(a, b), 0));
    const lengths = tf.mul(tf.sum(tf.square(a), 0), tf.sum(tf.square(b), 0));
    return tf.mean(tf.div(product, tf.maximum(lengths, 1e-24))) as tf.Scalar;
  });
}
