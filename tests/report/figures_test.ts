import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { BranchMoment, TrainingMoment } from "../../lib/experiments/figure_data.ts";
import { displayBundle } from "../../lib/report/display_bundle.ts";
import { lineChart } from "../../lib/report/curves.ts";
import { figure2 } from "../../lib/report/figures/figure2.ts";
import { figure3 } from "../../lib/report/figures/figure3.ts";
import { figure4, turnedShare } from "../../lib/report/figures/figure4.ts";
import { figure5 } from "../../lib/report/figures/figure5.ts";
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
    assert(texts.includes("0 – 1") && texts.includes("0 – 1.4"), texts.join(" "));
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

  it("is the diagram alone where the log has no confidences", () => {
    assertEquals(figure3({ moment, history: { steps: [], values: {} } }).readouts, undefined);
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
