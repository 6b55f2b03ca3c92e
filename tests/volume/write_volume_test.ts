import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { InputError } from "../../lib/errors.ts";
import { affineOf } from "../../lib/volume/geometry.ts";
import { readStored, readVolume } from "../../lib/volume/read_volume.ts";
import { imageOf } from "../../lib/volume/stored_volume.ts";
import type { Geometry, Triple, VoxelArray } from "../../lib/volume/volume.ts";
import { encodeVolume, writeVolume } from "../../lib/volume/write_volume.ts";

/** An oblique, right-handed grid. */
const grid: Geometry = {
  shape: [5, 4, 3],
  spacing: [1, 1.5, 2.5],
  direction: [
    [0.879923176281, 0.327579672728, 0.34413189602],
    [-0.372025551942, 0.925564159447, 0.070199540239],
    [-0.295520206661, -0.189796060979, 0.936293363584],
  ],
  origin: [10, -5, 3],
};

const mirrored: Geometry = {
  ...grid,
  direction: [grid.direction[0], grid.direction[1], grid.direction[2].map((v) => -v) as unknown as Triple],
};

const arrays: readonly (readonly [string, VoxelArray])[] = [
  ["uint8", Uint8Array.from({ length: 60 }, (_, i) => i)],
  ["uint16", Uint16Array.from({ length: 60 }, (_, i) => 1000 * i)],
  ["int16", Int16Array.from({ length: 60 }, (_, i) => 500 * i - 9000)],
  ["int32", Int32Array.from({ length: 60 }, (_, i) => 100000 * i - 9)],
  ["float32", Float32Array.from({ length: 60 }, (_, i) => i / 7)],
];

describe("writeVolume()", () => {
  let folder = "";
  beforeAll(async () => void (folder = await Deno.makeTempDir()));
  afterAll(() => Deno.remove(folder, { recursive: true }));

  for (const ending of [".nii", ".nii.gz", ".nrrd"]) {
    it(`writes ${ending} in the type of the array, to be read back with the same grid`, async () => {
      for (const [type, data] of arrays) {
        for (const geometry of [grid, mirrored]) {
          const path = `${folder}/${type}${ending}`;
          await writeVolume(path, { ...geometry, data });
          const stored = await readStored(path);
          assertEquals([stored.dtype, stored.shape], [type, geometry.shape]);
          assertEquals([...imageOf(stored).data], [...Float32Array.from(data)]);
          const expected = affineOf(geometry);
          affineOf(stored).forEach((row, r) =>
            row.forEach((v, c) => assertAlmostEquals(v, expected[r][c], 1e-5))
          );
        }
      }
      const names = [...Deno.readDirSync(folder)].map((entry) => entry.name);
      assertEquals(names.filter((name) => name.endsWith(".tmp")), []);
    });
  }

  it("refuses other names and a folder that does not exist", async () => {
    const volume = { ...grid, data: new Uint8Array(60) };
    await assertRejects(
      () => writeVolume(`${folder}/a.mha`, volume),
      InputError,
      "written as .nii, .nii.gz or .nrrd",
    );
    await assertRejects(
      () => writeVolume(`${folder}/no/a.nii`, volume),
      InputError,
      "the folder of the file does not exist",
    );
    await assertRejects(
      () => writeVolume(`${folder}/a.nii`, { ...volume, data: new Uint8Array(6) }),
      InputError,
      "6 voxels do not fill",
    );
  });
});

describe("encodeVolume()", () => {
  it("writes the header that nibabel 5.4.2 writes for this grid", () => {
    const recorded = {
      quaternion: [-0.16533875465393066, -0.06720426678657532, -0.9671841263771057, -10, 5, 3],
      rows: [
        -0.87992316,
        0.55803835,
        0.73880053,
        -10,
        -0.32757968,
        -1.3883462,
        0.47449017,
        5,
        0.3441319,
        0.10529931,
        2.3407335,
        3,
      ],
    };
    for (const [geometry, qfac] of [[grid, 1], [mirrored, -1]] as const) {
      const view = new DataView(
        encodeVolume({ ...geometry, data: new Int16Array(60) }, "a.nii").buffer as ArrayBuffer,
      );
      const reals = (at: number, count: number) =>
        Array.from({ length: count }, (_, n) => view.getFloat32(at + 4 * n, true));
      const integers = (at: number, count: number) =>
        Array.from({ length: count }, (_, n) => view.getInt16(at + 2 * n, true));
      assertEquals([view.getInt32(0, true), view.byteLength], [348, 352 + 120]);
      assertEquals(integers(40, 8), [3, 5, 4, 3, 1, 1, 1, 1]);
      assertEquals(integers(70, 2), [4, 16]);
      assertEquals(reals(76, 4), [qfac, 1, 1.5, 2.5]);
      assertEquals(reals(108, 3), [352, 1, 0]);
      assertEquals(integers(252, 2), [1, 1]);
      reals(256, 6).forEach((v, n) => assertAlmostEquals(v, recorded.quaternion[n], 1e-6));
      const rows = recorded.rows.map((v, n) => n % 4 === 2 ? qfac * v : v);
      reals(280, 12).forEach((v, n) => assertAlmostEquals(v, rows[n], 1e-6));
      assertEquals(view.getUint32(344, false), 0x6e2b3100);
    }
  });

  it("leaves the qform out where the axes are not at right angles", () => {
    const sheared: Geometry = { ...grid, direction: [[1, 0, 0], [0.6, 0.8, 0], [0, 0, 1]] };
    const view = new DataView(
      encodeVolume({ ...sheared, data: new Uint8Array(60) }, "a.nii").buffer as ArrayBuffer,
    );
    assertEquals([view.getInt16(252, true), view.getInt16(254, true)], [0, 1]);
  });

  it("writes NRRD as text, i fastest behind it", () => {
    const geometry = {
      shape: [1, 2, 2],
      spacing: [1, 2, 3],
      direction: [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
      origin: [4, 5, 6],
    } as const;
    const bytes = encodeVolume({ ...geometry, data: Uint8Array.of(1, 2, 3, 4) }, "a.nrrd");
    const text = new TextDecoder("latin1").decode(bytes);
    const [header, rest] = [text.slice(0, text.indexOf("\n\n")), bytes.subarray(text.indexOf("\n\n") + 2)];
    assertEquals(header.split("\n"), [
      "NRRD0004",
      "type: uint8",
      "dimension: 3",
      "space: left-posterior-superior",
      "sizes: 1 2 2",
      "space directions: (0,1,0) (-2,0,0) (0,0,3)",
      "kinds: domain domain domain",
      "endian: little",
      "encoding: gzip",
      "space origin: (4,5,6)",
    ]);
    assertEquals([...gunzipSync(rest)], [1, 3, 2, 4]);
  });

  it("gives equal bytes for equal volumes", () => {
    const volume = { ...grid, data: new Uint8Array(60) };
    assertEquals(encodeVolume(volume, "a.nii.gz"), encodeVolume(volume, "a.nii.gz"));
  });

  it("refuses sides that NIfTI-1 cannot hold", () => {
    const volume = { ...grid, shape: [40000, 1, 1] as const, data: new Uint8Array(40000) };
    assertThrows(() => encodeVolume(volume, "a.nii"), InputError, "NIfTI-1 holds up to 32767");
  });
});

describe("a volume of the kit", () => {
  it("goes through a file and back", async () => {
    const path = await Deno.makeTempFile({ suffix: ".nii.gz" });
    const data = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
    const geometry: Geometry = { ...grid, direction: [[0, 0, 1], [1, 0, 0], [0, -1, 0]] };
    await writeVolume(path, { ...geometry, data });
    assertEquals(await readVolume(path), { ...geometry, data });
    await Deno.remove(path);
  });
});
