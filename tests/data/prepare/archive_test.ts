import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { findCases } from "../../../lib/data/prepare/archive.ts";
import { InputError } from "../../../lib/errors.ts";

let root = "";
beforeAll(async () => void (root = await Deno.makeTempDir()));
afterAll(() => Deno.remove(root, { recursive: true }));

/** An archive of empty files. */
async function archive(...paths: string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: root });
  for (const path of paths) {
    await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, "");
  }
  return folder;
}

const shown = (folder: string, path: string | undefined) => path?.replace(`${folder}/`, "");

describe("findCases()", () => {
  it("finds left atria, raw before preprocessed, with and without a label", async () => {
    const folder = await archive(
      "Atria/Training Set/B/lgemri.nrrd",
      "Atria/Training Set/B/laendo.nrrd",
      "Atria/Training Set/B/lawall.nrrd",
      "Atria/Training Set/B/mri_norm2.h5",
      "Atria/Testing Set/A/lgemri.nrrd",
      "ready/C/mri_norm2.h5",
    );
    const cases = await findCases("la", folder);
    assertEquals(
      cases.map(({ name, image, label, isPrepared }) => [
        name,
        shown(folder, image),
        shown(folder, label),
        isPrepared,
      ]),
      [
        ["A", "Atria/Testing Set/A/lgemri.nrrd", undefined, false],
        ["B", "Atria/Training Set/B/lgemri.nrrd", "Atria/Training Set/B/laendo.nrrd", false],
        ["C", "ready/C/mri_norm2.h5", "ready/C/mri_norm2.h5", true],
      ],
    );
  });

  it("finds each case once where a link leads back to a folder above", async () => {
    const folder = await archive("HGG/T/T_flair.nii.gz", "HGG/T/T_seg.nii.gz");
    await Deno.symlink(folder, `${folder}/HGG/back`);
    const cases = await findCases("brats", folder);
    assertEquals(cases.map(({ image }) => shown(folder, image)), ["HGG/T/T_flair.nii.gz"]);
  });

  it("pairs DICOM folders and converted scans of Pancreas-CT with labels by their number", async () => {
    const folder = await archive(
      "Pancreas-CT/PANCREAS_0002/study/series/1-001.dcm",
      "data/PANCREAS_0010.nii.gz",
      "TCIA_pancreas_labels-02-05-2017/label0002.nii.gz",
      "TCIA_pancreas_labels-02-05-2017/label0010.nii.gz",
      "TCIA_pancreas_labels-02-05-2017/label0011.nii.gz",
    );
    const cases = await findCases("pancreas", folder);
    assertEquals(cases.map(({ name, image, label }) => [name, shown(folder, image), shown(folder, label)]), [
      [
        "PANCREAS_0002",
        "Pancreas-CT/PANCREAS_0002",
        "TCIA_pancreas_labels-02-05-2017/label0002.nii.gz",
      ],
      ["PANCREAS_0010", "data/PANCREAS_0010.nii.gz", "TCIA_pancreas_labels-02-05-2017/label0010.nii.gz"],
    ]);
  });

  it("finds tumours with their group, compressed or not, and passes over what systems leave behind", async () => {
    const folder = await archive(
      "HGG/T1/T1_flair.nii.gz",
      "HGG/T1/T1_seg.nii.gz",
      "HGG/T1/T1_t1ce.nii.gz",
      "HGG/T1/._T1_flair.nii.gz",
      "__MACOSX/HGG/T1/T1_flair.nii.gz",
      "LGG/T2/T2_flair.nii",
      "LGG/T2/T2_seg.nii",
      "T3/T3_flair.nii.gz",
    );
    const cases = await findCases("brats", folder);
    assertEquals(cases.map(({ name, group, label }) => [name, group, shown(folder, label)]), [
      ["T1", "HGG", "HGG/T1/T1_seg.nii.gz"],
      ["T2", "LGG", "LGG/T2/T2_seg.nii"],
      ["T3", undefined, undefined],
    ]);
  });

  it("follows links to files and folders", async () => {
    const folder = await archive("real/T1/T1_flair.nii.gz", "real/T1/T1_seg.nii.gz");
    const linked = await archive();
    await Deno.symlink(`${folder}/real`, `${linked}/HGG`);
    assertEquals((await findCases("brats", linked)).map(({ name }) => name), ["T1"]);
  });

  it("passes over the folder of the prepared volumes", async () => {
    const folder = await archive("A/mri_norm2.h5", "prepared/A/mri_norm2.h5");
    const cases = await findCases("la", folder, { except: `${folder}/prepared` });
    assertEquals(cases.map(({ image }) => shown(folder, image)), ["A/mri_norm2.h5"]);
  });

  it("refuses a folder that is missing, holds no case, or holds one twice", async () => {
    await assertRejects(() => findCases("la", `${root}/none`), InputError, "does not exist");
    const empty = await archive("a/readme.txt");
    await assertRejects(
      () => findCases("brats", empty),
      InputError,
      "no case of brats in this folder; expected CASE/",
    );
    const twice = await archive("one/A/lgemri.nrrd", "two/A/lgemri.nrrd");
    await assertRejects(() => findCases("la", twice), InputError, "the case A is there twice");
  });
});
