/**
 * Inputs of convolutions that are never stored: what lies between two convolutions (normalisation, ReLU, pooling,
 * up-sampling, concatenation) is computed for the forward pass and again for the backward pass. `activation.ts` does
 * the same by hand for the one pattern of the V-Net-like networks; here the derivative comes from a tape.
 */
import type { Convolution } from "./convolution.ts";
import { differentiable } from "./differentiable.ts";
import { pullBack } from "./tape.ts";
import type { tf } from "./tensor.ts";

/** A tensor as the recipe that makes it. */
export interface Recipe {
  /** What it is made of, and all that it keeps alive. */
  readonly ingredients: readonly tf.Tensor[];
  /** Makes it of ingredients with the same values, on the tape. */
  make(ingredients: readonly tf.Tensor[]): tf.Tensor5D;
}

/** kind(recipe, filter), on the tape and without a bias. */
export function convolveRecipe(kind: Convolution, recipe: Recipe, filter: tf.Tensor5D): tf.Tensor5D {
  return differentiable([...recipe.ingredients, filter], {
    forward: () => kind.forward(recipe.make(recipe.ingredients), filter),
    saved: [...recipe.ingredients, filter],
    backward(dy, saved) {
      const ingredients = saved.slice(0, -1);
      const filter = saved[saved.length - 1] as tf.Tensor5D;
      let filterGradient: tf.Tensor | undefined;
      let gradients: (tf.Tensor | undefined)[] | undefined;
      // Whichever gradient is asked for first computes all of them: they share the making.
      const compute = () => {
        gradients ??= pullBack(
          () => recipe.make(ingredients),
          (x) => {
            const input = x as tf.Tensor5D;
            filterGradient = kind.filterGradient(input, dy, filter.shape);
            return kind.inputGradient(dy, filter, input.shape);
          },
          ingredients,
        );
        return gradients;
      };
      return [
        ...ingredients.map((_, i) => () => compute()[i]!),
        () => {
          compute();
          return filterGradient!;
        },
      ];
    },
  });
}
