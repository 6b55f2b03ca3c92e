/**
 * Synthetic cases, drawn from a seed: plain atria that are learnt in minutes, and three kinds after what was measured
 * on the real sets: left atria in MR, pancreases in CT, brain tumours in FLAIR. Labels are exact. Nothing in them
 * comes from a patient.
 */
import { InputError } from "../errors.ts";
import { randomStream } from "../random.ts";
import { identityDirection } from "../volume/volume.ts";
import { drawAtrium } from "./phantom/atrium.ts";
import { drawPancreas } from "./phantom/pancreas.ts";
import { drawPlainAtrium } from "./phantom/plain.ts";
import type { Drawing } from "./phantom/drawing.ts";
import { drawTumour } from "./phantom/tumour.ts";
import { type Case, type CaseSource, keepLoaded } from "./source.ts";

/** What can be drawn. */
export type PhantomKind = "plain" | "atrium" | "pancreas" | "tumour";

/** Which phantoms there are. */
export interface PhantomOptions {
  /** Default "plain". */
  readonly kind?: PhantomKind;
  readonly seed: number;
  /** Numbers of cases. */
  readonly train: number;
  readonly test: number;
}

const drawings = {
  plain: drawPlainAtrium,
  atrium: drawAtrium,
  pancreas: drawPancreas,
  tumour: drawTumour,
} as const;

/** A source of phantoms that are drawn when they are first asked for. */
export function phantomSource({ kind = "plain", seed, train, test }: PhantomOptions): CaseSource {
  const prefix = kind === "plain" ? "phantom" : `phantom-${kind}`;
  const names = (list: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${prefix}-${list}-${String(i + 1).padStart(2, "0")}`);
  const lists = { train: names("train", train), test: names("test", test) };
  const known = new Set([...lists.train, ...lists.test]);
  const load = (name: string): Promise<Case> => {
    if (!known.has(name)) {
      throw new InputError(`there is no phantom "${name}"; known: ${[...known].join(", ")}`);
    }
    return Promise.resolve(drawPhantom(seed, name, kind));
  };
  return { ...lists, load: keepLoaded(load, 2 ** 29) };
}

/** Draws one phantom; the same seed, name and kind always give the same voxels. */
export function drawPhantom(seed: number, name: string, kind: PhantomKind = "plain"): Case {
  const { shape, voxelSize, image, label }: Drawing = drawings[kind](randomStream(seed, `phantom/${name}`));
  const grid = {
    shape,
    spacing: [voxelSize, voxelSize, voxelSize] as const,
    direction: identityDirection,
    origin: [0, 0, 0] as const,
  };
  return { name, image: { ...grid, data: image }, label: { ...grid, data: label } };
}
