import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { readHdf5, writeHdf5 } from "../../lib/volume/hdf5.ts";
import { identityDirection, type Shape3 } from "../../lib/volume/volume.ts";

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
});
