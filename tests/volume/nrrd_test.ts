import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { InputError } from "../../lib/errors.ts";
import { affineOf } from "../../lib/volume/geometry.ts";
import { readNrrd } from "../../lib/volume/nrrd.ts";
import { imageOf } from "../../lib/volume/stored_volume.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";
import { bzip2Of24, counting, join, withHeader } from "./scan_files.ts";

const shape: Shape3 = [4, 3, 2];
const packed = new Uint8Array(gzipSync(counting(shape)));
const numbers = Array.from({ length: 24 }, (_, i) => i);

/** A header of 4×3×2 16-bit integers with these fields in place of the usual ones. */
function header(changes: Readonly<Record<string, string | undefined>> = {}): string[] {
  const fields: Record<string, string | undefined> = {
    type: "short",
    dimension: "3",
    space: "left-posterior-superior",
    sizes: "4 3 2",
    "space directions": "(1,0,0) (0,2,0) (0,0,3)",
    endian: "little",
    encoding: "raw",
    "space origin": "(10,20,30)",
    ...changes,
  };
  const lines = Object.entries(fields).filter(([, value]) => value !== undefined);
  return ["NRRD0004", "# a comment", "key:=value", ...lines.map(([name, value]) => `${name}: ${value}`)];
}

function read(changes: Readonly<Record<string, string | undefined>>, data: Uint8Array) {
  return readNrrd(withHeader([...header(changes), ""], data), "folder/scan.nrrd", () => {
    throw new Error("no other file is read");
  });
}

function refuses(
  changes: Readonly<Record<string, string | undefined>>,
  reason: string,
  data = counting(shape),
) {
  return assertRejects(() => read(changes, data), InputError, reason);
}

describe("readNrrd()", () => {
  it("reads raw, gzip, bzip2 and text", async () => {
    const text = new TextEncoder().encode(numbers.join("\n"));
    const files: [string, Uint8Array][] = [
      ["raw", counting(shape)],
      ["gzip", packed],
      ["gz", packed],
      ["bzip2", bzip2Of24],
      ["ascii", text],
      ["TXT", text],
    ];
    for (const [encoding, data] of files) {
      assertEquals([...(await read({ encoding }, data)).stored], numbers, encoding);
    }
  });

  it("reads big-endian numbers and puts them in C order", async () => {
    const { data } = imageOf(await read({ endian: "big" }, counting(shape, false)));
    assertEquals([...data.subarray(0, 6)], [0, 12, 4, 16, 8, 20]);
  });

  it("turns RAS and LAS into LPS", async () => {
    const affine = async (space: string) => affineOf(await read({ space }, counting(shape)));
    assertEquals(await affine("left-posterior-superior"), [[1, 0, 0, 10], [0, 2, 0, 20], [0, 0, 3, 30]]);
    for (const space of ["right-anterior-superior", "RAS"]) {
      assertEquals(await affine(space), [[-1, 0, 0, -10], [0, -2, 0, -20], [0, 0, 3, 30]]);
    }
    assertEquals(await affine("LAS"), [[1, 0, 0, 10], [0, -2, 0, -20], [0, 0, 3, 30]]);
  });

  it("keeps oblique directions", async () => {
    const volume = await read({ "space directions": "(0,2,0) (-3,0,0) (0,0.3,0.4)" }, counting(shape));
    assertEquals(volume.spacing, [2, 3, 0.5]);
    assertEquals(volume.direction, [[0, 1, 0], [-1, 0, 0], [0, 0.6, 0.8]]);
  });

  it("skips lines before decompression and bytes after it, and finds data at the end", async () => {
    const lines = new TextEncoder().encode("one\ntwo\n");
    const read24 = async (changes: Record<string, string>, data: Uint8Array) =>
      assertEquals([...(await read(changes, data)).stored], numbers);
    await read24({ "line skip": "2", "byte skip": "3" }, join([lines, new Uint8Array(3), counting(shape)]));
    await read24({ "line skip": "2", encoding: "gzip" }, join([lines, packed]));
    const longer = new Uint8Array(gzipSync(join([new Uint8Array(7), counting(shape)])));
    await read24({ "byte skip": "7", encoding: "gzip" }, longer);
    await read24({ "byte skip": "-1", encoding: "gzip" }, longer);
    await read24({ "byte skip": "-1" }, join([new Uint8Array(9), counting(shape)]));
    await refuses({ encoding: "gzip" }, "there are 55 bytes of voxels, its header asks for 48", longer);
  });

  it("reads a detached header, its data beside it", async () => {
    const asked: string[] = [];
    const bytes = withHeader(header({ "data file": "voxels.raw" }));
    const volume = await readNrrd(bytes, "folder/scan.nhdr", (path) => {
      asked.push(path);
      return Promise.resolve(counting(shape));
    });
    assertEquals([...volume.stored], numbers);
    assertEquals(asked, ["folder/voxels.raw"]);
  });

  it("reads spacings without directions, single slices, and an axis of one", async () => {
    const plain = { space: undefined, "space directions": undefined, "space origin": undefined };
    const spaced = await read({ ...plain, spacings: "0.5 2 nan" }, counting(shape));
    assertEquals([spaced.spacing, spaced.origin], [[0.5, 2, 1], [0, 0, 0]]);
    const slice = await read({ ...plain, dimension: "2", sizes: "8 3" }, counting(shape));
    assertEquals(slice.shape, [8, 3, 1]);
    const one = { dimension: "4", sizes: "1 4 3 2", "space directions": "none (1,0,0) (0,2,0) (0,0,3)" };
    assertEquals((await read(one, counting(shape))).shape, [4, 3, 2]);
  });

  it("names what is wrong in one line", async () => {
    await refuses({ dimension: "4", sizes: "2 2 3 2", "space directions": undefined }, "4 axes (2×2×3×2)");
    await refuses({ dimension: "1", sizes: "24", "space directions": undefined }, "one axis (24)");
    await refuses({ type: "block" }, 'type "block"');
    await refuses({ encoding: "hex" }, 'encoding "hex" is not read');
    await refuses({ endian: undefined }, 'endian ""');
    await refuses({ sizes: undefined }, 'lacks the field "sizes"');
    await refuses({ sizes: "4 3 3" }, "48 of the 72 bytes");
    await refuses({ sizes: "4 x 3" }, "4×NaN×3");
    await refuses({ "byte skip": "-5" }, "byte skip -5");
    await refuses({ "data file": "LIST" }, "in several files");
    await refuses({ "space directions": "(1,0,0) (1,0,0) (0,0,1)" }, "place no volume in space");
    await refuses({ "space directions": "(1,0,0) (0,x,0) (0,0,1)" }, "the vector (0,x,0)");
    await refuses(
      { encoding: "ascii" },
      "its header asks for 24 numbers, the text has 2",
      new TextEncoder().encode("1 2" + " ".repeat(60)),
    );
    await refuses(
      { encoding: "ascii", type: "uchar" },
      '"300" is no number of type uint8',
      new TextEncoder().encode("300 ".repeat(24)),
    );
    const open = withHeader(header(), counting(shape).fill(65));
    await assertRejects(
      () => readNrrd(open, "open.nrrd", () => Promise.reject()),
      InputError,
      "open.nrrd: its NRRD header has no end",
    );
  });
});
