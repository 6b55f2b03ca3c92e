/** One self-contained page: works from disk, without network, in light and dark. */
import { type Facts, factsHtml, htmlDocument } from "./html_document.ts";
import { escapeXml, type Figure, svgDocument } from "./svg.ts";
import type { Table } from "./table.ts";
import { tableHtml } from "./table_formats.ts";

/** A figure with its caption and the names of its files beside the page. */
export interface PageFigure {
  readonly figure: Figure;
  readonly caption: string;
  /** For example "figures/curves"; the page links to it with .svg and .png. */
  readonly file: string;
  /** In front of the caption; default "Figure" and its number on the page. */
  readonly name?: string;
  /** Kinds of files that lie beside the page; default both. */
  readonly formats?: readonly ("svg" | "png")[];
}

/** What a page shows, from top to bottom. */
export interface Page {
  readonly title: string;
  readonly lead: string;
  readonly facts: Facts;
  readonly tables: readonly Table[];
  readonly figures: readonly PageFigure[];
  /** Whether figures stand above the tables (default false). */
  readonly figuresFirst?: boolean;
}

/** The page as HTML. */
export function pageHtml({ title, lead, facts, tables, figures, figuresFirst = false }: Page): string {
  const readouts = figures.map(({ figure }) => ({
    width: figure.width,
    height: figure.height,
    frames: figure.readouts ?? [],
  }));
  const tabulated = tables.map((table) => `<section class="scroll">${tableHtml(table)}</section>`).join("\n");
  const drawn = figures.map(figureHtml).join("\n");
  const body = `<main>
<h1>${escapeXml(title)}</h1>
<p class="lead">${escapeXml(lead)}</p>
${(figuresFirst ? [drawn, tabulated] : [tabulated, drawn]).join("\n")}
<section><h2>How this was made</h2>${factsHtml(facts)}</section>
</main>
<script type="application/json" id="readouts">${JSON.stringify(readouts).replaceAll("<", "\\u003c")}</script>
<script>${script}</script>`;
  return htmlDocument(body, { title, style });
}

function figureHtml({ figure, caption, file, formats, name }: PageFigure, index: number): string {
  const svg = svgDocument(figure).replace(/^<\?xml[^>]*>\s*/, "");
  const links = (formats ?? ["svg", "png"]).map((kind) =>
    `<a href="${escapeXml(file)}.${kind}" download>${kind.toUpperCase()}</a>`
  );
  return `<figure data-figure="${index}"><div class="drawing" style="max-width:${
    Math.round(figure.width * 1.7)
  }px">${svg}</div><figcaption><b>${escapeXml(name ?? `Figure ${index + 1}`)}.</b> ${
    escapeXml(caption)
  } <span class="files">${links.join(" · ")}</span></figcaption></figure>`;
}

const style = `
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #595959; --paper: #fff; --line: #ddd; --second: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #aaa; --paper: #16181b; --line: #3a3d42; --second: #ff9d94; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, Arimo, Arial, sans-serif; }
main { max-width: 88rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
.lead { color: var(--soft); max-width: 46rem; margin: 0 0 1.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; font-weight: 600; position: sticky; left: 0; max-width: calc(100vw - 3.5rem); }
colgroup + colgroup { border-left: .9rem solid transparent; }
th[scope=row] { position: sticky; left: 0; background: var(--paper); }
th, td { padding: .3rem .6rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap;
  vertical-align: top; }
.text { white-space: normal; max-width: 32rem; min-width: 8rem; }
.block > * { border-top: 2px solid var(--soft); }
.number { text-align: right; }
.second { color: var(--second); }
figure { margin: 2.25rem 0; }
.drawing { position: relative; background: #fff; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; }
.drawing svg { width: 100%; height: auto; display: block; }
figcaption { margin-top: .5rem; color: var(--soft); font-size: .9rem; max-width: 52rem; }
.files { white-space: nowrap; }
a { color: inherit; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
.readout { position: absolute; pointer-events: none; background: #1a1a1a; color: #fff; font-size: .75rem;
  padding: .3rem .5rem; border-radius: 4px; white-space: pre; display: none; z-index: 1; }
@media print { .files, .readout { display: none !important; } figure { break-inside: avoid; } }
`;

/** Shows the values under the cursor of a chart. */
const script = `
for (const [index, { width, frames }] of JSON.parse(document.getElementById("readouts").textContent).entries()) {
  if (frames.length === 0) continue;
  const drawing = document.querySelector('[data-figure="' + index + '"] .drawing');
  const svg = drawing.querySelector("svg");
  const box = drawing.appendChild(document.createElement("div"));
  box.className = "readout";
  drawing.addEventListener("pointerleave", () => box.style.display = "none");
  drawing.addEventListener("pointermove", (event) => {
    const area = svg.getBoundingClientRect();
    const scale = width / area.width;
    const x = (event.clientX - area.left) * scale, y = (event.clientY - area.top) * scale;
    const frame = frames.find((f) => x >= f.x && x <= f.x + f.width && y >= f.y && y <= f.y + f.height);
    if (!frame) return box.style.display = "none";
    const share = (x - frame.x) / frame.width, [low, high] = frame.xDomain;
    const step = frame.xLog ? low * (high / low) ** share : low + share * (high - low);
    const lines = frame.series.map((series) => {
      let best = 0;
      series.steps.forEach((s, i) => { if (Math.abs(s - step) < Math.abs(series.steps[best] - step)) best = i; });
      const value = series.values[best];
      return series.name + "  " + (value === null ? "–" : value.toPrecision(3));
    });
    box.textContent = [(frame.xLabel || "x") + " " + Math.round(step), ...lines].join("\\n");
    box.style.display = "block";
    box.style.left = Math.min(event.clientX - drawing.getBoundingClientRect().left + 14, drawing.clientWidth - 180) + "px";
    box.style.top = (event.clientY - drawing.getBoundingClientRect().top + 14) + "px";
  });
}
`;
