/** Figures and their PNGs, several at a time. */
import type { FigurePart } from "../experiments/figure_parts.ts";
import type { PaperFigure } from "../experiments/item.ts";
import type { Answer, FigureJob, PngJob } from "./figure_worker.ts";
import type { Figure } from "./svg.ts";

/** Workers that draw. What is asked for first is drawn first. */
export interface FigurePool {
  /** A figure of the paper; undefined where none of its runs has data. */
  figure(item: PaperFigure, parts: readonly FigurePart[]): Promise<Figure | undefined>;
  /** A figure as a PNG on white. */
  png(figure: Figure, dpi: number): Promise<Uint8Array>;
  close(): void;
}

/** What is waited for. */
interface Task extends PromiseWithResolvers<Answer> {
  readonly job: FigureJob | PngJob;
}

/** Starts a pool of that many workers. */
export function openFigurePool(size: number): FigurePool {
  const queue: Task[] = [];
  const drawers = Array.from({ length: size }, () => startDrawer(queue));
  const ask = (job: FigureJob | PngJob): Promise<Answer> => {
    const task: Task = { job, ...Promise.withResolvers<Answer>() };
    queue.push(task);
    drawers.find(({ isIdle }) => isIdle())?.next();
    return task.promise;
  };
  return {
    figure: async (item, parts) => (await ask({ item, parts })).figure,
    png: async (figure, dpi) => (await ask({ figure, dpi })).png!,
    close() {
      for (const { worker } of drawers) worker.terminate();
    },
  };
}

/** A worker that takes one task after another out of the queue. */
function startDrawer(queue: Task[]) {
  const worker = new Worker(new URL("./figure_worker.ts", import.meta.url), { type: "module" });
  let current: Task | undefined;
  const next = () => {
    current = queue.shift();
    if (current !== undefined) worker.postMessage(current.job);
  };
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    if (data.error === undefined) current?.resolve(data);
    else current?.reject(new Error(`a figure cannot be drawn: ${data.error}`));
    next();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const { reject } of [...current === undefined ? [] : [current], ...queue.splice(0)]) {
      reject(new Error(`drawing failed: ${event.message}`));
    }
  };
  return { worker, next, isIdle: () => current === undefined };
}
