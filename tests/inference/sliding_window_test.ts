import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import {
  finish,
  slidingWindow,
  slidingWindowSteps,
  threshold,
  windowPadding,
  windowStarts,
} from "../../lib/inference/sliding_window.ts";
import { randomStream } from "../../lib/random.ts";
import { type Shape3, voxelCount } from "../../lib/volume/volume.ts";
import { assertClose, needsGolden, readGolden } from "../golden_set.ts";

interface WindowCase {
  readonly shape: Shape3;
  readonly patch: Shape3;
  readonly stride_xy: number;
  readonly stride_z: number;
  readonly pad_low: readonly number[];
  readonly pad_high: readonly number[];
  readonly starts: readonly (readonly number[])[];
}

const golden = readGolden<{ cases: Record<string, WindowCase> }>("sliding");

/** The recorded stand-in for a network: logits depend on the intensity and the place in the window. */
function toyNetwork(windows: Float32Array, [nx, ny, nz]: Shape3): Float32Array {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  return windows.map((x, at) => {
    const [i, j, k] = [
      (Math.floor(at / (ny * nz)) % nx) / nx,
      (Math.floor(at / nz) % ny) / ny,
      (at % nz) / nz,
    ];
    const high = 1.25 * x + 0.3 * i - 0.2 * j + 0.1 * k - 0.1;
    const low = -0.6 * x + 0.2 * i + 0.4 * j - 0.5 * k;
    return (sigmoid(high) + sigmoid(low)) / 2;
  });
}

describe("slidingWindow()", () => {
  it("places windows, pads and merges as recorded", needsGolden, () => {
    for (
      const [name, { shape, patch, stride_xy: xy, stride_z: z, ...expected }] of Object.entries(
        golden.json.cases,
      )
    ) {
      const padding = windowPadding(shape, patch);
      assertEquals(padding.map(({ low }) => low), [...expected.pad_low], name);
      assertEquals(padding.map(({ high }) => high), [...expected.pad_high], name);
      const stride: Shape3 = [xy, xy, z];
      const starts = padding.map(({ low, high }, i) =>
        windowStarts(shape[i] + low + high, patch[i], stride[i])
      );
      assertEquals(starts, expected.starts as number[][], name);
      // Of large volumes only the places are recorded.
      if (!golden.tensors.has(`${name}.image`)) continue;
      for (const batch of [1, 5]) {
        const options = { crop: patch, stride, batch };
        const { score } = slidingWindow(
          golden.floats(`${name}.image`),
          shape,
          options,
          (w) => toyNetwork(w, patch),
        );
        assertClose(score, golden.floats(`${name}.score`), 1e-6, name);
        assertEquals(threshold(score), golden.bytes(`${name}.prediction`), name);
      }
    }
  });

  it("returns the volume where the prediction is the window itself", () => {
    const stream = randomStream(1, "image");
    for (const shape of [[9, 8, 7], [3, 10, 2], [4, 4, 4]] as Shape3[]) {
      const image = Float32Array.from({ length: voxelCount(shape) }, () => stream.uniform());
      const { score } = slidingWindow(
        image,
        shape,
        { crop: [4, 4, 4], stride: [3, 2, 1] },
        (windows) => windows,
      );
      assertClose(score, image, 1e-6);
    }
  });

  it("stops when the signal fires, and tells its progress", () => {
    const abort = new AbortController();
    const told: number[] = [];
    const run = () =>
      slidingWindow(new Float32Array(512), [8, 8, 8], {
        crop: [4, 4, 4],
        stride: [4, 4, 4],
        signal: abort.signal,
        onWindow: (done) => {
          told.push(done);
          if (done === 3) abort.abort(new Error("enough"));
        },
      }, (windows) => windows);
    assertThrows(run, Error, "enough");
    assertEquals(told, [1, 2, 3]);
  });

  it("refuses a stride that does not move", () => {
    const options = { crop: [2, 2, 2] as Shape3, stride: [1, 0, 1] as Shape3 };
    assertThrows(() => slidingWindow(new Float32Array(8), [2, 2, 2], options, (w) => w), InputError, "1×0×1");
    const wide = { crop: [2, 2, 2] as Shape3, stride: [3, 3, 3] as Shape3 };
    assertThrows(
      () => slidingWindow(new Float32Array(16), [4, 2, 2], wide, (w) => w),
      InputError,
      "leaves gaps",
    );
  });

  // NumPy 2.4: weights exp(−½((i − (n − 1)/2)/(n/8))²) written out over every window, sums and quotients in float64.
  it("weighs the middle of windows most when it blends by a Gaussian", () => {
    const size: Shape3 = [9, 7, 5];
    const expected: [Shape3, number][] = [
      [[0, 0, 0], 0.0],
      [[4, 3, 2], 0.011432],
      [[8, 6, 4], 0.053763],
      [[2, 5, 1], 0.160515],
      [[5, 0, 3], 0.390724],
      [[3, 3, 3], 0.333833],
    ];
    const at = ([x, y, z]: Shape3) => (x * size[1] + y) * size[2] + z;
    const image = new Float32Array(voxelCount(size));
    for (let x = 0; x < 9; x++) {
      for (let y = 0; y < 7; y++) {
        for (let z = 0; z < 5; z++) image[at([x, y, z])] = ((7 * x + 13 * y + 29 * z) % 31) / 31;
      }
    }
    const options = { crop: [6, 4, 4] as Shape3, stride: [2, 3, 1] as Shape3, blending: "gaussian" as const };
    const predict = (windows: Float32Array) =>
      windows.map((value, i) => value * (Math.floor(i / 16) % 6) / 6);
    const { score } = slidingWindow(image, size, { ...options, batch: 3 }, predict);
    for (const [place, value] of expected) assertAlmostEquals(score[at(place)], value, 2e-6, place.join());
  });

  it("merges several maps as it merges each", () => {
    const stream = randomStream(2, "image");
    const image = Float32Array.from({ length: 6 * 5 * 4 }, () => stream.uniform());
    const options = { crop: [4, 4, 4] as Shape3, stride: [1, 1, 1] as Shape3, batch: 4 };
    const [plain, squared] = finish(
      slidingWindowSteps(image, [6, 5, 4], options, (w) => [w, w.map((value) => value ** 2)]),
    );
    assertClose(plain, image, 1e-6);
    assertClose(squared, image.map((value) => value ** 2), 1e-6);
  });
});
