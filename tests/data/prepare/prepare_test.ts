import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type CaseReport, prepareDataset, type PrepareOptions } from "../../../lib/data/prepare/prepare.ts";
import { readManifest } from "../../../lib/data/prepare/record.ts";
import { folderSource } from "../../../lib/data/source.ts";
import { InputError } from "../../../lib/errors.ts";
import {
  atriumScan,
  brainScan,
  pancreasScan,
  writeAtrium,
  writeBrain,
  writePancreas,
} from "./raw_archives.ts";

let root = "";
beforeAll(async () => void (root = await Deno.makeTempDir()));
afterAll(() => Deno.remove(root, { recursive: true }));

const emptyFolder = () => Deno.makeTempDir({ dir: root });

async function brains(count: number): Promise<string> {
  const folder = await emptyFolder();
  for (let i = 1; i <= count; i++) await writeBrain(folder, `T${i}`, brainScan(i));
  return folder;
}

const fileOf = (folder: string, name: string, kind: string) =>
  `${folder}/MICCAI_BraTS_2019_Data_Training/HGG/${name}/${name}_${kind}.nii.gz`;

/** Prepares tumours, and tells what became of each case. */
async function prepareBrains(from: string, to: string, options: Partial<PrepareOptions> = {}) {
  const states: Record<string, CaseReport["state"]> = {};
  const result = await prepareDataset({
    settings: { dataset: "brats", profile: "paper", variant: "paper", seed: 5 },
    from,
    to,
    withoutWithdrawn: false,
    keepGoing: false,
    workers: 2,
    onCase: ({ case: name, state }) => states[name] = state,
    ...options,
  });
  return { ...result, states };
}

describe("prepareDataset()", () => {
  it("makes a folder that training reads, with a manifest that does not depend on the order of work", async () => {
    const from = await brains(4);
    const to = `${await emptyFolder()}/deep/er`;
    const { manifest, made, old } = await prepareBrains(from, to);
    assertEquals([made, old, manifest.finished], [4, 0, true]);
    assertEquals(await readManifest(to), JSON.parse(JSON.stringify(manifest)));
    const source = await folderSource(to);
    assertEquals([source.train, source.test], [[...manifest.lists.train], [...manifest.lists.test]]);
    assertEquals([...source.train, ...source.test].sort(), ["T1", "T2", "T3", "T4"]);
    assertEquals((await source.load("T1")).image.shape, manifest.cases[0].fingerprint.prepared.shape);
    assertEquals(manifest.cases.map((record) => [record.case, record.group, record.inputs.length]), [
      ["T1", "HGG", 2],
      ["T2", "HGG", 2],
      ["T3", "HGG", 2],
      ["T4", "HGG", 2],
    ]);
    const other = await prepareBrains(from, await emptyFolder(), { workers: 1 });
    assertEquals(other.manifest.lists, manifest.lists);
    assertEquals(
      other.manifest.cases.map(({ voxels }) => voxels),
      manifest.cases.map(({ voxels }) => voxels),
    );
  });

  it("leaves alone what is done, and makes again what changed in the archive or in the folder", async () => {
    const from = await brains(3);
    const to = await emptyFolder();
    await prepareBrains(from, to);
    const before = await Deno.readFile(`${to}/T3/mri_norm2.h5`);
    const again = await prepareBrains(from, to);
    assertEquals([again.made, again.old], [0, 3]);
    assertEquals(await Deno.readFile(`${to}/T3/mri_norm2.h5`), before);
    await writeBrain(from, "T1", brainScan(11));
    // One flipped bit, the same size.
    const bytes = await Deno.readFile(`${to}/T2/mri_norm2.h5`);
    bytes[bytes.length >> 1] ^= 1;
    await Deno.writeFile(`${to}/T2/mri_norm2.h5`, bytes);
    assertEquals((await prepareBrains(from, to)).states, { T1: "made", T2: "made", T3: "old" });
    // A case that was half written has no record yet.
    await Deno.remove(`${to}/T3/case.json`);
    assertEquals((await prepareBrains(from, to)).states, { T1: "old", T2: "old", T3: "made" });
  });

  it("stops at a bad case with its reason, or leaves it out of the lists", async () => {
    const from = await brains(5);
    await Deno.writeTextFile(fileOf(from, "T2", "flair"), "no image");
    await Deno.remove(fileOf(from, "T4", "seg"));
    const to = await emptyFolder();
    const error = await assertRejects(() => prepareBrains(from, to, { workers: 1 }), InputError);
    assertStringIncludes(error.message, "T2_flair.nii.gz: not a NIfTI file");
    assertStringIncludes(error.message, "(--keep-going leaves such cases out)");
    assertEquals((await readManifest(to))?.finished, false);
    await assertRejects(() => folderSource(to), InputError, "no train.list");
    const { manifest, states } = await prepareBrains(from, to, { keepGoing: true });
    assertEquals(states, { T1: "old", T2: "skipped", T3: "made", T4: "skipped", T5: "made" });
    assertEquals(manifest.skipped.map((one) => one.case), ["T2", "T4"]);
    const { train, test } = await folderSource(to);
    assertEquals([...train, ...test].sort(), ["T1", "T3", "T5"]);
    // Mended, the case comes back to its place.
    await writeBrain(from, "T4", brainScan(4));
    const whole = await prepareBrains(from, to, { keepGoing: true });
    assertEquals([whole.made, whole.old], [1, 3]);
  });

  it("ends early when it is interrupted, and continues", async () => {
    const from = await brains(4);
    const to = await emptyFolder();
    const controller = new AbortController();
    const first = await prepareBrains(from, to, {
      workers: 1,
      signal: controller.signal,
      onCase: ({ done }) => done === 2 && controller.abort(),
    });
    assertEquals([first.made, first.manifest.finished], [2, false]);
    const second = await prepareBrains(from, to);
    assertEquals([second.made, second.old, second.manifest.finished], [2, 2, true]);
  });

  it("refuses the folder of another preparation, and one whose manifest is none", async () => {
    const from = await brains(2);
    const to = await emptyFolder();
    await prepareBrains(from, to);
    const settings = { dataset: "brats", profile: "mini", variant: "paper", seed: 3 } as const;
    await assertRejects(
      () => prepareBrains(from, to, { settings }),
      InputError,
      "holds another preparation (profile: paper there, mini here)",
    );
    await Deno.writeTextFile(`${to}/manifest.json`, "{}");
    await assertRejects(() => prepareBrains(from, to), InputError, "not a manifest of a preparation");
  });

  it("names the withdrawn cases of Pancreas-CT, keeps them off the test list, or leaves them out", async () => {
    const from = await emptyFolder();
    for (const number of [1, 2, 25, 70]) await writePancreas(from, number, pancreasScan(number));
    const options = {
      settings: { dataset: "pancreas", profile: "mini", variant: "paper", seed: 3 },
      from,
      keepGoing: false,
      workers: 2,
    } as const;
    const kept = await prepareDataset({ ...options, to: await emptyFolder(), withoutWithdrawn: false });
    assertEquals(kept.manifest.lists.test, ["PANCREAS_0001"]);
    assertStringIncludes(
      kept.manifest.cautions[0],
      "the patient of case 2: PANCREAS_0025, PANCREAS_0070; kept",
    );
    const { manifest } = await prepareDataset({
      ...options,
      to: await emptyFolder(),
      withoutWithdrawn: true,
    });
    assertEquals(manifest.cases.map((record) => record.case), ["PANCREAS_0001", "PANCREAS_0002"]);
    assertStringIncludes(manifest.cautions[0], "PANCREAS_0025, PANCREAS_0070; left out");
  });

  it("takes the published lists of atria and says which cases they lack", async () => {
    const from = await emptyFolder();
    for (const name of ["06SR5RBREL16DQ6M8LWS", "ULHWPWKKLTE921LQLH1P", "X"]) {
      await writeAtrium(from, name, atriumScan(name.length));
    }
    const { manifest } = await prepareDataset({
      settings: { dataset: "la", profile: "paper", variant: "paper", seed: 3 },
      ...{ from, to: await emptyFolder(), withoutWithdrawn: false, keepGoing: false, workers: 2 },
    });
    assertEquals(manifest.lists.train, ["06SR5RBREL16DQ6M8LWS"]);
    assertEquals(manifest.cautions[0], "on no list and left out: X");
    // The same formula was written twice.
    assertEquals(manifest.cautions[1], "06SR5RBREL16DQ6M8LWS and ULHWPWKKLTE921LQLH1P have the same image");
  });
});
