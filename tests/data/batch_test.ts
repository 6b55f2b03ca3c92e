import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Augmentation, type BatchOptions, makeBatch } from "../../lib/data/batch.ts";
import { datasetOf } from "../../lib/data/dataset.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { InputError } from "../../lib/errors.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";

const source = phantomSource({ seed: 1, train: 4, test: 1 });
const crop: Shape3 = [16, 16, 48];

function options(augmentation: Augmentation): BatchOptions {
  return { seed: 3, labelled: 2, crop, augmentation, views: datasetOf("la").views };
}

describe("makeBatch()", () => {
  it("cuts labelled crops first, then unlabelled ones, and labels of the labelled alone", async () => {
    const { images, labels, items } = await makeBatch(source, 0, options("view"));
    const voxels = 16 * 16 * 48;
    assertEquals([images.length, labels.length], [4 * voxels, 2 * voxels]);
    assertEquals(items.map(({ labelled }) => labelled), [true, true, false, false]);
    items.forEach((item) => assertEquals(source.train.indexOf(item.case) < 2, item.labelled));
  });

  for (const augmentation of ["view", "flips", "none"] as const) {
    it(`takes the voxels that its items tell, with ${augmentation}`, async () => {
      for (let step = 0; step < 4; step++) {
        const { images, items } = await makeBatch(source, step, options(augmentation));
        for (const [n, item] of items.entries()) {
          const { image } = await source.load(item.case);
          for (let i = 0; i < 500; i++) {
            const voxel = (i * 7919) % (16 * 16 * 48);
            const place = [Math.floor(voxel / (16 * 48)), Math.floor(voxel / 48) % 16, voxel % 48];
            const from = [0, 0, 0];
            item.permutation.forEach((axis, j) => {
              const along = item.mirrored[j] ? crop[j] - 1 - place[j] : place[j];
              from[axis] = along + item.location[axis] - item.padding[axis];
            });
            const inside = from.every((index, axis) => index >= 0 && index < image.shape[axis]);
            const [x, y, z] = from;
            const expected = inside ? image.data[(x * image.shape[1] + y) * image.shape[2] + z] : 0;
            assertEquals(images[n * 16 * 16 * 48 + voxel], expected);
          }
        }
      }
    });
  }

  it("depends on seed and step alone", async () => {
    const first = await makeBatch(source, 5, options("view"));
    await makeBatch(source, 6, options("view"));
    assertEquals(await makeBatch(source, 5, options("view")), first);
    const other = await makeBatch(source, 5, { ...options("view"), seed: 4 });
    assert(other.images.some((value, i) => value !== first.images[i]));
  });

  it("refuses a view that would change the shape of the crop", async () => {
    const uneven = { ...options("view"), crop: [16, 32, 16] as Shape3 };
    await assertRejects(() => makeBatch(source, 0, uneven), InputError, "would change a crop of 16×32×16");
  });
});
