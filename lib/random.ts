/**
 * Named random streams. A stream is a pure function of (seed, name, index…): asking for the stream of one
 * purpose never shifts another's, and a stream that is keyed by the step needs no saved position, so a resumed
 * run draws exactly what an uninterrupted one would have drawn.
 */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A source of random numbers for one purpose. */
export interface RandomStream {
  /** Uniform in [0, 1), with 32 random bits. */
  uniform(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal deviate (polar Box–Muller). */
  normal(): number;
  /** A random permutation of 0 … length − 1 (Fisher–Yates). */
  permutation(length: number): Int32Array;
}

/**
 * The stream for one purpose.
 *
 * @param seed the run's seed, an integer.
 * @param name the purpose, for example "crop".
 * @param indices what the draw belongs to, for example the step and the item.
 */
export function randomStream(seed: number, name: string, ...indices: number[]): RandomStream {
  const generator = xoroshiro128plus(hash(seed, name, indices));
  // The first outputs of a freshly seeded xoroshiro are correlated between neighbouring seeds.
  for (let i = 0; i < 8; i++) generator.next();
  let spare: number | undefined;
  const uniform = () => (generator.next() >>> 0) / 4294967296;
  const integer = (bound: number) => Math.floor(uniform() * bound);
  return {
    uniform,
    integer,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      let u: number, v: number, s: number;
      do {
        u = 2 * uniform() - 1;
        v = 2 * uniform() - 1;
        s = u * u + v * v;
      } while (s >= 1 || s === 0);
      const factor = Math.sqrt(-2 * Math.log(s) / s);
      spare = v * factor;
      return u * factor;
    },
    permutation(length) {
      const order = Int32Array.from({ length }, (_, i) => i);
      for (let i = length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
      }
      return order;
    },
  };
}

/** 32-bit FNV-1a over the key, finished with murmur3's mixer. */
function hash(seed: number, name: string, indices: readonly number[]): number {
  let h = 0x811c9dc5;
  for (const character of `${seed}/${name}/${indices.join("/")}`) {
    h = Math.imul(h ^ character.codePointAt(0)!, 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
