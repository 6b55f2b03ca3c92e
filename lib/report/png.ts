/** Figures as pixels. The renderer and the font are packages of the kit, so every machine draws the same picture. */
import { compiledRenderer, type Renderer, wasmRenderer } from "./renderers.ts";
import { type Figure, svgDocument } from "./svg.ts";

let renderer: Promise<Renderer> | undefined;

/**
 * A figure as a PNG on white.
 *
 * @param dpi dots per inch; the file records it. Default 300.
 */
export async function figurePng(figure: Figure, dpi = 300): Promise<Uint8Array> {
  renderer ??= compiledRenderer().catch(wasmRenderer);
  const width = Math.max(1, Math.round(figure.width / 72 * dpi));
  return withResolution((await renderer)(svgDocument(figure), width), dpi);
}

/** The PNG with a pHYs chunk, which is where the file format keeps its resolution (PNG specification, 11.3.5.3). */
function withResolution(png: Uint8Array, dpi: number): Uint8Array {
  const headerEnd = 33;
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 9);
  chunk.set([0x70, 0x48, 0x59, 0x73], 4);
  const pixelsPerMetre = Math.round(dpi / 0.0254);
  view.setUint32(8, pixelsPerMetre);
  view.setUint32(12, pixelsPerMetre);
  chunk[16] = 1;
  view.setUint32(17, crc32(chunk.subarray(4, 17)));
  const out = new Uint8Array(png.length + chunk.length);
  out.set(png.subarray(0, headerEnd));
  out.set(chunk, headerEnd);
  out.set(png.subarray(headerEnd), headerEnd + chunk.length);
  return out;
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
