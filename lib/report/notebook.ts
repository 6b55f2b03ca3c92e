/**
 * What a cell of a Deno notebook shows. The kernel sends outputs after it says that it is idle, so each function
 * waits a moment until they are on their way: a cell shows things with `await show(…)`.
 */
import { EnvironmentError } from "../errors.ts";
import { type DisplayBundle, displayBundle } from "./display_bundle.ts";
import { type Figure, svgDocument } from "./svg.ts";
import type { Table } from "./table.ts";
import { tableHtml, tableMarkdown, tableText } from "./table_formats.ts";

/** The kernel's interface, as far as it is used here. */
interface Kernel {
  broadcast(type: string, content: Record<string, unknown>): Promise<void>;
}

/** A display that changes in place. */
export interface LiveDisplay {
  update(figure: Figure): Promise<void>;
}

/** Shows a figure: interactive where it can be, else SVG; and PNG for viewers without either. */
export async function showFigure(figure: Figure): Promise<void> {
  await send("display_data", await displayBundle(figure));
}

/** Shows a table: HTML, Markdown and text. */
export async function showTable(table: Table): Promise<void> {
  const data = {
    "text/html": tableHtml(table),
    "text/markdown": tableMarkdown(table),
    "text/plain": tableText(table),
  };
  await send("display_data", { data, metadata: {} });
}

/** A display that is drawn again at each update, for curves of running work. */
export function liveFigure(id: string): LiveDisplay {
  let isShown = false;
  return {
    async update(figure) {
      const type = isShown ? "update_display_data" : "display_data";
      isShown = true;
      const svg = { data: { "image/svg+xml": svgDocument(figure), "text/plain": figure.alt }, metadata: {} };
      await send(type, svg, id);
    },
  };
}

async function send(type: string, bundle: DisplayBundle, id?: string): Promise<void> {
  await kernel().broadcast(type, { ...bundle, transient: id === undefined ? {} : { display_id: id } });
  await new Promise((resolve) => setTimeout(resolve, 60));
}

/** The kernel that runs this cell; elsewhere Deno throws as soon as the property is read. */
function kernel(): Kernel {
  try {
    return (Deno as unknown as { jupyter: Kernel }).jupyter;
  } catch {
    throw new EnvironmentError(
      "nothing to show on: this runs outside of a Jupyter kernel; run it in a notebook's cell",
    );
  }
}
