/** What the painting of every body needs: the image, the organ, the textures, and places with some play. */
import type { RandomStream } from "../../random.ts";
import { type Triple, voxelCount } from "../../volume/volume.ts";
import { between, smoothNoise } from "./acquisition.ts";
import {
  type Bead,
  emptyField,
  type Field,
  joinTube,
  paint,
  roughen,
  smoothBeads,
  subtract,
} from "./shapes.ts";

/** A picture that is being painted around an organ. */
export interface Scene {
  readonly image: Float32Array;
  readonly organ: Field;
  /** Patterns of mean 0 and variance 1: features of about 8 and of about 3 voxels. */
  readonly cloudy: Float32Array;
  readonly fine: Float32Array;
  /** A uniform number. */
  draw(low: number, high: number): number;
  /** A place near (x, y, z): up to `play` voxels off along each axis. */
  at(x: number, y: number, z: number, play?: number): Triple;
  /** A body of what `add` joins to an empty field; its surface is uneven by about `roughness` voxels. */
  body(add: (field: Field) => void, roughness?: number): Field;
  /** A tube along a smooth curve through the beads. */
  tube(beads: readonly Bead[], roughness?: number): Field;
  /** Takes away from a body what lies nearer to the organ than `gap` voxels. */
  apart(field: Field, gap: number): Field;
  /** Paints a body with a fine texture. */
  solid(field: Field, value: number, contrast?: number): void;
}

/** An empty picture on the organ's grid. */
export function makeScene(organ: Field, stream: RandomStream): Scene {
  const { shape } = organ;
  const image = new Float32Array(voxelCount(shape));
  const cloudy = smoothNoise(shape, stream, 5);
  const fine = smoothNoise(shape, stream, 2);
  const draw = (low: number, high: number) => between(stream, low, high);
  const body = (add: (field: Field) => void, roughness = 0.8) => {
    const field = emptyField(organ);
    add(field);
    if (roughness > 0) roughen(field, cloudy, roughness);
    return field;
  };
  return {
    image,
    organ,
    cloudy,
    fine,
    draw,
    body,
    at: (x, y, z, play = 2) => [x + draw(-play, play), y + draw(-play, play), z + draw(-play, play)],
    tube: (beads, roughness = 0.3) => body((field) => joinTube(field, smoothBeads(beads)), roughness),
    apart(field, gap) {
      subtract(field, organ, gap);
      return field;
    },
    solid: (field, value, contrast = 4) => paint(image, field, value, { texture: fine, contrast }),
  };
}
