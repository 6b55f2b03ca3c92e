/** The surface of a mask as a viewer page holds it: in the world of NIfTI (RAS millimetres), in few bytes. */
import { gzipSync } from "node:zlib";
import { surfaceMesh } from "../../volume/surface_mesh.ts";
import type { Volume } from "../../volume/volume.ts";

/** A mesh whose vertices are `low + step * n` along each axis, n from 0 to 65535. */
export interface EncodedMesh {
  readonly low: readonly number[];
  readonly step: readonly number[];
  /** Numbers x, y, z, x, … of 16 bits, and differences of successive vertex numbers of 32 bits; gzip in Base64. */
  readonly vertices: string;
  readonly triangles: string;
}

/** The mask's surface; undefined where the mask is empty. */
export function encodeMesh(
  { data, shape, spacing, direction, origin }: Volume<Uint8Array>,
): EncodedMesh | undefined {
  if (!data.includes(1)) return undefined;
  const { vertices, triangles } = surfaceMesh(data, shape, spacing);
  const places = new Float64Array(vertices.length);
  for (let v = 0; v < vertices.length; v += 3) {
    for (let c = 0; c < 3; c++) {
      const world = origin[c] + vertices[v] * direction[0][c] + vertices[v + 1] * direction[1][c] +
        vertices[v + 2] * direction[2][c];
      places[v + c] = c < 2 ? -world : world;
    }
  }
  const [low, high] = [[Infinity, Infinity, Infinity], [-Infinity, -Infinity, -Infinity]];
  for (let i = 0; i < places.length; i++) {
    low[i % 3] = Math.min(low[i % 3], places[i]);
    high[i % 3] = Math.max(high[i % 3], places[i]);
  }
  const step = low.map((least, c) => (high[c] - least) / 65535 || 1);
  const numbers = Uint16Array.from(places, (place, i) => Math.round((place - low[i % 3]) / step[i % 3]));
  const order = isMirrored(direction) ? [0, 2, 1] : [0, 1, 2];
  const differences = new Int32Array(triangles.length);
  let last = 0;
  for (let i = 0; i < triangles.length; i++) {
    const vertex = triangles[i - i % 3 + order[i % 3]];
    differences[i] = vertex - last;
    last = vertex;
  }
  return { low, step, vertices: packed(numbers), triangles: packed(differences) };
}

/** Axes of a left-handed grid turn triangles inside out. */
function isMirrored([a, b, c]: Volume["direction"]): boolean {
  const volume = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) +
    a[2] * (b[0] * c[1] - b[1] * c[0]);
  return volume < 0;
}

function packed({ buffer, byteOffset, byteLength }: Uint16Array | Int32Array): string {
  return gzipSync(new Uint8Array(buffer, byteOffset, byteLength), { level: 9 }).toString("base64");
}
