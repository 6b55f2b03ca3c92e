import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { drawPhantom } from "../../lib/data/phantom.ts";
import { folderSource, keepLoaded } from "../../lib/data/source.ts";
import { InputError } from "../../lib/errors.ts";
import { writeHdf5 } from "../../lib/volume/hdf5.ts";
import { sharedFolder } from "../shared.ts";

const shared = sharedFolder();

describe("folderSource()", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    for (const name of ["a", "b"]) {
      await Deno.mkdir(`${folder}/${name}`);
      await writeHdf5(`${folder}/${name}/mri_norm2.h5`, drawPhantom(1, name));
    }
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const lists = async (train: string, test: string) => {
    await Deno.writeTextFile(`${folder}/train.list`, train);
    await Deno.writeTextFile(`${folder}/test.list`, test);
  };

  it("reads the lists and the cases, and keeps a loaded case", async () => {
    await lists("a\r\n\n", " b \n");
    const source = await folderSource(folder);
    assertEquals([source.train, source.test], [["a"], ["b"]]);
    const loaded = await source.load("a");
    assertEquals(loaded, drawPhantom(1, "a"));
    assertStrictEquals(await source.load("a"), loaded);
  });

  it("reads a list of validation cases, which no other list may have", async () => {
    await lists("a", "b");
    await Deno.mkdir(`${folder}/v`);
    await writeHdf5(`${folder}/v/mri_norm2.h5`, drawPhantom(1, "v"));
    await Deno.writeTextFile(`${folder}/validation.list`, "v");
    const source = await folderSource(folder);
    assertEquals([source.train, source.validation, source.test], [["a"], ["v"], ["b"]]);
    assertEquals((await source.load("v")).name, "v");
    await Deno.writeTextFile(`${folder}/validation.list`, "b");
    await assertRejects(() => folderSource(folder), InputError, '"b" in validation.list and in another one');
    await Deno.remove(`${folder}/validation.list`);
  });

  it("refuses a folder that is not there, an empty list, a repeated, a shared and a missing case", async () => {
    await assertRejects(() => folderSource(`${folder}/none`), InputError, "does not exist");
    const refused: [string, string, string][] = [
      ["", "b", "the list is empty"],
      ["a\na", "b", "listed more than once"],
      ["a\nb", "b", "must not be trained on"],
      ["a\nc", "b", '1 of 3 listed cases lack their file "mri_norm2.h5": "c"'],
      ["../a", "b", "cannot be the name"],
    ];
    for (const [train, test, message] of refused) {
      await lists(train, test);
      await assertRejects(() => folderSource(folder), InputError, message);
    }
  });

  it(
    "reads the left-atrium folder, and tells the spacing from the slices",
    { ignore: shared === undefined },
    async () => {
      const source = await folderSource(`${shared}/data/la-1.25mm`);
      assertEquals([source.train.length, source.test.length], [80, 20]);
      const { image, label } = await source.load(source.train[0]);
      assertEquals(image.spacing, [1.25, 1.25, 1.25]);
      assertEquals(label.shape, image.shape);
    },
  );
});

describe("keepLoaded()", () => {
  it("reads a case once while it is kept, and lets the least recently used one go", async () => {
    const read: string[] = [];
    const bytes = 5 * 8;
    const grid = { ...drawPhantom(1, "a").image, shape: [2, 2, 2] as const };
    const load = keepLoaded((name) => {
      read.push(name);
      const image = { ...grid, data: new Float32Array(8) };
      return Promise.resolve({ name, image, label: { ...grid, data: new Uint8Array(8) } });
    }, 2 * bytes);
    await Promise.all([load("a"), load("a")]);
    for (const name of ["b", "a", "c", "a", "b"]) await load(name);
    assertEquals(read, ["a", "b", "c", "b"]);
  });
});
