import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { drawPhantom } from "../../lib/data/phantom.ts";
import { folderSource } from "../../lib/data/source.ts";
import { InputError } from "../../lib/errors.ts";
import { writeHdf5 } from "../../lib/volume/hdf5.ts";

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
});
