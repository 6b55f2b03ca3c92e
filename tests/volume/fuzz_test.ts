import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { InputError } from "../../lib/errors.ts";
import { type RandomStream, randomStream } from "../../lib/random.ts";
import { decodeVolume } from "../../lib/volume/read_volume.ts";
import { imageOf, type StoredVolume } from "../../lib/volume/stored_volume.ts";
import { identityDirection, type Shape3, voxelCount } from "../../lib/volume/volume.ts";
import { writeHdf5 } from "../../lib/volume/hdf5.ts";
import {
  bzip2Of16MiBOfZeros,
  bzip2Of24,
  counting,
  dicomBytes,
  niftiBytes,
  withHeader,
} from "./scan_files.ts";

const shape: Shape3 = [4, 3, 2];
const voxels = counting(shape);
const nifti = niftiBytes({ shape, type: [4, 2], voxels, sform: [1, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]] });
const nifti2 = niftiBytes({ version: 2, littleEndian: false, shape, type: [4, 2], voxels });
const fields = ["NRRD0004", "type: short", "dimension: 3", "sizes: 4 3 2", "endian: little"];
const nrrd = (encoding: string, data: Uint8Array) =>
  withHeader([...fields, "space directions: (1,0,0) (0,2,0) (0,0,3)", `encoding: ${encoding}`, ""], data);
const text = new TextEncoder().encode(Array.from({ length: 24 }, (_, i) => i).join(" "));
const meta = (compressed: boolean, data: Uint8Array) =>
  withHeader([
    "ObjectType = Image",
    "NDims = 3",
    `CompressedData = ${compressed ? "True" : "False"}`,
    "TransformMatrix = 1 0 0 0 1 0 0 0 1",
    "Offset = 1 2 3",
    "ElementSpacing = 1 2 3",
    "DimSize = 4 3 2",
    "ElementType = MET_SHORT",
    "ElementDataFile = LOCAL",
  ], data);

async function zlib(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function hdf5(): Promise<Uint8Array> {
  const path = await Deno.makeTempFile({ suffix: ".h5" });
  const grid = { shape, spacing: [1, 1, 1], direction: identityDirection, origin: [0, 0, 0] } as const;
  await writeHdf5(path, {
    image: { ...grid, data: new Float32Array(24) },
    label: { ...grid, data: new Uint8Array(24) },
  });
  const bytes = await Deno.readFile(path);
  await Deno.remove(path);
  return bytes;
}

/** Sound files of every format; their headers' lengths, where most damage is done. */
const seeds: readonly (readonly [string, Uint8Array])[] = [
  ["plain.nii", nifti],
  ["packed.nii.gz", new Uint8Array(gzipSync(nifti))],
  ["second.nii", nifti2],
  ["raw.nrrd", nrrd("raw", voxels)],
  ["packed.nrrd", nrrd("gzip", new Uint8Array(gzipSync(voxels)))],
  ["bzip2.nrrd", nrrd("bzip2", bzip2Of24)],
  ["text.nrrd", nrrd("ascii", text)],
  ["raw.mha", meta(false, voxels)],
  ["packed.mha", meta(true, await zlib(voxels))],
  ["explicit.dcm", dicomBytes()],
  ["implicit.dcm", dicomBytes({ syntax: "implicit" })],
  ["volume.h5", await hdf5()],
];

const absurd = ["-1", "0", "999999999", "1e30", "NaN", "99999 99999 99999", "", "(1,0,0)", "LIST", "%d"];

/** Cuts, flips bits, writes extreme numbers, puts words in place of others, repeats or doubles a stretch. */
function damaged(bytes: Uint8Array, random: RandomStream): Uint8Array {
  const kind = random.integer(6);
  if (kind === 0) return bytes.slice(0, random.integer(bytes.length));
  if (kind === 1) {
    const at = random.integer(bytes.length);
    return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(random.integer(bytes.length))]);
  }
  const result = bytes.slice();
  if (kind === 2) {
    const word = new TextEncoder().encode(absurd[random.integer(absurd.length)]);
    result.set(word.subarray(0, bytes.length), random.integer(Math.max(1, bytes.length - word.length)));
    return result;
  }
  const count = 1 + random.integer(8);
  for (let n = 0; n < count; n++) {
    const at = random.integer(bytes.length);
    if (kind === 3) result[at] ^= 1 << random.integer(8);
    else if (kind === 4) result.fill([0, 0x7f, 0xff][random.integer(3)], at, at + 1 + random.integer(8));
    else result[at] = random.integer(256);
  }
  return result;
}

function requireSound(volume: StoredVolume) {
  assertEquals(imageOf(volume).data.length, voxelCount(volume.shape));
  assert([...volume.spacing, ...volume.origin, ...volume.direction.flat()].every(Number.isFinite));
}

const mutations = 300;

describe("decodeVolume()", () => {
  for (const [name, bytes] of seeds) {
    it(`reads ${name}, and of damaged copies a volume or one line with the name`, async () => {
      const options = { readFile: () => Promise.reject(new InputError(`folder/${name}: no such file`)) };
      const read = (content: Uint8Array) => decodeVolume(content, `folder/${name}`, options);
      requireSound(await read(bytes));
      let refused = 0;
      for (let n = 0; n < mutations; n++) {
        const content = damaged(bytes, randomStream(1337, name, n));
        try {
          requireSound(await read(content));
        } catch (error) {
          assert(error instanceof InputError, `${name} ${n}: ${error}`);
          assert(error.message.startsWith(`folder/${name}: `), `${name} ${n}: ${error.message}`);
          assert(!/[\r\n]/.test(error.message), `${name} ${n}: ${error.message}`);
          refused++;
        }
      }
      assert(refused > mutations / 10, `only ${refused} of ${mutations} were refused`);
      requireSound(await read(bytes));
    });
  }

  it("refuses small files that claim to be huge, before room for them is made", async () => {
    const zeros = new Uint8Array(gzipSync(new Uint8Array(2 ** 24)));
    const huge = [512, 512, 2048];
    const cases: [string, Uint8Array, string][] = [
      ["big.nii", niftiBytes({ shape: huge, voxels: new Uint8Array(10) }), "of the 536871264 bytes"],
      ["larger.nii", niftiBytes({ shape: [30000, 30000, 30000], voxels: new Uint8Array(10) }), "are read"],
      [
        "big.nii.gz",
        new Uint8Array(gzipSync(niftiBytes({ shape: huge, voxels: new Uint8Array(10) }))),
        "cannot hold the 536871264 bytes",
      ],
      [
        "bomb.nii.gz",
        new Uint8Array(gzipSync(niftiBytes({ shape: [2, 2, 2], voxels: new Uint8Array(2 ** 24) }))),
        "longer than the 360 bytes",
      ],
      ["bomb.nrrd", nrrd("gzip", zeros), "longer than the 48 bytes"],
      ["bomb.mha", meta(true, await zlib(new Uint8Array(2 ** 24))), "longer than the 48 bytes"],
      ["bomb bzip2.nrrd", nrrd("bzip2", bzip2Of16MiBOfZeros), "longer than the 48 bytes"],
      [
        "big.nrrd",
        withHeader([...fields.with(3, "sizes: 800 800 800"), "encoding: bzip2", ""], bzip2Of24),
        "holds 48 of the 1024000000 bytes",
      ],
      [
        "wide.nrrd",
        withHeader([...fields.with(3, "sizes: 800 800 800"), "encoding: ascii", ""], text),
        "numbers",
      ],
      [
        "big.mha",
        withHeader(["NDims = 3", "DimSize = 1e9 1 1", "ElementType = MET_CHAR", "ElementDataFile = LOCAL"]),
        "are read",
      ],
      [
        "big.dcm",
        dicomBytes({ rows: 60000, columns: 60000, pixels: new Int16Array(6) }),
        "12 bytes, 7200000000 are needed",
      ],
    ];
    for (const [name, bytes, reason] of cases) {
      const options = { readFile: () => Promise.reject(new InputError("none")) };
      await assertRejects(() => decodeVolume(bytes, name, options), InputError, reason, name);
    }
  });
});
