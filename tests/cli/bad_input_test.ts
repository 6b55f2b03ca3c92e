import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { writeHdf5 } from "../../lib/volume/hdf5.ts";
import { identityDirection, type Shape3 } from "../../lib/volume/volume.ts";
import { type KitResult, runKit } from "../kit.ts";
import { writePlainHdf5 } from "../plain_hdf5.ts";

/** Every file and folder below a path, relative to it. */
async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    names.push(prefix + name);
    if (isDirectory) names.push(...await filesBelow(`${folder}/${name}`, `${prefix}${name}/`));
  }
  return names.sort();
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** One line of error, beside the note that names the engine; nothing on standard output. */
function assertOneLine(
  { code, stdout, stderr }: KitResult,
  exitCode: number,
  message: string | RegExp,
): void {
  const lines = stderr.trim().split("\n").filter((line) => !line.startsWith("engine: "));
  assertEquals([lines.length, stdout], [1, ""], `${stderr}\n${stdout}`);
  assertMatch(lines[0], /^error: /);
  if (typeof message === "string") assertStringIncludes(lines[0], message);
  else assertMatch(lines[0], message);
  assertEquals(code, exitCode);
}

const shape: Shape3 = [20, 20, 18];

/** A volume whose organ is a box. */
function volume(side: Shape3 = shape) {
  const length = side[0] * side[1] * side[2];
  const grid = {
    shape: side,
    spacing: [1, 1, 1] as const,
    direction: identityDirection,
    origin: [0, 0, 0] as const,
  };
  const image = { ...grid, data: Float32Array.from({ length }, (_, i) => Math.sin(i)) };
  return { image, label: { ...grid, data: Uint8Array.from({ length }, (_, i) => i % 7 === 0 ? 1 : 0) } };
}

let root = "";
beforeAll(async () => {
  root = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(root, { recursive: true }));

const small = [
  "--method",
  "sasnet",
  "--labelled",
  "2",
  "--crop",
  "16x16x16",
  "--width",
  "2",
  "--iterations",
  "3",
];
const trainSmall = (run: string, ...words: string[]) => runKit(["train", ...small, "--run", run, ...words]);

describe("a damaged data folder", () => {
  let folder = "";
  const file = (name: string) => `${folder}/${name}/mri_norm2.h5`;
  const cases: Record<string, { spoil: () => Promise<void>; message: string | RegExp }> = {
    "a missing volume": {
      spoil: () => Deno.remove(file("b")),
      message: '1 of 4 listed cases lack their file "mri_norm2.h5": "b"',
    },
    "a truncated volume": {
      async spoil() {
        const bytes = await Deno.readFile(file("a"));
        await Deno.writeFile(file("a"), bytes.subarray(0, bytes.length >> 1));
      },
      message: /a\/mri_norm2\.h5: .*truncated or damaged/,
    },
    "a volume with other dataset names": {
      spoil: () => writeHdf5(file("a"), volume(), { image: "raw", label: "seg" }),
      message: /a\/mri_norm2\.h5: no dataset "image"; the file has "raw", "seg"/,
    },
    "NaN in an image": {
      async spoil() {
        const spoilt = volume();
        spoilt.image.data[5] = NaN;
        await writeHdf5(file("a"), spoilt);
      },
      message: /a\/mri_norm2\.h5: "image" has 1 of 7200 values that are NaN or infinite/,
    },
    "a label of 2": {
      async spoil() {
        const spoilt = volume();
        spoilt.label.data[5] = 2;
        await writeHdf5(file("a"), spoilt);
      },
      message: /a\/mri_norm2\.h5: "label" has values other than 0 and 1: 2;/,
    },
    "an image with two axes": {
      async spoil() {
        const { label } = volume();
        await writePlainHdf5(file("a"), {
          image: { data: new Float32Array(400), shape: [20, 20] },
          label: { data: label.data, shape: [...shape] },
        });
      },
      message: /a\/mri_norm2\.h5: "image" has shape \[20, 20\]; a volume with three axes was expected/,
    },
    "a label on another grid": {
      async spoil() {
        const { image } = volume();
        await writePlainHdf5(file("a"), {
          image: { data: image.data, shape: [...shape] },
          label: { data: new Uint8Array(400), shape: [20, 20, 1] },
        });
      },
      message: /a\/mri_norm2\.h5: "label" is 20×20×1 but the image is 20×20×18/,
    },
    "a list with an unknown case": {
      spoil: () => Deno.writeTextFile(`${folder}/train.list`, "a\nb\nc\nx\n"),
      message: '"x"',
    },
    "no list": {
      spoil: () => Deno.remove(`${folder}/train.list`),
      message: "the folder has no train.list",
    },
    "an empty list": {
      spoil: () => Deno.writeTextFile(`${folder}/test.list`, "\n"),
      message: "the list is empty",
    },
  };
  for (const [what, { spoil, message }] of Object.entries(cases)) {
    it(`with ${what} ends train in one line, and nothing is written`, async () => {
      folder = await Deno.makeTempDir({ dir: root });
      for (const name of ["a", "b", "c", "t"]) {
        await Deno.mkdir(`${folder}/${name}`);
        await writeHdf5(file(name), volume());
      }
      await Deno.writeTextFile(`${folder}/train.list`, "a\nb\nc\n");
      await Deno.writeTextFile(`${folder}/test.list`, "t\n");
      await spoil();
      const run = `${folder}/run`;
      // All three cases are in the first batch.
      const result = await trainSmall(run, "--dataset", "la", "--data", folder);
      assertOneLine(result, 2, message);
      assertEquals(await exists(run), false);
    });
  }
});

describe("a damaged test case", () => {
  it("ends demo in one line before anything is trained or written", async () => {
    const folder = await Deno.makeTempDir({ dir: root });
    const [train, test] = [Array.from({ length: 9 }, (_, i) => `case${i}`), ["t", "u"]];
    for (const name of [...train, ...test]) {
      await Deno.mkdir(`${folder}/${name}`);
      await writeHdf5(`${folder}/${name}/mri_norm2.h5`, volume());
    }
    await Deno.writeTextFile(`${folder}/train.list`, train.join("\n"));
    await Deno.writeTextFile(`${folder}/test.list`, test.join("\n"));
    const file = `${folder}/u/mri_norm2.h5`;
    await Deno.truncate(file, (await Deno.stat(file)).size >> 1);
    const out = `${folder}/out`;
    assertOneLine(await runKit(["demo", "--data", folder, "--out", out]), 2, /u\/mri_norm2\.h5: .*truncated/);
    assertEquals(await exists(out), false);
  });
});

describe("a run that cannot be", () => {
  const cases: Record<string, { words: string[]; message: string | RegExp }> = {
    "a crop beyond the memory": {
      words: ["--crop", "1024x1024x1024", "--width", "64"],
      message: /needs about \d+ GB, [\d.]+ GB free: use a smaller --crop or a smaller --width, or close/,
    },
    "a crop that cannot be halved": { words: ["--crop", "20x20x16"], message: "multiples of 16" },
    "a crop that a view would change": { words: ["--crop", "16x32x16"], message: "equal sides" },
    "too many labelled cases": { words: ["--labelled", "99"], message: "--labelled 99: expected 2 to" },
    "an unknown option": { words: ["--lables", "2"], message: 'did you mean "--labelled"?' },
    "an unknown data set": { words: ["--dataset", "panceras"], message: 'did you mean "pancreas"?' },
    "an unknown method": { words: ["--method", "sasnt"], message: 'did you mean "sasnet"?' },
    "an unknown hyper-parameter": { words: ["--set", "bta=1"], message: 'did you mean "beta"?' },
    "a hyper-parameter's unknown value": {
      words: ["--set", "sarIndex=brnch"],
      message: 'did you mean "branch"?',
    },
    "a number that is none": { words: ["--width", "wide"], message: "--width: expected an integer from 1" },
    "an unknown engine": { words: ["--engine", "tensorflw"], message: 'did you mean "tensorflow"?' },
    "a folder that is not there": {
      words: ["--dataset", "la", "--data", "/nonexistent/la"],
      message: "/nonexistent/la: the folder does not exist",
    },
  };
  for (const [what, { words, message }] of Object.entries(cases)) {
    it(`for ${what} ends in one line, and nothing is written`, async () => {
      const run = `${root}/refused`;
      const options: Record<string, string> = {
        ...{ "--method": "sasnet", "--labelled": "2", "--crop": "16x16x16", "--width": "2" },
        ...{ "--iterations": "3", "--run": run },
      };
      for (let i = 0; i < words.length; i += 2) options[words[i]] = words[i + 1];
      assertOneLine(await runKit(["train", ...Object.entries(options).flat()]), 2, message);
      assertEquals(await exists(run), false);
    });
  }
});

describe("a run folder", () => {
  let run = "";
  beforeAll(async () => {
    run = `${root}/run`;
    const { code, stderr } = await trainSmall(run);
    assertEquals(code, 0, stderr);
  });
  const contents = async () => {
    const names = (await filesBelow(run)).filter((name) => /\.(json|jsonl|safetensors)$/.test(name));
    return await Promise.all(names.map(async (name) => [name, await Deno.readFile(`${run}/${name}`)]));
  };

  it("that another process uses is refused in one line and stays as it is", async () => {
    const before = await contents();
    using lock = await Deno.open(`${run}/lock`, { write: true });
    await lock.lock(true);
    assertOneLine(
      await trainSmall(run),
      2,
      "is in use by another process; wait for it or choose another folder",
    );
    assertEquals(await contents(), before);
  });

  it("of other settings is refused in one line that names the first, and stays as it is", async () => {
    const before = await contents();
    assertOneLine(await trainSmall(run, "--seed", "7"), 2, "seed: 1337 there, 7 here");
    assertEquals(await contents(), before);
  });

  it("with the checkpoint of another network is refused in one line that says how it differs", async () => {
    const other = `${root}/other`;
    const wide = ["--method", "sasnet", "--labelled", "2", "--crop", "16x16x16", "--width", "4"];
    const { code } = await runKit(["train", ...wide, "--iterations", "3", "--run", other]);
    assertEquals(code, 0);
    const network = (folder: string) => `${folder}/checkpoint/step-000003/network.safetensors`;
    await Deno.copyFile(network(run), network(other));
    const expected = /network\.safetensors holds the weights of another network: \d+ have another shape/;
    assertOneLine(await runKit(["evaluate", other]), 2, expected);
    assertEquals((await filesBelow(other)).filter((name) => /csv|summary|tmp/.test(name)), []);
  });

  it("with a truncated checkpoint is refused in one line", async () => {
    const copy = `${root}/truncated`;
    const file = "checkpoint/step-000003/network.safetensors";
    await Deno.mkdir(`${copy}/checkpoint/step-000003`, { recursive: true });
    await Deno.copyFile(`${run}/config.json`, `${copy}/config.json`);
    const bytes = await Deno.readFile(`${run}/${file}`);
    await Deno.writeFile(`${copy}/${file}`, bytes.subarray(0, bytes.length >> 1));
    assertOneLine(await runKit(["evaluate", copy]), 2, /network\.safetensors/);
  });

  it("that is none is refused in one line", async () => {
    assertOneLine(
      await runKit(["evaluate", `${root}/none`]),
      2,
      "is not a run folder: it has no config.json",
    );
    const path = `${root}/file`;
    await Deno.writeTextFile(path, "");
    assertOneLine(await trainSmall(path), 2, "a file is where a folder is needed");
  });
});

describe("a disk that fills up during training", () => {
  const canMount = Deno.build.os === "linux" && Deno.uid() === 0;
  const mount = async (...words: string[]) =>
    (await new Deno.Command("mount", { args: words, stderr: "null" }).output()).success;

  it("ends it in one line, leaves nothing half written, and the run begins again with room", {
    ignore: !canMount,
  }, async () => {
    const disk = `${root}/disk`;
    await Deno.mkdir(disk);
    assertEquals(await mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", disk), true, "the small disk");
    try {
      const words = ["--checkpoint-every", "1", "--quiet"];
      assertOneLine(
        await trainSmall(`${disk}/run`, ...words),
        3,
        /step-000001 cannot be written: the disk is full/,
      );
      assertEquals(await filesBelow(`${disk}/run`), [
        ...["checkpoint", "config.json", "environment.json"],
        ...["events.out.tfevents.0.training", "lock", "log.jsonl"],
      ]);
      assertEquals(await mount("-o", "remount,size=20m", disk), true, "the larger disk");
      const { code, stdout } = await trainSmall(`${disk}/run`, ...words);
      assertEquals([code, stdout.startsWith("trained 3 steps")], [0, true]);
      await Deno.writeFile(`${disk}/filling`, new Uint8Array(30e6)).catch(() => {});
      const evaluated = await runKit(["evaluate", `${disk}/run`, "--quiet"]);
      assertOneLine(evaluated, 3, /per_case\.csv cannot be written: the disk is full/);
      assertEquals((await filesBelow(`${disk}/run`)).filter((name) => /csv|summary|tmp/.test(name)), []);
    } finally {
      await new Deno.Command("umount", { args: [disk] }).output();
    }
  });

  it("is told from a limit on the size of files", { ignore: Deno.build.os === "windows" }, async () => {
    const run = `${root}/limited`;
    const kit = decodeURIComponent(new URL("../../lib/cli/main.ts", import.meta.url).pathname);
    const words = ["run", "-A", "--no-check", kit, "train", ...small, "--run", run, "--quiet"];
    // Without the trap the signal would kill the process; `ulimit -f` counts blocks of 1024 bytes.
    const script = 'trap "" XFSZ; ulimit -f 100; exec "$@"';
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", script, "bash", Deno.execPath(), ...words],
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    const result = { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    assertOneLine(result, 3, /cannot be written: it is larger than this process may write/);
    assertEquals((await filesBelow(run)).filter((name) => /tmp|step-/.test(name)), []);
  });
});
