import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { datasets } from "../../lib/data/dataset.ts";
import { findCases } from "../../lib/data/prepare/archive.ts";
import { prepareCase } from "../../lib/data/prepare/prepare_case.ts";
import { preparedGrid, prepareScan } from "../../lib/data/preparation.ts";
import { InputError } from "../../lib/errors.ts";
import { affineOf, mapPoint } from "../../lib/volume/geometry.ts";
import { readHdf5 } from "../../lib/volume/hdf5.ts";
import { readVolume } from "../../lib/volume/read_volume.ts";
import { resample } from "../../lib/volume/resample.ts";
import {
  identityDirection,
  type Shape3,
  type Triple,
  type Volume,
  voxelCount,
} from "../../lib/volume/volume.ts";
import { assertClose } from "../golden_set.ts";
import {
  atriumScan,
  brainScan,
  pancreasScan,
  writeAtrium,
  writeBrain,
  writePancreas,
} from "./prepare/raw_archives.ts";

/** Each voxel holds its place in the patient: 100 x + 10 y + z in millimetres. */
function placed(grid: Omit<Volume, "data">): Volume {
  const data = new Float32Array(voxelCount(grid.shape));
  const map = affineOf(grid);
  const [nx, ny, nz] = grid.shape;
  for (let i = 0, n = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      for (let k = 0; k < nz; k++, n++) {
        const [x, y, z] = mapPoint(map, [i, j, k]);
        data[n] = 100 * x + 10 * y + z;
      }
    }
  }
  return { ...grid, data };
}

/** An axis to the feet, one to the right, one to the back. */
const coronal: Volume["direction"] = [[0, 0, -1], [-1, 0, 0], [0, 1, 0]];
const options = { preparation: "spacing", spacing: [1, 1, 1] as Triple, path: "scan.nii" } as const;

describe("preparedGrid()", () => {
  it("runs left, back and up over the same box, whatever the axes of the file", () => {
    const grid = preparedGrid({
      shape: [8, 6, 4],
      spacing: [0.5, 1, 2],
      direction: coronal,
      origin: [5, 6, 7],
    }, [
      1,
      1,
      1,
    ]);
    assertEquals(grid.direction, identityDirection);
    // Along x 6 mm that end at 5.5, along y 8 mm from 5, along z 4 mm that end at 7.25.
    assertEquals(grid.shape, [6, 8, 4]);
    assertEquals(grid.origin.map((v) => Number(v.toFixed(9))), [0, 5.5, 3.75]);
  });
});

describe("prepareScan()", () => {
  it("keeps every place in the patient, turned and resampled", () => {
    const scan = placed({ shape: [12, 6, 5], spacing: [0.5, 1, 2], direction: coronal, origin: [5, 6, 7] });
    const image = prepareScan(scan, datasets.phantom, options);
    const expected = placed({ ...image });
    const [nx, ny, nz] = image.shape;
    // Beyond the outermost centres of the scan there is nothing to interpolate to.
    for (let x = 0; x < nx; x++) {
      for (let y = 1; y < ny - 1; y++) {
        for (let z = 1; z < nz - 1; z++) {
          const n = (x * ny + y) * nz + z;
          assertAlmostEquals(image.data[n], expected.data[n], 1e-4, [x, y, z].join());
        }
      }
    }
  });

  it("only turns what has the spacing already, and changes no voxel", () => {
    const scan = placed({ shape: [3, 4, 5], spacing: [1, 1, 1.0005], direction: coronal, origin: [5, 6, 7] });
    const image = prepareScan(scan, datasets.phantom, options);
    assertEquals(image.shape, [4, 5, 3]);
    assertEquals(image.data.toSorted(), scan.data.toSorted());
    assertClose(image.data, placed({ ...image }).data, 1e-4);
    const straight = placed({
      shape: [3, 4, 5],
      spacing: [1, 1, 1],
      direction: identityDirection,
      origin: [0, 0, 0],
    });
    assertStrictEquals(prepareScan(straight, datasets.la, options), straight);
  });

  it("scales intensities as the cases of each data set were, and leaves the scan as it is", () => {
    const grid = { spacing: [1, 1, 1] as Triple, direction: identityDirection, origin: [0, 0, 0] as Triple };
    const scan = (shape: Shape3, values: number[]) => ({ ...grid, shape, data: Float32Array.from(values) });
    const full = { ...options, preparation: "full" } as const;
    const ct = scan([1, 1, 5], [-1000, -125, 75, 275, 2000]);
    assertClose(prepareScan(ct, datasets.pancreas, full).data, Float32Array.of(0, 0, 0.5, 1, 1), 1e-6);
    assertEquals(ct.data[0], -1000);
    const atrium = scan([1, 1, 4], [1, 3, 5, 7]);
    const deviation = Math.sqrt(5);
    const normalised = Float32Array.of(-3, -1, 1, 3).map((v) => v / deviation);
    assertClose(prepareScan(atrium, datasets.la, full).data, normalised, 1e-6);
    // The corners are background: 3 and 5 are the brain.
    const brain = scan([1, 1, 4], [0, 3, 5, 0]);
    assertClose(prepareScan(brain, datasets.brats, full).data, Float32Array.of(-4, -1, 1, -4), 1e-6);
    assertStrictEquals(prepareScan(brain, datasets.brats, { ...full, preparation: "none" }), brain);
  });

  it("gives a raw scan the voxels of its prepared case", async () => {
    const folder = await Deno.makeTempDir();
    const write = {
      la: () => writeAtrium(`${folder}/la`, "A", atriumScan()),
      pancreas: () => writePancreas(`${folder}/pancreas`, 1, pancreasScan()),
      brats: () => writeBrain(`${folder}/brats`, "T", brainScan()),
    };
    try {
      for (const dataset of ["la", "pancreas", "brats"] as const) {
        await write[dataset]();
        for (const profile of ["paper", "mini"] as const) {
          const to = `${folder}/${dataset}-${profile}`;
          const [raw] = await findCases(dataset, `${folder}/${dataset}`);
          const settings = { dataset, profile, variant: "paper", seed: 1337 } as const;
          const { record } = await prepareCase({ raw, settings, from: folder, to });
          const { image: expected } = await readHdf5(`${to}/${record.output.path}`);
          const { spacing } = datasets[dataset].profiles[profile];
          const scan = await readVolume(raw.image);
          const whole = prepareScan(scan, datasets[dataset], {
            preparation: "full",
            spacing,
            path: raw.image,
          });
          const cut = resample(whole, expected, { interpolation: "nearest", outside: NaN });
          assertClose(cut.data, expected.data, 2e-5, `${dataset} ${profile}`);
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("refuses what cannot be prepared in one line with the file", () => {
    const grid = { shape: [1, 1, 3] as Shape3, direction: identityDirection, origin: [0, 0, 0] as Triple };
    const full = { ...options, preparation: "full" } as const;
    const refused = (values: number[], spacing: Triple, message: string) => {
      const scan = { ...grid, spacing, data: Float32Array.from(values) };
      assertThrows(() => prepareScan(scan, datasets.pancreas, full), InputError, message);
    };
    refused([1, NaN, Infinity], [1, 1, 1], "scan.nii: 2 of 3 voxels are NaN or infinite");
    refused(
      [-1000, -999, -500],
      [1, 1, 1],
      "scan.nii: its intensities do not vary as those of Hounsfield units",
    );
    refused([0.1, 0.5, 0.9], [1, 1, 1], "--prepare spacing where they are scaled already");
    refused([-1000, 50, 60], [1e4, 1e4, 1e4], "up to 536870912 are predicted");
  });
});
