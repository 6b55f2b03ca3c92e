/** Figures as PNGs, several at a time. */
import type { PngAnswer, PngJob } from "./png_worker.ts";
import type { Figure } from "./svg.ts";

/** Workers that draw, started when they are needed. */
export interface PngPool {
  /** A figure as a PNG on white. */
  draw(figure: Figure, dpi: number): Promise<Uint8Array>;
  close(): void;
}

interface Drawer {
  readonly worker: Worker;
  /** What is waited for, by the number of the job. */
  readonly waiting: Map<number, PromiseWithResolvers<Uint8Array>>;
}

/** A pool of at most `size` workers. */
export function openPngPool(size: number): PngPool {
  const drawers: Drawer[] = [];
  let next = 0;
  return {
    draw(figure, dpi) {
      const idle = drawers.find(({ waiting }) => waiting.size === 0);
      if (idle === undefined && drawers.length < size) drawers.push(startDrawer());
      const drawer = idle ?? drawers.reduce((a, b) => b.waiting.size < a.waiting.size ? b : a);
      const job: PngJob = { id: next++, figure, dpi };
      const answer = Promise.withResolvers<Uint8Array>();
      drawer.waiting.set(job.id, answer);
      drawer.worker.postMessage(job);
      return answer.promise;
    },
    close() {
      for (const { worker } of drawers) worker.terminate();
    },
  };
}

function startDrawer(): Drawer {
  const worker = new Worker(new URL("./png_worker.ts", import.meta.url), { type: "module" });
  const waiting: Drawer["waiting"] = new Map();
  worker.onmessage = ({ data: { id, png, error } }: MessageEvent<PngAnswer>) => {
    const answer = waiting.get(id)!;
    waiting.delete(id);
    if (png === undefined) answer.reject(new Error(`a figure cannot be drawn: ${error}`));
    else answer.resolve(png);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const answer of waiting.values()) answer.reject(new Error(`drawing failed: ${event.message}`));
  };
  return { worker, waiting };
}
