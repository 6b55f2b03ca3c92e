import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { InputError } from "../../lib/errors.ts";
import { affineOf } from "../../lib/volume/geometry.ts";
import { readLabel, readStored, readVolume } from "../../lib/volume/read_volume.ts";
import { imageOf, maskOf, summarise } from "../../lib/volume/stored_volume.ts";
import { sharedFolder } from "../shared.ts";
import recorded from "./recorded_scans.json" with { type: "json" };
import { niftiBytes } from "./scan_files.ts";

const shared = sharedFolder();

describe("readStored()", () => {
  // Recorded with nibabel 5.4.2, SimpleITK 2.5.7 (NRRD, MetaImage, DICOM) and pynrrd 1.1.3 (bzip2).
  for (const { file, shape, min, max, mean, weighted, affine } of recorded) {
    it(`reads ${file} as the Python tools do`, { ignore: shared === undefined }, async () => {
      const stored = await readStored(`${shared}/data/${file}`);
      assertEquals([...stored.shape], shape);
      const found = summarise(stored);
      assertEquals([found.min, found.max], [min, max]);
      assertAlmostEquals(found.mean!, mean, 1e-9 * (1 + Math.abs(mean)));
      // Each voxel weighted by its place in C order.
      const { data } = imageOf(stored);
      let sum = 0;
      for (let i = 0; i < data.length; i++) sum += data[i] * (i % 97);
      assertAlmostEquals(sum / data.length, weighted, 1e-6 * (1 + Math.abs(weighted)));
      affineOf(stored).forEach((row, r) => row.forEach((v, c) => assertAlmostEquals(v, affine[r][c], 1e-4)));
    });
  }

  it("refuses the files that are no volumes", { ignore: shared === undefined }, async () => {
    const refused = (file: string, reason: string) =>
      assertRejects(() => readStored(`${shared}/data/readers/${file}`), InputError, reason);
    await refused("nifti/5D_small.nii", "5 axes (1×2×3×1×3)");
    await refused("nifti/not-nifti.nii", "not a NIfTI file, although its name says so");
    await refused("nrrd/pynrrd_tests/test1d_ascii.nrrd", "one axis (27)");
    await refused(
      "nrrd/pynrrd_tests/BallBinary30x30x30_nifti.nhdr",
      "54352 bytes of voxels, its header asks for 54000",
    );
    await refused("dicom", "slices of 3 series");
    await refused("dicom/dcmqi_ct3slice/liver_SEG.dcm", "no scan");
  });
});

describe("readVolume()", () => {
  let folder = "";
  beforeAll(async () => void (folder = await Deno.makeTempDir()));
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("knows a file by its content, whatever its name", async () => {
    const voxels = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    await Deno.writeFile(
      `${folder}/scan.mha`,
      new Uint8Array(gzipSync(niftiBytes({ shape: [2, 2, 2], voxels }))),
    );
    assertEquals([...(await readVolume(`${folder}/scan.mha`)).data], [1, 5, 3, 7, 2, 6, 4, 8]);
  });

  it("names files that are missing, empty or of no format", async () => {
    await assertRejects(
      () => readVolume(`${folder}/none.nii`),
      InputError,
      "none.nii: the file does not exist",
    );
    await Deno.writeFile(`${folder}/empty.nrrd`, new Uint8Array());
    await assertRejects(
      () => readVolume(`${folder}/empty.nrrd`),
      InputError,
      "empty.nrrd: the file is empty",
    );
    await Deno.writeTextFile(`${folder}/page.html`, "<html>");
    await assertRejects(
      () => readVolume(`${folder}/page.html`),
      InputError,
      "not a volume that is read; expected NIfTI",
    );
    await Deno.writeTextFile(`${folder}/page.nrrd`, "<html>");
    await assertRejects(
      () => readVolume(`${folder}/page.nrrd`),
      InputError,
      "not a NRRD file, although its name says so",
    );
  });
});

describe("readLabel()", () => {
  let path = "";
  beforeAll(async () => void (path = await Deno.makeTempFile({ suffix: ".nii" })));
  afterAll(() => Deno.remove(path));

  it("gives whole numbers from 0 to 255 and refuses others", async () => {
    const voxels = Uint8Array.of(0, 1, 255, 7);
    await Deno.writeFile(path, niftiBytes({ shape: [1, 2, 2], voxels }));
    assertEquals([...(await readLabel(path)).data], [0, 255, 1, 7]);
    await Deno.writeFile(path, niftiBytes({ shape: [1, 2, 2], voxels, slope: 0.5 }));
    await assertRejects(() => readLabel(path), InputError, "voxel value 0.5 is no label");
    await Deno.writeFile(path, niftiBytes({ shape: [1, 2, 2], voxels, intercept: 1 }));
    await assertRejects(() => readLabel(path), InputError, "voxel value 256 is no label");
  });

  it("makes masks of all labels but 0, or of one", async () => {
    await Deno.writeFile(
      path,
      niftiBytes({ shape: [1, 1, 4], voxels: Uint8Array.of(0, 1, 255, 7), slope: 2 }),
    );
    const stored = await readStored(path);
    assertEquals([...maskOf(stored, path).data], [0, 1, 1, 1]);
    assertEquals([...maskOf(stored, path, 510).data], [0, 0, 1, 0]);
    await Deno.writeFile(
      path,
      niftiBytes({ shape: [1, 1, 4], voxels: Uint8Array.of(0, 1, 255, 7), slope: -1 }),
    );
    const negative = await readStored(path);
    await assertRejects(
      async () => await Promise.resolve(maskOf(negative, path)),
      InputError,
      "voxel value -1 is no label",
    );
  });
});

describe("summarise()", () => {
  it("lists labels, and counts what is not finite", () => {
    const volume = {
      format: "",
      dtype: "float32",
      fastest: "k",
      shape: [1, 1, 4],
      spacing: [1, 1, 1],
      direction: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
      origin: [0, 0, 0],
    } as const;
    const of = (values: number[], slope = 1) =>
      summarise({ ...volume, stored: Float32Array.from(values), slope, intercept: 0 });
    assertEquals(of([3, 0, 3, 1]), { min: 0, max: 3, mean: 1.75, notFinite: 0, labels: [0, 1, 3] });
    assertEquals(of([3, 0, 3, 1], 0.5).labels, null);
    assertEquals(of([NaN, 2, Infinity, 4]), { min: 2, max: 4, mean: 3, notFinite: 2, labels: null });
    assertEquals(of([NaN, NaN, NaN, NaN]), { min: null, max: null, mean: null, notFinite: 4, labels: null });
  });
});
