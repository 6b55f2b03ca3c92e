/** Surfaces of the predictions of a case, with what lies too far outside and what is missed. */
import type { StoredCase } from "../../experiments/figure_data.ts";
import { boundingBox, crop } from "../../volume/crop.ts";
import { signedSquaredDistances } from "../../volume/distance.ts";
import { type Mesh, surfaceMesh } from "../../volume/surface_mesh.ts";
import type { Shape3, Triple } from "../../volume/volume.ts";
import { frameOf, type SceneFrame, type SceneSurface, surfacePanel } from "../surface_view.ts";
import type { Figure, PlotlySpec } from "../svg.ts";

/** Colours of truth, prediction, and what is marked. */
export const surfaceColours = {
  truth: "#e8d98a",
  prediction: "#8ccbef",
  outside: "#c24d00",
  missed: "#404040",
} as const;

/** Millimetres beyond which a difference is marked. */
export const markedDistance = 4;
/** The largest side of the grid that surfaces are made on; larger masks are halved. */
const largestSide = 72;

/** Some masks of one case on one grid. */
interface Grid {
  readonly shape: Shape3;
  readonly spacing: Triple;
}

/** The surfaces of one case: the truth, and each prediction's with its marks. */
export interface CaseSurfaces {
  readonly truth: Mesh;
  readonly predictions: readonly {
    readonly mesh: Mesh;
    /** 1 where a vertex lies more than `markedDistance` outside of the truth. */
    readonly outside: Uint8Array;
    /** 1 where a vertex of the truth lies more than `markedDistance` outside of the prediction. */
    readonly missed: Uint8Array;
  }[];
}

/** Makes the surfaces of the truth and of some predicted masks of a case. */
export function caseSurfaces(
  { shape, spacing, truth }: Pick<StoredCase, "shape" | "spacing" | "truth">,
  masks: readonly Uint8Array[],
): CaseSurfaces {
  const { grid, masks: [coarseTruth, ...coarse] } = onCoarseGrid([truth, ...masks], { shape, spacing });
  const surface = (mask: Uint8Array) => surfaceMesh(mask, grid.shape, grid.spacing);
  const ofTruth = surface(coarseTruth);
  const fromTruth = distancesFrom(coarseTruth, grid);
  return {
    truth: ofTruth,
    predictions: coarse.map((mask) => {
      const mesh = surface(mask);
      return {
        mesh,
        outside: farOnes(fromTruth, mesh, grid),
        missed: farOnes(distancesFrom(mask, grid), ofTruth, grid),
      };
    }),
  };
}

/** Panels of the truth and of each prediction, in one frame and from one side. */
export function surfacePanels(
  { truth, predictions }: CaseSurfaces,
  { width, height, name }: { width: number; height: number; name: string },
): Figure[] {
  const frame = aboutTruth(frameOf([truth]), frameOf([truth, ...predictions.map(({ mesh }) => mesh)]));
  const panel = (surfaces: readonly SceneSurface[], what: string) =>
    surfacePanel(surfaces, { width, height, frame, alt: `Surface of ${what} of ${name}` });
  return [
    panel([{ mesh: truth, colour: surfaceColours.truth }], "the ground truth"),
    ...predictions.map(({ mesh, outside, missed }) =>
      panel([
        {
          mesh,
          colour: surfaceColours.prediction,
          marks: { vertices: outside, colour: surfaceColours.outside },
        },
        { mesh: truth, colour: surfaceColours.missed, dots: missed },
      ], "a prediction")
    ),
  ];
}

/** Share of the truth's extent by which the frame reaches beyond it at most: far false positives are cut off. */
const surround = 0.3;

function aboutTruth(truth: SceneFrame, all: SceneFrame): SceneFrame {
  const limited = ([low, high]: readonly [number, number], [lowest, highest]: readonly [number, number]) => {
    const reach = surround * (high - low);
    return [Math.max(lowest, low - reach), Math.min(highest, high + reach)] as const;
  };
  return { right: limited(truth.right, all.right), up: limited(truth.up, all.up) };
}

/** A scene in which a menu chooses the surface; the truth stays as a pale hull. */
export function surfaceMenu(
  { truth, predictions }: CaseSurfaces,
  names: readonly string[],
  title: string,
): PlotlySpec {
  const traces = [
    { ...meshTrace(truth, surfaceColours.truth), name: "ground truth", opacity: 0.35 },
    ...predictions.map(({ mesh }, i) => ({
      ...meshTrace(mesh, surfaceColours.prediction),
      name: names[i],
      visible: i === predictions.length - 1,
    })),
  ];
  const axis = { visible: false };
  return {
    data: traces,
    layout: {
      title: { text: title },
      width: 640,
      height: 480,
      margin: { l: 0, r: 0, t: 40, b: 0 },
      scene: { xaxis: axis, yaxis: axis, zaxis: axis, aspectmode: "data" },
      updatemenus: [{
        x: 0,
        y: 1,
        xanchor: "left",
        active: names.length - 1,
        buttons: names.map((label, shown) => ({
          label,
          method: "restyle",
          args: [{ visible: traces.map((_, i) => i === 0 || i === shown + 1) }],
        })),
      }],
    },
  };
}

function meshTrace({ vertices, triangles }: Mesh, color: string): Record<string, unknown> {
  const column = <T extends Float32Array | Uint32Array>(values: T, k: number) =>
    Array.from({ length: values.length / 3 }, (_, i) => Math.round(10 * values[3 * i + k]) / 10);
  const [x, y, z] = [0, 1, 2].map((k) => column(vertices, k));
  const [i, j, k] = [0, 1, 2].map((corner) => column(triangles, corner));
  const lighting = { ambient: 0.5, diffuse: 0.7, specular: 0.15 };
  return { type: "mesh3d", x, y, z, i, j, k, color, lighting, hoverinfo: "name", flatshading: false };
}

/** The part of the masks in which there is anything, halved until it is small enough. */
function onCoarseGrid(
  masks: readonly Uint8Array[],
  { shape, spacing }: Grid,
): { grid: Grid; masks: Uint8Array[] } {
  const union = new Uint8Array(masks[0].length);
  for (const mask of masks) for (let i = 0; i < mask.length; i++) union[i] |= mask[i];
  const { start, size } = boundingBox(union, shape) ?? { start: [0, 0, 0] as Triple, size: shape };
  // One voxel of background on each side lets distances and surfaces end within the grid.
  const box = {
    start: start.map((s) => s - 1) as unknown as Triple,
    size: size.map((s) => s + 2) as unknown as Shape3,
  };
  let grid: Grid = { shape: box.size, spacing };
  let cut = masks.map((mask) => crop(mask, shape, box));
  while (Math.max(...grid.shape) > largestSide) {
    const before = grid;
    cut = cut.map((mask) => halved(mask, before.shape));
    grid = {
      shape: before.shape.map((side) => Math.ceil(side / 2)) as unknown as Shape3,
      spacing: before.spacing.map((side) => 2 * side) as unknown as Triple,
    };
  }
  return { grid, masks: cut };
}

/** A voxel for each 2³ of which at least half are set; what lies beyond the end counts as not set. */
function halved(mask: Uint8Array, [nx, ny, nz]: Shape3): Uint8Array {
  const [mx, my, mz] = [nx, ny, nz].map((side) => Math.ceil(side / 2));
  const counts = new Uint8Array(mx * my * mz);
  for (let x = 0, i = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      const row = ((x >> 1) * my + (y >> 1)) * mz;
      for (let z = 0; z < nz; z++, i++) counts[row + (z >> 1)] += mask[i];
    }
  }
  return counts.map((count) => count >= 4 ? 1 : 0);
}

/** Squared distances outside of a mask. */
function distancesFrom(mask: Uint8Array, { shape, spacing }: Grid): Float64Array {
  return signedSquaredDistances(mask, shape, { spacing }).squared;
}

/** Which vertices lie more than `markedDistance` outside. */
function farOnes(squared: Float64Array, { vertices }: Mesh, { shape, spacing }: Grid): Uint8Array {
  const far = new Uint8Array(vertices.length / 3);
  for (let v = 0; v < far.length; v++) {
    let voxel = 0;
    for (let k = 0; k < 3; k++) {
      const at = Math.round(vertices[3 * v + k] / spacing[k]);
      voxel = voxel * shape[k] + Math.min(shape[k] - 1, Math.max(0, at));
    }
    far[v] = squared[voxel] > markedDistance ** 2 ? 1 : 0;
  }
  return far;
}
