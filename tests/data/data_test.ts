import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { makeBatch } from "../../lib/data/batch.ts";
import { datasetOf, profileOf } from "../../lib/data/dataset.ts";
import { drawPhantom, phantomSource } from "../../lib/data/phantom.ts";
import { batchIndices, stepsPerEpoch } from "../../lib/data/sampler.ts";
import { folderSource } from "../../lib/data/source.ts";
import { InputError } from "../../lib/errors.ts";
import { permutedShape } from "../../lib/sasnet/view.ts";

describe("drawPhantom()", () => {
  it("draws the same voxels from the same seed, and others from another", () => {
    const [a, b, c] = [drawPhantom(1, "x"), drawPhantom(1, "x"), drawPhantom(2, "x")];
    assertEquals(a.image.data, b.image.data);
    assert(a.image.data.some((value, i) => value !== c.image.data[i]));
  });

  it("has zero mean, unit variance and an organ of a plausible share", () => {
    for (const name of ["a", "b", "c"]) {
      const { image, label } = drawPhantom(7, name);
      const n = image.data.length;
      const mean = image.data.reduce((sum, v) => sum + v, 0) / n;
      const variance = image.data.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n;
      const share = label.data.reduce((sum, v) => sum + v, 0) / n;
      assert(Math.abs(mean) < 1e-3 && Math.abs(variance - 1) < 1e-3, `${mean}, ${variance}`);
      assert(share > 0.02 && share < 0.12, String(share));
    }
  });
});

describe("batchIndices()", () => {
  const streams = { labelled: 5, unlabelled: 3, labelledPerBatch: 2, unlabelledPerBatch: 2 };

  it("visits labelled cases once an epoch, labelled indices first", () => {
    assertEquals(stepsPerEpoch(streams), 2);
    for (let epoch = 0; epoch < 5; epoch++) {
      const batches = [0, 1].map((i) => batchIndices(2 * epoch + i, { ...streams, seed: 4 }));
      const seen = batches.flatMap(({ labelled }) => labelled);
      assertEquals(new Set(seen).size, 4);
      assert(seen.every((index) => index < 5));
      assert(batches.every(({ unlabelled }) => unlabelled.every((index) => index >= 5 && index < 8)));
    }
  });
});

describe("makeBatch()", () => {
  const source = phantomSource({ seed: 1, train: 4, test: 1 });
  const { views } = datasetOf("phantom");

  it("cuts what the item says from the volume, padding and view included", async () => {
    const crop = [48, 48, 48] as const; // deeper than the phantoms, so that they are padded
    const options = { seed: 9, labelled: 2, crop, augmentation: "view", views } as const;
    for (const step of [0, 1, 2, 3]) {
      const { images, labels, items } = await makeBatch(source, step, options);
      const voxels = 48 ** 3;
      for (const [b, { case: name, location, padding, permutation, labelled }] of items.entries()) {
        const { image, label } = await source.load(name);
        assertEquals(permutedShape(crop, permutation), crop);
        for (const place of [[0, 0, 0], [5, 17, 40], [47, 3, 22]]) {
          const at = [0, 0, 0];
          permutation.forEach((axis, j) => at[axis] = location[axis] + place[j] - padding[axis]);
          const inside = at.every((x, axis) => x >= 0 && x < image.shape[axis]);
          const from = (at[0] * image.shape[1] + at[1]) * image.shape[2] + at[2];
          const to = b * voxels + (place[0] * 48 + place[1]) * 48 + place[2];
          assertEquals(images[to], inside ? image.data[from] : 0);
          if (labelled) assertEquals(labels[to], inside ? label.data[from] : 0);
        }
      }
    }
  });

  it("keeps all voxels in a flip", async () => {
    const options = { seed: 2, labelled: 2, crop: [32, 32, 16], augmentation: "flips", views } as const;
    const { items, images } = await makeBatch(source, 5, options);
    assertEquals(images.length, 4 * 32 * 32 * 16);
    assert(items.every(({ mirrored }) => !mirrored[2]));
  });
});

describe("folderSource()", () => {
  it("says what is wrong with the lists", async () => {
    const folder = await Deno.makeTempDir();
    await assertRejects(() => folderSource(`${folder}/absent`), InputError, "does not exist");
    await assertRejects(() => folderSource(folder), InputError, "train.list");
    await Deno.writeTextFile(`${folder}/train.list`, "a\nb\na\n");
    await Deno.writeTextFile(`${folder}/test.list`, "c\n");
    await assertRejects(() => folderSource(folder), InputError, '"a" listed more than once');
    await Deno.writeTextFile(`${folder}/train.list`, "a\nc\n");
    await assertRejects(() => folderSource(folder), InputError, "must not be trained on");
    await Deno.writeTextFile(`${folder}/train.list`, "a\nb\n");
    await assertRejects(() => folderSource(folder), InputError, "lack their file");
  });
});

describe("profileOf()", () => {
  it("names the nearest of an unknown name", async () => {
    await assertRejects(
      () => Promise.resolve().then(() => datasetOf("lb")),
      InputError,
      'did you mean "la"?',
    );
    assertEquals(profileOf(datasetOf("la"), "paper").crop, [112, 112, 80]);
  });
});
