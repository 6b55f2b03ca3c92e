import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { figure4 } from "../../lib/report/figures/figure4.ts";
import { compiledRenderer, wasmRenderer } from "../../lib/report/renderers.ts";
import { svgDocument } from "../../lib/report/svg.ts";

const compiled = await compiledRenderer().catch(() => undefined);

describe("compiledRenderer()", () => {
  it(
    "draws the same bytes as wasmRenderer()",
    { ignore: compiled === undefined },
    async () => {
      const wasm = await wasmRenderer();
      const svg = svgDocument(figure4());
      assertEquals(new Uint8Array(compiled!(svg, 900)), new Uint8Array(wasm(svg, 900)));
    },
  );
});
