/** The newest embeddings of each class, and the Gaussians that describe them. */
import { tf } from "../../engine/tensor.ts";
import type { RandomStream } from "../../random.ts";
import type { StateArray } from "../method.ts";
import { type Gaussian, gaussianOf } from "./contrast.ts";
import { hardNegatives } from "./hard_negatives.ts";

/** A queue of embeddings for background and foreground. */
export interface ClassQueues {
  /**
   * Appends embeddings [n, dimension], those of the background first, and drops the oldest beyond the capacity.
   *
   * @param counts embeddings of each class.
   */
  push(embeddings: tf.Tensor2D, counts: readonly [number, number]): void;
  /**
   * `gaussians[c][j]`: class j as the anchors of class c see it: its queue, or hard negatives; undefined for an empty
   * queue.
   */
  gaussians(
    anchors: tf.Tensor2D,
    counts: readonly [number, number],
    stream: RandomStream,
  ): readonly (readonly (Gaussian | undefined)[])[];
  save(): Map<string, StateArray>;
  load(state: ReadonlyMap<string, StateArray>): void;
}

/** Settings of the queues. */
export interface QueueSettings {
  /** Length of an embedding. */
  readonly dimension: number;
  /** Embeddings of each class that are kept. */
  readonly capacity: number;
  /** Hard negatives that stand for another class; 0: its queue stands for itself. */
  readonly hardNegatives: number;
}

const labels = [0, 1] as const;

/** Empty queues. */
export function createQueues(settings: QueueSettings): ClassQueues {
  const { dimension, capacity, hardNegatives: count } = settings;
  /** [n, dimension], oldest first. */
  const queues: Float32Array[] = labels.map(() => new Float32Array());

  function split(embeddings: tf.Tensor2D, counts: readonly [number, number]): Float32Array[] {
    const values = embeddings.dataSync<"float32">();
    return [values.subarray(0, counts[0] * dimension), values.subarray(counts[0] * dimension)];
  }

  function describe(rows: Float32Array): Gaussian | undefined {
    if (rows.length === 0) return undefined;
    return gaussianOf(tf.tensor2d(rows, [rows.length / dimension, dimension]));
  }

  return {
    push: (embeddings, counts) =>
      split(embeddings, counts).forEach((rows, label) => {
        const joined = new Float32Array(queues[label].length + rows.length);
        joined.set(queues[label]);
        joined.set(rows, queues[label].length);
        queues[label] = joined.slice(Math.max(0, joined.length - capacity * dimension));
      }),
    gaussians(anchors, counts, stream) {
      const plain = queues.map(describe);
      if (count === 0) return [plain, plain];
      const rows = (data: Float32Array) => ({ data, dimension });
      return split(anchors, counts).map((own, label) => {
        const other = 1 - label;
        if (own.length === 0 || queues[other].length === 0) return plain;
        const options = { count, stream };
        const hard = hardNegatives(rows(own), rows(queues[label]), rows(queues[other]), options);
        return hard === undefined
          ? plain
          : plain.map((gaussian, j) => j === other ? describe(hard) : gaussian);
      });
    },
    save: () =>
      new Map(labels.map((label) => [
        `queue.${label}`,
        { shape: [queues[label].length / dimension, dimension], data: queues[label] },
      ])),
    load: (state) =>
      labels.forEach((label) => queues[label] = state.get(`queue.${label}`)!.data as Float32Array),
  };
}
