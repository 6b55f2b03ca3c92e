import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import { buffersOf, disposeNetwork, parametersOf } from "../../lib/network/network.ts";
import { createShapeAutoencoder, type ShapeAutoencoder } from "../../lib/network/shape_autoencoder.ts";
import { evaluationMode, type ForwardMode } from "../../lib/network/unit.ts";
import { loadStateDict, stateDict } from "../../lib/training/weights.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { assertClose } from "../golden_set.ts";

const crop: Shape3 = [32, 16, 16];
const trainMode: ForwardMode = { training: true, updateStatistics: false };

/** Weights that are a formula of the name and the position in PyTorch's layout. */
function withFormula(): ShapeAutoencoder {
  const network = createShapeAutoencoder({ width: 2, crop, bottleneck: 8, initial: "released", seed: 1 });
  const state = stateDict(network);
  for (const { name } of parametersOf(network)) {
    const { shape, data } = state.get(name)!;
    const start = [...name].reduce((sum, character) => sum + character.charCodeAt(0), 0);
    const scale = shape.length > 1 ? 1.5 / Math.sqrt(data.length / shape[0]) : 0.3;
    const offset = shape.length === 1 && name.endsWith("weight") ? 1 : 0;
    for (let i = 0; i < data.length; i++) data[i] = Math.sin(start + 1.7 * i) * scale + offset;
  }
  for (const { name } of buffersOf(network)) {
    state.get(name)!.data.fill((name.endsWith("var") ? 0.1 : 0) as never);
  }
  loadStateDict(network, state, "the formula");
  return network;
}

/** An ellipsoid, its mirror image along x, and a fainter one mirrored along y. */
function maps(): tf.Tensor5D {
  const values = new Float32Array(32 * 16 * 16);
  for (let i = 0; i < values.length; i++) {
    const [x, y, z] = [Math.floor(i / 256), Math.floor(i / 16) % 16, i % 16];
    values[i] = ((x - 12) / 9) ** 2 + ((y - 8) / 5) ** 2 + ((z - 6) / 4) ** 2 <= 0.973 ? 1 : 0;
  }
  const map = tf.tensor5d(values, [1, ...crop, 1]);
  return tf.concat([map, tf.reverse(map, 1), tf.add(tf.mul(tf.reverse(map, 2), 0.5), 0.25)]) as tf.Tensor5D;
}

describe("createShapeAutoencoder()", () => {
  beforeAll(async () => void await startEngine());

  /**
   * A PyTorch implementation in float64 with the same weights: places [item, class, x, y, z] and logits. In train mode
   * normalisations over six values enlarge rounding: in float32 it differs from itself by 0.012.
   */
  const places = [
    [0, 0, 0, 0, 0],
    [0, 1, 12, 8, 6],
    [1, 0, 19, 8, 6],
    [1, 1, 5, 3, 9],
    [2, 0, 20, 3, 9],
    [2, 1, 31, 15, 15],
  ];
  const recorded = [
    ["eval", evaluationMode, [0.09222, 0.28608, 1.89657, -0.28543, 0.03958, 0.14138], 2e-3],
    ["train", trainMode, [-0.09393, -0.5821, 0.04186, -0.79435, -0.04707, 0.29464], 3e-2],
  ] as const;
  for (const [name, mode, expected, tolerance] of recorded) {
    it(`gives the recorded logits in ${name} mode`, () => {
      const logits = withFormula().reconstruct(maps(), mode).arraySync() as number[][][][][];
      assertClose(places.map(([n, c, x, y, z]) => logits[n][x][y][z][c]), expected, tolerance);
    });
  }

  it("sees a map through its code alone", () => {
    const network = withFormula();
    let shape: number[] = [];
    const [a, b] = [maps(), tf.zerosLike(maps())].map((input) =>
      network.reconstruct(input, evaluationMode, (code) => {
        shape = code.shape;
        return tf.zerosLike(code);
      }).dataSync()
    );
    assertEquals(shape, [3, 8]);
    assertEquals(a, b);
    const other = network.reconstruct(maps(), evaluationMode).dataSync();
    assert(other.some((value, i) => value !== a[i]));
  });

  it("has V-Net's parameters and those of two fully connected layers", () => {
    const network = createShapeAutoencoder({
      width: 16,
      crop: [16, 16, 16],
      bottleneck: 512,
      initial: "pytorch",
      seed: 1,
    });
    assertEquals(
      complexityOf(network, [16, 16, 16]).parameters,
      9_448_866 + 2 * 256 * 512 + 512 + 256,
    );
    disposeNetwork(network);
  });

  it("draws released tensors within ±1/√(first axis of PyTorch's layout)", () => {
    const network = createShapeAutoencoder({ width: 2, crop, bottleneck: 8, initial: "released", seed: 1 });
    for (const [name, { shape, data }] of stateDict(network)) {
      if (/running|num_batches/.test(name)) continue;
      const largest = Math.max(...Array.from(data as Float32Array, Math.abs)) * Math.sqrt(shape[0]);
      assert(largest <= 1 && (data.length < 100 || largest > 0.95), `${name}: ${largest}`);
    }
  });

  it("draws PyTorch's fully connected layers within ±1/√(inputs) and keeps its normalisations", () => {
    const network = createShapeAutoencoder({ width: 2, crop, bottleneck: 8, initial: "pytorch", seed: 1 });
    const state = stateDict(network);
    const largest = (name: string) =>
      Math.max(...Array.from(state.get(name)!.data as Float32Array, Math.abs));
    assertClose([largest("fc_mu.weight") * 8, largest("fc_rec.weight") * Math.sqrt(8)], [1, 1], 0.05);
    assertEquals(state.get("block_nine.conv.1.weight")!.data, Float32Array.of(1, 1));
  });
});
