/** The paper's figure 8: feature maps of the middle blocks of both decoders. */
import type { FeatureBlock, FigureContents, StoredPlane } from "../../experiments/figure_data.ts";
import { colourBar } from "../montage.ts";
import { slicePanel } from "../slices.ts";
import { type Figure, mutedInk, place, text } from "../svg.ts";
import { imagePanel } from "./maps.ts";

const width = 53;
const gap = 3;
const groupGap = 9;
const left = 13;

/**
 * A row a branch: the crop with its true outline, then the blocks on a quarter and on half of the grid, each as the
 * mean of its channels and the channels that vary most. Each map's colours run from 0 to its own largest value.
 */
export function figure8({ case: name, image, truth, branches }: FigureContents["figure8"]): Figure {
  const ordered = [...branches].sort((a, b) => a.name === "low" ? -1 : b.name === "low" ? 1 : 0);
  const input = imagePanel(image, { width, truth });
  const { height } = input;
  const rowY = (row: number) => 28 + row * (height + gap + 2);
  const parts: string[] = [
    place(input, left, rowY(0) + (ordered.length - 1) * (height + gap + 2) / 2),
    text(left + width / 2, rowY(0) + (ordered.length - 1) * (height + gap + 2) / 2 - 4, "Image", {
      size: 7,
      anchor: "middle",
    }),
  ];
  let right = left + width;
  ordered.forEach(({ name, blocks }, row) => {
    let x = left + width + groupGap + 9;
    parts.push(
      text(x - 7, rowY(row) + height / 2, `${name}-level`, {
        size: 7,
        rotate: -90,
        anchor: "middle",
        vertical: "middle",
      }),
    );
    for (const block of blocks) {
      const maps = [
        { label: "mean", plane: block.mean },
        ...block.strongest.map(({ channel, plane }) => ({
          label: `ch ${channel + 1}`,
          plane,
        })),
      ];
      if (row === 0) {
        const middle = x + (maps.length * (width + gap) - gap) / 2;
        parts.push(text(middle, 11, blockTitle(block), { size: 7.5, bold: true, anchor: "middle" }));
        maps.forEach((_, i) =>
          parts.push(
            text(x + i * (width + gap) + width / 2, 23, i === 0 ? "mean" : ordinals[i - 1], {
              size: 6.5,
              anchor: "middle",
              fill: mutedInk,
            }),
          )
        );
      }
      for (const { label, plane } of maps) {
        parts.push(place(featurePanel(plane, truth, label === "mean" ? undefined : label), x, rowY(row)));
        x += width + gap;
      }
      x += groupGap - gap;
    }
    right = Math.max(right, x - groupGap);
  });
  const bottom = rowY(ordered.length) + 3;
  const bar = colourBar({ map: "viridis", domain: [0, 1], label: "activation / the map's largest" });
  parts.push(place(bar, left + (right - left - bar.width) / 2, bottom));
  return {
    width: right,
    height: bottom + bar.height + 2,
    alt: `Feature maps of the middle decoder blocks of both branches on ${name}`,
    body: parts.join(""),
  };
}

const ordinals = ["varies most", "second", "third"];

function blockTitle({ grid, channels }: FeatureBlock): string {
  return `Block on ${grid.join("×")}, ${channels} channels`;
}

/** A coarse map over the whole crop, with the true outline of the fine grid. */
function featurePanel(plane: StoredPlane, truth: StoredPlane, corner: string | undefined): Figure {
  const largest = plane.data.reduce((most, value) => Math.max(most, value), 0);
  return slicePanel(plane, {
    width,
    map: "viridis",
    window: [0, largest || 1],
    contours: [{ plane: truth, colour: "#ffffff", lineWidth: 0.6 }],
    ...(corner !== undefined && { corner }),
  });
}
