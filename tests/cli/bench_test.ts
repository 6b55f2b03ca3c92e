import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { cacheFolder } from "../../lib/engine/provision/cache.ts";
import { systemHost } from "../../lib/engine/provision/host.ts";
import {
  hasPythonPackages,
  type PackageSet,
  peerPackages,
  preparationPeers,
} from "../../lib/cli/python_packages.ts";
import { runKit } from "../kit.ts";

const bench = (...words: string[]) => runKit(["bench", ...words]);
const cacheIsThere = await Deno.stat(cacheFolder(systemHost())).then(() => true, () => false);
const isThere = async (set: PackageSet) =>
  cacheIsThere && await hasPythonPackages(set, systemHost()).catch(() => false);
const hasPeers = await isThere(peerPackages);
const hasPreparationPeers = await isThere(preparationPeers);

describe("bench", () => {
  it("measures a step of the asked size in a process of its own", async () => {
    const words = ["step", "--size", "16x32x16", "--width", "2", "--batch", "2", "--repeat", "2", "--json"];
    const { code, stdout } = await bench(...words);
    assertEquals(code, 0);
    const { results: [result], ...others } = JSON.parse(stdout);
    assertEquals(others, {});
    const { work, size, width, batch, peer, ratio } = result;
    assertEquals({ work, size, width, batch, peer, ratio }, {
      ...{ work: "step", size: "16x32x16", width: 2, batch: 2 },
      ...{ peer: null, ratio: null },
    });
    assertEquals(result.seconds.all.length, 2);
    assertEquals(result.seconds.minimum, Math.min(...result.seconds.all));
    assertEquals(result.seconds.median, (result.seconds.all[0] + result.seconds.all[1]) / 2);
    assertGreater(result.peakBytes, 5e7);
  });

  it("predicts and reads a phantom where no file is given", async () => {
    const reading = [["read"], ["nifti", "--size", "48x48x32"]];
    for (const words of [...reading, ["predict", "--size", "176x160x96", "--width", "1"]]) {
      const { code, stdout } = await bench(...words, "--repeat", "1");
      assertEquals(code, 0);
      assertMatch(stdout, /^(read|nifti|predict) .* s \(at best .*\), .*[MG]B\n$/);
    }
  });

  for (const work of ["prepare", "prepare-brats"]) {
    it(`makes a raw case of the asked size and prepares it: ${work}`, async () => {
      const { code, stdout } = await bench(work, "--size", "64x64x32", "--repeat", "1");
      assertEquals(code, 0);
      assertMatch(stdout, new RegExp(`^${work} 64x64x32 .* s \\(at best .*\\), .*MB\n$`));
    });
  }

  it("measures what predict adds to the windows of a scan", async () => {
    const { code, stdout } = await bench(
      "scan",
      "--size",
      "32x32x32",
      "--width",
      "1",
      "--repeat",
      "1",
      "--json",
    );
    assertEquals(code, 0);
    const { results: [{ work, peer, ratio }] } = JSON.parse(stdout);
    assertEquals([work, peer.name], ["scan", "its windows alone"]);
    assertGreater(ratio, 0);
  });

  it("compares with the Python originals in turn", { ignore: !hasPeers }, async () => {
    const { code, stdout } = await bench("sdm", "--size", "32x32x16", "--repeat", "2", "--peers", "--json");
    assertEquals(code, 0);
    const [{ seconds, peer, ratio, minimumRatio, peakBytes, peakRatio }] = JSON.parse(stdout).results;
    assertEquals([seconds.all.length, peer.all.length], [2, 2]);
    assertEquals(peer.name, "SciPy and scikit-image");
    assertEquals(ratio, seconds.median / peer.seconds);
    assertEquals(minimumRatio, seconds.minimum / peer.minimum);
    assertEquals(peakRatio, peakBytes / peer.peakBytes);
  });

  it("compares a preparation with and without hashes", { ignore: !hasPreparationPeers }, async () => {
    const words = ["prepare-brats", "--size", "64x64x48", "--repeat", "1", "--peers", "--json"];
    const { code, stdout, stderr } = await bench(...words);
    assertEquals(code, 0, stderr);
    const [{ seconds, peer, bare, ratio }] = JSON.parse(stdout).results;
    assertEquals([peer.name, peer.all.length, bare.all.length], ["SimpleITK, NumPy and h5py", 1, 1]);
    assertEquals([ratio, bare.ratio], [seconds.median / peer.seconds, seconds.median / bare.seconds]);
  });

  it("measures the kit alone where there is no Python, and says so", async () => {
    const cache = await Deno.makeTempDir();
    try {
      const env = { SASNET_PYTHON: "/nonexistent/python", SASNET_CACHE: cache };
      const words = ["bench", "sdm", "--size", "16x16x16", "--repeat", "1", "--peers", "--engine", "wasm"];
      const { code, stdout, stderr } = await runKit(words, { env });
      assertEquals(code, 0);
      assertStringIncludes(stderr, 'the Python originals are left out: "/nonexistent/python" does not run');
      assertMatch(stdout, /^sdm 16x16x16/);
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  });

  it("refuses what it cannot measure in one line, with exit code 2", async () => {
    const cases: [string[], string][] = [
      [["read", "--file", "/nonexistent/x.h5"], "/nonexistent/x.h5: the file does not exist"],
      [["predict", "--file", "/etc/hostname"], "not an HDF5 file"],
      [["step", "--batch", "3"], "--batch 3: expected an even number"],
      [["step", "--size", "20x32x32"], "--size 20x32x32: expected multiples of 16"],
      [["stepp"], 'did you mean "step"?'],
    ];
    for (const [words, expected] of cases) {
      const { code, stdout, stderr } = await bench(...words);
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr, expected);
      assertEquals(stderr.trim().split("\n").length, 1);
    }
  });
});
