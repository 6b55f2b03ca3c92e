import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { joinSlices, readDicomFile } from "../../lib/volume/dicom_series.ts";
import { parseDicomSlice } from "../../lib/volume/dicom_slice.ts";
import { readStored } from "../../lib/volume/read_volume.ts";
import { imageOf } from "../../lib/volume/stored_volume.ts";
import type { Triple } from "../../lib/volume/volume.ts";
import { dicomBytes, type DicomSpec } from "./scan_files.ts";

function slice(name: string, spec: DicomSpec) {
  const parsed = parseDicomSlice(dicomBytes(spec), `scan/${name}`);
  if (parsed === undefined) throw new Error(`${name} is no scan`);
  return parsed;
}

/** Slices of one series, two pixels each, at these heights. */
function series(heights: readonly number[], spec: DicomSpec = {}) {
  return heights.map((z, n) =>
    slice(`${n}.dcm`, { position: [0, 0, z], columns: 2, rows: 1, pixels: Int16Array.of(z, -z), ...spec })
  );
}

function refuses(slices: Parameters<typeof joinSlices>[0], reason: string) {
  assertThrows(() => joinSlices(slices, "scan"), InputError, reason);
}

describe("joinSlices()", () => {
  it("sorts by position along the normal, spaces by the positions, applies the rescaling", () => {
    const volume = joinSlices(series([7.5, 0, 2.5, 5], { slope: 2, intercept: -1000 }), "scan");
    assertEquals([volume.format, volume.dtype, volume.shape], ["DICOM", "int16", [2, 1, 4]]);
    // Row distance comes first in the file, column distance first in the volume.
    assertEquals([volume.spacing, volume.origin], [[0.75, 0.5, 2.5], [0, 0, 0]]);
    assertEquals([...imageOf(volume).data], [-1000, -996, -990, -986, -1000, -1004, -1010, -1014]);
  });

  it("follows the normal of oblique and reversed planes", () => {
    const orientation = [0, 1, 0, 0, 0, -1];
    const at = (x: number): Triple => [x, 5, 6];
    const volume = joinSlices(
      [3, 9, 6].map((x, n) => slice(`${n}`, { position: at(x), orientation })),
      "scan",
    );
    // (0, 1, 0) × (0, 0, −1) = (−1, 0, 0): the first slice is the one with the largest x.
    assertEquals(volume.direction, [[0, 1, 0], [0, 0, -1], [-1, 0, 0]]);
    assertEquals([volume.origin, volume.spacing[2]], [[9, 5, 6], 3]);
  });

  it("applies slopes that differ between slices", () => {
    const slices = [
      slice("a", { columns: 1, rows: 1, pixels: Int16Array.of(3), slope: 2 }),
      slice("b", {
        columns: 1,
        rows: 1,
        pixels: Int16Array.of(3),
        slope: 5,
        intercept: 1,
        position: [0, 0, 1],
      }),
    ];
    assertEquals([...imageOf(joinSlices(slices, "scan")).data], [6, 16]);
  });

  it("tolerates positions that were rounded", () => {
    const { spacing } = joinSlices(series([0, 0.63, 1.25, 1.88, 2.5]), "scan");
    assertAlmostEquals(spacing[2], 0.625, 1e-12);
  });

  it("names missing, doubled and irregular slices", () => {
    refuses(
      series([0, 2, 4, 8, 10]),
      "missing 1 slice between 2.dcm and 3.dcm: 4 mm where the others are 2 mm apart",
    );
    refuses(series([0, 2, 4, 10, 12]), "missing 2 slices between 2.dcm and 3.dcm");
    refuses(series([0, 2, 4, 2]), "doubled slices: 1.dcm and 3.dcm lie at one position");
    refuses(series([0, 2, 4, 7, 9]), "irregular distance of slices between 2.dcm and 3.dcm: 3 mm");
  });

  it("names slices that do not belong together", () => {
    const [first] = series([0]);
    refuses(
      [first, ...series([2], { series: "9.9", modality: "MR" })],
      "2 series (CT with 1 slice, MR with 1 slice)",
    );
    refuses([first, ...series([2], { columns: 1, rows: 2 })], "slices differ in size (1×2 and 2×1)");
    refuses([first, ...series([2], { spacing: [0.5, 0.8] })], "slices differ in pixel spacing");
    refuses(
      [first, ...series([2], { orientation: [1, 0, 0, 0, 0.99995, 0.01] })],
      "slices differ in orientation",
    );
    refuses([first, ...series([2], { pixels: Uint16Array.of(1, 2) })], "number type (uint16 and int16)");
  });

  it("measures a gantry tilt and refuses it", () => {
    const tilted = [0, 1, 2].map((n) =>
      slice(`${n}`, { position: [0, n * Math.tan(Math.PI / 12) * 5, n * 5] })
    );
    refuses(tilted, "a gantry tilt of 15°");
  });
});

describe("readDicomFile()", () => {
  it("reads implicit and big-endian files, and a single slice with its thickness", () => {
    for (const syntax of ["explicit", "implicit", "big"] as const) {
      const volume = readDicomFile(
        dicomBytes({ syntax, pixels: Int16Array.of(-5, 1, 2, 3, 4, 300) }),
        "one.dcm",
      );
      assertEquals([...volume.stored], [-5, 1, 2, 3, 4, 300], syntax);
      assertEquals([volume.shape, volume.spacing], [[3, 2, 1], [0.75, 0.5, 2.5]]);
    }
  });

  it("clears bits above the stored ones, and extends the sign", () => {
    const signed = readDicomFile(
      dicomBytes({ bitsStored: 12, pixels: Int16Array.of(0x0fff, 0x7001, 5, 0, 0, 0) }),
      "a",
    );
    assertEquals([...signed.stored].slice(0, 3), [-1, 1, 5]);
    const unsigned = readDicomFile(
      dicomBytes({ bitsStored: 12, pixels: Uint16Array.of(0xffff, 1, 0, 0, 0, 0) }),
      "a",
    );
    assertEquals([...unsigned.stored].slice(0, 2), [4095, 1]);
  });

  it("names what it does not read", () => {
    const refused = (spec: DicomSpec, reason: string) =>
      assertThrows(() => readDicomFile(dicomBytes(spec), "a.dcm"), InputError, reason);
    refused({ syntax: "1.2.840.10008.1.2.4.90" }, '"1.2.840.10008.1.2.4.90" (JPEG 2000) is not read');
    refused({ syntax: "1.2.840.10008.1.2.5" }, "(RLE) is not read");
    refused({ syntax: "1.2.840.10008.1.2.1.99" }, "(deflated) is not read");
    refused({ frames: 3 }, "3 frames in one file");
    refused({ modality: "SEG" }, "no scan");
    refused({ orientation: [1, 0, 0, 1, 0, 0] }, "is not two unit vectors");
    refused({ orientation: [1, 0, 0] }, "lacks ImageOrientationPatient");
    refused({ rows: 9, pixels: new Int16Array(6) }, "12 bytes, 54 are needed");
  });
});

describe("readStored() of a folder", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    // Names run against the positions.
    for (const [name, z] of [["a/1", 6], ["a/2", 0], ["a/3", 3]] as const) {
      await Deno.mkdir(`${folder}/a`, { recursive: true });
      await Deno.writeFile(
        `${folder}/${name}.dcm`,
        dicomBytes({ position: [0, 0, z], columns: 1, rows: 1, pixels: Int16Array.of(z) }),
      );
    }
    await Deno.writeFile(`${folder}/a/segmentation.dcm`, dicomBytes({ modality: "SEG", series: "7" }));
    await Deno.writeTextFile(`${folder}/a/notes.txt`, "not a slice");
    await Deno.mkdir(`${folder}/empty`);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("passes over other files and looks into folders", async () => {
    const volume = await readStored(folder);
    assertEquals([[...volume.stored], volume.spacing[2]], [[0, 3, 6], 3]);
  });

  it("names a folder without slices", async () => {
    await assertRejects(() => readStored(`${folder}/empty`), InputError, "no DICOM slices in this folder");
  });
});
