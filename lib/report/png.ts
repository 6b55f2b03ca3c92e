/** Figures as pixels. The renderer and the font are packages of the kit, so every machine draws the same picture. */
import type { Figure } from "./svg.ts";
import { svgDocument } from "./svg.ts";

interface Renderer {
  render(svg: string, width: number): Uint8Array;
}

let renderer: Promise<Renderer> | undefined;

/**
 * A figure as a PNG on white.
 *
 * @param dpi dots per inch; the file records it. Default 300.
 */
export async function figurePng(figure: Figure, dpi = 300): Promise<Uint8Array> {
  renderer ??= startRenderer();
  const width = Math.max(1, Math.round(figure.width / 72 * dpi));
  return withResolution((await renderer).render(svgDocument(figure), width), dpi);
}

async function startRenderer(): Promise<Renderer> {
  const { initWasm, Resvg } = await import("@resvg/resvg-wasm");
  const read = (specifier: string) => Deno.readFile(new URL(import.meta.resolve(specifier)));
  const fontFolder = "@expo-google-fonts/arimo";
  const [wasm, ...fontBuffers] = await Promise.all([
    read("@resvg/resvg-wasm/index_bg.wasm"),
    read(`${fontFolder}/400Regular/Arimo_400Regular.ttf`),
    read(`${fontFolder}/700Bold/Arimo_700Bold.ttf`),
  ]);
  await initWasm(wasm);
  return {
    render(svg, width) {
      const drawing = new Resvg(svg, {
        fitTo: { mode: "width", value: width },
        font: { fontBuffers, defaultFontFamily: "Arimo", sansSerifFamily: "Arimo" },
      });
      const image = drawing.render();
      const png = image.asPng();
      image.free();
      drawing.free();
      return png;
    },
  };
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
