import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { compareMasks } from "../../lib/evaluation/metrics.ts";
import { surfaceAreas } from "../../lib/evaluation/surface_area.ts";
import { surfaceDice } from "../../lib/evaluation/surface_dice.ts";
import { randomStream } from "../../lib/random.ts";
import type { Shape3, Triple } from "../../lib/volume/volume.ts";

const side = 14;
const shape: Shape3 = [side, side, side];

function mask(isInside: (x: number, y: number, z: number) => boolean, size: Shape3 = shape): Uint8Array {
  const [nx, ny, nz] = size;
  return Uint8Array.from(
    { length: nx * ny * nz },
    (_, n) => Number(isInside(Math.floor(n / (ny * nz)), Math.floor(n / nz) % ny, n % nz)),
  );
}

const ball = mask((x, y, z) => (x - 6) ** 2 + (y - 6) ** 2 + (z - 6) ** 2 <= 20);
const slitBall = mask((x, y, z) =>
  (x - 7) ** 2 / 1.5 + (y - 6) ** 2 + (z - 5) ** 2 <= 16 && !(x === 7 && y > 7)
);

/** The definition written out: every element of one surface against every element of the other. */
function allPairs(a: Uint8Array, b: Uint8Array, size: Shape3, spacing: Triple, tolerance: number): number {
  const areas = surfaceAreas(spacing);
  const elements = (voxels: Uint8Array) => {
    const at = (x: number, y: number, z: number) =>
      x >= 0 && y >= 0 && z >= 0 && x < size[0] && y < size[1] && z < size[2]
        ? voxels[(x * size[1] + y) * size[2] + z]
        : 0;
    const found: { place: Triple; area: number }[] = [];
    for (let x = 0; x <= size[0]; x++) {
      for (let y = 0; y <= size[1]; y++) {
        for (let z = 0; z <= size[2]; z++) {
          let code = 0;
          for (let c = 0; c < 8; c++) {
            code |= at(x - 1 + (c >> 2), y - 1 + (c >> 1 & 1), z - 1 + (c & 1)) << c;
          }
          if (code === 0 || code === 255) continue;
          found.push({ place: [x * spacing[0], y * spacing[1], z * spacing[2]], area: areas[code] });
        }
      }
    }
    return found;
  };
  const [p, q] = [elements(a), elements(b)];
  const near = (from: typeof p, to: typeof p) =>
    from.filter(({ place }) =>
      to.some((other) => Math.hypot(...place.map((v, c) => v - other.place[c])) <= tolerance + 1e-9)
    );
  const sum = (some: typeof p) => some.reduce((total, { area }) => total + area, 0);
  return (sum(near(p, q)) + sum(near(q, p))) / (sum(p) + sum(q));
}

describe("surfaceDice()", () => {
  it("equals the package surface-distance 0.1", () => {
    const recorded: [Triple, number, number][] = [
      [[1, 1, 1], 0, 0.49884349727434724],
      [[1, 1, 1], 1, 0.9134110386769205],
      [[0.7, 1.3, 2.5], 1.3, 0.85470054868163],
      [[0.7, 1.3, 2.5], 2, 0.9424536520339063],
      [[0.625, 0.625, 0.625], 1, 0.978453947064696],
    ];
    for (const [spacing, tolerance, expected] of recorded) {
      const found = surfaceDice(ball, slitBall, shape, { spacing, tolerance });
      assertAlmostEquals(found!, expected, 1e-12);
      assertAlmostEquals(surfaceDice(slitBall, ball, shape, { spacing, tolerance })!, expected, 1e-12);
    }
  });

  it("equals the definition on noise that reaches the border", () => {
    const size: Shape3 = [5, 4, 6];
    for (let n = 0; n < 12; n++) {
      const random = randomStream(5, "noise", n);
      const [a, b] = [0.3, 0.5].map((share) => mask(() => random.uniform() < share, size));
      const spacing: Triple = [[1, 1, 1], [0.3, 0.7, 2]][n % 2] as unknown as Triple;
      const tolerance = [0, 0.3, 0.7, 1.5][n % 4];
      const found = surfaceDice(a, b, size, { spacing, tolerance });
      assertAlmostEquals(found!, allPairs(a, b, size, spacing, tolerance), 1e-12);
    }
  });

  it("counts a distance that equals the tolerance but for rounding", () => {
    const [a, b] = [mask((x) => x === 0, [8, 1, 1]), mask((x) => x === 3, [8, 1, 1])];
    // Three times 0.1 mm is 0.30000000000000004.
    assertEquals(surfaceDice(a, b, [8, 1, 1], { spacing: [0.1, 0.1, 0.1], tolerance: 0.3 }), 1);
    assertEquals(surfaceDice(a, b, [8, 1, 1], { spacing: [0.1, 0.1, 0.1], tolerance: 0.19 }), 0);
    const single = [Math.fround(0.6), 1, 1] as const;
    assertEquals(surfaceDice(a, b, [8, 1, 1], { spacing: single, tolerance: 1.8 }), 1);
  });

  it("is 1 for equal masks, 0 beside an empty one, undefined for two empty ones", () => {
    const options = { spacing: [1, 1, 1], tolerance: 0 } as const;
    const none = new Uint8Array(ball.length);
    assertEquals(surfaceDice(ball, ball, shape, options), 1);
    assertEquals(surfaceDice(ball, none, shape, options), 0);
    assertEquals(surfaceDice(none, ball, shape, options), 0);
    assertEquals(surfaceDice(none, none, shape, options), null);
  });

  it("refuses a tolerance below 0", () => {
    const options = { spacing: [1, 1, 1], tolerance: -1 } as const;
    assertThrows(() => surfaceDice(ball, ball, shape, options), InputError, "a tolerance of -1 mm");
  });
});

describe("surfaceAreas()", () => {
  it("equals the table of surface-distance 0.1", () => {
    const areas = surfaceAreas([0.7, 1.3, 2.5]);
    // That package numbers the corners the other way round, which turns a cube about its centre.
    const reversed = (code: number) =>
      Number.parseInt(code.toString(2).padStart(8, "0").split("").reverse().join(""), 2);
    const recorded: [number, number][] = [
      [1, 0.475215412],
      [7, 3.050646235],
      [23, 2.85129247],
      [30, 3.525861647],
      [105, 1.900861647],
      [126, 0.950430823],
      [200, 2.300646235],
    ];
    for (const [code, area] of recorded) {
      assertAlmostEquals(areas[reversed(code)], area, 1e-8, `code ${code}`);
    }
    assertAlmostEquals(areas.reduce((sum, area) => sum + area, 0), 515.3582780047532, 1e-9);
    const weighted = areas.reduce((sum, area, code) => sum + area * reversed(code), 0);
    assertAlmostEquals(weighted, 65708.18044560602, 1e-6);
  });
});

describe("compareMasks()", () => {
  it("equals medpy 0.5.2 in voxels and millimetres", () => {
    const found = compareMasks(ball, slitBall, shape, { spacing: [0.7, 1.3, 2.5] });
    const pairs: [number | null, number][] = [
      [found.dice, 0.7323162274618585],
      [found.jaccard, 0.5776805251641138],
      [found.hd95Voxel, 1.7320508075688772],
      [found.asdVoxel, 0.8222601964467487],
      [found.hd95Mm, 2.596150997149434],
      [found.asdMm, 1.0594555603154352],
    ];
    for (const [actual, expected] of pairs) assertAlmostEquals(actual!, expected, 1e-9);
    assertEquals(found.voxels, { prediction: 389, reference: 332, both: 264 });
  });
});
