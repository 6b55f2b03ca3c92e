import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { identityDirection, type Volume } from "../../lib/volume/volume.ts";
import { writeVolume } from "../../lib/volume/write_volume.ts";

const main = decodeURIComponent(new URL("../../lib/cli/main.ts", import.meta.url).pathname);

async function metrics(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", main, "metrics", ...words],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A box of 4×4×4 voxels from `start` on, with this label. */
function box(start: number, label: number): Volume<Uint8Array> {
  const data = new Uint8Array(1000);
  for (let n = 0; n < 64; n++) {
    data[(start + (n >> 4)) * 100 + (3 + (n >> 2 & 3)) * 10 + 3 + (n & 3)] = label;
  }
  return { shape: [10, 10, 10], spacing: [0.5, 1, 2], direction: identityDirection, origin: [0, 0, 0], data };
}

describe("metrics", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    await writeVolume(`${folder}/a.nii.gz`, box(3, 1));
    await writeVolume(`${folder}/b.nrrd`, box(5, 2));
    await writeVolume(`${folder}/none.nii`, box(3, 0));
    await writeVolume(`${folder}/moved.nii`, { ...box(3, 1), origin: [0, 0, 1] });
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("measures masks of different formats in voxels and millimetres", async () => {
    const { code, stdout } = await metrics(
      `${folder}/a.nii.gz`,
      `${folder}/b.nrrd`,
      "--tolerance",
      "1",
      "--json",
    );
    const found = JSON.parse(stdout);
    assertEquals(code, 0);
    assertEquals(found.voxels, { pred: 64, gt: 64, both: 32 });
    assertEquals([found.dice, found.jaccard], [0.5, 1 / 3]);
    // A shift by two voxels of 0.5 mm along i.
    assertEquals([found.hd95_voxel, found.hd95_mm], [2, 1]);
    assertAlmostEquals(found.asd_mm, found.asd_voxel / 2, 1e-12);
    assertEquals([found.surface_dice, found.tolerance_mm], [1, 1]);
    assertEquals("reason" in found, false);
  });

  it("gives null and a reason for what is not defined", async () => {
    const missed = JSON.parse((await metrics(`${folder}/none.nii`, `${folder}/a.nii.gz`, "--json")).stdout);
    assertEquals([missed.dice, missed.hd95_voxel, missed.asd_mm], [0, null, null]);
    assertEquals(missed.reason, "the prediction is empty: there is no surface to measure");
    const args = [`${folder}/a.nii.gz`, `${folder}/b.nrrd`, "--label", "3", "--tolerance", "1", "--json"];
    const both = JSON.parse((await metrics(...args)).stdout);
    assertEquals([both.dice, both.hd95_mm, both.surface_dice], [null, null, null]);
    assertMatch(both.reason, /^both masks are empty/);
  });

  it("ends with 2 and one line where the grids differ", async () => {
    const { code, stdout, stderr } = await metrics(`${folder}/a.nii.gz`, `${folder}/moved.nii`);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^error: .* are not on one grid: the grids lie up to 1 mm apart .*\n$/);
  });
});
