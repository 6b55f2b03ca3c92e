/**
 * A case to look into: image, label, prediction and the branches' disagreement in linked slices and in 3-D, as one
 * page that works from disk without network. NiiVue draws it (Hanayik, Rorden, Drake and others, BSD-2-Clause); the
 * page carries it along, and only the reader's browser ever runs it.
 */
import { gzipSync } from "node:zlib";
import { contourColours } from "../colour_maps.ts";
import { type Facts, factsHtml, htmlDocument } from "../html_document.ts";
import { escapeXml } from "../svg.ts";
import type { Volume } from "../../volume/volume.ts";
import { atMost, encodeLayer, inBytes, usualRange } from "./layers.ts";
import { type EncodedMesh, encodeMesh } from "./mesh.ts";
import { viewerScript } from "./script.ts";

/** What a page shows. All volumes lie on the image's grid. */
export interface CaseView {
  readonly title: string;
  readonly lead: string;
  readonly facts: Facts;
  readonly image: Volume;
  readonly label?: Volume<Uint8Array>;
  readonly prediction: Volume<Uint8Array>;
  /** Between 0 and 1. */
  readonly disagreement?: Volume;
}

/** One volume of the page, as its script reads it. */
interface Layer {
  readonly name: string;
  readonly kind: "image" | "mask" | "map";
  readonly colour: string;
  /** 0 to 1, at first. */
  readonly opacity: number;
  readonly data: string;
  /** The surface of a mask. */
  readonly mesh?: EncodedMesh;
}

const disagreementColour = contourColours.second;

/** The page as HTML. */
export async function viewerHtml(view: CaseView): Promise<string> {
  const { title, lead } = view;
  const layers = layersOf(view);
  const { shape } = atMost(view.image, "linear");
  const coarser = shape.join() === view.image.shape.join() ? [] : [
    [
      "Shown",
      `${shape.join(" × ")} of ${view.image.shape.join(" × ")} voxels, to keep the page small`,
    ] as const,
  ];
  const data = JSON.stringify(layers).replaceAll("<", "\\u003c");
  const body = `<header><h1>${escapeXml(title)}</h1><p>${escapeXml(lead)}</p></header>
<div class="views">
<div class="view"><canvas id="slices" aria-label="Three slices through one point"></canvas></div>
<div class="view"><canvas id="solid" aria-label="Masks in three dimensions"></canvas></div>
</div>
<div class="panel">
<section id="layers"></section>
<section>
<div class="row"><span>Planes</span><span id="planes"></span></div>
<label class="row"><span>Masks as outlines</span><input type="checkbox" id="outlines" checked></label>
<label class="row"><span>Interpolated voxels</span><input type="checkbox" id="smooth"></label>
<p id="place" aria-live="polite"></p>
</section>
<section>${factsHtml([...view.facts, ...coarser])}</section>
</div>
<p class="hint">Click or drag to move the cross, scroll through slices, drag with the right button to change the contrast;
drag the solid to turn it. Drawn by NiiVue 0.69.0, © the NiiVue authors, BSD-2-Clause licence.</p>
<script type="application/json" id="data">${data}</script>
<script type="text/plain" id="niivue">${await niivueSource()}</script>
<script type="module">${viewerScript}</script>`;
  return htmlDocument(body, { title, style });
}

function layersOf({ image, label, prediction, disagreement }: CaseView): Layer[] {
  const mask = (name: string, colour: string, volume: Volume<Uint8Array>, opacity: number): Layer => {
    const shown = atMost(volume, "nearest");
    const mesh = encodeMesh(shown);
    const data = encodeLayer({ ...shown, slope: 1, intercept: 0 });
    return { name, kind: "mask", colour, opacity, data, ...(mesh === undefined ? {} : { mesh }) };
  };
  const shown = atMost(image, "linear");
  const layers: Layer[] = [{
    name: "Image",
    kind: "image",
    colour: "#ffffff",
    opacity: 1,
    data: encodeLayer(inBytes(shown, usualRange(shown.data))),
  }];
  if (disagreement !== undefined) {
    layers.push({
      name: "Disagreement above 0.1",
      kind: "map",
      colour: disagreementColour,
      opacity: 0.7,
      data: encodeLayer(inBytes(atMost(disagreement, "linear"), [0, 1])),
    });
  }
  if (label !== undefined) layers.push(mask("Label", contourColours.groundTruth, label, 1));
  layers.push(mask("Prediction", contourColours.prediction, prediction, 1));
  return layers;
}

/** NiiVue as it is published, gzipped, in Base64. */
async function niivueSource(): Promise<string> {
  const module = new URL(import.meta.resolve("@niivue/niivue"));
  const folder = module.href.slice(0, module.href.indexOf("/niivue/build/") + "/niivue/".length);
  const text = await Deno.readFile(new URL("dist/niivue.umd.js", folder));
  return gzipSync(text, { level: 9 }).toString("base64");
}

const style = `
:root { color-scheme: dark; --ink: #e8e8e8; --soft: #a8a8a8; --line: #3a3d42; }
* { box-sizing: border-box; }
body { margin: 0; background: #101214; color: var(--ink); font: 15px/1.5 system-ui, Arimo, Arial, sans-serif;
  padding: 1rem 1.25rem 2rem; }
header { max-width: 70rem; }
h1 { font-size: 1.3rem; margin: 0; }
header p, .hint { color: var(--soft); margin: .2rem 0 .8rem; }
.views { display: grid; grid-template-columns: 2fr 1fr; gap: .75rem; height: min(68vh, 46rem); }
.view { position: relative; min-width: 0; min-height: 0; border: 1px solid var(--line); border-radius: 6px;
  overflow: hidden; background: #000; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.panel { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1rem 2.5rem; margin: 1rem 0 0; }
.row { display: grid; grid-template-columns: 1fr auto; gap: .75rem; align-items: center; min-height: 1.9rem; }
.layer { display: grid; grid-template-columns: auto auto 1fr 7rem 4rem; gap: .6rem; align-items: center; min-height: 1.9rem; }
.swatch { width: .9rem; height: .9rem; border-radius: 3px; border: 1px solid #0008; }
.value { text-align: right; font-variant-numeric: tabular-nums; color: var(--soft); }
button { background: none; color: inherit; border: 1px solid var(--line); border-radius: 4px; padding: .1rem .6rem; font: inherit;
  cursor: pointer; margin-left: .3rem; }
button[aria-pressed="true"] { background: #2d3238; border-color: #6b7280; }
#place { margin: .4rem 0 0; color: var(--soft); font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; font-size: .85rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.failure { padding: 2rem; }
@media (max-width: 60rem) { .views { grid-template-columns: 1fr; height: auto; } .view { height: 60vh; } }
`;
