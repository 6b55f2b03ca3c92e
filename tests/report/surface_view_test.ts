import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { decode } from "fast-png";
import { type SceneSurface, surfacePanel } from "../../lib/report/surface_view.ts";
import type { Figure } from "../../lib/report/svg.ts";
import { surfaceMesh } from "../../lib/volume/surface_mesh.ts";

/** A cube of 6 voxels' side whose first corner lies at (x, y, z). */
function cube(x: number, y: number, z: number, colour: string): SceneSurface {
  const side = 24;
  const mask = new Uint8Array(side ** 3);
  for (let i = 0; i < mask.length; i++) {
    const place = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    if ([x, y, z].every((from, k) => place[k] >= from && place[k] < from + 6)) mask[i] = 1;
  }
  return { mesh: surfaceMesh(mask, [side, side, side], [1, 1, 1]), colour };
}

/** Which of red, green and blue is strongest at a share of width and height; "white" for the ground. */
function colourAt({ body }: Figure, across: number, down: number): string {
  const { width, height, data } = decode(Uint8Array.fromBase64(/base64,([^"]+)/.exec(body)![1]));
  const at = 3 * (Math.round(down * (height - 1)) * width + Math.round(across * (width - 1)));
  const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
  if (red === 255 && green === 255 && blue === 255) return "white";
  return red > green && red > blue ? "red" : green > blue ? "green" : "blue";
}

const front = { azimuth: 0, elevation: 0 };
const frame = { right: [0, 23], up: [0, 23] } as const;
const options = { width: 40, height: 40, view: front, frame, alt: "cubes" };

describe("surfacePanel()", () => {
  it("looks along y: x runs to the right, z up", () => {
    const figure = surfacePanel([cube(2, 9, 15, "#e00000")], options);
    assertEquals(colourAt(figure, 0.22, 0.22), "red");
    assertEquals(colourAt(figure, 0.78, 0.22), "white");
    assertEquals(colourAt(figure, 0.22, 0.78), "white");
  });

  it("hides what lies behind, whatever the order", () => {
    const [near, far] = [cube(9, 2, 9, "#e00000"), cube(9, 14, 9, "#0000e0")];
    for (const surfaces of [[near, far], [far, near]]) {
      assertEquals(colourAt(surfacePanel(surfaces, options), 0.5, 0.5), "red");
    }
    const behind = {
      ...options,
      view: { azimuth: 180, elevation: 0 },
      frame: { ...frame, right: [-23, 0] as const },
    };
    assertEquals(colourAt(surfacePanel([near, far], behind), 0.5, 0.5), "blue");
  });

  it("colours marked vertices, and nets let through what lies behind", () => {
    const surface = cube(9, 9, 9, "#0000e0");
    const all = new Uint8Array(surface.mesh.vertices.length / 3).fill(1);
    const marked = surfacePanel([{ ...surface, marks: { vertices: all, colour: "#00c000" } }], options);
    assertEquals(colourAt(marked, 0.5, 0.5), "green");
    const net = surfacePanel([{ ...surface, dots: all }], options);
    const seen = new Set(Array.from({ length: 40 }, (_, i) => colourAt(net, 0.45 + i / 400, 0.5)));
    assert(seen.has("white") && seen.has("blue"), [...seen].join());
    assertEquals(
      colourAt(surfacePanel([{ ...surface, dots: all.map(() => 0) }], options), 0.5, 0.5),
      "white",
    );
  });
});
