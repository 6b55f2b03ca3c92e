import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { compareMasks } from "../../lib/evaluation/metrics.ts";
import { choiceOf } from "../../lib/experiments/choice.ts";
import type { BranchMoment, StoredCase, TrainingMoment } from "../../lib/experiments/figure_data.ts";
import type { FigurePart } from "../../lib/experiments/figure_parts.ts";
import { displayBundle } from "../../lib/report/display_bundle.ts";
import { lineChart } from "../../lib/report/curves.ts";
import { figure6 } from "../../lib/report/figures/comparison.ts";
import { figure1 } from "../../lib/report/figures/figure1.ts";
import { figure2 } from "../../lib/report/figures/figure2.ts";
import { figure3 } from "../../lib/report/figures/figure3.ts";
import { turnedShare } from "../../lib/report/figures/decision_map.ts";
import { figure4 } from "../../lib/report/figures/figure4.ts";
import { figure5 } from "../../lib/report/figures/figure5.ts";
import { figure8 } from "../../lib/report/figures/figure8.ts";
import { caseSurfaces } from "../../lib/report/figures/surfaces.ts";
import { plotlyMime } from "../../lib/report/plotly.ts";
import { svgDocument } from "../../lib/report/svg.ts";
import { weigh } from "../../lib/sasnet/sar.ts";
import { storedMask, storedPlane } from "../experiments/stored.ts";

/** The texts of a drawing in their order. */
function textsOf(body: string): string[] {
  return [...body.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, content]) => content);
}

const branch: BranchMoment = {
  probability: storedPlane((x) => x / 5),
  last: storedPlane((x) => x / 5),
  before: storedPlane(() => 0.5),
  weighted: storedPlane((x) => x / 4),
  confidence: storedPlane((x) => 1 - x / 5),
  distance: storedPlane((x) => x / 2.5 - 1),
};
const moment: TrainingMoment = {
  case: "case-1",
  memory: "two",
  alpha: 0.5,
  visited: 1,
  image: storedPlane((x, y) => x * y),
  truth: storedPlane((x) => x > 2 ? 1 : 0),
  high: branch,
  low: branch,
  ensemble: storedPlane((x) => x / 5),
  mean: storedPlane((x) => x / 5),
  sdm: storedPlane((x) => 1 - x / 2.5),
};

describe("figure4()", () => {
  it("shows the printed sums and every number on the way, exactly", () => {
    const texts = textsOf(figure4().body);
    for (
      const number of [
        "1.685",
        "0.565",
        "0.825",
        "1.525",
        "0.880",
        "0.805",
        "0.220",
        "0.345",
        "0.480",
        "0.720",
      ]
    ) {
      assert(texts.includes(number), number);
    }
    assertStringIncludes(
      texts.join("\n"),
      "channel 1 / channel 2: 1.5/0.5 → 1.685/0.565; ratio 3.000 → 2.982; softmax of the foreground 0.269 → 0.246",
    );
  });

  it("colours the share of pairs that SAR turns, as counting them gives", () => {
    for (const alpha of [0.5, 1]) {
      let turned = 0;
      const side = 500;
      for (let i = 0; i < side * side; i++) {
        const [low, high] = [(Math.floor(i / side) + 0.5) / side, (i % side + 0.5) / side];
        const margin = (alpha: number) => weigh(2 * low - 1, low, alpha) + weigh(2 * high - 1, high, alpha);
        if (margin(0) < -1e-12 && margin(alpha) > 0) turned++;
      }
      assertAlmostEquals(turnedShare(alpha), turned / side ** 2, 2e-3);
    }
  });
});

describe("figure5()", () => {
  it("shows each stage with its largest distance", () => {
    const { body, alt } = figure5(storedMask);
    const texts = textsOf(body);
    // The block is 3 thick in y and 2 in z: its voxels lie at most 1 from the outside; the corners √3 from the block.
    assert(texts.includes("0 – 1 voxels") && texts.includes("0 – 1.4 voxels"), texts.join(" "));
    assertStringIncludes(alt, "case-1");
    assertEquals([...body.matchAll(/<image /g)].length, 7 + 3);
  });

  it("is drawn of an empty mask, too", () => {
    const { body } = figure5({ ...storedMask, mask: new Uint8Array(120) });
    assert(!/NaN|Infinity/.test(body));
  });
});

describe("figure3()", () => {
  const history = {
    steps: [1, 2, 3],
    values: {
      "confidence.high.foreground": [0.5, 0.6, null],
      "confidence.low.foreground": [0.4, 0.5, 0.7],
    },
  };

  it("has a panel for each map of both branches, and a chart of each class that was seen", () => {
    const { body, readouts } = figure3({ moment, history });
    assertEquals([...body.matchAll(/<image /g)].length, 2 * 5 + 3 + 2);
    assertEquals(readouts?.map(({ title }) => title), ["Confidence in the foreground"]);
    assertEquals(readouts?.[0].series.map(({ values }) => values), [[0.4, 0.5, 0.7], [0.5, 0.6, null]]);
  });

  it("is the diagram alone where the log has no confidences, with one remembered map of a running memory", () => {
    const alone = (memory: "two" | "running") =>
      figure3({ moment: { ...moment, memory }, history: { steps: [], values: {} } });
    assertEquals(alone("two").readouts, undefined);
    const panels = (memory: "two" | "running") => [...alone(memory).body.matchAll(/<image /g)].length;
    assertEquals(panels("two") - panels("running"), 2);
  });
});

describe("figure2()", () => {
  it("draws a box for each block, with what the outline says", () => {
    const block = { layers: 1, kernel: 3, parameters: 120, macs: 10 };
    const network = {
      crop: [16, 16, 16] as const,
      parameters: 1234567,
      macs: 2e9,
      blocks: [
        {
          ...block,
          part: "encoder",
          name: "block_one",
          kind: "convolution",
          inChannels: 1,
          outChannels: 2,
          grid: [16, 16, 16],
        },
        {
          ...block,
          part: "encoder",
          name: "block_one_dw",
          kind: "down",
          kernel: 2,
          inChannels: 2,
          outChannels: 4,
          grid: [8, 8, 8],
        },
        {
          ...block,
          part: "encoder",
          name: "block_two",
          kind: "convolution",
          layers: 2,
          inChannels: 4,
          outChannels: 4,
          grid: [8, 8, 8],
        },
        {
          ...block,
          part: "decoder3",
          name: "block_eight_up",
          kind: "up",
          kernel: 2,
          inChannels: 4,
          outChannels: 2,
          grid: [16, 16, 16],
        },
        {
          ...block,
          part: "decoder3",
          name: "block_nine",
          kind: "convolution",
          inChannels: 2,
          outChannels: 2,
          grid: [16, 16, 16],
        },
        {
          ...block,
          part: "decoder2",
          name: "block_nine",
          kind: "convolution",
          inChannels: 2,
          outChannels: 2,
          grid: [16, 16, 16],
        },
        {
          ...block,
          part: "decoder3",
          name: "heads",
          kind: "head",
          kernel: 1,
          inChannels: 2,
          outChannels: 4,
          grid: [16, 16, 16],
        },
      ],
    } as const;
    const texts = textsOf(figure2({ network, moment }).body);
    assertEquals(texts.filter((content) => content === "1 × conv 3³, 2 channels").length, 3);
    assert(texts.includes("2 × conv 3³, 4 channels") && texts.includes("8×8×8 · 120"));
    assert(texts.includes("High-level decoder, 360 parameters"), texts.join("\n"));
    assertStringIncludes(texts.at(-1)!, "1.23 M parameters, 2.00 G multiply–accumulates");
  });
});

/** A case of 12 × 10 × 6 voxels with a block as truth, and predictions that are shifted along x. */
function storedCase(shifts: Readonly<Record<string, number>>): StoredCase {
  const shape = [12, 10, 6] as const;
  const block = (shift: number) =>
    Uint8Array.from({ length: 720 }, (_, i) => {
      const [x, y, z] = [Math.floor(i / 60) - shift, Math.floor(i / 6) % 10, i % 6];
      return x >= 3 && x < 8 && y >= 3 && y < 7 && z >= 1 && z < 5 ? 1 : 0;
    });
  const planeOf = (mask: Uint8Array) => storedPlane((x, y) => mask[x * 60 + y * 6 + 3], 12, 10);
  const truth = block(0);
  return {
    case: "case-1",
    ...{ shape, spacing: [2, 2, 2], slice: 3, truth },
    image: storedPlane((x, y) => x + y, 12, 10),
    predictions: Object.entries(shifts).map(([name, shift]) => {
      const mask = block(shift);
      return { name, mask, probability: planeOf(mask), dice: compareMasks(mask, truth, shape).dice };
    }),
  };
}

function partsOf<K extends "figure1" | "figure6">(
  figure: K,
  cases: Readonly<Record<string, StoredCase | undefined>>,
): FigurePart<K>[] {
  return Object.entries(cases).map(([label, example]) => ({
    label,
    dataset: "la",
    standsFor: "la",
    stored: example && {
      format: 1,
      figure,
      run: label,
      choice: choiceOf({ method: "sasnet", dataset: "la", share: 20, settings: {} }, 1, {
        profile: "smoke",
        variant: "paper",
        standIn: true,
      }),
      checkpoint: { rule: "last", step: 20 },
      content: { cases: [example] },
    },
  }));
}

describe("figure6()", () => {
  const figure = figure6(
    partsOf("figure6", {
      "V-Net, LA": storedCase({ ensemble: 1 }),
      "EM, la": undefined,
      "SASNet, la": storedCase({ ensemble: 0 }),
    }),
    { interactive: true },
  );

  it("shows the computed Dice of each prediction, a slice and a surface, and leaves places of missing runs empty", () => {
    const texts = textsOf(figure.body);
    // Shifted by one of five voxels: 4/5 in common.
    assert(texts.includes("80.0") && texts.includes("100.0"), texts.join(" "));
    assertEquals(texts.filter((content) => ["V-Net", "EM", "SASNet"].includes(content)).length, 3);
    assertEquals([...figure.body.matchAll(/<image /g)].length, 2 * 3);
  });

  it("draws the outlines where the masks are", () => {
    // The window is 6 pixels of the row's 5 × 4 block; the truth begins at its pixel 3 − start.
    const widths = [...figure.body.matchAll(/<g class="contour">(.*?)<\/g>/g)].map(([, paths]) => {
      const numbers = [...paths.matchAll(/[ML]([\d.]+) [\d.]+/g)].map(([, x]) => Number(x));
      return [Math.min(...numbers), Math.max(...numbers)];
    });
    const [truth, , shifted, , exact] = widths;
    const pixel = (truth[1] - truth[0]) / 5;
    assertAlmostEquals(shifted[0] - truth[0], pixel, 0.05);
    assertAlmostEquals(exact[0], truth[0], 0.05);
  });

  it("has a scene with a menu of the methods that are there", () => {
    const { data, layout } = figure.plotly!;
    assertEquals(data.map(({ name, visible }) => [name, visible ?? true]), [
      ["ground truth", true],
      ["V-Net", false],
      ["SASNet", true],
    ]);
    const [menu] = layout.updatemenus as { buttons: { label: string; args: { visible: boolean[] }[] }[] }[];
    assertEquals(menu.buttons[0].args[0].visible, [true, true, false]);
  });
});

describe("caseSurfaces()", () => {
  it("marks what lies more than 4 mm outside, and what is missed by as much", () => {
    const { truth, predictions: [{ mask }] } = storedCase({ ensemble: 0 });
    const counts = [0, 1, 4].map((shift) => {
      const moved = storedCase({ ensemble: shift }).predictions[0].mask;
      const { predictions: [{ outside, missed }] } = caseSurfaces(storedCase({}), [moved]);
      return [outside, missed].map((marks) => marks.reduce((sum, mark) => sum + mark, 0));
    });
    assertEquals(counts.slice(0, 2), [[0, 0], [0, 0]]);
    assert(counts[2][0] > 0 && counts[2][1] > 0);
    assertEquals(mask, truth);
    const { predictions: [{ mesh, missed }] } = caseSurfaces(storedCase({}), [new Uint8Array(720)]);
    assert(mesh.triangles.length === 0 && missed.every((mark) => mark === 1));
  });
});

describe("figure1()", () => {
  it("shows networks and views with their Dice, and both branches in one panel", () => {
    const whole = storedCase({ ensemble: 0, high: 1, low: 2, xyz: 0, yxz: 1, zyx: 2 });
    const { body, alt } = figure1(partsOf("figure1", {
      "low-level branch alone": undefined,
      "high-level branch alone": storedCase({ ensemble: 2 }),
      "both branches": whole,
    }));
    const texts = textsOf(body);
    for (const content of ["60.0", "100.0", "80.0", "60.0 / 80.0"]) assert(texts.includes(content), content);
    assertStringIncludes(alt, "low-level branch alone missing");
  });
});

describe("figure8()", () => {
  it("has a map for the mean and each channel of each block, named by its channel", () => {
    const block = (channels: number) => ({
      grid: [3, 3, 3] as const,
      channels,
      mean: storedPlane((x) => x, 3, 3),
      strongest: [4, 0].map((channel) => ({ channel, plane: storedPlane((x) => x, 3, 3) })),
    });
    const { body } = figure8({
      case: "case-1",
      image: storedPlane((x) => x),
      truth: storedPlane((x) => x > 2 ? 1 : 0),
      branches: [{ name: "high", blocks: [block(8)] }, { name: "low", blocks: [block(8)] }],
    });
    assertEquals([...body.matchAll(/<image /g)].length, 1 + 2 * 3 + 1);
    assertEquals(textsOf(body).filter((content) => content === "ch 5").length, 2);
  });
});

describe("displayBundle()", () => {
  it("has Plotly's specification of charts and the drawing itself as one, beside the picture", async () => {
    const chart = lineChart([{ name: "a", steps: [1, 2], values: [3, NaN] }], { title: "T", yLog: true });
    const { data } = await displayBundle(chart);
    assertEquals(Object.keys(data), [plotlyMime, "image/png", "text/plain"]);
    const { data: traces, layout } = data[plotlyMime] as {
      data: { x: number[]; y: (number | null)[] }[];
      layout: { yaxis: { type: string } };
    };
    assertEquals([traces[0].x, traces[0].y, layout.yaxis.type], [[1, 2], [3, null], "log"]);
    const drawing = await displayBundle(figure4());
    assertEquals(Object.keys(drawing.data), [plotlyMime, "image/png", "text/plain"]);
    const { layout: { images: [{ source, sizex }] } } = drawing.data[plotlyMime] as {
      layout: { images: { source: string; sizex: number }[] };
    };
    assertEquals(sizex, figure4().width);
    const [kind, base64] = source.split(",");
    assertEquals(kind, "data:image/svg+xml;base64");
    assertEquals(new TextDecoder().decode(Uint8Array.fromBase64(base64)), svgDocument(figure4()));
  });
});
