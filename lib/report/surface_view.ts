/**
 * Surfaces as pictures: an orthographic view with a depth buffer, drawn here, so that every machine draws the same and
 * none needs a graphics card.
 */
import { encode } from "fast-png";
import type { Mesh } from "../volume/surface_mesh.ts";
import { parseHex } from "./colour_maps.ts";
import { pngAddress } from "./planes.ts";
import { averaged, type Buffer, createBuffer, fillTriangle, samples } from "./raster.ts";
import { element, type Figure } from "./svg.ts";

/** A surface in a scene. */
export interface SceneSurface {
  readonly mesh: Mesh;
  /** "#rrggbb" */
  readonly colour: string;
  /** Marks each vertex with 1 that takes the other colour. */
  readonly marks?: { readonly vertices: Uint8Array; readonly colour: string };
  /** Draws only triangles all of whose vertices are 1, as a net of dots over what lies behind. */
  readonly dots?: Uint8Array;
}

/** From where a scene is seen. */
export interface ViewAngles {
  /** Degrees to the right of the view along y. */
  readonly azimuth: number;
  /** Degrees above the horizon. */
  readonly elevation: number;
}

/** The view of all figures: from the front, a little from the side and above. */
const usualView: ViewAngles = { azimuth: 30, elevation: 22 };

/** What a scene is drawn into. */
export interface SceneOptions {
  /** Points. */
  readonly width: number;
  readonly height: number;
  readonly view?: ViewAngles;
  /** What fills the picture; scenes with the same frame have the same scale. Default: the surfaces. */
  readonly frame?: SceneFrame;
  readonly alt: string;
}

/** What of the plane of the picture is to be seen, in millimetres from the origin of the volume. */
export interface SceneFrame {
  readonly right: readonly [low: number, high: number];
  readonly up: readonly [low: number, high: number];
}

const dotsPerInch = 300;

/** The frame that holds some meshes; 1 mm where they are empty. */
export function frameOf(meshes: readonly Mesh[], view: ViewAngles = usualView): SceneFrame {
  const { right, up } = axesOf(view);
  const ranges = [[Infinity, -Infinity], [Infinity, -Infinity]] as [[number, number], [number, number]];
  for (const { vertices } of meshes) {
    for (let i = 0; i < vertices.length; i += 3) {
      [right, up].forEach((axis, k) => {
        const along = dot(axis, vertices, i);
        if (along < ranges[k][0]) ranges[k][0] = along;
        if (along > ranges[k][1]) ranges[k][1] = along;
      });
    }
  }
  if (ranges[0][0] > ranges[0][1]) return { right: [-0.5, 0.5], up: [-0.5, 0.5] };
  return { right: ranges[0], up: ranges[1] };
}

/** A scene as a panel on white. */
export function surfacePanel(surfaces: readonly SceneSurface[], options: SceneOptions): Figure {
  const { width, height, alt } = options;
  const [columns, rows] = [width, height].map((side) => Math.round(side / 72 * dotsPerInch));
  const buffer = createBuffer(columns * samples, rows * samples);
  const view = options.view ?? usualView;
  const frame = options.frame ?? frameOf(surfaces.map(({ mesh }) => mesh), view);
  const camera = cameraOf(view, frame, buffer);
  for (const surface of surfaces) if (surface.dots === undefined) drawSurface(buffer, camera, surface);
  for (const surface of surfaces) if (surface.dots !== undefined) drawSurface(buffer, camera, surface);
  const png = encode({ width: columns, height: rows, data: averaged(buffer), channels: 3, depth: 8 });
  return {
    width,
    height,
    alt,
    body: element("image", { x: 0, y: 0, width, height, preserveAspectRatio: "none", href: pngAddress(png) }),
  };
}

type Vector = readonly [number, number, number];

interface Axes {
  readonly right: Vector;
  readonly up: Vector;
  /** Towards the eye. */
  readonly eye: Vector;
}

interface Camera extends Axes {
  /** Samples a millimetre. */
  readonly scale: number;
  /** What lies in the middle of the picture, along `right` and `up`. */
  readonly middle: readonly [number, number];
}

function axesOf({ azimuth, elevation }: ViewAngles): Axes {
  const [a, e] = [azimuth * Math.PI / 180, elevation * Math.PI / 180];
  return {
    right: [Math.cos(a), Math.sin(a), 0],
    up: [-Math.sin(a) * Math.sin(e), Math.cos(a) * Math.sin(e), Math.cos(e)],
    eye: [Math.sin(a) * Math.cos(e), -Math.cos(a) * Math.cos(e), Math.sin(e)],
  };
}

/** Share of the picture that the frame fills. */
const fill = 0.94;

function cameraOf(view: ViewAngles, { right, up }: SceneFrame, buffer: Buffer): Camera {
  const [width, height] = [right, up].map(([low, high]) => Math.max(high - low, 1e-6));
  return {
    ...axesOf(view),
    scale: fill * Math.min(buffer.width / width, buffer.height / height),
    middle: [(right[0] + right[1]) / 2, (up[0] + up[1]) / 2],
  };
}

function dot(a: Vector, b: ArrayLike<number>, offset: number): number {
  return a[0] * b[offset] + a[1] * b[offset + 1] + a[2] * b[offset + 2];
}

/** Lights in the camera's frame: a main one from the upper left and a weak one from the right. */
const lights = [{ right: -0.45, up: 0.6, eye: 0.66, strength: 0.72 }, {
  right: 0.75,
  up: 0.1,
  eye: 0.65,
  strength: 0.2,
}];
const ambient = 0.26;

function drawSurface(buffer: Buffer, camera: Camera, surface: SceneSurface): void {
  const { mesh, colour, marks, dots } = surface;
  const { vertices, triangles } = mesh;
  const count = vertices.length / 3;
  const screen = new Float32Array(3 * count);
  const shade = new Float32Array(count);
  const normals = vertexNormals(mesh);
  for (let v = 0; v < count; v++) {
    screen[3 * v] = buffer.width / 2 + camera.scale * (dot(camera.right, vertices, 3 * v) - camera.middle[0]);
    screen[3 * v + 1] = buffer.height / 2 -
      camera.scale * (dot(camera.up, vertices, 3 * v) - camera.middle[1]);
    screen[3 * v + 2] = camera.scale * dot(camera.eye, vertices, 3 * v);
    shade[v] = brightness(
      dot(camera.right, normals, 3 * v),
      dot(camera.up, normals, 3 * v),
      dot(camera.eye, normals, 3 * v),
    );
  }
  const base = parseHex(colour);
  const marked = marks === undefined ? base : parseHex(marks.colour);
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]] as const;
    if (dots !== undefined && corners.some((v) => dots[v] === 0)) continue;
    const isMarked = marks !== undefined && corners.reduce((sum, v) => sum + marks.vertices[v], 0) >= 2;
    fillTriangle(buffer, {
      screen,
      shade,
      corners,
      colour: isMarked ? marked : base,
      net: dots !== undefined,
    });
  }
}

function brightness(right: number, up: number, eye: number): number {
  let sum = ambient;
  for (const light of lights) {
    sum += light.strength * Math.max(0, right * light.right + up * light.up + eye * light.eye);
  }
  // Surfaces that turn away darken, which draws the outline.
  return Math.min(1.12, sum) * (0.62 + 0.38 * Math.min(1, 2.2 * Math.max(0, eye)));
}

/** Unit normals of the vertices: the sum of those of their triangles, weighted by area. */
function vertexNormals({ vertices: p, triangles }: Mesh): Float32Array {
  const normals = new Float32Array(p.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const a = 3 * triangles[t], b = 3 * triangles[t + 1], c = 3 * triangles[t + 2];
    const ux = p[b] - p[a], uy = p[b + 1] - p[a + 1], uz = p[b + 2] - p[a + 2];
    const vx = p[c] - p[a], vy = p[c + 1] - p[a + 1], vz = p[c + 2] - p[a + 2];
    const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
    for (let k = 0; k < 3; k++) {
      const corner = 3 * triangles[t + k];
      normals[corner] += x;
      normals[corner + 1] += y;
      normals[corner + 2] += z;
    }
  }
  for (let v = 0; v < normals.length; v += 3) {
    const length = Math.hypot(normals[v], normals[v + 1], normals[v + 2]) || 1;
    for (let k = 0; k < 3; k++) normals[v + k] /= length;
  }
  return normals;
}
