import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  atriumScan,
  brainScan,
  pancreasScan,
  writeAtrium,
  writeBrain,
  writePancreas,
} from "../data/prepare/raw_archives.ts";
import { runKit } from "../kit.ts";

let root = "";
beforeAll(async () => void (root = await Deno.makeTempDir()));
afterAll(() => Deno.remove(root, { recursive: true }));

const letters = ["A", "B", "C", "D", "E"];

/** Five cases of each set. */
const writers: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  la: (folder) => Promise.all(letters.map((name, i) => writeAtrium(folder, name, atriumScan(i)))),
  pancreas: (folder) =>
    Promise.all([1, 3, 4, 5, 6].map((number) => writePancreas(folder, number, pancreasScan(number)))),
  brats: (folder) => Promise.all(letters.map((name, i) => writeBrain(folder, name, brainScan(i)))),
};

describe("prepare", () => {
  for (const [dataset, write] of Object.entries(writers)) {
    it(`makes of the raw files of ${dataset} what doctor finds sound and train trains on`, async () => {
      const [from, to] = [`${root}/${dataset}/raw`, `${root}/${dataset}/prepared`];
      await write(from);
      const prepared = await runKit(["prepare", dataset, "--from", from, "--to", to, "--profile", "mini"]);
      assertEquals(prepared.code, 0, prepared.stderr);
      assertMatch(
        prepared.stdout,
        /^5 cases in .*: 5 made, 0 there already, 0 left out; look at .*index\.html$/m,
      );
      const doctor = await runKit(["doctor", "--data", to, "--engine", "wasm", "--json"]);
      assertEquals(JSON.parse(doctor.stdout).cases, { cases: 5, findings: [] });
      const size = ["--crop", "16x16x16", "--width", "2", "--iterations", "1", "--run", `${to}/run`];
      const words = ["train", "--method", "sasnet", "--dataset", dataset, "--labelled", "2", "--data", to];
      const trained = await runKit([...words, ...size]);
      assertEquals(trained.code, 0, trained.stderr);
      assertStringIncludes(trained.stdout, "trained 1 steps");
    });
  }

  it("writes a self-contained page and the fingerprint, and is done at once the second time", async () => {
    const [from, to] = [`${root}/page/raw`, `${root}/page/prepared`];
    await writers.brats(from);
    const words = ["prepare", "brats", "--from", from, "--to", to, "--json"];
    const first = await runKit(words);
    assertEquals(JSON.parse(first.stdout), {
      ...{ folder: to, finished: true, cases: 5, made: 5, old: 0 },
      ...{ lists: { train: 4, validation: 0, test: 1 }, skipped: [], cautions: [] },
    });
    const page = await Deno.readTextFile(`${to}/index.html`);
    for (
      const text of ["Preparation of BraTS", "44 × 46 × 32", "cut to the brain", `--from ${from} --to ${to}`]
    ) {
      assertStringIncludes(page, text);
    }
    assertEquals(/(src|href)="(https?:|\/\/)/.test(page), false);
    const { cases } = JSON.parse(await Deno.readTextFile(`${to}/fingerprint.json`));
    assertEquals(cases.map((one: { case: string }) => one.case), letters);
    assertEquals(cases[0].raw.intensities.length, 5);
    assertEquals(JSON.parse((await runKit(words)).stdout).old, 5);
  });

  it("ends at a bad case in one line with exit code 2, or leaves it out with exit code 1", async () => {
    const [from, to] = [`${root}/bad/raw`, `${root}/bad/prepared`];
    await writers.brats(from);
    await Deno.truncate(`${from}/MICCAI_BraTS_2019_Data_Training/HGG/B/B_flair.nii.gz`, 500);
    const words = ["prepare", "brats", "--from", from, "--to", to];
    const stopped = await runKit(words);
    assertEquals([stopped.code, stopped.stdout], [2, ""]);
    assertMatch(
      stopped.stderr,
      /^error: .*B_flair\.nii\.gz: .*truncated.* \(--keep-going leaves such cases out\)\n$/,
    );
    const left = await runKit([...words, "--keep-going"]);
    assertEquals(left.code, 1);
    assertMatch(left.stdout, /^4 cases in .*1 left out/m);
    assertMatch(left.stderr, /^skipped {2}.*B_flair\.nii\.gz: /m);
    assertStringIncludes(await Deno.readTextFile(`${to}/index.html`), "Left out");
  });

  const canMount = Deno.build.os === "linux" && Deno.uid() === 0;

  it("says in one line when the disk is full, and continues with room", { ignore: !canMount }, async () => {
    const from = `${root}/full/raw`;
    await writers.brats(from);
    const disk = `${root}/disk`;
    await Deno.mkdir(disk);
    const mount = (...words: string[]) => new Deno.Command("mount", { args: words, stderr: "null" }).output();
    assertEquals((await mount("-t", "tmpfs", "-o", "size=100k", "tmpfs", disk)).success, true);
    try {
      const words = ["prepare", "brats", "--from", from, "--to", `${disk}/to`, "--workers", "1"];
      const full = await runKit(words);
      assertEquals([full.code, full.stdout], [3, ""]);
      assertMatch(full.stderr, /^error: .*\/to cannot be written: the disk is full; .*\n$/);
      assertEquals((await mount("-o", "remount,size=20m", disk)).success, true);
      const { code, stdout } = await runKit(words);
      assertEquals(code, 0);
      assertMatch(stdout, /: [1-5] made, \d there already, 0 left out/);
    } finally {
      await new Deno.Command("umount", { args: [disk] }).output();
    }
  });

  it("refuses what cannot be in one line, and writes nothing", async () => {
    const to = `${root}/refused`;
    await writers.la(`${root}/la/raw`);
    await Deno.writeTextFile(`${root}/file`, "");
    await Deno.symlink(root, `${root}/link`);
    const cases: [string[], RegExp][] = [
      [["brats", "--from", `${root}/none`, "--to", to], /\/none: the folder does not exist/],
      [["brats", "--from", root, "--to", root], /--from and --to are one folder/],
      [["brats", "--from", root, "--to", `${root}/link`], /--from and --to are one folder/],
      [["brains", "--from", root, "--to", to], /did you mean "brats"\?/],
      [["brats", "--to", to], /--from is missing/],
      [
        ["la", "--from", `${root}/la/raw`, "--to", `${root}/file`],
        /a file is where a folder is needed; .* --to/,
      ],
    ];
    for (const [words, message] of cases) {
      const { code, stdout, stderr } = await runKit(["prepare", ...words]);
      assertEquals([code, stdout, stderr.trim().split("\n").length], [2, "", 1], stderr);
      assertMatch(stderr, message);
    }
    assertEquals(await Deno.stat(to).then(() => true, () => false), false);
  });
});
