/** Brings a label onto the grid of its scan, where the two headers agree and where they do not. */
import { InputError } from "../../errors.ts";
import { boundingBox } from "../../volume/crop.ts";
import { gridDifference } from "../../volume/geometry.ts";
import { reorient, type Reorientation, toPatientAxes } from "../../volume/orientation.ts";
import type { Geometry, Volume } from "../../volume/volume.ts";

/** A label on the grid of its image, and how it came there. */
export interface AlignedLabel {
  readonly label: Volume<Uint8Array>;
  readonly decisions: readonly string[];
  readonly cautions: readonly string[];
}

/** Attenuation of the pancreas with contrast, and of fat within it, in Hounsfield units. */
const softTissue = [-50, 200] as const;

/** Another order of the label's slices is believed where this much more of it is soft tissue. */
const clearly = 0.1;

/**
 * A label that was drawn on the image's own grid. Where the headers place them differently, the released code's rule is
 * taken for left atria, voxel for voxel; for others it is an error.
 *
 * @param path the label's file, for messages.
 * @param stated the image's grid as its header has it, where that was corrected; the label's may say the same.
 * @throws InputError where the shapes differ, or the places where they have to agree.
 */
export function alignByVoxel(
  label: Volume<Uint8Array>,
  image: Volume,
  { path, strict, stated }: { path: string; strict: boolean; stated?: Geometry },
): AlignedLabel {
  requireShape(label, image, path);
  const difference = gridDifference(image, label);
  if (difference === undefined) return { label, decisions: [], cautions: [] };
  if (stated !== undefined && gridDifference(stated, label) === undefined) {
    return { label: { ...image, data: label.data }, decisions: [], cautions: [] };
  }
  if (strict) throw new InputError(`${path}: image and label are not on one grid: ${difference}`);
  const caution =
    `the label was taken voxel for voxel, although its header places it elsewhere: ${difference}`;
  return { label: { ...image, data: label.data }, decisions: [], cautions: [caution] };
}

/**
 * A label of Pancreas-CT. Its file counts columns, rows and slices as the scan's slices are numbered, from the head to
 * the feet, and its header says nothing true about its place; so the slices are reversed, unless header and scan agree
 * or the attenuation below the label clearly speaks for another order.
 *
 * @param image the scan in the patient's axes (LPS), Hounsfield units.
 * @param path the label's file, for messages.
 * @throws InputError where the shapes differ.
 */
export function alignPancreas(label: Volume<Uint8Array>, image: Volume, path: string): AlignedLabel {
  const placed = reorient(label, toPatientAxes(label));
  if (gridDifference(image, placed) === undefined) {
    const decision = "the label lies where its header says, which is on the scan's grid";
    return { label: placed, decisions: [decision], cautions: [] };
  }
  requireShape(label, image, path);
  const candidates = orders.map((order) => ({ ...order, share: softShare(label, image, order.reversed) }));
  const [usual, ...others] = candidates;
  const best = others.reduce((a, b) => b.share > a.share ? b : a);
  const chosen = best.share > usual.share + clearly ? best : usual;
  const evidence = candidates.map(({ name, share }) => `${name} ${(100 * share).toFixed(1)} %`).join(", ");
  const text = `the label's slices were taken ${chosen.name}: soft tissue below the label: ${evidence}`;
  return {
    label: { ...image, data: reorient(label, { axes: [0, 1, 2], reversed: chosen.reversed }).data },
    decisions: [text],
    cautions: chosen === usual ? [] : [`${text}; the archive's rule is ${usual.name}`],
  };
}

/** The archive's rule first. */
const orders = [
  { name: "in reversed order", reversed: [false, false, true] },
  { name: "in stored order", reversed: [false, false, false] },
  { name: "in reversed order with the rows reversed", reversed: [false, true, true] },
  { name: "in stored order with the rows reversed", reversed: [false, true, false] },
] as const;

/** The share of the label that lies on soft tissue when these axes run backwards. */
function softShare(label: Volume<Uint8Array>, image: Volume, reversed: Reorientation["reversed"]): number {
  const { data, shape } = label;
  const box = boundingBox(data, shape);
  if (box === undefined) return 0;
  const [nx, ny, nz] = shape;
  const [x0, y0, z0] = box.start;
  const [sx, sy, sz] = box.size;
  let [all, soft] = [0, 0];
  for (let x = x0; x < x0 + sx; x++) {
    const i = reversed[0] ? nx - 1 - x : x;
    for (let y = y0; y < y0 + sy; y++) {
      const j = reversed[1] ? ny - 1 - y : y;
      for (let z = z0; z < z0 + sz; z++) {
        if (data[(x * ny + y) * nz + z] === 0) continue;
        all++;
        const value = image.data[(i * ny + j) * nz + (reversed[2] ? nz - 1 - z : z)];
        if (value >= softTissue[0] && value <= softTissue[1]) soft++;
      }
    }
  }
  return soft / all;
}

function requireShape(label: Volume<Uint8Array>, image: Volume, path: string) {
  if (label.shape.join() === image.shape.join()) return;
  throw new InputError(
    `${path}: the label has ${label.shape.join("×")} voxels and the image ${
      image.shape.join("×")
    }; both must have ` +
      `the same grid`,
  );
}
