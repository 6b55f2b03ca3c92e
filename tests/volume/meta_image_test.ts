import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { deflateSync } from "node:zlib";
import { InputError } from "../../lib/errors.ts";
import { readMetaImage } from "../../lib/volume/meta_image.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { counting, join, withHeader } from "./scan_files.ts";

const shape: Shape3 = [4, 3, 2];
const numbers = Array.from({ length: 24 }, (_, i) => i);

function header(all: Readonly<Record<string, string | undefined>> = {}): string[] {
  const { ElementDataFile = "ElementDataFile" in all ? undefined : "LOCAL", ...changes } = all;
  const fields: Record<string, string | undefined> = {
    ObjectType: "Image",
    NDims: "3",
    BinaryData: "True",
    BinaryDataByteOrderMSB: "False",
    CompressedData: "False",
    TransformMatrix: "0 1 0 -1 0 0 0 0 1",
    Offset: "10 20 30",
    ElementSpacing: "0.5 2 3",
    DimSize: "4 3 2",
    ElementType: "MET_SHORT",
    ...changes,
    // The last line of every header.
    ElementDataFile,
  };
  return Object.entries(fields).filter(([, value]) => value !== undefined).map(([name, value]) =>
    `${name} = ${value}`
  );
}

function read(changes: Readonly<Record<string, string | undefined>> = {}, data = counting(shape)) {
  return readMetaImage(withHeader(header(changes), data), "folder/scan.mha", () => Promise.reject());
}

function refuses(changes: Readonly<Record<string, string | undefined>>, reason: string) {
  return assertRejects(() => read(changes), InputError, reason);
}

describe("readMetaImage()", () => {
  it("reads voxels and grid; each row of the matrix is an axis", async () => {
    const volume = await read();
    assertEquals([volume.format, volume.dtype, volume.shape], ["MetaImage", "int16", shape]);
    assertEquals([...volume.stored], numbers);
    assertEquals(volume.direction, [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]);
    assertEquals([volume.spacing, volume.origin], [[0.5, 2, 3], [10, 20, 30]]);
  });

  it("reads compressed, big-endian and written out numbers", async () => {
    const deflated = new Uint8Array(deflateSync(counting(shape)));
    assertEquals([...(await read({ CompressedData: "True" }, deflated)).stored], numbers);
    const big = await read({ BinaryDataByteOrderMSB: "True" }, counting(shape, false));
    assertEquals([...big.stored], numbers);
    const text = await read({ BinaryData: "False" }, new TextEncoder().encode(numbers.join(" ")));
    assertEquals([...text.stored], numbers);
  });

  it("reads a separate data file, behind its own header", async () => {
    const bytes = withHeader(header({ ElementDataFile: "scan.raw", HeaderSize: "5" }));
    const volume = await readMetaImage(bytes, "folder/scan.mhd", (path) => {
      assertEquals(path, "folder/scan.raw");
      return Promise.resolve(join([new Uint8Array(5), counting(shape)]));
    });
    assertEquals([...volume.stored], numbers);
    const last = await read({ HeaderSize: "-1" }, join([new Uint8Array(9), counting(shape)]));
    assertEquals([...last.stored], numbers);
  });

  it("reads a flat image as one slice", async () => {
    const volume = await read({
      NDims: "2",
      DimSize: "8 3",
      TransformMatrix: "0 1 -1 0",
      Offset: "1 2",
      ElementSpacing: "2 3",
    });
    assertEquals([volume.shape, volume.spacing, volume.origin], [[8, 3, 1], [2, 3, 1], [1, 2, 0]]);
    assertEquals(volume.direction, [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]);
  });

  it("names what is wrong in one line", async () => {
    await refuses({ DimSize: "4 3 3" }, "48 of the 72 bytes");
    await refuses({ DimSize: "4 3" }, 'the sizes "4 3"');
    await refuses({ NDims: "4", DimSize: "4 3 1 2" }, "4 axes (4×3×1×2)");
    await refuses({ ElementType: "MET_WISH" }, 'ElementType "MET_WISH"');
    await refuses({ ElementNumberOfChannels: "3" }, "3 numbers a voxel");
    await refuses({ ElementDataFile: "LIST" }, "in several files");
    await refuses({ ElementDataFile: undefined }, "in its header is no");
    await refuses({ TransformMatrix: "1 0 0 0" }, "has 4 numbers; expected 9");
    await refuses({ Offset: "1 b 3" }, 'has "1 b 3" as offset');
    await refuses({ CompressedData: "True" }, "truncated or damaged");
  });
});
