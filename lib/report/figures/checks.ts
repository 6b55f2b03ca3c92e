/** What the paper says of its figures, measured in the data that draws ours. */
import type { FeatureBlock, FigureContents, StoredCase, StoredPlane } from "../../experiments/figure_data.ts";
import type { FigurePart } from "../../experiments/figure_parts.ts";
import { figure4 as workedExample } from "../../sasnet/figure4.ts";
import { sdmStages } from "../../sasnet/sdm.ts";
import { connectedComponents } from "../../volume/components.ts";
import type { Table } from "../table.ts";

/** One statement and what became of it. */
interface Check {
  readonly statement: string;
  readonly source: string;
  readonly measured: string;
  readonly verdict: "holds" | "does not hold" | "holds in part";
}

type Parts<K extends keyof FigureContents> = readonly FigurePart<K>[];

/** Figure 1: two branches against one, and whether views differ. */
export function figure1Checks(parts: Parts<"figure1">): Table {
  const found = parts.flatMap(({ label, stored }) =>
    stored === undefined ? [] : [{ label, of: stored.content.cases[0] }]
  );
  const both = found.find(({ label }) => label === "both branches");
  if (both === undefined) return checkTable(1, []);
  const dice = diceOf(both.of, "ensemble");
  const single = found.filter(({ label }) => label !== both.label).map(({ label, of }): Check => {
    const other = diceOf(of, "ensemble");
    return {
      statement: `the dual-branch network is closer to the ground truth than the ${label}`,
      source: "caption",
      measured: `Dice ${percent(dice)} and ${percent(other)} (${both.of.case})`,
      verdict: verdictOf(dice > other),
    };
  });
  const views = both.of.predictions.filter(({ name }) => /^[xyz]{3}$/.test(name));
  const differing = views[0]?.mask.reduce(
    (sum, value, i) => sum + Number(views.some(({ mask }) => mask[i] !== value)),
    0,
  );
  const united = views[0]?.mask.reduce(
    (sum, _, i) => sum + Number(views.some(({ mask }) => mask[i] === 1)),
    0,
  );
  const distinct: Check[] = views.length < 2 ? [] : [{
    statement: "predictions differ across views",
    source: "caption",
    measured: `${
      percent(differing / Math.max(1, united))
    } % of the voxels that some of ${views.length} views predicts`,
    verdict: verdictOf(differing > 0),
  }];
  return checkTable(1, [...single, ...distinct]);
}

/** Figure 2: what the drawn network consists of. */
export function figure2Checks([{ stored }]: Parts<"figure2">): Table {
  if (stored === undefined) return checkTable(2, []);
  const { blocks } = stored.content.network;
  const inPart = (part: string) => blocks.filter((block) => block.part === part);
  const decoders = [...new Set(blocks.map(({ part }) => part))].filter((part) => part.startsWith("decoder"));
  const ups = decoders.map((part) => inPart(part).filter(({ kind }) => kind === "up").length);
  return checkTable(2, [{
    statement: "one encoder feeds two branches, the low-level one from a lower level",
    source: "3.1, figure 2",
    measured: `${inPart("encoder").length} blocks of the encoder; decoders with ${
      ups.join(" and ")
    } steps up`,
    verdict: verdictOf(inPart("encoder").length > 0 && decoders.length === 2 && ups[0] !== ups[1]),
  }]);
}

/** Figure 3: whether the confidences of SAR grow over the training. */
export function figure3Checks([{ stored }]: Parts<"figure3">): Table {
  if (stored === undefined) return checkTable(3, []);
  const { values } = stored.content.history;
  return checkTable(
    3,
    Object.entries(values).filter(([name]) => name.startsWith("confidence.")).map(([name, all]): Check => {
      const known = all.filter((value) => value !== null);
      const part = Math.max(1, Math.floor(known.length / 5));
      const [first, last] = [mean(known.slice(0, part)), mean(known.slice(-part))];
      const [, branch, of] = name.split(".");
      return {
        statement: `confidence of the ${branch}-level branch in the ${of} grows`,
        source: "implied by 3.2",
        measured: `${first.toFixed(3)} in the first fifth of the steps, ${last.toFixed(3)} in the last`,
        verdict: verdictOf(last > first),
      };
    }),
  );
}

/** The sums that figure 4 prints, (background, foreground) of its two voxels. */
const printedSums = [[1.685, 0.565], [0.825, 1.525]] as const;

/** Figure 4: the printed sums, and in which sense they move towards the truth. */
export function figure4Checks(): Table {
  const voxels = workedExample();
  const sums = voxels.map(({ weightedSum }) => weightedSum.map((value) => Number(value.toFixed(3))));
  const towards = (pairs: readonly (readonly [before: number, after: number])[]) =>
    pairs.every(([before, after], v) => voxels[v].truth === 1 ? after > before : after < before);
  const ratios = voxels.map(({ sum, weightedSum }) =>
    [sum[1] / sum[0], weightedSum[1] / weightedSum[0]] as const
  );
  const softmaxes = voxels.map(({ foreground, weightedForeground }) =>
    [foreground, weightedForeground] as const
  );
  const shown = (pairs: readonly (readonly [number, number])[]) =>
    pairs.map(([before, after]) => `${before.toFixed(4)} to ${after.toFixed(4)}`).join(", ");
  return checkTable(4, [
    {
      statement: `the weighted sums are ${printedSums.map((pair) => pair.join("/")).join(" and ")}`,
      source: "figure 4",
      measured: sums.map((pair) => pair.join("/")).join(" and "),
      verdict: verdictOf(sums.every((pair, v) => pair.every((value, c) => value === printedSums[v][c]))),
    },
    {
      statement: "SAR moves the ratio foreground/background towards the truth",
      source: "3.2",
      measured: shown(ratios),
      verdict: verdictOf(towards(ratios)),
    },
    {
      statement: "SAR moves the ensemble's probability (softmax of eq. 6) towards the truth",
      source: "3.2",
      measured: shown(softmaxes),
      verdict: verdictOf(towards(softmaxes)),
    },
  ]);
}

/** Figure 5: signs, range and zero line of the map. */
export function figure5Checks([{ stored }]: Parts<"figure5">): Table {
  if (stored === undefined) return checkTable(5, []);
  const { mask, case: { shape } } = stored.content;
  const { sdm, boundary } = sdmStages(mask, shape);
  let [onBorder, wrongSign, largest] = [0, 0, 0];
  for (let i = 0; i < sdm.length; i++) {
    if (boundary[i] === 1) onBorder += Number(sdm[i] !== 0);
    else wrongSign += Number(mask[i] === 1 ? sdm[i] >= 0 : sdm[i] <= 0);
    largest = Math.max(largest, Math.abs(sdm[i]));
  }
  const border = boundary.reduce((sum, value) => sum + value, 0);
  return checkTable(5, [
    {
      statement: "the map is 0 on the border, negative inside, positive outside",
      source: "figure 5, released code",
      measured: `${border} border voxels, ${onBorder} not 0; ${wrongSign} of the others with the wrong sign`,
      verdict: verdictOf(border > 0 && onBorder === 0 && wrongSign === 0),
    },
    {
      statement: "the map is normalised to −1 … 1",
      source: "figure 5",
      measured: `largest value ${largest.toFixed(3)}`,
      verdict: verdictOf(largest === 1),
    },
  ]);
}

/** Figures 6 and 7: Dice and number of pieces of SASNet against the other methods, case by case. */
export function comparisonChecks(number: 6 | 7, parts: Parts<"figure6" | "figure7">): Table {
  const found = parts.flatMap(({ label, dataset, stored }) =>
    stored === undefined
      ? []
      : stored.content.cases.map((of) => ({ label: label.split(",")[0], dataset, of }))
  );
  const groups = Map.groupBy(found, ({ dataset, of }) => `${dataset}: ${of.case}`);
  return checkTable(
    number,
    [...groups].flatMap(([place, shown]): Check[] => {
      const own = shown.find(({ label }) => label === "SASNet");
      const others = shown.filter((one) => one !== own);
      if (own === undefined || others.length === 0) return [];
      const dice = diceOf(own.of, "ensemble");
      const worse = others.filter(({ of }) => diceOf(of, "ensemble") < dice).length;
      const pieces = piecesOf(own.of);
      const more = others.filter(({ of }) => piecesOf(of) >= pieces).length;
      return [
        {
          statement: `SASNet is nearer to the ground truth than the others (${place})`,
          source: number === 6 ? "4.3.1, 4.3.2" : "4.3.3",
          measured: `Dice ${percent(dice)}, above ${worse} of ${others.length} methods`,
          verdict: shareVerdict(worse, others.length),
        },
        {
          statement: `SASNet's prediction is not more fragmented than the others (${place})`,
          source: number === 6 ? "4.3.1" : "4.3.3",
          measured: `${pieces} connected pieces, no more than ${more} of ${others.length} methods`,
          verdict: shareVerdict(more, others.length),
        },
      ];
    }),
  );
}

/** Figure 8: whether maps of the low-level branch vary more from pixel to pixel. */
export function figure8Checks([{ stored }]: Parts<"figure8">): Table {
  if (stored === undefined) return checkTable(8, []);
  const [low, high] = (["low", "high"] as const).map((name) =>
    stored.content.branches.find((branch) => branch.name === name)?.blocks ?? []
  );
  return checkTable(
    8,
    low.flatMap((block, i): Check[] => {
      if (high[i] === undefined) return [];
      const [ofLow, ofHigh] = [block, high[i]].map(meanRoughness);
      return [{
        statement: `the low-level branch has more local maps than the high-level one (block on ${
          block.grid.join("×")
        })`,
        source: "4.5, figure 8",
        measured: `squared step between neighbours over variance: ${ofLow.toFixed(3)} and ${
          ofHigh.toFixed(3)
        }`,
        verdict: verdictOf(ofLow > ofHigh),
      }];
    }),
  );
}

function checkTable(number: number, checks: readonly Check[]): Table {
  return {
    title: `What the paper says of figure ${number}, in our data`,
    columns: ["statement", "source", "measured", "verdict"].map((label) => ({ label })),
    rows: checks.map(({ statement, source, measured, verdict }) => ({
      cells: [statement, source, measured, verdict],
    })),
    caption: number === 4 ? [] : ["Of the cases that the figure shows alone: an example, no test."],
    footnotes: [],
  };
}

function diceOf({ predictions }: StoredCase, name: string): number {
  return predictions.find((prediction) => prediction.name === name)?.dice ?? 0;
}

function piecesOf({ predictions: [{ mask }], shape }: StoredCase): number {
  return connectedComponents(mask, shape).sizes.length;
}

/** Mean over the strongest channels of how much neighbours differ, against how much the map varies. */
function meanRoughness({ strongest }: FeatureBlock): number {
  return mean(strongest.map(({ plane }) => roughness(plane)));
}

function roughness({ width, height, data }: StoredPlane): number {
  const centre = mean(data);
  let [steps, count, spread] = [0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    spread += (data[i] - centre) ** 2;
    if (i % width < width - 1) [steps, count] = [steps + (data[i + 1] - data[i]) ** 2, count + 1];
    if (i < width * (height - 1)) [steps, count] = [steps + (data[i + width] - data[i]) ** 2, count + 1];
  }
  return spread === 0 ? 0 : (steps / count) / (spread / data.length);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return values.length === 0 ? 0 : sum / values.length;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function verdictOf(isSo: boolean): Check["verdict"] {
  return isSo ? "holds" : "does not hold";
}

function shareVerdict(count: number, of: number): Check["verdict"] {
  return count === of ? "holds" : count === 0 ? "does not hold" : "holds in part";
}
