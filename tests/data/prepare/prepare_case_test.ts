import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { findCases } from "../../../lib/data/prepare/archive.ts";
import { prepareCase } from "../../../lib/data/prepare/prepare_case.ts";
import type { CaseRecord, PreparedName, PrepareSettings } from "../../../lib/data/prepare/record.ts";
import { InputError } from "../../../lib/errors.ts";
import { type LabelledVolume, readHdf5, writeHdf5 } from "../../../lib/volume/hdf5.ts";
import { writeVolume } from "../../../lib/volume/write_volume.ts";
import { sharedFolder } from "../../shared.ts";
import {
  atriumScan,
  brainScan,
  pancreasScan,
  type RawScan,
  writeAtrium,
  writeBrain,
  writePancreas,
} from "./raw_archives.ts";

interface Expected {
  readonly shape: readonly number[];
  readonly label: number;
  readonly labelSum: number;
  readonly sum: number;
  readonly squares: number;
  readonly values: readonly number[];
}

const golden: Readonly<Record<string, Expected>> = JSON.parse(
  await Deno.readTextFile(new URL("../../golden/prepare_simpleitk.json", import.meta.url)),
);

let root = "";
beforeAll(async () => void (root = await Deno.makeTempDir()));
afterAll(() => Deno.remove(root, { recursive: true }));

/** Prepares the first case of a folder. */
async function prepareFirst(
  from: string,
  settings: Partial<PrepareSettings> & { dataset: PreparedName },
): Promise<LabelledVolume & { record: CaseRecord }> {
  const to = await Deno.makeTempDir({ dir: root });
  const [raw] = await findCases(settings.dataset, from);
  const all = { profile: "paper", variant: "paper", seed: 1337, ...settings } as const;
  const { record } = await prepareCase({ raw, settings: all, from, to });
  return { record, ...await readHdf5(`${to}/${record.output.path}`) };
}

const emptyFolder = () => Deno.makeTempDir({ dir: root });

const archives = {
  la: async (scan: RawScan = atriumScan()) => {
    const folder = await emptyFolder();
    await writeAtrium(folder, "A", scan);
    return folder;
  },
  pancreas: async (scan: RawScan = pancreasScan()) => {
    const folder = await emptyFolder();
    await writePancreas(folder, 1, scan);
    return folder;
  },
  brats: async (scan: RawScan = brainScan()) => {
    const folder = await emptyFolder();
    await writeBrain(folder, "T", scan);
    return folder;
  },
};

describe("prepareCase()", () => {
  for (const name of ["la", "la.mini", "pancreas", "pancreas.mini", "brats", "brats.mini"]) {
    it(`gives the voxels of SimpleITK and NumPy: ${name}`, async () => {
      const [dataset, profile = "paper"] = name.split(".") as [PreparedName, ("mini" | undefined)?];
      const { image, label } = await prepareFirst(await archives[dataset](), { dataset, profile });
      const expected = golden[name];
      assertEquals([...image.shape], expected.shape);
      const count = image.data.length;
      expected.values.forEach((value, k) =>
        assertAlmostEquals(image.data[(7919 * k + 13) % count], value, 2e-6, `value ${k}`)
      );
      assertAlmostEquals(image.data.reduce((sum, v) => sum + v, 0), expected.sum, 1e-5 * count);
      assertAlmostEquals(image.data.reduce((sum, v) => sum + v * v, 0), expected.squares, 1e-5 * count);
      assertEquals(label.data.reduce((sum, v) => sum + v, 0), expected.label);
      assertEquals(label.data.reduce((sum, v, i) => sum + v * (i % 9973), 0), expected.labelSum);
    });
  }

  it("keeps the place in the patient and writes down what it did", async () => {
    const { image, record } = await prepareFirst(await archives.pancreas(), { dataset: "pancreas" });
    assertEquals(image.spacing, [1, 1, 1]);
    // Voxel (0, 6, 15) of the 1 mm grid, which shares the scan's centre.
    const shift = (side: number, step: number) => ((side - 1) * step - (Math.round(side * step) - 1)) / 2;
    const origin = [-40 + shift(56, 1.5), -30 + shift(52, 1.5) + 6, 100 + shift(10, 2.5) + 15];
    image.origin.forEach((value, axis) => assertAlmostEquals(value, origin[axis], 1e-9));
    const { raw, prepared, label } = record.fingerprint;
    assertEquals([raw.format, raw.shape, raw.spacing], ["DICOM", [56, 52, 10], [1.5, 1.5, 2.5]]);
    assertEquals(prepared.shape, image.shape);
    assertEquals([label.voxels, label.millilitres, label.components], [1770, 1.77, 1]);
    assertEquals(record.inputs.length, 11);
    assertMatch(
      record.decisions[0],
      /in reversed order: .* in reversed order 100.0 %, in stored order 0.0 %/,
    );
    assertStringIncludes(record.decisions.join("\n"), "25, 25, 0 voxels");
    assertEquals(record.cautions, []);
  });

  it("takes the label where its header says where that is the scan's grid", async () => {
    const folder = await emptyFolder();
    const { image, label } = pancreasScan();
    await writeVolume(`${folder}/PANCREAS_0001.nii.gz`, image);
    await writeVolume(`${folder}/label0001.nii.gz`, label);
    const { record, ...placed } = await prepareFirst(folder, { dataset: "pancreas" });
    assertStringIncludes(record.decisions[0], "where its header says");
    assertEquals(
      placed,
      (({ image, label }) => ({ image, label }))(
        await prepareFirst(await archives.pancreas(), { dataset: "pancreas" }),
      ),
    );
  });

  it("believes the attenuation where a label's slices are clearly in another order, and says so", async () => {
    const folder = await archives.pancreas();
    const { label } = pancreasScan();
    await writeVolume(`${folder}/TCIA_pancreas_labels-02-05-2017/label0001.nii.gz`, {
      ...label,
      origin: [0, 0, 0],
    });
    const stored = await prepareFirst(folder, { dataset: "pancreas" });
    const usual = await prepareFirst(await archives.pancreas(), { dataset: "pancreas" });
    assertEquals(stored.label, usual.label);
    assertMatch(
      stored.record.cautions[0],
      /taken in stored order: .*; the archive's rule is in reversed order/,
    );
  });

  it("draws margins by seed and case, within the paper's ranges, and keeps all slices as released on demand", async () => {
    const side = [180, 170, 100] as const;
    const { image, label } = atriumScan();
    const grid = { ...image, shape: side };
    const data = Int16Array.from({ length: side[0] * side[1] * side[2] }, (_, i) => i % 251);
    const mask = new Uint8Array(data.length);
    // x 80 … 90, y 80 … 95, z 5 … 90: the crop lacks 102, 97 and 0 voxels.
    for (let x = 80; x <= 90; x++) {
      for (let y = 80; y <= 95; y++) {
        mask.fill(1, (x * side[1] + y) * side[2] + 5, (x * side[1] + y) * side[2] + 91);
      }
    }
    const folder = await archives.la({
      image: { ...grid, data },
      label: { ...label, shape: side, data: mask },
    });
    const first = await prepareFirst(folder, { dataset: "la" });
    const margins = /and (\d+(?:, \d+){5}) voxels, drawn/.exec(first.record.decisions.join("\n"))![1].split(
      ", ",
    ).map(Number);
    margins.forEach((margin, i) =>
      assertEquals(margin >= (i < 4 ? 10 : 5) && margin <= (i < 4 ? 19 : 9), true)
    );
    const kept = [[80, 90], [80, 95], [5, 90]].map(([low, high], axis) => {
      const lack = [51, 48, 0][axis];
      return Math.min(high + margins[2 * axis + 1] + lack, side[axis]) -
        Math.max(low - margins[2 * axis] - lack, 0);
    });
    assertEquals([...first.image.shape], kept);
    const again = await prepareFirst(folder, { dataset: "la" });
    // The file holds the time of its writing.
    assertEquals({ ...again.record, output: first.record.output }, first.record);
    const shapes = await Promise.all([1, 2, 3].map((seed) => prepareFirst(folder, { dataset: "la", seed })));
    assertEquals(new Set(shapes.map((one) => one.image.shape.join())).size > 1, true);
    const official = await prepareFirst(folder, { dataset: "la", variant: "official" });
    assertEquals([...official.image.shape], [kept[0], kept[1], 100]);
  });

  it("takes the voxel size of atria that state none, and their label voxel for voxel", async () => {
    const { image, label } = atriumScan();
    const unit = [1, 1, 1] as const;
    const folder = await archives.la({
      image: { ...image, spacing: unit },
      label: { ...label, origin: [5, 0, 0] },
    });
    const { record, ...volumes } = await prepareFirst(folder, { dataset: "la" });
    assertStringIncludes(record.decisions[0], "the challenge's 0.625 mm was taken");
    assertMatch(record.cautions[0], /voxel for voxel, although its header places it elsewhere/);
    const usual = await prepareFirst(await archives.la(), { dataset: "la" });
    assertEquals(volumes, { image: usual.image, label: usual.label });
    // Headers that agree with one another are nothing to look at.
    const alike = await archives.la({
      image: { ...image, spacing: unit },
      label: { ...label, spacing: unit },
    });
    const { record: plain, ...same } = await prepareFirst(alike, { dataset: "la" });
    assertEquals(plain.cautions, []);
    assertEquals(same, volumes);
  });

  it("leaves preprocessed atria as they are, averages them for a coarser profile, and invents no detail", async () => {
    const folder = await emptyFolder();
    await Deno.mkdir(`${folder}/A`);
    const { image, label } = atriumScan();
    const volume = { image: { ...image, data: Float32Array.from(image.data) }, label };
    await writeHdf5(`${folder}/A/mri_norm2.h5`, volume);
    const same = await prepareFirst(folder, { dataset: "la" });
    assertEquals(same.image, volume.image);
    assertEquals(same.label, label);
    const { image: half } = await prepareFirst(folder, { dataset: "la", profile: "mini" });
    const at = (x: number, y: number, z: number) => image.data[(x * 56 + y) * 14 + z];
    let sum = 0;
    for (let corner = 0; corner < 8; corner++) {
      sum += at(10 + (corner & 1), 20 + ((corner >> 1) & 1), 4 + (corner >> 2));
    }
    assertAlmostEquals(half.data[(5 * 28 + 10) * 7 + 2], sum / 8, 1e-4);
    const coarse = { ...image, spacing: [1.25, 1.25, 1.25] as const, data: volume.image.data };
    await writeHdf5(`${folder}/A/mri_norm2.h5`, {
      image: coarse,
      label: { ...label, spacing: coarse.spacing },
    });
    await assertRejects(
      () => prepareFirst(folder, { dataset: "la" }),
      InputError,
      "are coarser than the 0.625×",
    );
  });

  const spoilt: Record<string, { folder: () => Promise<string>; dataset: PreparedName; message: RegExp }> = {
    "without a label": {
      dataset: "brats",
      async folder() {
        const folder = await archives.brats();
        await Deno.remove(`${folder}/MICCAI_BraTS_2019_Data_Training/HGG/T/T_seg.nii.gz`);
        return folder;
      },
      message: /T_flair\.nii\.gz: this case has no label/,
    },
    "with an empty label": {
      dataset: "la",
      folder: () =>
        archives.la({
          ...atriumScan(),
          label: { ...atriumScan().label, data: new Uint8Array(60 * 56 * 14) },
        }),
      message: /laendo\.nrrd: the label is empty/,
    },
    "with labels of another set": {
      dataset: "pancreas",
      folder: () => archives.pancreas({ ...pancreasScan(), label: sevenfold(pancreasScan()) }),
      message: /label0001\.nii\.gz: the label has the value 7; 0 and 1 are known/,
    },
    "with a label of another shape": {
      dataset: "pancreas",
      async folder() {
        const folder = await archives.pancreas();
        await Deno.remove(`${folder}/Pancreas-CT/PANCREAS_0001/11-24-2015-18957/99667/1-001.dcm`);
        return folder;
      },
      message: /label0001\.nii\.gz: the label has 56×52×10 voxels and the image 56×52×9/,
    },
    "with a tumour elsewhere": {
      dataset: "brats",
      async folder() {
        const folder = await archives.brats();
        const path = `${folder}/MICCAI_BraTS_2019_Data_Training/HGG/T/T_seg.nii.gz`;
        await writeVolume(path, { ...brainScan().label, origin: [9, 0, 0] });
        return folder;
      },
      message: /T_seg\.nii\.gz: image and label are not on one grid: the grids lie up to 9 mm apart/,
    },
    "with a constant image": {
      dataset: "brats",
      folder: () =>
        archives.brats({
          ...brainScan(),
          image: { ...brainScan().image, data: new Int16Array(44 * 46 * 32) },
        }),
      message: /T_flair\.nii\.gz: every voxel of the image is 0/,
    },
    "with NaN": {
      dataset: "brats",
      async folder() {
        const folder = await archives.brats();
        const { image } = brainScan();
        const data = Float32Array.from(image.data);
        data.fill(NaN, 100, 103);
        await writeVolume(`${folder}/MICCAI_BraTS_2019_Data_Training/HGG/T/T_flair.nii.gz`, {
          ...image,
          data,
        });
        return folder;
      },
      message: /T_flair\.nii\.gz: 3 voxels of the image are NaN or infinite/,
    },
    "whose file is truncated": {
      dataset: "la",
      async folder() {
        const folder = await archives.la();
        const path = `${folder}/Training Set/A/lgemri.nrrd`;
        await Deno.writeFile(path, (await Deno.readFile(path)).subarray(0, 900));
        return folder;
      },
      message: /lgemri\.nrrd: .*truncated/,
    },
  };
  for (const [what, { folder, dataset, message }] of Object.entries(spoilt)) {
    it(`refuses a case ${what} in one line`, async () => {
      const error = await assertRejects(
        async () => void await prepareFirst(await folder(), { dataset }),
        InputError,
      );
      assertMatch(error.message, message);
      assertEquals(error.message.includes("\n"), false);
    });
  }
});

function sevenfold({ label }: RawScan): RawScan["label"] {
  return { ...label, data: label.data.map((value) => 7 * value) };
}

const shared = sharedFolder();

describe("prepareCase() on real files", { ignore: shared === undefined }, () => {
  it("sorts nine slices of a CT and reverses the label's order", async () => {
    const folder = await emptyFolder();
    await Deno.symlink(`${shared}/data/readers/dicom/fnndsc_abdomen`, `${folder}/PANCREAS_0001`);
    const { readVolume } = await import("../../../lib/volume/read_volume.ts");
    const scan = await readVolume(`${folder}/PANCREAS_0001`);
    const [, ny, nz] = scan.shape;
    const first = ((200 * ny) + 200) * nz;
    // A column of soft tissue that leans, so that its order shows.
    const data = new Uint8Array(scan.data.length);
    for (let z = 0; z < nz; z++) {
      for (let x = 0; x < 12; x++) {
        for (let y = 0; y < 12; y++) data[first + ((x + 3 * z) * ny + y) * nz + nz - 1 - z] = 1;
      }
    }
    await writeVolume(`${folder}/label0001.nii.gz`, { ...scan, origin: [0, 0, 0], data });
    const { label, record } = await prepareFirst(folder, { dataset: "pancreas" });
    assertEquals(record.fingerprint.raw.shape, scan.shape);
    assertStringIncludes(record.decisions[0], "in reversed order");
    // The column leans to larger x with larger z again.
    const [sx, sy, sz] = label.shape;
    const meanX = (z: number) => {
      let [sum, count] = [0, 0];
      for (let x = 0; x < sx; x++) {
        for (let y = 0; y < sy; y++) {
          if (label.data[(x * sy + y) * sz + z] === 0) continue;
          sum += x;
          count++;
        }
      }
      return sum / count;
    };
    assertEquals(meanX(sz - 1) > meanX(0), true);
  });

  it("prepares a CT with the pancreas of a label map", async () => {
    const folder = await emptyFolder();
    const { readLabel, readVolume } = await import("../../../lib/volume/read_volume.ts");
    const image = await readVolume(`${shared}/data/readers/nifti/example_ct_sm.nii.gz`);
    const all = await readLabel(`${shared}/data/readers/nifti/example_seg.nii.gz`);
    await writeVolume(`${folder}/PANCREAS_0001.nii.gz`, image);
    await writeVolume(`${folder}/label0001.nii.gz`, {
      ...all,
      data: all.data.map((value) => value === 7 ? 1 : 0),
    });
    const { record, image: prepared } = await prepareFirst(folder, { dataset: "pancreas" });
    assertEquals(prepared.spacing, [1, 1, 1]);
    // 644 voxels of 27 mm³, whose corners linear interpolation rounds off.
    assertAlmostEquals(record.fingerprint.label.millilitres, 644 * 27 / 1000, 0.06 * 17.4);
    assertEquals(record.fingerprint.prepared.intensities[0], 0);
  });
});
