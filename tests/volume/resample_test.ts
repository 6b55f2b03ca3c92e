import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { reorient } from "../../lib/volume/orientation.ts";
import { gridWithSpacing, resample, resamplePlanes } from "../../lib/volume/resample.ts";
import { type Geometry, identityDirection, type Volume } from "../../lib/volume/volume.ts";

const volume: Volume = {
  shape: [5, 4, 3],
  spacing: [1, 1.5, 2.5],
  direction: [
    [0.879923176281, 0.327579672728, 0.34413189602],
    [-0.372025551942, 0.925564159447, 0.070199540239],
    [-0.295520206661, -0.189796060979, 0.936293363584],
  ],
  origin: [10, -5, 3],
  data: Float32Array.from(
    { length: 60 },
    (_, n) => (7 * Math.floor(n / 12) + 13 * (Math.floor(n / 3) % 4) + 29 * (n % 3)) % 31,
  ),
};

const grid: Geometry = {
  shape: [4, 4, 3],
  spacing: [1.1, 1.2, 2.2],
  direction: [
    [0.936293363584, 0.239376902164, 0.257008630242],
    [-0.289629477626, 0.940162676017, 0.17946840478],
    [-0.198669330795, -0.242472351691, 0.949598681374],
  ],
  origin: [10.2, -5.1, 3.3],
};

// SimpleITK 2.5.7, Resample of float64 onto the grid, −1 outside.
// deno-fmt-ignore
const linear = [
  3.7823, 18.77654, 13.73321, 12.23285, 15.28052, 12.06338, 14.76397, 13.05205, 17.67635, 10.43873, 7.02866, 26.9777,
  9.23296, 8.60099, 7.96903, 18.12634, 15.8956, 13.66485, 16.67745, 18.27371, 20.14541, 9.51509, 7.39647, 6.46214,
  16.93326, 16.3013, -1, 15.42527, 13.3026, 18.82027, 11.19569, 6.16922, 24.08714, 16.17889, 13.94876, 14.60209,
  24.61104, 24.0016, -1, 17.31913, 18.90086, 20.61903, 11.64831, 9.41756, 6.41131, 21.66688, 19.98856, 16.64063,
];
// deno-fmt-ignore
const nearest = [
  0, 29, 3, 13, 18, 3, 20, 18, 16, 2, 0, 29, 7, 5, 10, 20, 12, 10, 27, 25, 23, 9, 7, 5,
  14, 19, -1, 3, 19, 17, 3, 1, 30, 16, 14, 12, 28, 26, -1, 28, 26, 24, 10, 8, 6, 23, 21, 19,
];

describe("resample()", () => {
  it("interpolates linearly as SimpleITK, on a turned grid", () => {
    const { data, ...geometry } = resample(volume, grid, { interpolation: "linear", outside: -1 });
    assertEquals(geometry, grid);
    data.forEach((value, n) => assertAlmostEquals(value, linear[n], 2e-5, `voxel ${n}`));
  });

  it("takes the nearest voxel as SimpleITK, in the type of the array", () => {
    const labels = { ...volume, data: Int16Array.from(volume.data) };
    const { data } = resample(labels, grid, { interpolation: "nearest", outside: -1 });
    assertEquals(data, Int16Array.from(nearest));
  });

  it("changes nothing on the volume's own grid, and is exact for linear functions", () => {
    const same = resample(volume, volume, { interpolation: "linear" });
    same.data.forEach((value, n) => assertAlmostEquals(value, volume.data[n], 1e-6));
    const flat = { ...volume, spacing: [1, 1, 1], direction: identityDirection, origin: [0, 0, 0] } as const;
    const ramp = Float32Array.from({ length: 60 }, (_, n) => 2 * Math.floor(n / 12) + (n % 3));
    const finer = { ...flat, shape: [9, 7, 5], spacing: [0.5, 0.5, 0.5] } as const;
    const { data } = resample({ ...flat, data: ramp }, finer, { interpolation: "linear" });
    data.forEach((value, n) => assertAlmostEquals(value, Math.floor(n / 35) + (n % 5) / 2, 1e-6));
  });

  it("rounds linear values of integers", () => {
    const pair = { ...grid, shape: [2, 1, 1], spacing: [1, 1, 1], data: Uint8Array.of(0, 3) } as const;
    const middle = { ...pair, shape: [3, 1, 1] as const, spacing: [0.5, 1, 1] as const };
    assertEquals([...resample(pair, middle, { interpolation: "linear" }).data], [0, 2, 3]);
  });
});

describe("resample() between parallel grids", () => {
  const stored = { ...volume, direction: identityDirection };
  const grids: readonly Geometry[] = [
    { ...stored, shape: [9, 7, 11], spacing: [0.7, 1.1, 0.9], origin: [8.3, -6, 2] },
    {
      ...stored,
      shape: [7, 9, 8],
      spacing: [1.3, 0.6, 1.7],
      direction: [[-1, 0, 0], [0, 1, 0], [0, 0, -1]],
      origin: [15, -7, 11],
    },
  ];

  for (const outside of [-2, "border"] as const) {
    it(`is what a volume with its axes in another order gives, outside ${outside}`, () => {
      const turned = reorient(stored, { axes: [2, 0, 1], reversed: [true, false, false] });
      const wholes = { ...stored, data: Int16Array.from(stored.data) };
      const turnedWholes = { ...turned, data: Int16Array.from(turned.data) };
      for (const other of grids) {
        const options = { interpolation: "linear", outside } as const;
        const { data } = resample(stored, other, options);
        const expected = resample(turned, other, options).data;
        data.forEach((value, n) => assertAlmostEquals(value, expected[n], 1e-5, `voxel ${n}`));
        assertEquals(
          resample(wholes, other, options).data,
          resample(turnedWholes, other, options).data,
        );
      }
    });
  }

  it("leaves nothing of what was in the array before", () => {
    const data = new Float32Array(9 * 7 * 11).fill(99);
    resamplePlanes(stored, grids[0], { interpolation: "linear", first: 0, data });
    assertEquals(data, resample(stored, grids[0], { interpolation: "linear" }).data);
  });
});

describe("resamplePlanes()", () => {
  it("gives the planes of the whole, some at a time", () => {
    const options = { interpolation: "linear", outside: -1 } as const;
    const whole = resample(volume, grid, options).data;
    for (let first = 0; first < 4; first += 2) {
      const data = new Float32Array(24);
      resamplePlanes(volume, grid, { ...options, first, data });
      assertEquals(data, whole.slice(12 * first, 12 * first + 24));
    }
    assertThrows(
      () => resamplePlanes(volume, grid, { ...options, first: 3, data: new Float32Array(24) }),
      RangeError,
    );
  });
});

describe("gridWithSpacing()", () => {
  it("keeps the box around the same centre", () => {
    const geometry = {
      shape: [10, 10, 4],
      spacing: [0.5, 1, 2.5],
      direction: identityDirection,
      origin: [0, 0, 0],
    } as const;
    const finer = gridWithSpacing(geometry, [1, 1, 1]);
    assertEquals([finer.shape, finer.spacing], [[5, 10, 10], [1, 1, 1]]);
    // Centres: (10 − 1) · 0.5 / 2 = (5 − 1) / 2 + 0.25, and 3 · 2.5 / 2 = 9 / 2 − 0.75.
    assertEquals(finer.origin, [0.25, 0, -0.75]);
    assertEquals(gridWithSpacing(geometry, [100, 100, 100]).shape, [1, 1, 1]);
    assertThrows(() => gridWithSpacing(geometry, [1, 0, 1]), InputError, "a spacing of 1, 0, 1 mm");
  });
});
