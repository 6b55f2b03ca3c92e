import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { gzipSync } from "node:zlib";
import { type NIFTI1, type NIFTI2, readHeader } from "nifti-reader-js";
import { InputError } from "../../lib/errors.ts";
import { affineOf } from "../../lib/volume/geometry.ts";
import { readNifti } from "../../lib/volume/nifti.ts";
import { imageOf } from "../../lib/volume/stored_volume.ts";
import type { Geometry, Shape3 } from "../../lib/volume/volume.ts";
import { counting, niftiBytes, type NiftiSpec } from "./scan_files.ts";

const shape: Shape3 = [2, 3, 4];

function assertAffine(geometry: Geometry, expected: readonly (readonly number[])[], tolerance = 1e-5) {
  affineOf(geometry).forEach((row, r) =>
    row.forEach((value, c) => assertAlmostEquals(value, expected[r][c], tolerance, `row ${r}, column ${c}`))
  );
}

/** Reads a file of 2×3×4 voxels. */
function read(spec: Partial<NiftiSpec>) {
  return readNifti(niftiBytes({ shape, ...spec }), "scan.nii");
}

function refuses(spec: Partial<NiftiSpec>, reason: string) {
  assertThrows(() => read(spec), InputError, reason);
}

describe("readNifti()", () => {
  for (const version of [1, 2] as const) {
    for (const littleEndian of [true, false]) {
      const order = littleEndian ? "little" : "big";
      it(`reads NIfTI-${version} of ${order} byte order, plain and gzip, into C order`, () => {
        const voxels = counting(shape, littleEndian);
        const sform = [1, [2, 0, 0, 5, 0, 3, 0, 6, 0, 0, 4, 7]] as const;
        const bytes = niftiBytes({ version, littleEndian, shape, type: [4, 2], voxels, sform });
        for (const content of [bytes, new Uint8Array(gzipSync(bytes))]) {
          const volume = readNifti(content, "scan");
          assertEquals([volume.format, volume.dtype], [`NIfTI-${version}`, "int16"]);
          const { data } = imageOf(volume);
          assertEquals([data[0], data[1], data[4], data[12]], [0, 6, 2, 1]);
          assertAffine(volume, [[-2, 0, 0, -5], [0, -3, 0, -6], [0, 0, 4, 7]]);
        }
      });
    }
  }

  it("reads every number type", () => {
    const types: [number, string, ArrayBufferView, number[]][] = [
      [2, "uint8", Uint8Array.of(0, 200, 255), [0, 200, 255]],
      [256, "int8", Int8Array.of(-128, 0, 127), [-128, 0, 127]],
      [4, "int16", Int16Array.of(-32768, 1, 32767), [-32768, 1, 32767]],
      [512, "uint16", Uint16Array.of(0, 1, 65535), [0, 1, 65535]],
      [8, "int32", Int32Array.of(-70000, 0, 70000), [-70000, 0, 70000]],
      [768, "uint32", Uint32Array.of(0, 1, 4294967295), [0, 1, 4294967295]],
      [1024, "int64", BigInt64Array.of(-5n, 0n, 9007199254740991n), [-5, 0, 9007199254740991]],
      [1280, "uint64", BigUint64Array.of(0n, 1n, 9007199254740991n), [0, 1, 9007199254740991]],
      [16, "float32", Float32Array.of(-0.5, 0.25, 1e30), [-0.5, 0.25, Math.fround(1e30)]],
      [64, "float64", Float64Array.of(-0.1, 0.1, 1e300), [-0.1, 0.1, 1e300]],
    ];
    for (const [code, name, array, expected] of types) {
      const voxels = new Uint8Array(array.buffer);
      const volume = read({ shape: [3, 1, 1], type: [code, voxels.length / 3], voxels });
      assertEquals(volume.dtype, name);
      assertEquals([...volume.stored], expected, name);
    }
  });

  it("applies slope and intercept, and none where the slope is 0 or not a number", () => {
    const voxels = Uint8Array.from({ length: 24 }, (_, i) => i);
    const first = (
      slope: number,
      intercept: number,
    ) => [...imageOf(read({ voxels, slope, intercept })).data.subarray(0, 2)];
    assertEquals(first(2, 5), [5, 17]);
    assertEquals(first(0, 5), [0, 6]);
    assertEquals(first(NaN, 5), [0, 6]);
    refuses({ slope: 2, intercept: NaN }, "slope 2 and intercept NaN");
  });

  it("passes over extensions", () => {
    const extension = new Uint8Array(36);
    extension.set([1, 0, 0, 0, 32, 0, 0, 0, 6]);
    const voxels = Uint8Array.from({ length: 24 }, (_, i) => i);
    assertEquals([...read({ voxels, extension }).stored], [...voxels]);
  });

  // The expected numbers of the next tests are those of nibabel 5.4.2.
  it("takes the sform, else the qform, else the voxel sizes around the centre", () => {
    const pixdim = [1, 2, 3, 4];
    const sform = [1, [2, 0, 0, 5, 0, 3, 0, 6, 0, 0, 4, 7]] as const;
    const qform = [2, [0, 0, 0, 1, 2, 3]] as const;
    assertAffine(read({ pixdim, sform, qform }), [[-2, 0, 0, -5], [0, -3, 0, -6], [0, 0, 4, 7]]);
    assertAffine(read({ pixdim, qform }), [[-2, 0, 0, -1], [0, -3, 0, -2], [0, 0, 4, 3]]);
    assertAffine(read({ pixdim }), [[2, 0, 0, -1], [0, -3, 0, 3], [0, 0, 4, -6]]);
    assertAffine(read({ pixdim, sform: [-1, sform[1]] }), [[2, 0, 0, -1], [0, -3, 0, 3], [0, 0, 4, -6]]);
  });

  it("turns a quaternion into axes, the third one reversed where qfac is −1", () => {
    const b = [-0.16533875465393066, -0.06720426678657532, -0.9671841263771057, -10, 5, 3];
    const expected = [
      [0.87992316, -0.55803835, -0.73880053, 10],
      [0.32757968, 1.3883462, -0.47449017, -5],
      [0.3441319, 0.10529931, 2.3407335, 3],
    ];
    const grid = (qfac: number) => read({ shape: [5, 4, 3], pixdim: [qfac, 1, 1.5, 2.5], qform: [1, b] });
    assertAffine(grid(1), expected);
    assertAffine(grid(0), expected);
    assertAffine(grid(-1), expected.map(([x, y, z, o]) => [x, y, -z, o]));
    refuses({ qform: [1, [1.0001, 0, 0, 0, 0, 0]] }, "is longer than 1");
  });

  it("takes voxel sizes without their sign, and 1 for none", () => {
    const qform = [1, [0, 0, 0, 0, 0, 0]] as const;
    assertAffine(read({ pixdim: [1, -2, 0, 4], qform }), [[-2, 0, 0, 0], [0, -1, 0, 0], [0, 0, 4, 0]]);
  });

  it("converts metres and micrometres", () => {
    const sform = [1, [2, 0, 0, 5, 0, 3, 0, 6, 0, 0, 4, 7]] as const;
    assertAffine(read({ sform, units: 3 }), [[-2e-3, 0, 0, -5e-3], [0, -3e-3, 0, -6e-3], [0, 0, 4e-3, 7e-3]]);
    assertAffine(read({ version: 2, littleEndian: false, sform, units: 1 }), [
      [-2000, 0, 0, -5000],
      [0, -3000, 0, -6000],
      [0, 0, 4000, 7000],
    ]);
  });

  it("reads a series of one time point and a single slice, and refuses longer ones", () => {
    assertEquals(read({ shape: [2, 3, 4, 1] }).shape, [2, 3, 4]);
    assertEquals(read({ shape: [2, 3] }).shape, [2, 3, 1]);
    refuses({ shape: [2, 3, 4, 5] }, "4 axes (2×3×4×5)");
    refuses({ shape: [2, 3, 0] }, "2×3×0 voxels");
  });

  it("names what it does not read", () => {
    refuses({ type: [32, 8] }, "complex numbers (data type 32)");
    refuses({ type: [128, 3] }, "colours");
    refuses({ mark: "ni1\0" }, "a NIfTI pair (.hdr and .img)");
    refuses({ mark: "xyz\0" }, "not a NIfTI file");
    refuses({ offset: 100 }, "places the voxels at byte 100");
    refuses({ voxels: new Uint8Array(23) }, "375 of the 376 bytes");
    refuses({ sform: [1, new Array(12).fill(0)] }, "place no volume in space");
  });

  it("agrees with nifti-reader-js on the fields of the header", () => {
    for (const version of [1, 2] as const) {
      const pixdim = [1, 0.5, 0.25, 4];
      const sform = [2, [0, 0.5, 0, 1, 0, 0, -0.25, 2, 4, 0, 0, 3]] as const;
      const bytes = niftiBytes({ version, shape, pixdim, sform, slope: 2, intercept: 3, type: [4, 2] });
      const header = readHeader(bytes.buffer as ArrayBuffer) as NIFTI1 | NIFTI2;
      const volume = readNifti(bytes, "scan");
      assertEquals([...volume.shape], header.dims.slice(1, 4));
      assertEquals([volume.slope, volume.intercept], [header.scl_slope, header.scl_inter]);
      assertEquals(volume.stored.length * header.numBitsPerVoxel / 8 + header.vox_offset, bytes.length);
      assertAffine(volume, header.affine.map((row, r) => row.map((v) => r < 2 ? -v : v)));
    }
  });
});
