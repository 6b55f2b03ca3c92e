/** Teachers: networks whose weights are moving averages of a student's (Tarvainen & Valpola, NeurIPS 2017). */
import { normalNoise } from "../../engine/noise.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import { buffersOf, type Network, parametersOf } from "../../network/network.ts";
import type { ForwardMode } from "../../network/unit.ts";
import type { RandomStream } from "../../random.ts";

/**
 * How the released teachers run: normalising with the batch's statistics and dropping channels, as in training. Their
 * running statistics are never read, so they are not kept.
 */
export function teacherMode(dropout: RandomStream | undefined): ForwardMode {
  return { training: true, updateStatistics: false, dropout };
}

/** θ' ← decay·θ' + (1 − decay)·θ for every trained tensor; running statistics are left alone, as released. */
export function moveAverage(teacher: Network, student: Network, decay: number): void {
  const sources = parametersOf(student);
  parametersOf(teacher).forEach(({ variable }, i) =>
    tidy(() => {
      const { variable: source } = sources[i];
      variable.assign(
        decay === 0 ? source : tf.add(tf.mul(variable, decay), tf.mul(source, 1 - decay)),
      );
    })
  );
}

/** min(1 − 1/(t + 1), decay) with t from 0: the first average copies the student (yulequan/UA-MT). */
export function warmedDecay(iteration: number, decay: number): number {
  return Math.min(1 - 1 / iteration, decay);
}

/** Copies weights and running statistics between networks of one architecture. */
export function copyWeights(target: Network, source: Network): void {
  const from = [...parametersOf(source), ...buffersOf(source)];
  [...parametersOf(target), ...buffersOf(target)].forEach(({ variable }, i) =>
    variable.assign(from[i].variable)
  );
  target.layers.forEach(({ statistics }, i) => {
    if (statistics) statistics.batches = source.layers[i].statistics!.batches;
  });
}

/** image + clip(deviation·N(0, 1), ±limit), the disturbance of UA-MT and its descendants. */
export function withNoise<T extends tf.Tensor>(
  images: T,
  stream: RandomStream,
  { deviation = 0.1, limit = 0.2 }: { deviation?: number; limit?: number } = {},
): T {
  return tidy(() => {
    const noise = tf.clipByValue(tf.mul(normalNoise(images.shape, stream), deviation), -limit, limit);
    return tf.add(images, noise);
  });
}
