import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { File, ready } from "h5wasm";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { writeVolume } from "../../lib/volume/write_volume.ts";

const main = decodeURIComponent(new URL("../../lib/cli/main.ts", import.meta.url).pathname);

async function inspect(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", main, "inspect", ...words],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** An image and a label without attributes, as the public left-atrium data has them. */
async function writePlain(path: string) {
  const module = await ready;
  const files = module.FS as unknown as { readFile(path: string): Uint8Array; unlink(path: string): void };
  const file = new File("/plain.h5", "w");
  file.create_dataset({ name: "image", data: Float32Array.of(0.5, 2), shape: [1, 1, 2] });
  file.create_dataset({ name: "label", data: Uint8Array.of(0, 1), shape: [1, 1, 2] });
  file.close();
  await Deno.writeFile(path, files.readFile("/plain.h5"));
  files.unlink("/plain.h5");
}

describe("inspect", () => {
  let folder = "";
  beforeAll(async () => void (folder = await Deno.makeTempDir()));
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("tells format, grid, type, range and labels; the direction's columns are the axes", async () => {
    await writeVolume(`${folder}/label.nrrd`, {
      shape: [2, 2, 1],
      spacing: [0.5, 2, 3],
      direction: [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
      origin: [4, 5, 6],
      data: Uint8Array.of(0, 2, 2, 1),
    });
    const { code, stdout } = await inspect(`${folder}/label.nrrd`, "--json");
    assertEquals(code, 0);
    assertEquals(JSON.parse(stdout), {
      format: "NRRD",
      shape: [2, 2, 1],
      spacing: [0.5, 2, 3],
      direction: [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
      origin: [4, 5, 6],
      dtype: "uint8",
      min: 0,
      max: 2,
      mean: 1.25,
      labels: [0, 1, 2],
    });
  });

  it("notes an HDF5 file that does not state its voxel size, and takes it as an option", async () => {
    const path = `${folder}/case.h5`;
    await writePlain(path);
    const assumed = await inspect(path);
    assertStringIncludes(assumed.stdout, "spacing    1 × 1 × 1 mm");
    assertStringIncludes(assumed.stdout, "values     0.5 to 2, mean 1.25");
    assertStringIncludes(assumed.stdout, "labels     0, 1");
    assertStringIncludes(assumed.stderr, "does not state the size of its voxels: 1 mm is assumed");
    const given = await inspect(path, "--spacing", "0.625,1,2", "--json");
    assertEquals(JSON.parse(given.stdout).spacing, [0.625, 1, 2]);
    assertEquals(given.stderr.includes("is assumed"), false);
  });

  it("ends with 2 and one line for what is no volume", async () => {
    await Deno.writeTextFile(`${folder}/page.nii`, "<html>");
    const { code, stdout, stderr } = await inspect(`${folder}/page.nii`);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^error: .*page\.nii: not a NIfTI file, although its name says so.*\n$/);
  });
});
