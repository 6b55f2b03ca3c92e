/** A worker that draws one figure after another as a PNG. */
import { figurePng } from "./png.ts";
import type { Figure } from "./svg.ts";

/** A figure to draw, by a number of its own. */
export interface PngJob {
  readonly id: number;
  readonly figure: Figure;
  readonly dpi: number;
}

/** What the worker answers. */
export interface PngAnswer {
  readonly id: number;
  readonly png?: Uint8Array;
  readonly error?: string;
}

/** The part of a worker's own scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<PngJob>) => void) | null;
  postMessage(message: PngAnswer): void;
}

const scope = self as unknown as WorkerScope;

scope.onmessage = async ({ data: { id, figure, dpi } }) => {
  try {
    scope.postMessage({ id, png: await figurePng(figure, dpi) });
  } catch (error) {
    scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
};
