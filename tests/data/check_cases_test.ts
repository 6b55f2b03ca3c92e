import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { checkCases } from "../../lib/data/check_cases.ts";
import { hashingReader } from "../../lib/data/prepare/hashed_files.ts";
import { InputError } from "../../lib/errors.ts";
import { writeHdf5 } from "../../lib/volume/hdf5.ts";
import { identityDirection } from "../../lib/volume/volume.ts";
import { writePlainHdf5 } from "../plain_hdf5.ts";

const grid = {
  shape: [3, 3, 3],
  spacing: [1, 1, 1],
  direction: identityDirection,
  origin: [0, 0, 0],
} as const;

describe("checkCases()", () => {
  let folder = "";
  beforeAll(async () => void (folder = await Deno.makeTempDir()));
  afterAll(() => Deno.remove(folder, { recursive: true }));

  /** A case whose image counts from `start`, with these voxels changed. */
  async function write(name: string, start: number, change: { image?: number[]; label?: number[] } = {}) {
    await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    const image = Float32Array.from({ length: 27 }, (_, i) => start + i);
    image.set(change.image ?? []);
    const label = Uint8Array.from({ length: 27 }, (_, i) => i % 2);
    label.set(change.label ?? []);
    await writeHdf5(`${folder}/${name}/mri_norm2.h5`, {
      image: { ...grid, data: image },
      label: { ...grid, data: label },
    });
  }

  it("finds each fault, names its case, and is content with sound ones", async () => {
    await write("sound", 0);
    await write("holes", 100, { image: [NaN, Infinity] });
    await write("flat", 0, { image: new Array(27).fill(4) });
    await write("colourful", 300, { label: [7, 9] });
    await write("blank", 400, { label: new Array(27).fill(0) });
    await write("full", 500, { label: new Array(27).fill(1) });
    await write("twin", 0);
    await write("other", 600);
    await Deno.mkdir(`${folder}/broken`);
    await Deno.writeTextFile(`${folder}/broken/mri_norm2.h5`, "no volume");
    const train = ["sound", "holes", "flat", "colourful", "blank", "full", "broken", "missing", "other"];
    await Deno.writeTextFile(`${folder}/train.list`, train.join("\n"));
    await Deno.writeTextFile(`${folder}/test.list`, "twin\nother\n");
    const seen: string[] = [];
    const { cases, findings } = await checkCases(folder, { onCase: (name) => seen.push(name) });
    assertEquals([cases, seen.length], [10, 10]);
    assertEquals(findings.map(({ case: name, kind, text }) => `${name}: ${kind}: ${text}`), [
      "other: fault: in train.list and in test.list",
      "holes: fault: 2 voxels of the image are NaN or infinite",
      "flat: fault: every voxel of the image is 4",
      "colourful: fault: the label has the values 7, 9",
      "blank: fault: the label is empty",
      "full: caution: the label has no background",
      "broken: fault: not an HDF5 file (its first bytes are not the HDF5 signature)",
      "missing: fault: the file does not exist",
      "twin: fault: the same image as sound, one in train.list and one in test.list",
    ]);
  });

  it("measures the volumes against the crop and the declared labels", async () => {
    await write("sound", 0);
    await write("colourful", 300, { label: [7, 9] });
    await Deno.writeTextFile(`${folder}/train.list`, "sound\n");
    await Deno.writeTextFile(`${folder}/test.list`, "colourful\n");
    const { findings } = await checkCases(folder, { crop: [3, 3, 4], labels: [0, 1, 7, 9] });
    const text = "3×3×3 voxels are fewer than the crop of 3×3×4 along an axis: it will be padded";
    assertEquals(findings, [
      { case: "sound", kind: "caution", text },
      { case: "colourful", kind: "caution", text },
    ]);
  });

  it("finds a label on another grid, an image twice on one list, and validation cases that are trained on", async () => {
    await write("sound", 0);
    await write("again", 0);
    await write("other", 600);
    await Deno.mkdir(`${folder}/shifted`);
    await writePlainHdf5(`${folder}/shifted/mri_norm2.h5`, {
      image: { data: Float32Array.from({ length: 27 }, (_, i) => 900 + i), shape: [3, 3, 3] },
      label: { data: new Uint8Array(36).fill(1, 3, 9), shape: [3, 3, 4] },
    });
    await Deno.writeTextFile(`${folder}/train.list`, "sound\nagain\n");
    await Deno.writeTextFile(`${folder}/validation.list`, "sound\nshifted\n");
    await Deno.writeTextFile(`${folder}/test.list`, "other\n");
    const { cases, findings } = await checkCases(folder);
    await Deno.remove(`${folder}/validation.list`);
    assertEquals(cases, 4);
    assertEquals(findings.map(({ case: name, kind, text }) => `${name}: ${kind}: ${text}`), [
      "sound: fault: in train.list and in validation.list",
      "again: fault: the same image as sound",
      "shifted: fault: image and label are not on one grid: shapes 3×3×3 and 3×3×4",
    ]);
  });

  it("finds a volume that changed since it was prepared", async () => {
    await write("sound", 0);
    await write("other", 600);
    for (const name of ["sound", "other"]) {
      const { files, read } = hashingReader(folder);
      await read(`${folder}/${name}/mri_norm2.h5`);
      const [output] = files;
      await Deno.writeTextFile(`${folder}/${name}/case.json`, JSON.stringify({ inputs: [], output }));
    }
    await write("other", 700);
    await Deno.writeTextFile(`${folder}/train.list`, "sound\n");
    await Deno.writeTextFile(`${folder}/test.list`, "other\n");
    const { findings } = await checkCases(folder);
    const text = "the volume is not the one that prepare wrote: its hash differs";
    assertEquals(findings, [{ case: "other", kind: "caution", text }]);
  });

  it("needs both lists", async () => {
    await assertRejects(() => checkCases(`${folder}/none`), InputError, "the folder does not exist");
  });
});
