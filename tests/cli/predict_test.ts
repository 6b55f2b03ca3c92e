import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { writeHdf5 } from "../../lib/volume/hdf5.ts";
import { gridDifference } from "../../lib/volume/geometry.ts";
import { reorient } from "../../lib/volume/orientation.ts";
import { readLabel, readVolume } from "../../lib/volume/read_volume.ts";
import { gridWithSpacing, resample } from "../../lib/volume/resample.ts";
import type { Volume } from "../../lib/volume/volume.ts";
import { writeVolume } from "../../lib/volume/write_volume.ts";
import { phantomSource } from "../../lib/data/phantom.ts";
import { type KitResult, runKit } from "../kit.ts";

const settings = [
  "--labelled",
  "2",
  "--crop",
  "32x32x16",
  "--width",
  "2",
  "--iterations",
  "3",
  "--seed",
  "3",
];

let root = "";
let image: Volume;
let label: Volume<Uint8Array>;
const runs = { sasnet: "", vnet: "" };

/** What a command printed with --json. */
function documentOf({ code, stdout, stderr }: KitResult) {
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

function assertRefused({ code, stdout, stderr }: KitResult, message: string): void {
  const lines = stderr.trim().split("\n").filter((line) => !line.startsWith("engine: "));
  assertEquals([code, lines.length, stdout], [2, 1, ""], stderr);
  assertMatch(lines[0], /^error: /);
  assertStringIncludes(lines[0], message);
}

const predict = (...words: string[]) => runKit(["predict", "--run", runs.sasnet, ...words]);

describe("predict", () => {
  beforeAll(async () => {
    root = await Deno.makeTempDir();
    ({ image, label } = await phantomSource({ seed: 2024, train: 20, test: 6 }).load("phantom-test-01"));
    for (const method of ["sasnet", "vnet"] as const) {
      runs[method] = `${root}/run-${method}`;
      const { code, stderr } = await runKit([
        ...["train", "--method", method, ...settings],
        ...["--run", runs[method], "--quiet"],
      ]);
      assertEquals(code, 0, stderr);
    }
  });
  afterAll(() => Deno.remove(root, { recursive: true }));

  it("gives a prepared case the mask that evaluate measures, whatever the file's format and axes", async () => {
    const evaluated = documentOf(await runKit(["evaluate", runs.sasnet, "--json"]));
    const { voxels } = evaluated.results.find((one: { case: string }) => one.case === "phantom-test-01");
    await Deno.mkdir(`${root}/forms`);
    await writeHdf5(`${root}/forms/a.h5`, { image, label });
    await writeVolume(`${root}/forms/b.nrrd`, { ...image, origin: [5, -6, 7] });
    const turned = reorient(image, { axes: [1, 2, 0], reversed: [true, false, true] });
    await writeVolume(`${root}/forms/c.nii.gz`, turned);
    const { scans, failed } = documentOf(await predict(`${root}/forms`, `${root}/masks`, "--json"));
    assertEquals(failed, []);
    assertEquals(scans.map((scan: { voxels: number }) => scan.voxels), Array(3).fill(voxels.prediction));
    const mask = await readLabel(`${root}/masks/c.nii.gz`);
    assertEquals(gridDifference(mask, turned), undefined);
    const straight = await readLabel(`${root}/masks/a.nii.gz`);
    assertEquals(mask.data, reorient(straight, { axes: [1, 2, 0], reversed: [true, false, true] }).data);
  });

  it("goes on with a folder that was begun, and does not mix settings", async () => {
    const folder = `${root}/series`;
    await Deno.mkdir(folder);
    await writeVolume(`${folder}/one.nii.gz`, image);
    await Deno.writeTextFile(`${folder}/two.nii.gz`, "no volume");
    const coarse = (...words: string[]) => predict(folder, `${root}/out`, "--stride", "32x32x16", ...words);
    const stopped = await coarse("--quiet");
    assertEquals(stopped.code, 2);
    assertMatch(stopped.stderr, /^error: .*two\.nii\.gz: not a NIfTI file.*\n$/);
    const going = await coarse("--keep-going", "--json");
    assertEquals(going.code, 1);
    const { old, scans, failed } = JSON.parse(going.stdout);
    assertEquals([old, scans.length, failed.length], [1, 0, 1]);
    await writeVolume(`${folder}/two.nii.gz`, image);
    const rest = documentOf(await coarse("--json"));
    assertEquals([rest.old, rest.scans.length, rest.failed], [1, 1, []]);
    assertRefused(await coarse("--mirror"), "mirror: false there, true here");
    // Another folder's scan of the same name is another scan.
    await Deno.mkdir(`${root}/others`);
    await writeVolume(`${root}/others/one.nii.gz`, image);
    const mixed = await predict(`${root}/others`, `${root}/out`, "--stride", "32x32x16");
    assertRefused(mixed, "one.nii.gz exists; --overwrite replaces it");
    // A scan that was taken away keeps its mask.
    await Deno.remove(`${folder}/one.nii.gz`);
    const fewer = documentOf(await coarse("--json"));
    assertEquals([fewer.old, fewer.scans.length], [1, 0]);
    await writeVolume(`${folder}/one.nii.gz`, image);
    const again = documentOf(await coarse("--blending", "gaussian", "--overwrite", "--json"));
    assertEquals([again.old, again.scans.length], [0, 2]);
  });

  it("writes probability and disagreement beside the mask, on the scan's own grid", async () => {
    const { shape, spacing, direction, origin } = image;
    const grid = {
      shape: [Math.round(shape[0] * 0.7), shape[1], shape[2]] as const,
      spacing: [spacing[0] / 0.7, spacing[1], spacing[2]] as const,
      direction,
      origin,
    };
    const scan = resample(image, grid, { interpolation: "linear", outside: "border" });
    await writeVolume(`${root}/coarse.nrrd`, scan);
    const words = ["--uncertainty", "--probabilities", "--blending", "gaussian", "--view"];
    const { scans: [{ maps, voxels, millilitres }] } = documentOf(
      await predict(`${root}/coarse.nrrd`, `${root}/coarse_mask.nii.gz`, ...words, "--json"),
    );
    // The same scan into a folder that is not there yet.
    assertEquals((await predict(`${root}/coarse.nrrd`, `${root}/new/folder`)).code, 0);
    assertEquals((await readLabel(`${root}/new/folder/coarse.nii.gz`)).shape, scan.shape);
    assertEquals(maps, {
      probability: `${root}/coarse_mask_probability.nii.gz`,
      disagreement: `${root}/coarse_mask_disagreement.nii.gz`,
      page: `${root}/coarse_mask_view.html`,
    });
    assertStringIncludes(await Deno.readTextFile(maps.page), "last, step 3 of 3");
    const mask = await readLabel(`${root}/coarse_mask.nii.gz`);
    const probability = await readVolume(maps.probability);
    const disagreement = await readVolume(maps.disagreement);
    for (const volume of [mask, probability, disagreement]) {
      assertEquals(gridDifference(volume, scan), undefined);
    }
    assertEquals(mask.data, Uint8Array.from(probability.data, (p) => p > 0.5 ? 1 : 0));
    assertEquals(voxels, mask.data.reduce((sum, v) => sum + v, 0));
    assertAlmostEquals(
      millilitres,
      voxels * grid.spacing[0] * grid.spacing[1] * grid.spacing[2] / 1000,
      1e-6,
    );
    assert(disagreement.data.every((d) => d >= 0 && d <= 1) && disagreement.data.some((d) => d > 0.001));
  });

  it("takes left atria that state no voxel size for what prepare takes them, and keeps their header", async () => {
    const run = `${root}/run-la`;
    await Deno.mkdir(`${run}/checkpoint/step-000003`, { recursive: true });
    const config = JSON.parse(await Deno.readTextFile(`${runs.sasnet}/config.json`));
    await Deno.writeTextFile(
      `${run}/config.json`,
      JSON.stringify({ ...config, dataset: "la", profile: "mini" }),
    );
    const weights = "checkpoint/step-000003/network.safetensors";
    await Deno.copyFile(`${runs.sasnet}/${weights}`, `${run}/${weights}`);
    const masks: number[] = [];
    for (const side of [1, 0.625]) {
      await writeVolume(`${root}/atrium.nrrd`, { ...image, spacing: [side, side, side] });
      const words = [`${root}/atrium.nrrd`, `${root}/atrium_mask.nii.gz`, "--overwrite", "--json"];
      const { scans: [scan] } = documentOf(await runKit(["predict", "--run", run, ...words]));
      assertEquals([scan.spacing, scan.decisions.length], [[side, side, side], side === 1 ? 1 : 0]);
      assertEquals((await readLabel(`${root}/atrium_mask.nii.gz`)).spacing[0], side);
      masks.push(scan.voxels, scan.millilitres);
    }
    assertEquals(masks.slice(0, 2), masks.slice(2));
  });

  it("resamples a prepared case of another spacing than the run's, and says so", async () => {
    const fine = resample(image, gridWithSpacing(image, [0.8, 0.8, 0.8]), {
      interpolation: "linear",
      outside: "border",
    });
    const none = { ...fine, data: new Uint8Array(fine.data.length) };
    await writeHdf5(`${root}/fine.h5`, { image: fine, label: none });
    const words = ["--json", "--overwrite", "--stride", "32x32x16"];
    const outcome = async (path: string) =>
      documentOf(await predict(path, `${root}/fine_mask.nii.gz`, ...words)).scans[0];
    await writeVolume(`${root}/fine.nrrd`, fine);
    const [prepared, plain] = [await outcome(`${root}/fine.h5`), await outcome(`${root}/fine.nrrd`)];
    const text = "prepared at 0.8×0.8×0.8 mm, and resampled to the 1.25×1.25×1.25 mm of the run's cases";
    assertEquals([prepared.decisions, prepared.shape], [[text], [...fine.shape]]);
    assertEquals([prepared.voxels, plain.decisions], [plain.voxels, []]);
  });

  it("refuses what it cannot do in one line, and writes nothing", async () => {
    const scan = `${root}/scan.nii.gz`;
    await writeVolume(scan, image);
    const nowhere = `${root}/nowhere`;
    await Deno.mkdir(`${root}/empty`);
    assertRefused(await predict(`${root}/none.nii`, nowhere), "none.nii: no such file or folder");
    assertRefused(await predict(`${root}/empty`, nowhere), "no volume in this folder");
    assertRefused(await predict(scan, scan, "--overwrite"), "would be replaced by its own mask");
    assertRefused(await predict(scan, `${root}/mask.mha`), "masks are written as .nii.gz, .nii or .nrrd");
    assertRefused(
      await predict(`${root}/empty`, nowhere, "--file", "*.nii"),
      "no file below this folder is called",
    );
    assertRefused(await runKit(["predict", "--run", `${root}/empty`, scan, nowhere]), "is not a run folder");
    await Deno.writeTextFile(`${root}/there.nii.gz`, "mine");
    assertRefused(
      await predict(scan, `${root}/there.nii.gz`),
      "there.nii.gz exists; --overwrite replaces it",
    );
    assertEquals(await Deno.readTextFile(`${root}/there.nii.gz`), "mine");
    await Deno.writeTextFile(`${root}/map_probability.nii.gz`, "mine");
    assertRefused(
      await predict(scan, `${root}/map.nii.gz`, "--probabilities"),
      "map_probability.nii.gz exists; --overwrite replaces it",
    );
    await Deno.mkdir(`${root}/pair`);
    for (const name of ["a", "a_probability"]) await Deno.copyFile(scan, `${root}/pair/${name}.nii.gz`);
    assertRefused(await predict(`${root}/pair`, `${root}/pair`), "the masks would lie among the scans");
    assertRefused(
      await predict(`${root}/pair`, nowhere, "--probabilities"),
      "a_probability.nii.gz would be written for",
    );
    const single = await runKit(["predict", "--run", runs.vnet, scan, nowhere, "--uncertainty"]);
    assertRefused(single, "vnet has one branch, which cannot disagree");
    const huge = { ...image, spacing: [9999, 9999, 9999] as const };
    await writeVolume(`${root}/huge.nii`, huge);
    assertRefused(await predict(`${root}/huge.nii`, `${root}/mask.nii`), "up to 536870912 are predicted");
    assertEquals(await Deno.stat(nowhere).then(() => true, () => false), false);
  });
});
