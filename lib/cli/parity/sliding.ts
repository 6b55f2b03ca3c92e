/** Golden sliding windows: places, counts and fused scores. */
import { slidingWindow, threshold, windowPadding, windowStarts } from "../../inference/sliding_window.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { SlidingJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";

/** Windows, paddings and fused scores. */
export function checkSliding(golden: Golden<SlidingJson>, checks: Checks): void {
  for (const [name, info] of Object.entries(golden.json.cases)) {
    const shape = info.shape;
    const patch = info.patch;
    const stride: Shape3 = [info.stride_xy, info.stride_xy, info.stride_z];
    const padding = windowPadding(shape, patch);
    checks.same(`sliding.${name}.pad_total`, padding.map(({ low, high }) => low + high), info.pad_total);
    checks.same(`sliding.${name}.pad_low`, padding.map(({ low }) => low), info.pad_low);
    checks.same(`sliding.${name}.pad_high`, padding.map(({ high }) => high), info.pad_high);
    const starts = shape.map((side, axis) =>
      windowStarts(side + padding[axis].low + padding[axis].high, patch[axis], stride[axis])
    );
    checks.same(`sliding.${name}.starts`, starts, info.starts);
    const profiles = starts.map((list, axis) => {
      const counts: number[] = new Array(info.padded_shape[axis]).fill(0);
      for (const start of list) for (let i = 0; i < patch[axis]; i++) counts[start + i]++;
      return counts;
    });
    checks.same(`sliding.${name}.count_profile`, profiles, info.count_profile);
    const product = (of: (profile: number[]) => number) => profiles.reduce((p, list) => p * of(list), 1);
    const facts: [string, number, number][] = [
      ["patches", starts.reduce((p, list) => p * list.length, 1), info.patches],
      ["count_min", product((list) => Math.min(...list)), info.count_min],
      ["count_max", product((list) => Math.max(...list)), info.count_max],
      ["count_sum", product((list) => list.reduce((a, b) => a + b, 0)), info.count_sum],
    ];
    for (const [what, actual, expected] of facts) checks.same(`sliding.${name}.${what}`, actual, expected);
    if (info.foreground === undefined) continue;
    const counts = profiles[0].flatMap((a) => profiles[1].flatMap((b) => profiles[2].map((c) => a * b * c)));
    checks.compare(`sliding.${name}.count`, counts, golden.integers(`${name}.count_padded`).data, {
      tolerance: 0,
    });
    const image = golden.tensor(`${name}.image`).data;
    const { score } = slidingWindow(
      image,
      shape,
      { crop: patch, stride },
      (windows, n) => toyNetwork(windows, n, patch),
    );
    const expected = golden.tensor(`${name}.score`).data;
    checks.compare(`sliding.${name}.score`, score, expected, { tolerance: 1e-6 });
    // Rounding to float32 may move a score that lies at the threshold.
    const isClear = (_: number, i: number) => Math.abs(expected[i] - 0.5) > 1e-6;
    const prediction = golden.bytes(`${name}.prediction`).data;
    checks.compare(
      `sliding.${name}.prediction`,
      threshold(score).filter(isClear),
      prediction.filter(isClear),
      { tolerance: 0 },
    );
    const foreground = prediction.reduce((count, value) => count + value, 0);
    checks.same(`sliding.${name}.foreground`, foreground, info.foreground);
  }
}

/** The recorded set's stand-in for a network: logits that depend on the value and the place in the window. */
function toyNetwork(windows: Float32Array, count: number, [nx, ny, nz]: Shape3): Float32Array {
  const out = new Float32Array(windows.length);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  for (let n = 0, at = 0; n < count; n++) {
    for (let a = 0; a < nx; a++) {
      for (let b = 0; b < ny; b++) {
        for (let c = 0; c < nz; c++, at++) {
          const [x, i, j, k] = [windows[at], a / nx, b / ny, c / nz];
          const high = 1.5 * x + 0.3 * i - 0.2 * j + 0.1 * k - 0.1 - 0.25 * x;
          const low = -0.7 * x + 0.2 * i + 0.4 * j - 0.5 * k + 0.05 - (-0.1 * x + 0.05);
          out[at] = (sigmoid(high) + sigmoid(low)) / 2;
        }
      }
    }
  }
  return out;
}
