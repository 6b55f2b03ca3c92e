import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { File, ready } from "h5wasm";
import { InputError } from "../../lib/errors.ts";
import { readHdf5, writeHdf5 } from "../../lib/volume/hdf5.ts";
import { identityDirection, type Shape3 } from "../../lib/volume/volume.ts";
import { sharedFolder } from "../shared.ts";

const shape: Shape3 = [4, 5, 6];
const grid = {
  shape,
  spacing: [0.5, 1, 2] as const,
  direction: identityDirection,
  origin: [1, 2, 3] as const,
};

function volumes() {
  const image = { ...grid, data: Float32Array.from({ length: 120 }, (_, i) => i / 7) };
  return { image, label: { ...grid, data: Uint8Array.from({ length: 120 }, (_, i) => i % 2) } };
}

/** Writes datasets of any shape, without attributes, as other programs do. */
async function writePlain(
  path: string,
  datasets: Record<string, { data: Float32Array | Uint8Array; shape: number[] }>,
) {
  const module = await ready;
  const files = module.FS as unknown as { readFile(path: string): Uint8Array; unlink(path: string): void };
  const file = new File("/plain.h5", "w");
  for (const [name, { data, shape }] of Object.entries(datasets)) file.create_dataset({ name, data, shape });
  file.close();
  await Deno.writeFile(path, files.readFile("/plain.h5"));
  files.unlink("/plain.h5");
}

const shared = sharedFolder();

describe("readHdf5()", () => {
  let folder = "";
  beforeAll(async () => void (folder = await Deno.makeTempDir()));
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("reads what writeHdf5() wrote, with its grid", async () => {
    await writeHdf5(`${folder}/good.h5`, volumes());
    assertEquals(await readHdf5(`${folder}/good.h5`), volumes());
  });

  it("names a file that does not exist", async () => {
    await assertRejects(() => readHdf5(`${folder}/none.h5`), InputError, "none.h5: the file does not exist");
  });

  it("names a file of another format", async () => {
    await Deno.writeTextFile(`${folder}/text.h5`, "no volume");
    await assertRejects(() => readHdf5(`${folder}/text.h5`), InputError, "text.h5: not an HDF5 file");
  });

  it("names a truncated file", async () => {
    await writeHdf5(`${folder}/short.h5`, volumes());
    const bytes = await Deno.readFile(`${folder}/short.h5`);
    await Deno.writeFile(`${folder}/short.h5`, bytes.subarray(0, bytes.length >> 1));
    await assertRejects(() => readHdf5(`${folder}/short.h5`), InputError, "truncated or damaged");
  });

  it("names the datasets where one is missing", async () => {
    await writeHdf5(`${folder}/other.h5`, volumes(), { image: "scan" });
    await assertRejects(() => readHdf5(`${folder}/other.h5`), InputError, 'no dataset "image"; the file has');
  });

  it("counts values that are not finite", async () => {
    const { image, label } = volumes();
    image.data[7] = NaN;
    image.data[9] = Infinity;
    await writeHdf5(`${folder}/nan.h5`, { image, label });
    await assertRejects(
      () => readHdf5(`${folder}/nan.h5`),
      InputError,
      "2 of 120 values that are NaN or infinite",
    );
  });

  it("lists label values other than 0 and 1", async () => {
    const { image, label } = volumes();
    label.data[3] = 2;
    await writeHdf5(`${folder}/two.h5`, { image, label });
    await assertRejects(() => readHdf5(`${folder}/two.h5`), InputError, "values other than 0 and 1: 2");
  });

  it("refuses a flat image and a label on another grid", async () => {
    const image = { data: new Float32Array(24), shape: [2, 3, 4] };
    await writePlain(`${folder}/flat.h5`, { image: { ...image, shape: [4, 6] }, label: image });
    await assertRejects(() => readHdf5(`${folder}/flat.h5`), InputError, '"image" has shape [4, 6]');
    const label = { data: new Uint8Array(24), shape: [3, 2, 4] };
    await writePlain(`${folder}/grids.h5`, { image, label });
    await assertRejects(
      () => readHdf5(`${folder}/grids.h5`),
      InputError,
      '"label" is 3×2×4 but the image is 2×3×4',
    );
  });

  it("names a dataset whose data is damaged, and reads the next file", async () => {
    await writeHdf5(`${folder}/sound.h5`, volumes());
    const bytes = await Deno.readFile(`${folder}/sound.h5`);
    const stream = bytes.findIndex((byte, i) =>
      byte === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(bytes[i + 1])
    );
    await Deno.writeFile(
      `${folder}/damaged.h5`,
      bytes.map((byte, i) => i >= stream && i < stream + 40 ? 0xff : byte),
    );
    await assertRejects(
      () => readHdf5(`${folder}/damaged.h5`),
      InputError,
      'the data of "image" is truncated or damaged',
    );
    assertEquals(await readHdf5(`${folder}/sound.h5`), volumes());
  });

  it("asks for the spacing of a file that does not state it, and takes labels of other types", async () => {
    const shape = [2, 3, 4];
    const image = { data: Float32Array.from({ length: 24 }, (_, i) => i), shape };
    await writePlain(`${folder}/plain.h5`, { image, label: { data: image.data.map((v) => v % 2), shape } });
    const read = await readHdf5(`${folder}/plain.h5`, { spacing: ([x, y, z]) => [x, y, z] });
    assertEquals(read.image.spacing, [2, 3, 4]);
    assertEquals(read.label.data, Uint8Array.from(image.data, (v) => v % 2));
  });

  it("reads a real left atrium", { ignore: shared === undefined }, async () => {
    const { image, label } = await readHdf5(`${shared}/data/la-1.25mm/06SR5RBREL16DQ6M8LWS/mri_norm2.h5`);
    assertEquals(image.shape, [91, 70, 44]);
    const foreground = label.data.reduce((sum, value) => sum + value, 0);
    assert(foreground > 0.05 * label.data.length && foreground < 0.1 * label.data.length);
  });
});
