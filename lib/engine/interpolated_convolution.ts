/**
 * Doubling a grid by interpolation together with a convolution, as one step off the tape: what the up-sampling
 * layers of multi-decoder networks do. The doubled grid is never kept for the backward pass.
 */
import { conv1, conv3, type Convolution, type Shape5 } from "./convolution.ts";
import { gridDoubler, type Upsampling } from "./resample.ts";
import { tidy } from "./tensor.ts";

/** Interpolation, then a 3³ convolution on the fine grid (MC-Net+, SCC). */
export function interpolateThenConvolve(upsampling: Upsampling): Convolution {
  return {
    side: 3,
    forward: (x, filter) => tidy(() => conv3.forward(gridDoubler(x.shape, upsampling).forward(x), filter)),
    inputGradient: (dy, filter, shape) =>
      tidy(() => {
        const fine = [shape[0], 2 * shape[1], 2 * shape[2], 2 * shape[3], shape[4]] as Shape5;
        return gridDoubler(shape, upsampling).adjoint(conv3.inputGradient(dy, filter, fine));
      }),
    filterGradient: (x, dy, filterShape) =>
      tidy(() => conv3.filterGradient(gridDoubler(x.shape, upsampling).forward(x), dy, filterShape)),
  };
}

/** A 1³ convolution on the coarse grid, then interpolation (CauSSL). */
export function convolveThenInterpolate(upsampling: Upsampling): Convolution {
  const coarse = (x: readonly number[], channels: number) => [...x.slice(0, 4), channels];
  return {
    side: 1,
    forward: (x, filter) =>
      tidy(() => gridDoubler(coarse(x.shape, filter.shape[4]), upsampling).forward(conv1.forward(x, filter))),
    inputGradient: (dy, filter, shape) =>
      tidy(() =>
        conv1.inputGradient(gridDoubler(coarse(shape, dy.shape[4]), upsampling).adjoint(dy), filter, shape)
      ),
    filterGradient: (x, dy, filterShape) =>
      tidy(() =>
        conv1.filterGradient(
          x,
          gridDoubler(coarse(x.shape, dy.shape[4]), upsampling).adjoint(dy),
          filterShape,
        )
      ),
  };
}
