import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import type { MethodRun } from "../../lib/methods/method.ts";
import { complexityOf } from "../../lib/network/complexity.ts";
import type { IndependenceMaps } from "../../lib/network/independence.ts";
import { disposeNetwork, parametersOf } from "../../lib/network/network.ts";
import type { VNet } from "../../lib/network/segmenter.ts";
import { assertClose } from "../golden_set.ts";
import { ballBatch, runOf, stepOf, termOf } from "./run_of.ts";

const blocks = ["block_six", "block_seven", "block_eight", "block_nine"];
const suffixes = ["", "_trilinear", "_nearest"];

/** Steps of a run with a fit of the maps, and how many repeats each has. */
function fits(run: MethodRun, iterations: number): [step: number, repeats: number][] {
  return Array.from({ length: iterations }, (_, i): [number, number] => [
    i + 1,
    run.further![0].repeats!(stepOf(i + 1, iterations)),
  ]).filter(([, repeats]) => repeats > 0);
}

describe("caussl", () => {
  beforeAll(async () => void await startEngine());

  it("fits the maps when the release does, and in proportion in a smaller budget", () => {
    const whole = fits(runOf("caussl", [], { iterations: 5000 }), 5000);
    assertEquals(whole.length, 83);
    assertEquals([whole[0], whole[1], whole[82]], [[60, 60], [120, 60], [4980, 60]]);
    const cps = fits(runOf("caussl", ["form=cps"], { iterations: 5000 }), 5000);
    assertEquals([cps[0], cps[1]], [[540, 60], [600, 60]]);
    const small = fits(runOf("caussl", [], { iterations: 500 }), 500);
    assertEquals([small.length, small[0], small[1]], [83, [6, 6], [12, 6]]);
    const large = fits(runOf("caussl", [], { iterations: 40000 }), 40000);
    assertEquals([large[0], large[1]], [[360, 60], [420, 60]]);
  });

  it("asks for independence after the first fit", () => {
    const [run, batch] = [runOf("caussl", [], { iterations: 500 }), ballBatch()];
    const terms = (iteration: number) => run.loss(batch, stepOf(iteration, 500));
    assertEquals("independence" in terms(6), false);
    const { weight, value } = terms(7).independence;
    const maps = run.networks.maps as IndependenceMaps;
    const expected = [0, 1, 2].reduce((sum, branch) => sum + maps.dependence(branch).dataSync()[0], 0);
    assertEquals(weight, 3);
    assertAlmostEquals(value.dataSync()[0], expected, 1e-6);
  });

  for (const released of [false, true]) {
    it(`lets ${released ? "the first decoder" : "each decoder"} learn independence`, () => {
      const run = runOf("caussl", [`releasedGradient=${released}`]);
      const batch = ballBatch();
      const { gradients } = termOf(run, "independence", () => run.loss(batch, stepOf(100)));
      const reached = [...gradients.keys()].filter((key) => key.startsWith("network/"));
      const of = (suffix: string) => [
        ...blocks.flatMap((block, i) =>
          Array.from(
            { length: [3, 3, 2, 1][i] },
            (_, unit) => `network/${block}${suffix}.conv.${3 * unit}.weight`,
          )
        ),
        `network/out_conv${suffix}.weight`,
      ];
      const expected = (released ? [""] : suffixes).flatMap(of);
      assertEquals(reached.sort(), expected.sort());
      const kernels = parametersOf(run.networks.maps).length;
      assertEquals(kernels, 3 * 10);
      assertEquals([...gradients.keys()].filter((key) => key.startsWith("maps/")).length, kernels);
    });
  }

  it("moves nothing but the maps in a fit", () => {
    const run = runOf("caussl");
    const [objective] = run.further!;
    assertEquals(objective.trains, ["maps"]);
    const { weight, gradients } = termOf(run, "dependence", () => objective.loss(ballBatch(), stepOf(1), 0));
    assertEquals(weight, -1);
    assertEquals(gradients.size, 30);
    assert([...gradients.keys()].every((key) => key.startsWith("maps/")));
  });

  it("compares unlabelled crops with the other decoders' detached, sharpened predictions", () => {
    const [run, batch] = [runOf("caussl"), ballBatch()];
    const mode = { training: true, updateStatistics: false };
    const outputs = (run.networks.network as VNet).forward(batch.images, mode);
    const voxels = 2 * 4096;
    const p = outputs.map(({ margin }) => tf.sigmoid(margin).dataSync().slice(voxels));
    const sharp = (q: number) => q * q / (q * q + (1 - q) * (1 - q));
    let expected = 0;
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        if (i === j) continue;
        for (let k = 0; k < voxels; k++) expected += (p[i][k] - sharp(p[j][k])) ** 2 / voxels;
      }
    }
    const { value, gradients } = termOf(run, "consistency", () => run.loss(batch, stepOf(100)));
    assertAlmostEquals(value, expected, 1e-5);
    // No gradient flows through the targets: that of a margin is Σ_j 2(p − s_j)·p(1 − p).
    let slope = 0;
    for (let k = 0; k < voxels; k++) {
      const own = p[0][k];
      const towards = 2 * own - sharp(p[1][k]) - sharp(p[2][k]);
      slope += 2 * towards * own * (1 - own) / voxels;
    }
    assertClose(gradients.get("network/out_conv.bias")!, [-slope, slope], 1e-5);
  });

  it("ends its ramp at 0.86 of the weight, as the released run does", () => {
    const [run, batch] = [runOf("caussl", [], { iterations: 5000 }), ballBatch()];
    const weight = (iteration: number) => run.loss(batch, stepOf(iteration, 5000)).consistency.weight;
    assertClose([weight(1), weight(5000)], [0.1 * Math.exp(-5), 0.1 * Math.exp(-5 * (7 / 40) ** 2)], 1e-9);
  });

  it("has the decoders' sizes and predicts with the first", () => {
    const large = runOf("caussl", [], { width: 16 });
    // A 1³ convolution in each up-sampling of the second and third decoder.
    const up = [256 * 128, 128 * 64, 64 * 32, 32 * 16].reduce((sum, size) => sum + size, 128 + 64 + 32 + 16);
    const decoder = 2_071_970 - (262_272 + 65_600 + 16_416 + 4_112) + up;
    const expected = 9_448_866 + 2 * decoder;
    assertEquals(complexityOf(large.networks.network, [16, 16, 16]).parameters, expected);
    Object.values(large.networks).forEach(disposeNetwork);
    const [run, { images }] = [runOf("caussl"), ballBatch()];
    const branches = run.predictBranches!(images);
    assertEquals(branches.map(({ name }) => name), [...run.branchNames!]);
    assertEquals(run.predict(images).dataSync(), branches[0].probability.dataSync());
  });
});

describe("caussl with two networks", () => {
  beforeAll(async () => void await startEngine());
  const create = () => runOf("caussl", ["form=cps"], { iterations: 5000 });

  it("trains both, which start from other weights, and predicts with the first", () => {
    const [run, { images }] = [create(), ballBatch()];
    assertEquals(run.trained, ["first", "second"]);
    assertEquals(parametersOf(run.networks.maps).length, 2 * 30);
    const [first, second] = run.predictBranches!(images).map(({ probability }) => probability.dataSync());
    assert(first.some((value, i) => value !== second[i]));
    assertEquals(run.predict(images).dataSync(), first);
  });

  it("supervises each with the other's classes on unlabelled crops, after 400 of 5,000 steps", () => {
    const [run, batch] = [create(), ballBatch()];
    const mode = { training: true, updateStatistics: false };
    const voxels = 2 * 4096;
    const [a, b] = ["first", "second"].map((name) =>
      (run.networks[name] as VNet).forward(batch.images, mode)[0].margin.dataSync().slice(voxels)
    );
    let expected = 0;
    for (let i = 0; i < voxels; i++) {
      expected += Math.log1p(Math.exp(b[i] > 0 ? -a[i] : a[i])) / voxels;
      expected += Math.log1p(Math.exp(a[i] > 0 ? -b[i] : b[i])) / voxels;
    }
    const { value, weight, gradients } = termOf(
      run,
      "consistency",
      () => run.loss(batch, stepOf(5000, 5000)),
    );
    assertAlmostEquals(value, expected, 1e-4);
    assertAlmostEquals(weight, 0.3 * 0.1 * Math.exp(-5 * (7 / 40) ** 2), 1e-9);
    assert(gradients.has("first/out_conv.weight") && gradients.has("second/out_conv.weight"));
    const begun = (iteration: number) => run.loss(batch, stepOf(iteration, 5000)).consistency.weight > 0;
    assertEquals([begun(401), begun(402)], [false, true]);
  });

  it("lets both learn independence from the other's constant kernels", () => {
    const [run, batch] = [create(), ballBatch()];
    const { gradients } = termOf(run, "independence", () => run.loss(batch, stepOf(5000, 5000)));
    const reached = (network: string) => [...gradients.keys()].filter((key) => key.startsWith(`${network}/`));
    assertEquals([reached("first").length, reached("second").length, reached("maps").length], [30, 30, 60]);
  });
});
