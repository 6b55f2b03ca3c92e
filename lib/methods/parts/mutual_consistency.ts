/** Branches that teach each other with sharpened predictions (MC-Net+, CauSSL). */
import { untaped } from "../../engine/tape.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import { meanSquare, sharpened, sum } from "./losses.ts";

/**
 * Σ over ordered pairs i ≠ j of the mean of (p_i − sharpened p_j)². The squared difference of the background equals
 * the foreground's, so the mean over both channels is that of the foreground.
 *
 * @param margins of two branches or more, any one shape.
 * @param options.detached true where no gradient flows through the sharpened predictions.
 */
export function mutualConsistency(
  margins: readonly tf.Tensor[],
  { temperature, detached }: { temperature: number; detached: boolean },
): tf.Scalar {
  return tidy(() => {
    const predictions = margins.map((margin) => tf.sigmoid(margin));
    const targets = margins.map((margin) =>
      detached ? untaped(() => sharpened(margin, temperature)) : sharpened(margin, temperature)
    );
    return sum(
      predictions.flatMap((prediction, i) =>
        targets.flatMap((target, j) => i === j ? [] : [meanSquare(prediction, target)])
      ),
    );
  });
}
