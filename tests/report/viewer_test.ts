import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { decode } from "fast-png";
import { EnvironmentError } from "../../lib/errors.ts";
import { pageFrame, showView } from "../../lib/report/notebook.ts";
import {
  atMost,
  encodeLayer,
  inBytes,
  mostViewerVoxels,
  usualRange,
} from "../../lib/report/viewer/layers.ts";
import { encodeMesh } from "../../lib/report/viewer/mesh.ts";
import { viewerHtml } from "../../lib/report/viewer/page.ts";
import { gridDifference } from "../../lib/volume/geometry.ts";
import { decodeVolume } from "../../lib/volume/read_volume.ts";
import { imageOf } from "../../lib/volume/stored_volume.ts";
import { meshVolume } from "../../lib/volume/surface_mesh.ts";
import { type Shape3, type Volume, voxelCount } from "../../lib/volume/volume.ts";
import { findChromium, withPage } from "../browser.ts";

const shape: Shape3 = [24, 20, 16];
const grid = {
  shape,
  spacing: [1, 1, 1.5] as const,
  direction: [[1, 0, 0], [0, -1, 0], [0, 0, 1]] as const,
  origin: [10, 20, 30] as const,
};

/** A value at each voxel. */
function filled(value: (x: number, y: number, z: number) => number): Float32Array {
  const data = new Float32Array(voxelCount(shape));
  for (let x = 0, n = 0; x < shape[0]; x++) {
    for (let y = 0; y < shape[1]; y++) for (let z = 0; z < shape[2]; z++, n++) data[n] = value(x, y, z);
  }
  return data;
}

function ball(centre: number): Volume<Uint8Array> {
  const inside = (x: number, y: number, z: number) => Math.hypot(x - centre, y - 9, 1.5 * (z - 8)) < 6;
  return { ...grid, data: Uint8Array.from(filled((...at) => inside(...at) ? 1 : 0)) };
}

const image: Volume = { ...grid, data: filled((x, y, z) => 100 * x + 10 * y + z) };
const view = {
  title: "Case <1>",
  lead: "A ball",
  facts: [["Command", "a & b"]] as const,
  image,
  label: ball(11),
  prediction: ball(13),
  disagreement: { ...grid, data: filled((x) => x / 32) },
};

describe("encodeLayer()", () => {
  it("is a NIfTI file of the same grid, its values right to half a level", async () => {
    const range = usualRange(image.data);
    const bytes = Uint8Array.fromBase64(encodeLayer(inBytes(image, range)));
    const readFile = () => Promise.reject(new Error("no other file"));
    const decoded = imageOf(await decodeVolume(bytes, "layer.nii.gz", { readFile }));
    assertEquals(gridDifference(decoded, image), undefined);
    const half = (range[1] - range[0]) / 255 / 2;
    decoded.data.forEach((value, n) => {
      assertAlmostEquals(value, Math.min(Math.max(image.data[n], range[0]), range[1]), half * 1.001);
    });
  });
});

describe("encodeMesh()", () => {
  it("lies about the mask in RAS millimetres and faces outwards, whatever the hand of the grid", () => {
    for (const direction of [grid.direction, [[1, 0, 0], [0, 1, 0], [0, 0, 1]] as const]) {
      const { low, step, vertices, triangles } = encodeMesh({ ...ball(11), direction })!;
      const numbers = new Uint16Array(Uint8Array.from(gunzipSync(Uint8Array.fromBase64(vertices))).buffer);
      const places = Float32Array.from(numbers, (n, i) => low[i % 3] + step[i % 3] * n);
      const differences = new Int32Array(
        Uint8Array.from(gunzipSync(Uint8Array.fromBase64(triangles))).buffer,
      );
      let vertex = 0;
      const mesh = { vertices: places, triangles: Uint32Array.from(differences, (d) => vertex += d) };
      // The ball of 6 mm about voxel (11, 9, 8).
      const centre = [-(10 + 11), -(20 + 9 * direction[1][1]), 30 + 1.5 * 8];
      for (let v = 0; v < places.length; v += 3) {
        const distance = Math.hypot(...[0, 1, 2].map((c) => places[v + c] - centre[c]));
        assertAlmostEquals(distance, 6, 1.3);
      }
      // Smoothing takes up to half a voxel off; inside out the volume would be negative.
      const volume = meshVolume(mesh);
      assert(volume > 4 / 3 * Math.PI * 5.3 ** 3 && volume < 4 / 3 * Math.PI * 6 ** 3, `${volume}`);
    }
    assertEquals(encodeMesh({ ...grid, data: new Uint8Array(voxelCount(shape)) }), undefined);
  });
});

describe("atMost()", () => {
  it("makes the finest axes coarser until a page can hold the volume, over the same box", () => {
    const side: Shape3 = [400, 400, 60];
    const volume: Volume = {
      ...grid,
      shape: side,
      spacing: [0.5, 0.5, 2],
      data: new Float32Array(voxelCount(side)),
    };
    const thin = atMost(volume, "linear");
    assert(voxelCount(thin.shape) <= mostViewerVoxels && voxelCount(thin.shape) > 0.97 * mostViewerVoxels);
    assertEquals(thin.shape[2], 60);
    thin.shape.forEach((n, a) => assertAlmostEquals(n * thin.spacing[a], side[a] * volume.spacing[a], 0.6));
    assertEquals(atMost(image, "linear"), image);
  });
});

describe("showView()", () => {
  it("says that there is nothing to show on outside of a notebook", async () => {
    await assertRejects(() => showView(view), EnvironmentError, "outside of a Jupyter kernel");
  });
});

describe("pageFrame()", () => {
  it("holds the page, whatever characters it has", () => {
    const page = `<p title="a & b">"&quot;"</p>`;
    const [, held] = /srcdoc="([^"]*)"/.exec(pageFrame(page, 100))!;
    assertEquals(held.replaceAll("&quot;", '"').replaceAll("&amp;", "&"), page);
  });
});

const chromium = await findChromium();

describe("viewerHtml()", () => {
  it("needs nothing from anywhere else, and is small", async () => {
    const html = await viewerHtml(view);
    assertMatch(html, /Case &lt;1&gt;/);
    assert(!/(?:src|href)=/.test(html.replaceAll(/<script[^]*?<\/script>/g, "")));
    assert(html.length < 1.5e6, `${html.length} bytes`);
  });

  it(
    "draws the slices and the solid in a browser, from disk alone",
    { ignore: chromium === undefined },
    async () => {
      const folder = await Deno.makeTempDir();
      try {
        await Deno.writeTextFile(`${folder}/case.html`, await viewerHtml(view));
        const trouble = await withPage(chromium!, `${folder}/case.html`, async (page) => {
          assertEquals(await page.evaluate(untilStarted), "ready");
          // The cross lies in the middle of the prediction: image, disagreement, label and prediction there.
          const values = await page.evaluate<string[]>(shownValues);
          const middle = [13, 9, 8];
          const level = (usualRange(image.data)[1] - usualRange(image.data)[0]) / 255;
          assertAlmostEquals(Number(values[0]), 100 * middle[0] + 10 * middle[1] + middle[2], level);
          assertAlmostEquals(Number(values[1]), 13 / 32, 0.003);
          assertEquals(values.slice(2), ["1", "1"]);
          assertMatch(
            await page.evaluate<string>(`document.getElementById("place").textContent`),
            /^Voxel 13, 9, 8 ·/,
          );
          const before = coloursOf(await page.screenshot());
          assert(before.yellow > 200 && before.blue > 1000, JSON.stringify(before));
          // Without the outlines the masks are filled: much more of the slices is blue.
          await page.evaluate(`document.getElementById("outlines").click()`);
          const after = coloursOf(await page.screenshot());
          assert(after.blue > 1.5 * before.blue, JSON.stringify([before, after]));
        });
        assertEquals(trouble, { requests: [], errors: [] });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
});

const untilStarted = `new Promise((resolve) => {
  const look = () => document.body?.dataset.state ? resolve(document.body.dataset.state) : setTimeout(look, 100);
  look();
})`;

const shownValues = `[...document.querySelectorAll(".value")].map((element) => element.textContent)`;

/** How many pixels have the colours of the label and of the prediction, more or less. */
function coloursOf(png: Uint8Array): { yellow: number; blue: number } {
  const { data, channels } = decode(png);
  const counts = { yellow: 0, blue: 0 };
  for (let i = 0; i < data.length; i += channels) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
    if (r > 180 && g > 180 && b < 110) counts.yellow++;
    if (r < 130 && g > 130 && b > 180) counts.blue++;
  }
  return counts;
}
