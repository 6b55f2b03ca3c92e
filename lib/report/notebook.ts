/**
 * What a cell of a Deno notebook shows. The kernel sends outputs after it says that it is idle, so each function
 * waits a moment until they are on their way: a cell shows things with `await show(…)`.
 */
import { EnvironmentError } from "../errors.ts";
import { type DisplayBundle, displayBundle } from "./display_bundle.ts";
import { escapeXml, type Figure, svgDocument } from "./svg.ts";
import type { Table } from "./table.ts";
import { tableHtml, tableMarkdown, tableText } from "./table_formats.ts";
import { type CaseView, viewerHtml } from "./viewer/page.ts";

/** The kernel's interface, as far as it is used here. */
interface Kernel {
  broadcast(type: string, content: Record<string, unknown>): Promise<void>;
}

/** A display that changes in place. */
export interface LiveDisplay {
  update(figure: Figure): Promise<void>;
  /** The last figure, in the forms of {@link showFigure}: a viewer that has not run the cell may refuse SVG. */
  finish(figure: Figure): Promise<void>;
}

/** Shows a figure: interactive where the viewer can, as PNG on code-hosting sites and in exported pages. */
export async function showFigure(figure: Figure): Promise<void> {
  await send("display_data", await displayBundle(figure));
}

/**
 * Shows a table: HTML, Markdown and text.
 *
 * @param options.folded shows its title alone until it is clicked, for tables of many rows.
 */
export async function showTable(table: Table, options: { folded?: boolean } = {}): Promise<void> {
  const html = notebookHtml(table);
  const data = {
    "text/html": options.folded
      ? `<details><summary>${escapeXml(table.title)}</summary>${html}</details>`
      : html,
    "text/markdown": tableMarkdown(table),
    "text/plain": tableText(table),
  };
  await send("display_data", { data, metadata: {} });
}

/**
 * The table with its alignment written into each cell, as a style, because front ends have rules of their own, which
 * a class does not beat, and as an attribute, because code-hosting sites remove styles. They remove `<u>` as well.
 */
export function notebookHtml(table: Table): string {
  const cell = /<(t[dh])((?: (?:scope|colspan)="\w+")*)(?: class="(\w+)")?>/g;
  return tableHtml(table)
    .replaceAll("<p>", '<p style="margin:0.2em 0">')
    .replaceAll(/<u class="second">(.*?)<\/u>/g, "<ins>$1</ins>")
    .replaceAll(cell, (_, tag, attributes, kind) => {
      const side = kind === "number" ? "right" : attributes.includes("colspan") ? "center" : "left";
      const isShortName = attributes.includes('scope="row"') && kind !== "text";
      const [attribute, style] = isShortName ? [" nowrap", ";white-space: nowrap"] : ["", ""];
      return `<${tag}${attributes}${attribute} align="${side}" style="text-align: ${side}${style}">`;
    });
}

/** Shows a paragraph. */
export async function showText(text: string): Promise<void> {
  await send("display_data", { data: { "text/markdown": text, "text/plain": text }, metadata: {} });
}

/** Prints a line into the output of the cell. */
export async function showLine(line: string): Promise<void> {
  await kernel().broadcast("stream", { name: "stdout", text: `${line}\n` });
  await onItsWay();
}

/**
 * Shows a case to look into, in linked slices and in 3-D: the viewer's page in a frame. The output holds the whole page,
 * which is some megabytes large: of volumes that must not be passed on, clear it before the notebook is.
 *
 * @param height of the frame in pixels.
 */
export async function showView(view: CaseView, height = 900): Promise<void> {
  const data = {
    "text/html": pageFrame(await viewerHtml(view), height),
    "text/plain": `${view.title}. ${view.lead}`,
  };
  await send("display_data", { data, metadata: {} });
}

/** A page within a cell's output: its scripts and styles stay its own. */
export function pageFrame(page: string, height: number): string {
  const source = page.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<iframe srcdoc="${source}" style="width:100%;height:${height}px;border:0"></iframe>`;
}

/** A display that is drawn again at each update, for curves of running work. */
export function liveFigure(id: string): LiveDisplay {
  let isShown = false;
  const draw = async (bundle: DisplayBundle) => {
    const type = isShown ? "update_display_data" : "display_data";
    isShown = true;
    await send(type, bundle, id);
  };
  return {
    update: (figure) =>
      draw({ data: { "image/svg+xml": svgDocument(figure), "text/plain": figure.alt }, metadata: {} }),
    finish: async (figure) => await draw(await displayBundle(figure)),
  };
}

async function send(type: string, bundle: DisplayBundle, id?: string): Promise<void> {
  await kernel().broadcast(type, { ...bundle, transient: id === undefined ? {} : { display_id: id } });
  await onItsWay();
}

function onItsWay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60));
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
