/** A worker that draws one figure after another, or the PNG of one. */
import type { FigurePart } from "../experiments/figure_parts.ts";
import type { PaperFigure } from "../experiments/item.ts";
import { drawFigure } from "./figures/draw.ts";
import { figurePng } from "./png.ts";
import type { Figure } from "./svg.ts";

/** A figure of the paper to draw from its data. */
export interface FigureJob {
  readonly item: PaperFigure;
  readonly parts: readonly FigurePart[];
}

/** A figure to draw as a PNG. */
export interface PngJob {
  readonly figure: Figure;
  readonly dpi: number;
}

/** What the worker answers: the figure where its runs have data, the PNG, or why there is none. */
export interface Answer {
  readonly figure?: Figure;
  readonly png?: Uint8Array;
  readonly error?: string;
}

/** The part of a worker's own scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<FigureJob | PngJob>) => void) | null;
  postMessage(message: Answer): void;
}

const scope = self as unknown as WorkerScope;

scope.onmessage = async ({ data: job }) => {
  try {
    scope.postMessage(await answer(job));
  } catch (error) {
    scope.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};

async function answer(job: FigureJob | PngJob): Promise<Answer> {
  if ("dpi" in job) return { png: await figurePng(job.figure, job.dpi) };
  const figure = drawFigure(job.item, job.parts);
  return figure === undefined ? {} : { figure };
}
